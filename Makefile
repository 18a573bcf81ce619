# SPDX-License-Identifier: BSD-2-Clause
# Cloister.  `make help` says what there is.

TOOLROOT := lab/toolroot run --

.PHONY: help demo test unit unit-all engine prove fuzz coverage budget \
        mutants system attacks attacks-long xen lab tools size bench format \
        clean

help:
	@echo 'make demo    build everything, run stock Xen and Cloister, show what dom0 sees'
	@echo 'make test    the tests that CI runs; ends with "N passed, N failed"'
	@echo
	@echo 'make unit    unit tests only           make system  tests in the lab only'
	@echo 'make engine  proofs and fuzzers, short  make clean   remove build/'
	@echo 'make attacks each attack on stock Xen and on Cloister, as a matrix'
	@echo 'tests/attacks/run last  the same of the logs that the last runs left'
	@echo 'make attacks-long  random calls, and a noisy neighbour, on Cloister'
	@echo 'make unit-all  all compilers, sanitizers, valgrind'
	@echo 'make prove   every proof              make fuzz T=NAME [SECONDS=60]'
	@echo 'make coverage  lines and branches     make budget  stack, lines'
	@echo 'make mutants   seeded bugs, and who catches them'
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

engine:
	tests/run engine

unit-all:
	$(TOOLROOT) tests/unit-all

prove:
	$(TOOLROOT) tests/proofs/check-contracts
	$(TOOLROOT) tests/proofs/run

fuzz:
	$(TOOLROOT) tests/fuzz/run $(if $(T),$(T) $(or $(SECONDS),60))

coverage:
	$(TOOLROOT) tests/coverage

budget:
	$(TOOLROOT) tests/budget

mutants:
	$(TOOLROOT) tests/mutants/run

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

clean:
	rm -rf build
