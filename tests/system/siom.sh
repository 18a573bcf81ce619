# SPDX-License-Identifier: BSD-2-Clause
# Two guests with the stock kernel's network driver talk to each other.  On
# Cloister through SIOM (Xen's option siom=internal); on stock Xen through
# netfront, netback and a bridge in dom0.  Does it work, and what does dom0
# see of it?  Prints "fact NAME VALUE"; siom.expect says what is right.
# shellcheck shell=sh disable=SC1091
. /lab.sh

LAB_READY='net ready\|net done'
LAB_PATIENCE=200
mib=${MIB:-4}
walk=${WALK:-1000000}
stock=
xl dmesg | grep -q 'Cloister' || stock=1

# The guests' systems: netpeer with the drivers' modules from dom0's kernel,
# and netwalk.
make_guests()
{
    mkdir -p /tmp/peer/proc /tmp/walk/proc /tmp/walk/sys /tmp/walk/dev
    cp /files/netpeer /tmp/peer/init
    cp /files/netwalk /tmp/walk/init
    for module in failover net_failover virtio_net xen-netfront; do
        find /lib/modules -name "$module.ko" -exec cp {} /tmp/peer \;
    done
    for guest in peer walk; do
        (cd "/tmp/$guest" && find . | busybox cpio -o -H newc 2>/dev/null) \
            >"/tmp/$guest.img"
        sed "s,^ramdisk.*,ramdisk = \"/tmp/$guest.img\"," /guest/keeper.cfg \
            >"/tmp/$guest.cfg"
    done
}

# What start_guest calls.  Settings of a network card come before the guest
# has run.
settings=
xl()
{
    if [ "$1" != create ] || [ -z "$settings" ]; then
        command xl "$@"
        return
    fi
    shift
    # shellcheck disable=SC2086,SC2154  # words; lab_start has set the name
    command xl create -p "$@" && ./cloister net "$lab_name" $settings &&
        command xl unpause "$lab_name"
}

# guest NAME WORDS...: start it; on stock Xen it gets a netback, and a bridge.
guest()
{
    name=$1
    shift
    extra="console=hvc0 loglevel=4 pci=noacpi $*"
    if [ "$stock" ]; then
        start_guest "$name" /tmp/peer.cfg "extra=\"$extra\"" \
            'vif=["bridge=br0,script=/tmp/vif"]'
    else
        start_guest "$name" /tmp/peer.cfg "extra=\"$extra\""
    fi
}

# What a hotplug script must do, and no more.
make_bridge()
{
    ip link add br0 type bridge
    ip link set br0 up
    cat >/tmp/vif <<'END'
#!/bin/sh
exec 2>>/tmp/vif.log
case $1 in
online)
    ip link set "$vif" master br0
    ip link set "$vif" up
    xenstore-write "$XENBUS_PATH/hotplug-status" connected
    ;;
esac
END
    chmod +x /tmp/vif
    modprobe xen-netback
}

# said NAME WHAT: the first word after "net WHAT" on the guest's console.
said()
{
    tr -d '\r' <"$(guest_console "$1")" |
        sed -n "s/^net $2 \([^ ,]*\).*/\1/p" | tail -n 1
}

# talk NAME MTU FLOOD: the two guests with this MTU; facts start with NAME.
talk()
{
    note "$1: two guests"
    guest server net=10.9.0.1 "mtu=$2"
    guest client net=10.9.0.2 "mtu=$2" peer=10.9.0.1 "mib=$mib" "flood=$3"
    wait_for "$(guest_console client)" 'net done' 300
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

# Every frame on every interface of dom0; those of the guests count.
watch()
{
    tcpdump -i any -n -w /tmp/frames net 10.9.0.0/24 2>/tmp/tcpdump.log &
    tcpdump=$!
}

seen()
{
    kill -INT "$tcpdump"
    wait "$tcpdump"
    tcpdump -n -r /tmp/frames 2>/dev/null | wc -l
}

# The hostile guest goes on while the two talk with longer frames.
hostile()
{
    note "a hostile guest"
    LAB_READY='net walking\|net done'
    start_guest hostile /tmp/walk.cfg \
        "extra=\"console=hvc0 loglevel=4 pci=noacpi iomem=relaxed walk=$walk\""
    LAB_READY='net ready\|net done'
    settings='mtu=9000 vlan=7'
    talk jumbo 9000 0
    settings=
    wait_for "$(guest_console hostile)" 'net done' 300
    sed 's/^/# hostile: /' "$(guest_console hostile)" | grep 'net '
    ./cloister net hostile | sed 's/^/# /'
    fact walk_steps "$(said hostile walk)"
    fact walk_guards_bad "$(said hostile guards)"
}

make_guests
[ -z "$stock" ] || make_bridge
watch
talk plain 1500 3
[ "$stock" ] || hostile
fact dom0_frames "$(seen)"
fact xen_errors "$(xl dmesg | grep -ci 'assertion\|bug at\|panic')"
xl dmesg | grep -i 'secure I/O\|sealed' | tail -n 5 | sed 's/^/# /'
