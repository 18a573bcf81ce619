# SPDX-License-Identifier: BSD-2-Clause
# A PVH dom0 begins the host's end while a guest runs (dom0-crash=reboot), with
# a sleep type that means nothing (sleeptype.c): bogus.host looks at processors
# and memory then.  On Cloister nothing goes on; the machine is reset, and
# boots once more.
# shellcheck shell=sh disable=SC1091
. /lab.sh

shelf_open || exit 1
[ ! -e /shelf/down ] || exit 0

runs=0
start_guest keeper /guest/keeper.cfg && runs=1
fact guest_runs $runs
: >/shelf/down
shelf_keep
(
    sleep 3
    sync
    /files/sleeptype 5 | facts dom0
    sleep 10
    touch /tmp/over
) &
host
wait_until 600 test -e /tmp/over
fact guest_bad "$(bad_rounds keeper)"
