# SPDX-License-Identifier: BSD-2-Clause
# What the scenarios with network cards share: `. ./netlab.sh`, after /lab.sh.
# Guests are netpeer with the drivers' modules of dom0's kernel; on Cloister
# their card is SIOM's, on stock Xen netfront's, behind a bridge in dom0.
# shellcheck shell=sh

LAB_READY='net ready\|net done\|net all done'
LAB_PATIENCE=200
stock=
xl dmesg | grep -q 'Cloister' || stock=1

# net_image NAME INIT: a guest's system, /tmp/NAME.cfg.
net_image()
{
    mkdir -p "/tmp/$1/proc" "/tmp/$1/sys" "/tmp/$1/dev"
    cp "/files/$2" "/tmp/$1/init"
    for module in failover net_failover virtio_net xen-netfront; do
        find /lib/modules -name "$module.ko" -exec cp {} "/tmp/$1" \;
    done
    net_pack "$1"
}

net_pack()
{
    (cd "/tmp/$1" && find . | busybox cpio -o -H newc 2>/dev/null) \
        >"/tmp/$1.img"
    sed "s,^ramdisk.*,ramdisk = \"/tmp/$1.img\"," /guest/keeper.cfg \
        >"/tmp/$1.cfg"
}

# Settings of a network card, which come before the guest has run.
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

# net_guest NAME IMAGE WORDS...: start it; on stock Xen it gets a netback.
net_guest()
{
    name=$1
    image=$2
    shift 2
    extra="console=hvc0 loglevel=4 pci=noacpi tsc=reliable $*"
    if [ "$stock" ]; then
        start_guest "$name" "/tmp/$image.cfg" "extra=\"$extra\"" \
            'vif=["bridge=br0,script=/tmp/vif"]'
    else
        start_guest "$name" "/tmp/$image.cfg" "extra=\"$extra\""
    fi
}

# net_bridge [PCI-DEVICE]: on stock Xen; with what a hotplug script must do,
# and no more.
net_bridge()
{
    [ "$stock" ] || return 0
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
    [ -n "${1-}" ] || return 0
    modprobe igb
    sleep 2
    for card in "/sys/bus/pci/devices/$1/net/"*; do
        ip link set "${card##*/}" master br0
        ip link set "${card##*/}" up
    done
    sleep 5
}

# said NAME WHAT: the first word after "net WHAT" on the guest's console.
said()
{
    tr -d '\r' <"$(guest_console "$1")" |
        sed -n "s/^net $2 \([^ ,]*\).*/\1/p" | tail -n 1
}

# watch NET: every frame on every interface of dom0; those of NET count.
watch()
{
    tcpdump -i any -n -w /tmp/frames net "$1" 2>/tmp/tcpdump.log &
    tcpdump=$!
}

seen()
{
    kill -INT "$tcpdump"
    wait "$tcpdump"
    tcpdump -n -r /tmp/frames 2>/dev/null | wc -l
}
