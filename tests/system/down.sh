# SPDX-License-Identifier: BSD-2-Clause
# dom0 reboots the host while a guest runs (dom0-crash=reboot): down.host looks
# at all of the machine's memory before anyone boots; then it boots once more.
# shellcheck shell=sh disable=SC1091
. /lab.sh

shelf_open || exit 1
[ ! -e /shelf/down ] || exit 0

runs=0
start_guest keeper /guest/keeper.cfg && runs=1
fact guest_runs $runs
: >/shelf/down
shelf_keep
(sleep 3; busybox reboot -f) &
host
sleep 600
