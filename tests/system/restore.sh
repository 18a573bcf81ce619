# SPDX-License-Identifier: BSD-2-Clause
# A saved guest is restored as it was saved, once, or not at all.
# Prints "fact NAME VALUE" lines, which restore.expect judges, and "# progress".
# shellcheck shell=sh disable=SC1091

. /lab.sh
PATH=/files:$PATH

cfg=/tmp/keeper.cfg
sed 's/^memory.*/memory = 80/' /guest/keeper.cfg >$cfg
cycles=3
seed=1
contexts=1500
images=60
! grep -q restore=more /proc/cmdline || contexts=9100 images=1000

# goes_on NAME: two more rounds of its own check.
goes_on()
{
    last=$(rounds "$1")
    wait_for "$(guest_console "$1")" "keeper ok $((${last:-0} + 2))" "$LAB_PATIENCE"
}

# launch NAME: its measurement; a log that was read must stand for it.
launch()
{
    cloister show "$1" 2>/dev/null | sed -n 's/^measurement //p'
}

# One save and restore, by xl alone; seconds of each are notes.
cycle()
{
    t0=$(date +%s)
    xl save keeper /tmp/image >/tmp/xl.out 2>&1 || return 1
    t1=$(date +%s)
    xl restore /tmp/image >/tmp/xl.out 2>&1 || return 1
    note "saved in $((t1 - t0)) s, restored in $(($(date +%s) - t1)) s"
    goes_on keeper
}

# Something else was in the memory map for a moment: Xen goes through all of it.
odd_map()
{
    xl save keeper /tmp/image >/tmp/xl.out 2>&1 &&
        xl restore -p /tmp/image >/tmp/xl.out 2>&1 &&
        /files/oddmap "$(xl domid keeper)" && xl unpause keeper &&
        goes_on keeper
}

# Where the guest has memory there is a hole: it runs on stock Xen.
hole()
{
    note "a guest with a hole in its memory"
    xl save keeper /tmp/image >/tmp/xl.out 2>&1
    xl restore -p /tmp/image >/tmp/xl.out 2>&1
    /files/oddmap "$(xl domid keeper)" hole
    fact hole_made $?
    xl unpause keeper >/tmp/xl.out 2>&1
    fact hole_refused "$(xl list keeper | awk 'NR == 2 { print $5 }' |
        grep -c p)"
    xl destroy keeper
    xl restore /tmp/image >/tmp/xl.out 2>&1
    goes_on keeper
    fact hole_later $?
}

# in_a_row VCPUS: as often as `cycles` says; the guest stays "keeper".
in_a_row()
{
    note "save and restore, $1 vCPU"
    done=0
    start_guest keeper $cfg "vcpus=$1"
    launched=$(launch keeper)
    while [ $done -lt "$cycles" ] && cycle; do
        done=$((done + 1))
        xen_log
    done
    [ $done -eq "$cycles" ] || tail -n 4 /tmp/xl.out | sed 's/^/# /'
    fact "cycles_$1" "$done"
    odd_map
    fact "odd_map_$1" $?
    ! is_cloister || fact "measured_$1" "$([ -n "$launched" ] &&
        [ "$launched" = "$(launch keeper)" ] && echo 1 || echo 0)"
    ! is_cloister || fact "in_log_$1" "$(cloister show --host |
        grep launch | grep -c "$launched")"
    log=$(guest_console keeper)
    fact "bad_$1" "$(bad_rounds keeper)"
    # Its count of rounds never goes back: nothing ran twice.
    fact "back_$1" "$(sed -n 's/.*keeper ok \([0-9]*\).*/\1/p' "$log" |
        awk '$1 <= last { n++ } { last = $1 } END { print n + 0 }')"
    # On stock Xen the image runs twice.
    [ "$1" -ne 1 ] || hole
}

# refused NAME: whether a restore of /tmp/image fails; what is left, goes.
refused()
{
    xl restore /tmp/image >/tmp/xl.out 2>&1
    sleep 1
    if xl list "$1" 2>/dev/null | awk 'NR == 2 { print $5 }' | grep -q p; then
        xl destroy "$1"
    fi
    if xl domid "$1" >/dev/null 2>&1; then echo 0; else echo 1; fi
}

# The guest is saved and goes on: the image would be a second one of it.
checkpoint()
{
    note "xl save -c"
    xl save -c keeper /tmp/image >/tmp/xl.out 2>&1
    fact checkpoint_status $?
    if goes_on keeper; then fact checkpoint_alive 1; fi
    xl destroy keeper
    fact checkpoint_refused "$(refused keeper)"
    xl domid keeper >/dev/null 2>&1 && xl destroy keeper
    xen_log
}

is_lazy()
{
    is_cloister && ! xl info | grep -q 'xen_commandline.*restore=eager'
}

# What remutate is to do.
plan()
{
    if is_lazy; then
        echo "$contexts $images lazy"
    elif is_cloister; then
        echo "$contexts $images"
    else
        echo 0 8 stock
    fi
}

# Every change of an image, by a program: see remutate/main.c.
# A line of the log for each: a ring of 16 KiB is full before it is read.
mutations()
{
    note "an image with changes"
    xl create -q /files/tiny.cfg memory=6 'extra="fill=1024 suspend_each=32"'
    wait_until "$LAB_PATIENCE" tiny_said "$(xl domid tiny)" 'ok 1'
    xen_log
    : >/tmp/mutations.log
    while sleep 1; do xl dmesg -c >>/tmp/mutations.log; done &
    reader=$!
    # shellcheck disable=SC2086  # words
    remutate "$(xl domid tiny)" "$seed" $(plan) >/tmp/remutate 2>/dev/null
    fact mutations_status $?
    if is_lazy; then
        note "a changed page, found when it is touched"
        xl create -q /files/tiny.cfg memory=6 'name="late"' \
            'extra="fill=1024 suspend_each=32"'
        sleep 3
        remutate "$(xl domid late)" 1 0 0 late >>/tmp/remutate 2>/dev/null
    fi
    kill $reader
    xl dmesg -c >>/tmp/mutations.log
    facts mutation </tmp/remutate
    # The unchanged image ran, and found its memory as it was.
    fact mutations_ran "$(grep -c 'tiny ok' /tmp/mutations.log |
        awk '{ print ($1 > 0) }')"
    fact mutations_bad "$(grep -c 'tiny BAD' /tmp/mutations.log)"
}

# reason NAME TEXT: how often the log gives it.
reason()
{
    fact "reason_$1" "$(grep -c "Cloister: d.*: $2" /tmp/mutations.log)"
}

reasons()
{
    sed -n 's/.*Cloister: d[0-9]* is [^:]*: \(.*\) (.*/\1/p' \
        /tmp/mutations.log | sort | uniq -c | sed 's/^/# /'
    reason bad "the image's sealed record is no record"
    reason length "the image's sealed record is truncated"
    reason order "the image's context holds more"
    reason forged "the image's sealed record was changed"
    reason used "the image has been restored already"
    reason void "the guest went on after"
    reason guest "the image is of another guest"
    reason page "a page of the image is not"
    reason missing "a page of the guest is not in"
    reason extra "the image holds a page that"
    reason params "a parameter of the guest differs"
    reason resumed "the guest's image has been restored"
}

free_before=$(settled)
xen_log
mutations
is_cloister && reasons
in_a_row 2
xl destroy keeper
in_a_row 1
checkpoint
sleep 2
fact left_domains "$(domains)"
fact leak_mib $((free_before - $(settled)))
fact xen_alive 1
note "done"
