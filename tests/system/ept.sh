# SPDX-License-Identifier: BSD-2-Clause
# The Intel machine: what dom0 finds of a guest's secrets when its memory is
# behind EPT.  A short leaks.sh, as the machine is slow: one guest with 4 MiB
# of lines.  Prints "fact NAME VALUE" lines, which ept.expect judges, and
# "# progress".
# shellcheck shell=sh disable=SC1091

. /lab.sh
PATH=/files:$PATH

LAB_PATIENCE=300
# Linux is not to spend time on itself.
extra='console=hvc0 loglevel=4 keeper=4 mitigations=off init_on_alloc=0'
extra="$extra rodata=off cryptomgr.notests"
extra="$extra initcall_blacklist=jent_mod_init,init_encrypted"

machine()
{
    xl dmesg -c >/tmp/boot.log
    fact ept "$(grep -c 'Extended Page Tables (EPT)' /tmp/boot.log)"
    fact unsafe "$(grep -c 'UNSAFE LAB MODE' /tmp/boot.log)"
    command -v cloister >/dev/null || return 0
    cloister status | sed 's/^/# /'
}

# All but the rings: Cloister moves the guest's memory away from under the
# mapping, but for rings, and refuses to start it then; leaks.sh has that.
start_held()
{
    note "mapping the guest's memory before it runs, and keeping it"
    xl create -q -p /guest/keeper.cfg 'name="keeper"' memory=96 \
        "extra=\"$extra\"" || return 1
    id=$(xl domid keeper)
    hold_open "$id" 0x6000
    xl unpause keeper
    if wait_for "$(guest_console keeper)" 'keeper ok 1' $LAB_PATIENCE; then
        note "the guest runs"
        return 0
    fi
    tail -n 20 "$(guest_console keeper)" | sed 's/^/# guest: /'
    xl list | sed 's/^/# /'
    return 1
}

# The mapping from before its first instruction, while it runs and afterwards.
destroy_held()
{
    note "destroying the guest under the mapping"
    xl destroy keeper
    sleep 1
    hold_search held_destroyed_lines
    hold_close
}

# A small guest is enough, and takes long enough, for xl save and dump-core.
save_and_dump()
{
    xl create -q /files/tiny.cfg memory=18 'extra="fill=4096 suspend=2"'
    tiny=$(xl domid tiny)
    wait_until $LAB_PATIENCE tiny_said "$tiny" 'ok 2'
    note "xl save -c of a small guest"
    tiny_save tiny /tmp/save -c
    fact save_status $?
    linescan /tmp/save | facts save
    rm -f /tmp/save
    note "xl dump-core of a small guest"
    dump_some tiny 16384
    fact dump_kib "$(file_kib /tmp/core)"
    linescan /tmp/core | facts dump
    rm -f /tmp/core
    fact tiny_resumes "$(wait_until $LAB_PATIENCE tiny_said "$tiny" 'ok 4' &&
        echo 1 || echo 0)"
    fact tiny_bad "$(tiny_bad "$tiny")"
    xl destroy tiny
}

# Its pages are decrypted as it touches them.
save_and_restore()
{
    note "xl save and xl restore of a small guest"
    xl create -q /files/tiny.cfg memory=18 'extra="fill=4096 suspend=2"'
    wait_until $LAB_PATIENCE tiny_said "$(xl domid tiny)" 'ok 2'
    tiny_save tiny /tmp/save
    fact saved $?
    xl restore /tmp/save >/tmp/xl.out 2>&1
    fact restored $?
    rm -f /tmp/save
    tiny=$(xl domid tiny)
    fact restored_goes_on "$(wait_until $LAB_PATIENCE tiny_said "$tiny" 'ok 4' &&
        echo 1 || echo 0)"
    fact restored_bad "$(tiny_bad "$tiny")"
    xl destroy tiny
}

# All machine frames but the first MiB and the last.
by_machine_frame()
{
    note "mapping raw machine frames"
    mib=$(xl info | sed -n 's/^total_memory *: //p')
    insmod /files/rawmfn.ko "domid=$id" "ram=256,$((mib * 256 - 257))" ||
        note "$(dmesg | tail -n 2)"
    for name in lines pages tried; do
        fact "rawmfn_$name" "$(cat /sys/module/rawmfn/parameters/$name)"
    done
    rmmod rawmfn
}

# Xen offers nested virtualization here, and not on the AMD machine.
refused()
{
    grep -q Cloister /tmp/boot.log || return 0
    note "a guest with nested virtualization"
    mkdomain nested >/tmp/made 2>&1
    sed 's/^/# /' /tmp/made
    fact refused_nested "$(xl dmesg |
        grep -c 'is not protected: nested virtualization')"
    xl destroy "$(sed -n 's/^domid //p' /tmp/made)"
}

# What the AMD machine has not the processor for.
needs_vmx()
{
    note "attacks that need VMX"
    attack all mem_access debug_op | tee /tmp/attacks
    sed -n 's/^attack \([^ ]*\) \([a-z]*\) .*/fact \1 \2/p' /tmp/attacks
}

final()
{
    sleep 2
    fact left_domains "$(domains)"
    fact keeper_bad "$(bad_rounds keeper)"
    xen_errors
    fact sealed "$(grep -c "d$id sealed" /tmp/xen.log)"
}

machine
start_held || exit 1
hold_search held_lines
alive keeper held
note "mapping every page of the running guest"
mapscan "$id" | facts map
alive keeper map
by_machine_frame
alive keeper rawmfn
note "mapping pages twice, and writing to one"
xl pause keeper
reread "$id" | facts reread
xl unpause keeper
alive keeper reread
destroy_held
save_and_dump
save_and_restore
refused
needs_vmx
final
note "done"
