# SPDX-License-Identifier: BSD-2-Clause
# Cloister.  `make help` says what there is.

TOOLROOT := lab/toolroot run --

.PHONY: help demo test unit system attacks attacks-long \
        xen lab tools size bench format \
        check-format clean

help:
	@echo 'make demo    build everything, run stock Xen and Cloister, show what dom0 sees'
	@echo 'make test    every test; ends with "N passed, N failed"'
	@echo
	@echo 'make unit    unit tests only           make system  tests in the lab only'
	@echo 'make attacks each attack on stock Xen and on Cloister, as a matrix'
	@echo 'make attacks-long  random calls, and a noisy neighbour, on Cloister'
	@echo 'make xen     build both Xens           make lab     a shell in a dom0 on Cloister'
	@echo 'make tools   cloister(1), its manual   make bench   figures, as JSON lines'
	@echo 'make size    lines added to Xen        make format  clang-format the C files'
	@echo
	@echo 'Builds and images are kept in $${CLOISTER_CACHE:-~/.cache/cloister}.'

demo:
	lab/demo

test:
	tests/run

unit:
	tests/run unit

system:
	tests/run system

attacks:
	tests/attacks/run

attacks-long:
	tests/attacks/run long

xen:
	xen/build both

lab:
	lab/lab run

tools:
	$(TOOLROOT) $(MAKE) -C tools

size:
	xen/size

bench:
	bench/run

# What is ours; headers of others are not in this repository.
c_files = $(shell git ls-files '*.c' '*.h')

format:
	$(TOOLROOT) clang-format -i $(c_files)

check-format:
	$(TOOLROOT) clang-format --dry-run -Werror $(c_files)

clean:
	rm -rf build
