# SPDX-License-Identifier: BSD-2-Clause
# What somebody finds who reads all of the machine's memory (rest.host) while
# a guest is paused; and whether the guest goes on as if nothing had been.
# shellcheck shell=sh disable=SC1091

. /lab.sh
PATH=/files:$PATH

# pages STATE: how many of its pages are.
pages()
{
    cloister status --json keeper | sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p" |
        tail -n 1
}

# Until nothing more goes to sleep.
rested()
{
    last=$now
    now=$(pages resting)
    [ "${now:-0}" -gt 0 ] && [ "$now" = "$last" ]
}

# Stock has no state to wait for.
settle()
{
    now=0
    if is_cloister; then
        sleep 5
        wait_until 120 rested
        note "resting $(pages resting), private $(pages private)," \
            "shared $(pages shared)"
    fi
}

# Pauses are counted: one for each unpause.
pause()
{
    xl pause keeper
    settle
}

xl create -q /guest/keeper.cfg vcpus=2
wait_for "$(guest_console keeper)" "keeper ok 2" "$LAB_PATIENCE"
note "paused, and seen from outside"
pause
host
xl unpause keeper
alive keeper woken

note "paused once more; dom0 maps its memory"
pause
fact map_lines "$(mapscan "$(xl domid keeper)" | sed -n 's/^lines //p')"
settle
host
xl unpause keeper
alive keeper mapped

note "saved after a rest, and restored"
pause
xl unpause keeper
xl save keeper /tmp/image >/tmp/xl.out 2>&1
fact save_status $?
xl restore /tmp/image >/tmp/xl.out 2>&1
fact restore_status $?
alive keeper restored
fact bad "$(bad_rounds keeper)"

note "destroyed while it rests"
pause
xl destroy keeper
sleep 2
fact left_domains "$(domains)"
xen_log
fact forged "$(grep -c 'memory at rest was changed' /tmp/xen.log)"
