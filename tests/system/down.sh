# SPDX-License-Identifier: BSD-2-Clause
# dom0 reboots the host while guests run (dom0-crash=reboot), and down.after
# looks at all of the machine's memory before anyone boots.  The keeper has
# lines in its memory; the victim of the attacks, words in its registers.
# shellcheck shell=sh disable=SC1091
. /lab.sh

runs=0
start_guest keeper /guest/keeper.cfg && runs=1
fact guest_runs $runs
sed 's/tiny/victim/; s/^memory.*/memory = 8/' /files/tiny.cfg >/tmp/victim.cfg
xl create -q /tmp/victim.cfg
victim=$(xl domid victim)
wait_until 60 sh -c "xl dmesg | grep -q '(d$victim) victim '"
fact victim_runs $(($? == 0))
after
busybox reboot -f
sleep 600
