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

# ---- The tests --------------------------------------------------------------

# What dom0 maps is moved away from it when the guest is sealed, but for the
# rings, which are granted and cannot move: first all, then only what can.
start_held()
{
    xl create -q -p $cfg 'name="keeper"' || return 1
    id=$(xl domid keeper)
    hold_open "$id"
    xl unpause keeper
    fact held_unpause_refused "$(has_flag keeper p && echo 1 || echo 0)"
    if has_flag keeper p; then
        fact held_reason "$(reason keeper)"
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
}

destroy_held()
{
    note "mapping a running guest, destroying it, and keeping the mapping"
    start_guest keeper2 $cfg vcpus=2
    hold_open "$(xl domid keeper2)"
    hold_search held_running_lines
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
    fact crash_seen "$(wait_until 30 has_flag crash c && echo 1 || echo 0)"
    mapscan "$(xl domid crash)" | facts crash
    xl destroy crash
}

small_dump()
{
    note "xl dump-core of a small guest"
    xen_log
    xl create -q /files/tiny.cfg memory=40 'extra="fill=2048"'
    id=$(xl domid tiny)
    fact dump_guest_runs \
        "$(wait_until 20 tiny_said "$id" 'ok 1' && echo 1 || echo 0)"
    dump_some tiny 16384
    fact dump_kib "$(file_kib /tmp/core)"
    linescan /tmp/core | facts dump
    rm -f /tmp/core
    fact dump_guest_bad "$(tiny_bad "$id")"
    xl destroy tiny
}

# A guest with two processors, as large as the keeper's, that has run.
one_cycle()
{
    xl create -q /files/tiny.cfg 'name="cycle"' vcpus=2 memory=80 \
        'extra="fill=4096"' || return
    ! wait_until 60 tiny_said "$(xl domid cycle)" 'ok 1' || ran=$((ran + 1))
    xl destroy cycle
    xen_log
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

# What Xen has said at boot is judged, too; but a debug build tests itself
# then, and emulation (of #SS, and of XSAVE's sizes) fails it.
boot_log()
{
    xl dmesg -c >/tmp/boot.log
    grep -q 'stub recovery selftests' /tmp/boot.log ||
        cat /tmp/boot.log >>/tmp/xen.log
}

final()
{
    fact keeper_bad $(($(bad_rounds keeper) + $(bad_rounds keeper2)))
    fact left_domains "$(domains)"
    xen_errors
    is_cloister || return
    fact views_live "$(json views_live)"
}

boot_log
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
