# SPDX-License-Identifier: BSD-2-Clause
# What a PVH dom0 finds of a guest's secrets.  Mapping a page takes it
# milliseconds here, so the guest is the tiny one: 8 MiB, of which 4 are lines.
# shellcheck shell=sh disable=SC1091
. /lab.sh
PATH=/files:$PATH

end=0x800                       # its rings, above, are granted, and stay
cycles=5

# runs FACT ROUND: the guest's own check goes on.
runs()
{
    fact "$1" "$(wait_until 100 tiny_said "$id" "ok $2" && echo 1 || echo 0)"
}

held_from_build()
{
    note "mapping a guest that has not run, and keeping it"
    xl create -q -p /files/tiny.cfg memory=8 'extra="fill=4096 suspend=2"'
    id=$(xl domid tiny)
    hold_open "$id" $end
    xl unpause tiny
    runs guest_runs 1
    hold_search held_lines
}

map_all()
{
    note "mapping every page of the running guest"
    echo map_lines | hold "$id" $end >/tmp/map
    fact map_pages "$(sed -n 's/^held //p' /tmp/map)"
    fact map_lines "$(sed -n 's/^map_lines //p' /tmp/map)"
    note "mapping pages twice, and writing to one"
    xl pause tiny
    reread "$id" $end | facts reread
    xl unpause tiny
}

save()
{
    note "xl save -c"
    tiny_save tiny /tmp/save -c
    fact save_status $?
    linescan /tmp/save | facts save
    rm -f /tmp/save
    runs guest_resumes 4
}

destroy_held()
{
    note "destroying the guest under the mapping"
    fact guest_bad "$(tiny_bad "$id")"
    xl destroy tiny
    hold_search destroyed_lines
    hold_close
}

dump()
{
    note "xl dump-core"
    xl create -q /files/tiny.cfg memory=18 'extra="fill=4096"'
    id=$(xl domid tiny)
    runs dump_guest_runs 1
    dump_some tiny 16384
    fact dump_kib "$(file_kib /tmp/core)"
    linescan /tmp/core | facts dump
    rm -f /tmp/core
    fact dump_guest_bad "$(tiny_bad "$id")"
    xl destroy tiny
}

# one_cycle NAME: a guest with two processors that has run.
one_cycle()
{
    xl create -q /files/tiny.cfg "name=\"$1\"" vcpus=2 memory=8 \
        'extra="fill=4096"'
    ! wait_until 60 tiny_said "$(xl domid "$1")" 'ok 1' || ran=$((ran + 1))
    xl destroy "$1"
}

# What Xen allocates once, with the first, is no leak.
many_cycles()
{
    note "creating and destroying guests"
    one_cycle first
    sleep 2
    before=$(settled)
    ran=0
    for i in $(seq $cycles); do
        one_cycle "cycle$i"
    done
    fact cycles_ran $ran
    sleep 2
    fact cycles_leak_mib $((before - $(settled)))
}

xen_log
held_from_build
map_all
save
destroy_held
dump
many_cycles
fact left_domains "$(domains)"
xen_errors
! is_cloister || fact views_live "$(json views_live)"
note "done"
