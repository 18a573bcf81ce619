# SPDX-License-Identifier: BSD-2-Clause
# A guest that does not run is encrypted in place, and wakes up as it was.
# For Xen with smm-rest=2, and for rest.after, which reads all memory of the
# machine from outside while the guest rests.
# shellcheck shell=sh disable=SC1091

. /lab.sh
PATH=/files:$PATH

cfg=/tmp/keeper.cfg
sed 's/^memory.*/memory = 80/' /guest/keeper.cfg >$cfg

# rested: whether nine tenths of the guest's pages, or more, are at rest.
rested()
{
    [ "$(json resting)" -ge 18000 ]
}

# pause_and_rest FACT
pause_and_rest()
{
    xl pause keeper
    if is_cloister; then
        wait_until "$LAB_PATIENCE" rested
        fact "$1" "$(json resting)"
    fi
}

note "a guest is paused, rests, and goes on"
start_guest keeper $cfg vcpus=2
pause_and_rest resting_first
xl unpause keeper
alive keeper rested

note "others look at it while it rests"
pause_and_rest resting_again
mapscan "$(xl domid keeper)" | facts rest
xl unpause keeper
alive keeper mapped
fact rest_bad "$(bad_rounds keeper)"

note "saved from rest, and restored"
pause_and_rest resting_to_save
xl unpause keeper
xl save keeper /tmp/image >/tmp/xl.out 2>&1
xl restore /tmp/image >/tmp/xl.out 2>&1
fact rest_restore_status $?
alive keeper restored
fact rest_restored_bad "$(bad_rounds keeper)"

note "the machine's memory, from outside"
pause_and_rest resting_at_last
xen_errors
after
