# SPDX-License-Identifier: BSD-2-Clause
# The physical NIC is Xen's: dom0 does not find it, cannot reach it, and sees
# no frame of the guest's that goes through it; the guest reaches the outside,
# also when dom0 has crashed (nic.after, on the host).  On stock Xen it is
# dom0's, and the guest is behind a bridge.  The host's side echoes what comes
# to 10.0.2.100, port 7.
# shellcheck shell=sh disable=SC1091,SC2154
. /lab.sh
. ./netlab.sh

nic=0000:00:03.0
bar=0xfeb80000                  # where the firmware puts it: see nic.expect
ecam=0xb0000000

fact nic_in_sysfs "$(find /sys/bus/pci/devices -name $nic | grep -c .)"
./nictouch 0 3 0 $bar $ecam | facts nic
xl dmesg | grep 'Cloister: .*NIC\|Cloister: siom'

# ---- A guest that uses the network ------------------------------------------

net_image netguest netguest.init
tree=/tmp/netguest
mkdir -p $tree/bin $tree/lib64 $tree/tmp
cp /bin/busybox $tree/bin
ldd /bin/busybox | grep -o '/[^ ]*' | while read -r lib; do
    mkdir -p "$tree${lib%/*}"
    cp "$lib" "$tree$lib"
done
chmod +x $tree/init
net_pack netguest
net_bridge $nic
watch 10.0.2.0/24
LAB_READY='net echo 3' LAB_PATIENCE=300
net_guest net1 netguest || exit 1
log=$(guest_console net1)
fact dom0_frames "$(seen)"
fact dhcp "$(grep -c 'net lease 10.0.2' "$log")"
fact ping "$(said net1 ping)"
fact echo_bad "$(grep -c 'net BAD' "$log")"
[ "$stock" ] || ./cloister net | sed 's/^/# /'
note "dom0 crashes"
after
echo c >/proc/sysrq-trigger
sleep 1000
