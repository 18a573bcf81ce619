# SPDX-License-Identifier: BSD-2-Clause
# What dom0 finds of a guest's secrets, by every way that stock tools offer.
# Prints "fact NAME VALUE" lines, which leaks.expect judges, and "# progress".
# Runs in the lab's dom0: one boot for everything.
# shellcheck shell=sh disable=SC1091

. /lab.sh
PATH=/files:$PATH

# Smaller than the lab's: a PVH dom0 takes milliseconds to map a page.
cfg=/tmp/keeper.cfg
sed 's/^memory.*/memory = 80/' /guest/keeper.cfg >$cfg
kind=$(cat /sys/hypervisor/guest_type)
base='console=hvc0 loglevel=4 keeper=16'
cycles=20

fact()
{
    echo "fact $1 $2"
}

note()
{
    read -r up _ </proc/uptime
    echo "# ${up%.*} s: $*"
}

# facts PREFIX: from "name value" lines; others become notes.
facts()
{
    while read -r name value; do
        case $name in
        '#') echo "# $value" ;;
        *) fact "$1_$name" "$value" ;;
        esac
    done
}

# Xen's log is a ring: collect it before it wraps.
xen_log()
{
    xl dmesg -c >>/tmp/xen.log 2>/dev/null
}

is_cloister()
{
    command -v cloister >/dev/null && cloister status >/dev/null 2>&1
}

# json NAME: the last number of that name in Cloister's status.
json()
{
    cloister status --json | sed -n "s/.*\"$1\": *\([0-9.]*\).*/\1/p" |
        tail -n 1
}

# domains: how many there are, without dom0; the dying count, too.
domains()
{
    xl list | awk 'NR > 1 && $2 != 0' | wc -l
}

# rounds NAME: the newest good round.
rounds()
{
    sed -n 's/.*keeper ok \([0-9]*\).*/\1/p' "$(guest_console "$1")" |
        tail -n 1
}

# alive NAME FACT: the guest's own check goes on: two more rounds, none bad.
alive()
{
    before=$(rounds "$1")
    ok=0
    if wait_for "$(guest_console "$1")" "keeper ok $((${before:-0} + 2))" 60
    then
        ok=1
    fi
    bad=$((bad + $(grep -c 'keeper BAD' "$(guest_console "$1")")))
    fact "alive_$2" $ok
}

# ---- hold: a mapping in the background --------------------------------------

# hold_open DOMID [END]: map all of it, or below END; commands go to
# fd 4, answers to /tmp/hold.
hold_open()
{
    rm -f /tmp/hold.in
    mkfifo /tmp/hold.in
    : >/tmp/hold
    hold "$@" </tmp/hold.in >/tmp/hold 2>&1 &
    holder=$!
    exec 4>/tmp/hold.in
    wait_for /tmp/hold '^held' 300 || note "hold failed: $(cat /tmp/hold)"
    note "dom0 holds $(sed -n 's/^held //p' /tmp/hold) pages"
}

# hold_search NAME: the fact NAME is how many lines are in what is held.
hold_search()
{
    echo "$1" >&4
    wait_for /tmp/hold "^$1 " 120
    fact "$1" "$(sed -n "s/^$1 //p" /tmp/hold)"
}

hold_close()
{
    exec 4>&-
    wait "$holder"
}

# ---- The tests --------------------------------------------------------------

# is_paused NAME
is_paused()
{
    xl list "$1" | awk 'NR == 2 { print $5 }' | grep -q p
}

# What dom0 maps is moved away from it when the guest is sealed, but for the
# rings, which are granted and cannot move: first all, then only what can.
start_held()
{
    xl create -q -p $cfg 'name="keeper"' || return 1
    id=$(xl domid keeper)
    hold_open "$id"
    xl unpause keeper
    fact held_unpause_refused "$(is_paused keeper && echo 1 || echo 0)"
    if is_paused keeper; then
        is_cloister && cloister why keeper | sed 's/^/# /'
        hold_close
        hold_open "$id" 0x5000
        xl unpause keeper
    fi
    wait_for "$(guest_console keeper)" 'keeper ok 1' 60 && return 0
    hold_close
    tail -n 20 "$(guest_console keeper)" | sed 's/^/# guest: /'
    xl list | sed 's/^/# /'
    xl destroy keeper
    return 1
}

held_from_build()
{
    note "mapping the guest's memory before it runs, and keeping it"
    if ! start_held; then
        echo "lab: retried start of keeper"
        start_held || note "no guest"
    fi
    alive keeper before
    hold_search held_lines
    hold_close
    alive keeper held
}

# What the page permission table takes of the guest's memory.
table_size()
{
    is_cloister || return
    cloister status | sed 's/^/# /'
    fact table_percent "$(json table_percent)"
}

map_scan()
{
    note "mapping every gfn of the running guest"
    mapscan "$(xl domid keeper)" | facts map
    alive keeper map
}

map_twice()
{
    note "mapping pages twice, and writing to one"
    xl pause keeper
    reread "$(xl domid keeper)" | facts reread
    xl unpause keeper
    alive keeper reread
}

save_running()
{
    note "xl save -c"
    xl save -c keeper /tmp/save >/tmp/save.out 2>&1
    fact savec_status $?
    linescan /tmp/save | facts savec
    rm -f /tmp/save
    alive keeper savec
}

