# SPDX-License-Identifier: BSD-2-Clause
#
# For the Makefile of a folder with a kernel module for the lab's dom0.  Set
# ROOT, BIN, OBJ and MODULE (its name), SOURCES (all files it needs) before.
#
# The kernel's build system wants sources and objects in one place.

KERNEL := $(lastword $(sort $(wildcard /lib/modules/*/build)))

$(BIN)/$(MODULE).ko: $(SOURCES)
	@test -n '$(KERNEL)' || \
	    { echo "no kernel headers (linux-headers-amd64)" >&2; exit 1; }
	@mkdir -p $(OBJ) $(BIN)
	cp $(SOURCES) $(OBJ)
	echo 'obj-m := $(MODULE).o' >$(OBJ)/Kbuild
	echo 'ccflags-y := -Wall -Werror' >>$(OBJ)/Kbuild
	$(MAKE) -C $(KERNEL) M=$(OBJ) modules
	cp $(OBJ)/$(MODULE).ko $@
