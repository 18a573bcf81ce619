# SPDX-License-Identifier: BSD-2-Clause
# What a PVH dom0 finds of a guest's secrets by mapping it.  Mapping a page
# takes it milliseconds here, so the guest is the tiny one: 8 MiB, of which 4
# are lines.
# shellcheck shell=sh disable=SC1091
. /lab.sh
PATH=/files:$PATH

fact()
{
    echo "fact $1 $2"
}

note()
{
    echo "# $(cut -d. -f1 /proc/uptime) s: $*"
}

facts()
{
    while read -r name value; do
        fact "$1_$name" "$value"
    done
}

# tiny_ok: it has checked its lines, and found nothing bad.
tiny_ok()
{
    left=100
    until xl dmesg | grep -q 'tiny ok 1'; do
        [ $left -gt 0 ] || break
        left=$((left - 1))
        sleep 1
    done
    fact guest_runs $((left > 0))
}

# search NAME: how many lines are in what dom0 holds.
search()
{
    echo "$1" >&4
    wait_for /tmp/hold "^$1 " 120
    fact "$1" "$(sed -n "s/^$1 //p" /tmp/hold)"
}

note "mapping a guest that has not run, and keeping it"
xl create -q -p /files/tiny.cfg memory=8 'extra="fill=4096"'
id=$(xl domid tiny)
mkfifo /tmp/hold.in
# Its rings, above, are granted, and cannot be moved.
hold "$id" 0x800 </tmp/hold.in >/tmp/hold 2>&1 &
exec 4>/tmp/hold.in
wait_for /tmp/hold '^held' 200
note "dom0 holds $(sed -n 's/^held //p' /tmp/hold) pages"
xl unpause tiny
tiny_ok
search held_lines

note "mapping every page of the running guest"
echo map_lines | hold "$id" 0x800 >/tmp/map
fact map_pages "$(sed -n 's/^held //p' /tmp/map)"
fact map_lines "$(sed -n 's/^map_lines //p' /tmp/map)"
note "mapping pages twice, and writing to one"
xl pause tiny
reread "$id" | facts reread
xl unpause tiny

note "destroying the guest under the mapping"
fact guest_bad "$(xl dmesg | grep -c 'tiny BAD')"
xl destroy tiny
search destroyed_lines
exec 4>&-
wait
sleep 2
fact left_domains "$(xl list | awk 'NR > 1 && $2 != 0' | wc -l)"
note "done"
