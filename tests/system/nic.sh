# SPDX-License-Identifier: BSD-2-Clause
# The physical NIC is Xen's: dom0 does not find it, guests reach the outside
# through it, also when dom0 has crashed (nic.after, on the host).  The host's
# side echoes what comes to 10.0.2.100, port 7.
# shellcheck shell=sh disable=SC1091
. /lab.sh
PATH=/files:$PATH

nic=0000:00:03.0

# Registers of the NIC as dom0 reads them; `pcicfg BUS DEV FN REG [VALUE]`.
echo "fact nic_in_sysfs $(find /sys/bus/pci/devices -name $nic | grep -c .)"
echo "fact nic_vendor $(pcicfg 0 3 0 0)"
pcicfg 0 3 0 4 0x400
echo "fact nic_command $(pcicfg 0 3 0 4)"
xl dmesg | grep 'Cloister: .*NIC\|Cloister: siom'

# On stock Xen it is dom0's, and all guests' traffic goes through dom0.
[ ! -e /sys/bus/pci/devices/$nic ] || exit 0

# ---- A guest that uses the network ------------------------------------------

tree=/tmp/netguest
modules=/lib/modules/$(uname -r)/kernel
mkdir -p $tree/bin $tree/lib64 $tree/proc $tree/sys $tree/dev $tree/tmp
cp /bin/busybox $tree/bin
ldd /bin/busybox | grep -o '/[^ ]*' | while read -r lib; do
    mkdir -p "$tree${lib%/*}"
    cp "$lib" "$tree$lib"
done
for module in failover net_failover virtio_net; do
    find "$modules" -name $module.ko -exec cp {} $tree \;
done
cp netguest.init $tree/init
chmod +x $tree/init
(cd $tree && find . | busybox cpio -o -H newc) >/tmp/netguest.img 2>/dev/null

sed 's,^ramdisk.*,ramdisk = "/tmp/netguest.img",' /guest/keeper.cfg \
    >/tmp/netguest.cfg
LAB_READY='net echo 3' LAB_PATIENCE=300
export LAB_READY LAB_PATIENCE
start_guest net1 /tmp/netguest.cfg \
    'extra="console=hvc0 loglevel=4 pci=noacpi tsc=reliable"' || exit 1
log=$(guest_console net1)
echo "fact dhcp $(grep -c 'net lease 10.0.2' "$log")"
echo "fact ping $(sed -n 's/.*net ping \([0-9]*\).*/\1/p' "$log" | head -n 1)"
echo "fact echo_bad $(grep -c 'net BAD' "$log")"
echo "# dom0 crashes"
after
echo c >/proc/sysrq-trigger
sleep 1000
