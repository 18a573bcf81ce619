# SPDX-License-Identifier: BSD-2-Clause
# Helpers for scenarios: `. /lab.sh`.  Every wait has a bound.
# shellcheck shell=sh

# The pattern on a guest's console that says it runs, and how long to wait.
LAB_READY=${LAB_READY:-keeper ok 1}
LAB_PATIENCE=${LAB_PATIENCE:-120}

# guest_console NAME: the file that holds what the guest has printed.
guest_console()
{
    echo "/var/log/xen/console/guest-$1.log"
}

# wait_for FILE PATTERN SECONDS: until a line of FILE matches.
wait_for()
{
    lab_wait=$3
    until grep -q -e "$2" "$1" 2>/dev/null; do
        [ "$lab_wait" -gt 0 ] || return 1
        lab_wait=$((lab_wait - 1))
        sleep 1
    done
}

# free_mem: Xen's free memory, MiB.
free_mem()
{
    xl info | sed -n 's/^free_memory *: //p'
}

# lab_start NAME CFG [key=value...]: one attempt; 0 when the guest runs, 1
# when it could not be created, 2 when it died early, 3 when it is silent.
lab_start()
{
    lab_log=$(guest_console "$1")
    lab_name=$1
    lab_cfg=$2
    shift 2
    # Not rm: xenconsoled keeps the file open.
    [ ! -e "$lab_log" ] || : >"$lab_log"
    xl create -q "$lab_cfg" "name=\"$lab_name\"" "$@" || return 1
    lab_left=$LAB_PATIENCE
    until wait_for "$lab_log" "$LAB_READY" 0; do
        xl domid "$lab_name" >/dev/null 2>&1 || return 2
        [ "$lab_left" -gt 0 ] || return 3
        lab_left=$((lab_left - 1))
        sleep 1
    done
}

# start_guest NAME CFG [key=value...]: start it and wait until it says
# LAB_READY.  About one start in twenty dies early under emulation, with
# unmodified Xen, too: the start, and nothing else, is tried a second time.
start_guest()
{
    lab_start "$@" && return 0
    lab_status=$?
    if [ "$lab_status" -ne 3 ]; then
        echo "lab: retried start of $1"
        lab_start "$@" && return 0
        lab_status=$?
    fi
    echo "lab: start of $1 failed ($lab_status: 1 not created, 2 died," \
        "3 silent)"
    tail -n 20 "$(guest_console "$1")" 2>/dev/null
    return "$lab_status"
}