save_and_restore()
{
    note "xl save"
    xl save keeper /tmp/save >/tmp/save.out 2>&1
    fact save_status $?
    linescan /tmp/save | facts save
    xen_log
    note "xl restore"
    xl restore /tmp/save >/tmp/restore.out 2>&1
    status=$?
    rm -f /tmp/save
    fact restore_ok "$([ $status = 0 ] && echo 1 || echo 0)"
    if [ $status = 0 ]; then
        alive keeper restored
        xl destroy keeper
    else
        fact alive_restored 0
        grep -i error /tmp/restore.out | head -n 4 | sed 's/^/# /'
    fi
    sleep 2
    fact restore_left_domains "$(domains)"
    xen_log
    fact restore_reason "$(grep -c 'cannot be restored' /tmp/xen.log)"
}

destroy_held()
{
    note "mapping a running guest, destroying it, and keeping the mapping"
    start_guest keeper2 $cfg vcpus=2
    hold_open "$(xl domid keeper2)"
    hold_search held_running_lines
    bad=$((bad + $(grep -c 'keeper BAD' "$(guest_console keeper2)")))
    xl destroy keeper2
    sleep 1
    hold_search held_destroyed_lines
    fact held_zombies "$(domains)"
    hold_close
    sleep 2
    fact held_left_domains "$(domains)"
}

crashed()
{
    note "a guest that crashes, and is preserved"
    start_guest crash $cfg 'on_crash="preserve"' \
        "extra=\"$base keeper_crash=2 xen_legacy_crash panic=1\""
    tries=30
    until xl list crash | awk 'NR == 2 { print $5 }' | grep -q c; do
        [ $tries -gt 0 ] || break
        tries=$((tries - 1))
        sleep 1
    done
    fact crash_seen "$([ $tries -gt 0 ] && echo 1 || echo 0)"
    mapscan "$(xl domid crash)" | facts crash
    xl destroy crash
}

# size FILE: KiB
size()
{
    stat -c %s "$1" 2>/dev/null |
        awk '{ kib = $1 / 1024 } END { print int(kib) }'
}

# xl dump-core tries a million holes, one at a time, which takes minutes.  The
# guest's memory stands before them, and the first 16 MiB are written as soon
# as they are full: then it is stopped.
dump_some()
{
    rm -f /tmp/core
    xl dump-core tiny /tmp/core >/tmp/dump.out 2>&1 &
    dumper=$!
    tries=120
    until [ "$(size /tmp/core)" -ge 16384 ]; do
        [ $tries -gt 0 ] || break
        kill -0 $dumper 2>/dev/null || break
        tries=$((tries - 1))
        sleep 1
    done
    kill $dumper 2>/dev/null
    wait $dumper 2>/dev/null
    tail -n 2 /tmp/dump.out | sed 's/^/# /'
}

small_dump()
{
    note "xl dump-core of a small guest"
    xen_log
    xl create -q /files/tiny.cfg memory=40 'extra="fill=2048"'
    tries=20
    until xl dmesg | grep -q 'tiny ok 1'; do
        [ $tries -gt 0 ] || break
        tries=$((tries - 1))
        sleep 1
    done
    fact dump_guest_runs "$([ $tries -gt 0 ] && echo 1 || echo 0)"
    dump_some
    fact dump_kib "$(size /tmp/core)"
    linescan /tmp/core | facts dump
    rm -f /tmp/core
    fact dump_guest_bad "$(xl dmesg | grep -c 'tiny BAD')"
    xl destroy tiny
}

# A guest with two processors, as large as the keeper's, that has run.
one_cycle()
{
    xl create -q /files/tiny.cfg 'name="cycle"' vcpus=2 memory=80 \
        'extra="fill=4096"' || return
    id=$(xl domid cycle)
    left=60
    until xl dmesg | grep -q "(d$id) tiny ok 1"; do
        [ $left -gt 0 ] || break
        left=$((left - 1))
        sleep 0.5
    done
    [ $left = 0 ] || ran=$((ran + 1))
    xl destroy cycle
    xen_log
}

# settled: free memory, MiB, when it no longer changes.
settled()
{
    now=$(free_mem)
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        last=$now
        sleep 1
        now=$(free_mem)
        [ "$now" != "$last" ] || break
    done
    echo "$now"
}

many_cycles()
{
    note "creating and destroying a guest with two processors"
    ran=0
    one_cycle
    before=$(settled)
    note "$before MiB free"
    ran=0
    for _ in $(seq $cycles); do
        one_cycle
    done
    after=$(settled)
    note "$after MiB free"
    fact cycles_ran $ran
    fact cycles_leak_mib $((before - after))
}

final()
{
    fact keeper_bad $bad
    fact left_domains "$(domains)"
    xen_log
    # The refused restore may say so.
    grep -i -E "$errors" /tmp/xen.log |
        grep -v 'failed to check CLOISTER' >/tmp/xen.errors
    fact xen_errors "$(grep -c . /tmp/xen.errors)"
    head -n 20 /tmp/xen.errors | sed 's/^/# /'
    is_cloister || return
    fact views_live "$(json views_live)"
}

# A host's log of protected and unprotected guests has none of these.
errors='assert|\bbug\b|panic|call trace|error|fail|leak|unhandled|hung'

bad=0
xen_log
held_from_build
table_size
map_scan
map_twice
save_running
save_and_restore
destroy_held
crashed
small_dump
[ "$kind" != PV ] || many_cycles
final
note "done"
