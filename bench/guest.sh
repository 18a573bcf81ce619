# SPDX-License-Identifier: BSD-2-Clause
# What a guest costs, in dom0 of a machine that counts instructions (lab/lab
# run --icount): `figure NAME NS`, where a nanosecond is a fixed number of
# instructions of the whole machine, so that ratios of two builds mean something.
# shellcheck shell=sh disable=SC1091
. /lab.sh

# used MIB ROUNDS: processor time of a guest that checks MIB so often.
used()
{
    xl create -q /guest/keeper.cfg 'name="bench"' 'on_poweroff="preserve"' \
        "extra=\"console=hvc0 keeper=$1 keeper_exit=$2\"" >&2
    ./cputime "$(xl domid bench)"
    xl destroy bench
}

now()
{
    date +%s%N
}

boot=$(used 1 1)
one=$(used 64 1)
many=$(used 64 21)
echo "figure guest_boot $boot"
echo "figure guest_memory $((many - one))"

start_guest bench /guest/keeper.cfg 'extra="console=hvc0 keeper=16"'
! command -v cloister >/dev/null || cloister status
before=$(now)
xl save -c bench /tmp/save >/dev/null 2>&1
echo "figure xl_save $(($(now) - before))"
! command -v cloister >/dev/null ||
    cloister status --json | tr ',' '\n' | grep table_bytes
