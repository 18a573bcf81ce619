# SPDX-License-Identifier: BSD-2-Clause
# A guest of 4 GiB is saved to the machine's disk, and restored from it.
# shellcheck shell=sh disable=SC1091

. /lab.sh
PATH=/files:$PATH
LAB_PATIENCE=600

modprobe ahci
modprobe sd_mod
wait_until 20 test -b /dev/sda
sed 's/^memory.*/memory = 4096/' /guest/keeper.cfg >/tmp/keeper.cfg
start_guest keeper /tmp/keeper.cfg vcpus=2
note "it runs"
t0=$(date +%s)
xl save keeper /dev/sda >/tmp/xl.out 2>&1
fact save_status $?
t1=$(date +%s)
xl restore /dev/sda >/tmp/xl.out 2>&1
fact restore_status $?
note "saved in $((t1 - t0)) s, restored in $(($(date +%s) - t1)) s"
tail -n 4 /tmp/xl.out | sed 's/^/# /'
alive keeper restored
fact bad "$(bad_rounds keeper)"
xl destroy keeper
