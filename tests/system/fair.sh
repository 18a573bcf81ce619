# SPDX-License-Identifier: BSD-2-Clause
# One guest floods another one, which never takes a frame out of its card.
# What is left for two others: time of a ping, and TCP from one to the other?
# All guests share one processor: of that, two of three that want it would be
# their share.  A guest that only computes, with no card at all, takes the
# flood's place first: what the scheduler leaves the two beside that is what is
# fair.
#
# On stock Xen dom0 is who does not take the frames.
# shellcheck shell=sh disable=SC1091,SC2034,SC2154
. /lab.sh
. ./netlab.sh

# newest WHAT NUMBER: the median of the last so many.
newest()
{
    tr -d '\r' <"$(guest_console client)" |
        sed -n "s/^net $1 \([0-9]*\).*/\1/p" | tail -n "$2" | sort -n |
        awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] + 0 }'
}

# more_rounds NUMBER: until there are so many more.
more_rounds()
{
    want=$(($(grep -c 'net stretch' "$(guest_console client)") + $1))
    left=300
    while [ "$left" -gt 0 ] &&
        [ "$(grep -c 'net stretch' "$(guest_console client)")" -lt "$want" ]; do
        left=$((left - 1))
        sleep 1
    done
}

# percent A B
percent()
{
    awk -v a="$1" -v b="$2" 'BEGIN { printf "%d\n", b ? a * 100 / b : 0 }'
}

# lost NAME: frames dropped, of all reasons but being down at the start.
lost()
{
    ./cloister net "$1" | sed -n 's/.*dropped *//p' | tr ',' '\n' |
        awk '$2 != "rx-down" { n += $1 } END { print n + 0 }'
}

# used: processor seconds so far, of each domain.
used()
{
    xl vcpu-list | awk 'NR > 1 { printf " %s %s", $1, $6 }'
}

# beside WHAT: in now_ping (us) and now_share (KiB/s), what the two have now.
beside()
{
    more_rounds 1
    note "$1, seconds:$(used)"
    more_rounds 5
    note "$1, seconds:$(used)"
    now_ping=$(newest 'ping [0-9]* of 100,' 5)
    now_share=$(newest stretch 5)
    note "$1: ping $now_ping us, $now_share KiB/s"
    note "$1: of two thirds $(percent $((now_share * 3)) $((share * 2))) %"
}

net_bridge
[ -z "$stock" ] || ip link set br0 address 02:00:00:00:00:99
net_image peer netpeer
net_image walk netwalk
net_guest server peer net=10.9.0.1
LAB_READY="net stretch\|$LAB_READY"
net_guest client peer net=10.9.0.2 peer=10.9.0.1 work=none stretch=3
more_rounds 5
ping=$(newest 'ping [0-9]* of 100,' 5)
share=$(newest stretch 5)
note "alone: ping $ping us, $share KiB/s"
LAB_READY='net walking\|net drowning\|net burning'
net_guest hog peer burn=1
beside computing
fair=$now_share
xl destroy hog
if [ ! "$stock" ]; then
    settings='mac=02:00:00:00:00:99'
    net_guest deaf walk iomem=relaxed deaf=1
    settings=
fi
net_guest flooder peer net=10.9.0.3 drown=10.9.0.99
beside flood
fact flood_ping_percent "$(percent "$now_ping" "$ping")"
fact flood_share_percent "$(percent "$now_share" "$fair")"
[ ! "$stock" ] || exit 0
./cloister net | sed 's/^/# /'
fact deaf_lost "$(lost deaf)"
fact others_lost $(($(lost client) + $(lost server)))
fact deaf_got "$(./cloister net deaf | sed -n 's/.*received \([0-9]*\).*/\1/p')"
