# SPDX-License-Identifier: BSD-2-Clause
# What is found of a guest by those who go around its guest frame numbers (by
# machine frame number, as MMIO, by DMA), and in its frames after it has lost
# them (balloon, destroy, crash).
# Prints "fact NAME NUMBER"; lifetime.expect says what is right.
# shellcheck shell=sh disable=SC1091
. /lab.sh

cfg=/guest/keeper.cfg
tiny=/files/tiny.cfg
# What the scanning guest must leave free, MiB: its own tables and SMM's.
spare=${SPARE:-64}
# The kernel must not clean what it gives back: a guest's own business.
base='console=hvc0 loglevel=4 init_on_alloc=0 xen_scrub_pages=0'

# machine_ram: machine frames of RAM, FIRST,LAST,FIRST,LAST..., but the first
# and last MiB below 4 GiB.  Xen's log has them, if it has not lost them; so:
# the lab's machine has 2 GiB below 4 GiB, the rest above.
machine_ram()
{
    mib=$(xl info | sed -n 's/^total_memory *: //p')
    if [ "$mib" -le 2048 ]; then
        echo "256,$((mib * 256 - 257))"
    else
        echo "256,524031,1048576,$((1048575 + (mib + 1 - 2048) * 256))"
    fi
}

# parameter MODULE NAME: a result of a module of ours.
parameter()
{
    cat "/sys/module/$1/parameters/$2" 2>/dev/null || echo -1
}

# module NAME RESULT=FACT... -- PARAMETERS: load, report, unload.
module()
{
    name=$1
    results=
    shift
    while [ "$1" != -- ]; do
        results="$results $1"
        shift
    done
    shift
    if ! insmod "/files/$name.ko" "$@"; then
        note "$name does not load"
        dmesg | tail -n 5 | sed 's/^/# /'
        return
    fi
    for result in $results; do
        fact "${result#*=}" "$(parameter "$name" "${result%%=*}")"
    done
    rmmod "$name"
}

by_machine_frame()
{
    note "by machine frame number"
    if [ "$dom0" = PV ]; then
        module rawmfn lines=rawmfn_lines pages=rawmfn_pages \
            tried=rawmfn_tried -- "domid=$(xl domid victim)" "ram=$ram"
    else
        ./iomap "$ram" >/tmp/iomap
        sed 's/^/# /' /tmp/iomap
        fact iomap_lines "$(sed -n 's/.*lines \([0-9]*\) .*/\1/p' /tmp/iomap)"
        fact iomap_pages "$(sed -n 's/.*pages \([0-9]*\) .*/\1/p' /tmp/iomap)"
    fi
}

faults()
{
    xl dmesg | grep -c 'DMAR:.*00:03\.0.* fault'
}

by_dma()
{
    note "by a network card's DMA"
    # Faults, and all else, cost more with a PVH dom0.
    stride=16
    [ "$dom0" = PV ] || stride=64
    before=$(faults)
    module nicdma lines=dma_lines pages=dma_pages tried=dma_tried \
        retried=dma_retried -- "stride=$stride" "ram=$ram"
    # Xen's log is short: it may have lost older ones.
    after=$(faults)
    fact dma_faults $((after > before ? after - before : after))
    xl dmesg | grep 'DMAR:.*fault' | tail -n 2 | sed 's/^/# /'
}

# victim_ok: one more round of its checks, and nothing bad.
victim_ok()
{
    : >"$(guest_console victim)"
    wait_for "$(guest_console victim)" 'keeper [ob]' 60
    fact "$1" "$(grep -c 'keeper ok' "$(guest_console victim)" | head -c 1)"
    fact "${1}_bad" "$(grep -c 'keeper BAD' "$(guest_console victim)")"
}

# tiny_start NAME MIB OPTIONS...: sets $id; tried twice, as start_guest does.
tiny_start()
{
    name=$1 mib=$2
    shift 2
    for _ in 1 2; do
        if xl create -q "$tiny" "name=\"$name\"" "memory=$mib" \
            "extra=\"$*\"" 2>/tmp/create.log; then
            id=$(xl domid "$name")
            wait_until 150 tiny_said "$id" '' && return 0
            xl destroy "$name"
        fi
    done
    note "$name does not start"
    sed 's/^/# /' /tmp/create.log
    return 1
}

# scan FACT: a new guest with all free memory looks for lines in it.
scan()
{
    sleep 2
    size=$(($(free_mem) - spare))
    note "a guest of $size MiB scans what it has got"
    id=
    if tiny_start scanner $size scan; then
        found=$(xl dmesg | sed -n "s/.*(d$id) tiny scan lines //p" | tail -n 1)
        fact "$1" "${found%% *}"
        fact "${1%_lines}_mib" "${found##* }"
    fi
    xl destroy scanner 2>/dev/null
}

# Has the guest as little memory as wanted, MiB?
ballooned()
{
    [ "$(xl list victim | awk 'NR == 2 { print $3 }')" -le "$1" ]
}

balloon()
{
    note "the guest gives memory back"
    timeout 60 xl mem-set victim "$1" || {
        note "xl mem-set fails; by xenstore, then"
        xenstore-write "/local/domain/$(xl domid victim)/memory/target" \
            $(($1 * 1024))
    }
    wait_until 60 ballooned "$1" || note "not all"
    xl list victim | sed 's/^/# /'
    scan balloon_lines
}

destroy()
{
    note "the guest is destroyed"
    xl destroy victim
    scan destroy_lines
}

is_gone()
{
    ! xl domid "$1" >/dev/null 2>&1
}

crash()
{
    note "a guest crashes"
    tiny_start crasher 24 fill=16384 crash=16 || return
    fact crash_gone "$(wait_until 30 is_gone crasher && echo 1 || echo 0)"
    xl destroy crasher 2>/dev/null
    scan crash_lines
}

# Which localities of the TPM dom0 reaches, and whether its own still works.
tpm()
{
    note "the TPM's localities"
    ./tpmloc | sed 's/^locality \([0-9]\) /fact tpm_locality_\1 /'
    if timeout 60 tpm2_getrandom --hex -T device:/dev/tpm0 8 >/dev/null 2>&1
    then
        fact tpm_of_dom0 1
    else
        fact tpm_of_dom0 0
    fi
}

dom0=$(cat /sys/hypervisor/guest_type)
ram=$(machine_ram)
note "$dom0 dom0, machine frames of RAM: $ram"
tpm
start_guest victim $cfg "extra=\"$base keeper=16 keeper_free=32\"" || exit 1
by_machine_frame
by_dma
victim_ok victim
balloon 88
victim_ok after
destroy
crash
note "done"
