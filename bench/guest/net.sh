# SPDX-License-Identifier: BSD-2-Clause
# Two guests talk to each other under a counter of instructions: what a
# doorbell costs, and a packet; and, in the guest's time, a ping.
# shellcheck shell=sh disable=SC1091,SC2154
. /lab.sh
. ./netlab.sh
LAB_PATIENCE=1500

net_image peer netpeer
net_bridge
net_guest server peer net=10.9.0.1
LAB_READY='net all done'
net_guest client peer net=10.9.0.2 peer=10.9.0.1 work=marks,ping
grep 'net ' "$(guest_console client)"
[ "$stock" ] || ./cloister net
