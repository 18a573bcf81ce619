# SPDX-License-Identifier: BSD-2-Clause
# The demo's scenario: what dom0 gets of a guest's memory.  The same on stock
# Xen and on Cloister.  Prints for lab/demo: `say TEXT`, `fact NAME VALUE`,
# and 64 KiB of guest memory in base64 between `dump begin` and `dump end`.
# Attempts that Xen refuses are results; all else that fails ends it.
# shellcheck shell=sh disable=SC1091

. /lab.sh
PATH=/files:$PATH
console=$(guest_console keeper)
memory=$(sed -n 's/^memory *= *//p' /guest/keeper.cfg)

say()
{
    echo "say $*"
}

fact()
{
    echo "fact $*"
}

fail()
{
    echo "demo: $*"
    xl dmesg | tail -n 12
    exit 1
}

versions()
{
    xl info >/tmp/info
    fact xen "Xen $(sed -n 's/^xen_version *: //p' /tmp/info)"
    # shellcheck source=/dev/null
    fact dom0 "$(. /etc/os-release && echo "$PRETTY_NAME"), Linux" \
        "$(uname -r)"
}

# ---- The guest --------------------------------------------------------------

# Of all the guest's memory, a mapping that is kept by a program that answers
# on /tmp/held what is asked on fd 4.
hold_memory()
{
    rm -f /tmp/ask
    mkfifo /tmp/ask
    : >/tmp/held
    hold "$domid" $((memory << 8)) </tmp/ask >/tmp/held 2>&1 &
    exec 4>/tmp/ask
    wait_for /tmp/held '^held [1-9]' 120 || fail "hold: $(cat /tmp/held)"
}

# search_held NAME: the fact NAME is how many lines there are in what is held.
search_held()
{
    echo "$1" >&4
    wait_for /tmp/held "^$1 " 120 || fail "hold does not answer"
    fact "$1" "$(sed -n "s/^$1 //p" /tmp/held)"
}

# A mapping of all its memory is older than its first instruction.
create()
{
    : >"$console"
    xl create -q -p /guest/keeper.cfg 'name="keeper"' ||
        fail "the guest cannot be created"
    domid=$(xl domid keeper)
    hold_memory
    xl unpause keeper || fail "the guest cannot be started"
}

# running: until it runs (0), dies (1), or is silent for too long.
running()
{
    left=$LAB_PATIENCE
    until grep -q '^keeper ok 1' "$console"; do
        [ "$left" -gt 0 ] || fail "the guest is silent: $(cat "$console")"
        xl domid keeper >/dev/null 2>&1 || return 1
        left=$((left - 1))
        sleep 1
    done
}

# About one start in twenty dies early under emulation, on any Xen.
start_guest_held()
{
    create
    running && return
    say "the guest died while it started; trying a second time"
    exec 4>&-
    create
    running || fail "the guest died again: $(cat "$console")"
}

describe_guest()
{
    fact total "$(sed -n 's/^keeper: .* \([0-9]*\) lines,.*/\1/p' "$console")"
    gfn=$(sed -n 's/^keeper at gfn \([0-9]*\).*/\1/p' "$console")
    [ -n "$gfn" ] || fail "the guest does not say where its lines are"
    fact guest "PVH, $memory MiB"
}

# rounds ok|BAD: how often the guest has said so.
rounds()
{
    grep -c "^keeper $1" "$console"
}

# What it has said by now must not be all that it ever says.
check_guest()
{
    last=$(sed -n 's/^keeper ok \([0-9]*\).*/\1/p' "$console" | tail -n 1)
    wait_for "$console" "^keeper ok $((last + 2))" 60 ||
        fail "the guest has stopped: $(tail -n 3 "$console")"
    fact rounds "$(rounds ok)"
    fact errors "$(rounds BAD)"
}

# ---- What dom0 tries --------------------------------------------------------

map_all()
{
    mapscan "$domid" >/tmp/map || fail "mapscan"
    fact lines_map "$(sed -n 's/^lines //p' /tmp/map)"
    fact duplicates "$(sed -n 's/^duplicates //p' /tmp/map)"
    fact pages "$(sed -n 's/^pages //p' /tmp/map)"
}

# 64 KiB with the guest's first line in the middle.
dump_stretch()
{
    dumpgfn "$domid" $((gfn - 7)) 16 >/tmp/dump || fail "dumpgfn"
    fact line0_at $((7 * 4096))
    echo "dump begin"
    base64 /tmp/dump
    echo "dump end"
}

# Xen's log begins with the machine's memory map.
ram()
{
    sed -n 's/^.*\[\(0*[0-9a-f]*\), \(0*[0-9a-f]*\)\] (usable).*/\1 \2/p' \
        /tmp/boot | while read -r first last; do
        echo "$((0x$first >> 12)),$((0x$last >> 12))"
    done | paste -s -d ,
}

map_machine()
{
    [ -e /files/rawmfn.ko ] || return 0
    [ -n "$(ram)" ] || fail "Xen's log does not tell where memory is"
    say "dom0 maps raw machine frames"
    insmod /files/rawmfn.ko domid="$domid" ram="$(ram)" ||
        fail "rawmfn: $(dmesg | tail -n 3)"
    fact lines_raw "$(cat /sys/module/rawmfn/parameters/lines)"
    fact raw_frames "$(cat /sys/module/rawmfn/parameters/pages)"
    rmmod rawmfn
}

write_memory()
{
    xl pause keeper
    reread "$domid" >/tmp/reread || fail "reread"
    xl unpause keeper
    fact writable "$(sed -n 's/^writable //p' /tmp/reread)"
}

save_file()
{
    xl save -c keeper /tmp/save >/tmp/save.out 2>&1 ||
        fail "xl save: $(tail -n 5 /tmp/save.out)"
    linescan /tmp/save >/tmp/lines || fail "linescan"
    fact lines_save "$(sed -n 's/^lines //p' /tmp/lines)"
    fact save_bytes "$(stat -c %s /tmp/save)"
    rm /tmp/save
}

xl dmesg >/tmp/boot
versions
say "dom0 creates a guest and maps all its memory before it runs"
start_guest_held
describe_guest
search_held lines_held
say "dom0 maps all memory of the running guest and searches it"
map_all
dump_stretch
map_machine
say "dom0 writes to the guest's memory"
write_memory
say "dom0 saves the guest to a file"
save_file
check_guest
say "dom0 destroys the guest and keeps its mapping"
xl destroy keeper
sleep 1
search_held lines_after
