# SPDX-License-Identifier: BSD-2-Clause
# What comes just when a guest is about to run, or to end, or later than it
# may: mappings made meanwhile, TLB entries left from before, devices; and
# grants, which a guest gives and takes back when it likes.
# PV dom0 with two processors of its own, the guest has the third.
# shellcheck shell=sh disable=SC1091
. /lab.sh
PATH=/files:$PATH

tiny=/files/tiny.cfg
above=0x900                     # the guests have no lines above this gfn
storms=3

# create NAME EXTRA [key=value...]: a paused tiny guest; sets $id.
create()
{
    name=$1 extra=$2
    shift 2
    xl create -q -p $tiny "name=\"$name\"" memory=16 'cpus="2"' \
        "extra=\"$extra\"" "$@" || note "$name is not created"
    id=$(xl domid "$name")
}

# ran: it has checked its lines.
ran()
{
    wait_until 60 tiny_said "$id" 'ok 1'
}

# well: the guest goes on, and finds nothing wrong.
well()
{
    [ "$(tiny_bad "$id")" = 0 ] || bad=$((bad + 1))
}

# covered: 1 if dom0 is still mapping.
covered()
{
    grep -q '^held' /tmp/hold && echo 0 || echo 1
}

# storm SECONDS: dom0 maps the guest again and again from now on.
storm()
{
    hold_start "$id" $above "$1"
    wait_for /tmp/hold '^storm' 60
}

# The fact NAME becomes how many lines there are in all that it has got.
storm_over()
{
    echo enough >&4
    hold_wait
    hold_search "$1"
    hold_close
}

sealed_in_a_storm()
{
    note "mapping a guest while it starts"
    running=0 lines=0 covers=0
    for i in $(seq $storms); do
        create "storm$i" fill=4096
        storm 60
        xl unpause "storm$i"
        covers=$((covers + $(covered)))
        ! ran || running=$((running + 1))
        well
        storm_over found >/tmp/found
        lines=$((lines + $(sed -n 's/^fact found //p' /tmp/found)))
        xl destroy "storm$i"
    done
    fact storm_covers $covers
    fact storm_runs $running
    fact storm_lines $lines
}

destroyed_in_a_storm()
{
    note "mapping a guest while it is destroyed"
    create ends fill=4096
    xl unpause ends
    ran
    storm 60
    sleep 1
    xl destroy ends
    fact ends_covered "$(covered)"
    storm_over ends_lines
    sleep 2
    fact ends_left "$(domains)"
}

stale_tlb()
{
    note "a mapping that is gone from the tables, and not from the TLB"
    create stale fill=4096
    insmod /files/staletlb.ko "domid=$id" gfn=1024 ||
        note "$(dmesg | tail -n 3)"
    for name in mapped ran faulted lines; do
        fact "tlb_$name" "$(cat /sys/module/staletlb/parameters/$name)"
    done
    rmmod staletlb
    well
    xl destroy stale
}

# The same with a saved guest, which is decrypted before it runs.
stale_tlb_restored()
{
    note "the same, as a saved guest is restored"
    create saved 'fill=4096 suspend=2'
    xl unpause saved
    ran
    tiny_save saved /tmp/save || note "$(tail -n 2 /tmp/save.out)"
    xl restore -p /tmp/save >/tmp/restore.out 2>&1
    rm -f /tmp/save
    id=$(xl domid saved)
    insmod /files/staletlb.ko "domid=$id" gfn=1024 elsewhere=1 ||
        note "$(dmesg | tail -n 3)"
    for name in mapped ran faulted lines; do
        fact "restored_tlb_$name" \
            "$(cat /sys/module/staletlb/parameters/$name)"
    done
    rmmod staletlb
    well
    xl destroy saved
}

# A guest that cannot be sealed stays paused.
forged_grant()
{
    note "a grant that dom0 has forged before the guest runs"
    create forged fill=4096
    forgegrant "$id" 20 1024
    xl unpause forged
    fact forged_refused "$(has_flag forged p && echo 1 || echo 0)"
    has_flag forged p || ran
    forgegrant "$id" 20 | facts forged
    xl destroy forged
}

early_secret()
{
    is_cloister || return 0
    note "a secret for a guest that is not sealed yet"
    create early fill=4096
    earlysecret "$id" | facts early
    well
    xl destroy early
}

attached()
{
    note "attaching devices, a device model and watchers to a running guest"
    create late fill=4096
    xl unpause late
    ran
    lateattach "$id" | facts late
    well
    xl destroy late
}

# Its last word on that is known by its number of pages.
granted_page()
{
    xl dmesg | sed -n "s/.*(d$id) tiny grants \([0-9]*\)/\1/p" | tail -n 1
}

grants()
{
    note "a page that the guest grants, and takes back"
    create gives 'fill=4096 grant=9'
    xl unpause gives
    ran
    mkfifo /tmp/granted.in
    granted "$id" 9 "$(granted_page)" </tmp/granted.in >/tmp/granted \
        2>/dev/null &
    exec 5>/tmp/granted.in
    wait_for /tmp/granted '^wrote' 30
    fact grant_ended \
        "$(wait_until 30 tiny_said "$id" 'grants nothing' && echo 1 || echo 0)"
    echo >&5
    exec 5>&-
    wait $!
    facts grant </tmp/granted
    well
    xl destroy gives
}

bad=0
xen_log
before=$(settled)
sealed_in_a_storm
destroyed_in_a_storm
xen_log
stale_tlb
stale_tlb_restored
forged_grant
early_secret
attached
grants
fact guest_bad $bad
sleep 2
fact left_domains "$(domains)"
fact leak_mib $((before - $(settled)))
xen_errors
! is_cloister || fact views_live "$(json views_live)"
note "done"
