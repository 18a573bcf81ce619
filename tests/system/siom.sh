# SPDX-License-Identifier: BSD-2-Clause
# Two guests with the stock kernel's network driver talk to each other.  On
# Cloister through SIOM (Xen's option siom=internal); on stock Xen through
# netfront, netback and a bridge in dom0.  Does it work, and what does dom0
# see of it?  Prints "fact NAME VALUE"; siom.expect says what is right.
# shellcheck shell=sh disable=SC1091,SC2154
. /lab.sh
. ./netlab.sh

mib=${MIB:-4}
walk=${WALK:-1000000}

# talk NAME MTU FLOOD: the two guests with this MTU; facts start with NAME.
talk()
{
    note "$1: two guests"
    net_guest server peer net=10.9.0.1 "mtu=$2"
    net_guest client peer net=10.9.0.2 "mtu=$2" peer=10.9.0.1 "mib=$mib" \
        "flood=$3"
    wait_for "$(guest_console client)" 'net all done' 300
    sed 's/^/# client: /' "$(guest_console client)" | grep 'net '
    sed 's/^/# server: /' "$(guest_console server)" | grep 'net '
    fact "$1_ping" "$(said client ping)"
    fact "$1_udp" "$(said client udp)"
    fact "$1_out" "$(said client out)"
    fact "$1_in" "$(said client in)"
    fact "$1_mtu" "$(said client mtu)"
    [ "$3" -eq 0 ] || fact "$1_after_flood" "$(said client ping-after)"
    [ "$stock" ] || ./cloister net | sed 's/^/# /'
    xl destroy client
    xl destroy server
}

# The hostile guest goes on while the two talk with longer frames.
hostile()
{
    note "a hostile guest"
    LAB_READY="net walking\|$LAB_READY"
    net_guest hostile walk iomem=relaxed "walk=$walk"
    settings='mtu=9000 vlan=7'
    talk jumbo 9000 0
    settings=
    wait_for "$(guest_console hostile)" 'net done' 300
    sed 's/^/# hostile: /' "$(guest_console hostile)" | grep 'net '
    ./cloister net hostile | sed 's/^/# /'
    fact walk_steps "$(said hostile walk)"
    fact walk_strings "$(said hostile strings)"
    fact walk_guards_bad "$(said hostile guards)"
}

# ---- Settings of a card are measured -----------------------------------------

# settled NAME SETTING...: exit status of explain: does a guest whose card dom0
# sets up so start from what its owner has computed?
settled()
{
    name=$1
    shift
    xl create -q -p /files/tiny.cfg name="\"$name\""
    [ $# -eq 0 ] || ./cloister net "$name" "$@"
    xl unpause "$name"
    ./cloister show -o "$name.log" "$name"
    ./cloister explain owner.log "$name.log" >"$name.explained"
    result=$?
    sed "s/^/# $name: /" "$name.explained"
    xl destroy "$name"
    return $result
}

measured()
{
    note "the settings of a card are measured"
    ./cloister measure -n vlan=7,mtu=9000,rate=25M,isolated=1 -o owner.log \
        /files/tiny.cfg
    fact net_measure $?
    settled as-asked vlan=7 mtu=9000 rate=25M isolated=1
    fact net_as_asked $?
    settled vlan vlan=8 mtu=9000 rate=25M isolated=1
    fact net_vlan $?
    settled rate vlan=7 mtu=9000 rate=26M isolated=1
    fact net_rate $?
    settled isolation vlan=7 mtu=9000 rate=25M isolated=0
    fact net_isolation $?
    settled nothing
    fact net_nothing $?
    fact net_named "$(cat vlan.explained rate.explained isolation.explained \
        nothing.explained | grep -c '^\(actual\|only in the expected one:\) *net ')"
}

[ "$stock" ] || measured
net_image peer netpeer
net_image walk netwalk
net_bridge
watch 10.9.0.0/24
talk plain 1500 3
[ "$stock" ] || hostile
fact dom0_frames "$(seen)"
fact xen_errors "$(xl dmesg | grep -ci 'assertion\|bug at\|panic')"
xl dmesg | grep -i 'secure I/O\|sealed' | tail -n 5 | sed 's/^/# /'
