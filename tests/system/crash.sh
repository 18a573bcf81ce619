# SPDX-License-Identifier: BSD-2-Clause
# dom0 crashes in the middle of transfers: one guest sends to another, which
# sends to the outside and takes it back, while both look at their memory.
# crash.after, on the host, sees what becomes of them.  Sizes in MiB are on
# dom0's command line: crash_mib= from guest to guest, crash_out= to the
# outside.  The host's side echoes what comes to 10.0.2.100, port 7.
# shellcheck shell=sh disable=SC1091,SC2154
. /lab.sh
. ./netlab.sh

# option NAME DEFAULT: what dom0's command line says.
option()
{
    value=$(sed -n "s/.*$1=\([0-9]*\).*/\1/p" /proc/cmdline)
    echo "${value:-$2}"
}

mib=$(option crash_mib 200)
out=$(option crash_out 200)

# begun NAME WHAT: a tenth of it is done.
begun()
{
    wait_for "$(guest_console "$1")" "net $2-begun" 200
}

# under_way GUEST WHAT: a tenth is done, and it is not at its end.
under_way()
{
    grep -q "net $2-begun" "$(guest_console "$1")" &&
        ! grep -q "net $2 " "$(guest_console "$1")"
}

# The longest time without a packet so far, in microseconds.
gap()
{
    cat "$(guest_console client)" "$(guest_console server)" |
        sed -n 's/^net slow \([0-9]*\).*/\1/p' | sort -n | tail -n 1
}

net_image peer netpeer
net_bridge 0000:00:03.0
watch 10.0.2.0/24
net_guest server peer net=10.0.2.21 serves=1 keep=16 end=1 \
    outside=10.0.2.100 "outmib=$out" || exit 1
LAB_READY='net out-begun'
net_guest client peer net=10.0.2.22 peer=10.0.2.21 work=out "mib=$mib" \
    keep=16 end=1 || exit 1
begun server outside
fact dom0_frames "$(seen)"
count=0
under_way client out && count=$((count + 1))
under_way server outside && count=$((count + 1))
fact under_way $count
# Xen's console has it for crash.after.
echo "net gap-before $(gap)" >/dev/console
[ "$stock" ] || ./cloister net | sed 's/^/# /'
note "dom0 crashes"
after
echo c >/proc/sysrq-trigger
sleep 1000
