# SPDX-License-Identifier: BSD-2-Clause
# The Intel machine: what dom0 finds of a guest's secrets when its memory is
# behind EPT.  A short leaks.sh, as the machine is slow: one guest with 4 MiB
# of lines.  Prints "fact NAME VALUE" lines, which ept.expect judges, and
# "# progress".
# shellcheck shell=sh disable=SC1091

. /lab.sh
PATH=/files:$PATH

patience=300
console=$(guest_console keeper)
# Linux is not to spend time on itself.
extra='console=hvc0 loglevel=4 keeper=4 mitigations=off init_on_alloc=0'
extra="$extra rodata=off cryptomgr.notests"
extra="$extra initcall_blacklist=jent_mod_init,init_encrypted"
errors='assert|\bbug\b|panic|call trace|error|fail|leak|unhandled|hung'

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

machine()
{
    xl dmesg -c >/tmp/boot.log
    fact ept "$(grep -c 'Extended Page Tables (EPT)' /tmp/boot.log)"
    fact unsafe "$(grep -c 'UNSAFE LAB MODE' /tmp/boot.log)"
    command -v cloister >/dev/null || return 0
    cloister status | sed 's/^/# /'
}

rounds()
{
    sed -n 's/.*keeper ok \([0-9]*\).*/\1/p' "$console" | tail -n 1
}

# alive FACT: the guest's own check goes on.
alive()
{
    before=$(rounds)
    if wait_for "$console" "keeper ok $((${before:-0} + 2))" "$patience"; then
        fact "alive_$1" 1
    else
        fact "alive_$1" 0
    fi
}

# hold_open END: commands go to fd 4, answers to /tmp/hold.
hold_open()
{
    rm -f /tmp/hold.in
    mkfifo /tmp/hold.in
    : >/tmp/hold
    hold "$id" "$1" </tmp/hold.in >/tmp/hold 2>&1 &
    holder=$!
    exec 4>/tmp/hold.in
    wait_for /tmp/hold '^held' "$patience" ||
        note "hold failed: $(cat /tmp/hold)"
    note "dom0 holds $(sed -n 's/^held //p' /tmp/hold) pages"
}

# hold_search NAME: the fact NAME is how many lines are in what is held.
hold_search()
{
    echo "$1" >&4
    wait_for /tmp/hold "^$1 " "$patience"
    fact "$1" "$(sed -n "s/^$1 //p" /tmp/hold)"
}

hold_close()
{
    exec 4>&-
    wait "$holder"
}

# All but the rings: Cloister moves the guest's memory away from under the
# mapping, but for rings, and refuses to start it then; leaks.sh has that.
start_held()
{
    note "mapping the guest's memory before it runs, and keeping it"
    xl create -q -p /guest/keeper.cfg 'name="keeper"' memory=96 \
        "extra=\"$extra\"" || return 1
    id=$(xl domid keeper)
    hold_open 0x6000
    xl unpause keeper
    if wait_for "$console" 'keeper ok 1' "$patience"; then
        note "the guest runs"
        return 0
    fi
    tail -n 20 "$console" | sed 's/^/# guest: /'
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
    sleep 2
    fact left_domains "$(xl list | awk 'NR > 1 && $2 != 0' | wc -l)"
}

final()
{
    fact keeper_bad "$(grep -c 'keeper BAD' "$console")"
    xl dmesg >/tmp/xen.log
    fact sealed "$(grep -c "d$id sealed" /tmp/xen.log)"
    fact xen_errors "$(grep -c -i -E "$errors" /tmp/xen.log)"
    grep -i -E "$errors" /tmp/xen.log | head -n 20 | sed 's/^/# /'
}

machine
start_held || exit 1
hold_search held_lines
alive held
note "mapping every page of the running guest"
mapscan "$id" | facts map
alive map
note "mapping pages twice, and writing to one"
xl pause keeper
reread "$id" | facts reread
xl unpause keeper
alive reread
destroy_held
final
note "done"
