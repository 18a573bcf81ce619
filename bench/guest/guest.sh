# SPDX-License-Identifier: BSD-2-Clause
# What is counted (bench/guest/run): a guest's start, its work, xl save, and xl
# restore until the guest can run and until it has used its memory; and how
# long a live migration makes it stand, in the machine's own time.
# The machine has one processor.  While the guest is saved it rests, so that
# only dom0 and Xen are at work; time spent waiting takes no time here.
# shellcheck shell=sh disable=SC1091
. /lab.sh
PATH=/files:$PATH

LAB_PATIENCE=600
console=$(guest_console keeper)

# fail WHAT
fail()
{
    note "failed: $1"
    xl list
    tail -n 20 "$console"
    xl dmesg | tail -n 20
    exit 1
}

mark 1
xl create -q /guest/keeper.cfg 'name="keeper"' \
    'extra="console=hvc0 loglevel=4 keeper=16 keeper_work=32 keeper_rest=100"' ||
    fail "xl create"
wait_for "$console" 'keeper ok 1' $LAB_PATIENCE || fail "the first round"
note "$(grep 'keeper has' "$console")"
mark 2
xl save -c keeper /tmp/save || fail "xl save"
mark 3
rm /tmp/save
wait_for "$console" "keeper ok $(($(rounds keeper) + 2))" $LAB_PATIENCE ||
    fail "rounds after the save"
xl save keeper /tmp/save || fail "xl save, for good"
mark 4
xl restore -p /tmp/save || fail "xl restore"
mark 5
xl unpause keeper || fail "xl unpause"
mark 6
wait_for "$console" "keeper ok $(($(rounds keeper) + 2))" $LAB_PATIENCE ||
    fail "rounds after the restore"
mark 7
note "memory is used"
moves=0
while [ $moves -lt 5 ]; do
    ms=$(standstill keeper) || fail "xl migrate"
    note "standstill $ms ms"
    moves=$((moves + 1))
    sleep 3
done
fact bad "$(cat /var/log/xen/console/guest-*.log | grep -c 'keeper BAD')"
xl destroy keeper
