# SPDX-License-Identifier: BSD-2-Clause
# A guest is saved and restored, and migrated to this host itself, many times
# in a row, by xl alone, while it checks its memory; its count of rounds never
# goes back, so nothing ran twice.
# cycles=N on dom0's command line: another number than 20.
# shellcheck shell=sh disable=SC1091

. /lab.sh
PATH=/files:$PATH

cfg=/tmp/keeper.cfg
sed 's/^memory.*/memory = 80/' /guest/keeper.cfg >$cfg
cycles=$(sed -n 's/.*cycles=\([0-9]*\).*/\1/p' /proc/cmdline)
cycles=${cycles:-20}

# goes_on NAME: two more rounds of its own check.
goes_on()
{
    last=$(rounds "$1")
    wait_for "$(guest_console "$1")" "keeper ok $((${last:-0} + 2))" \
        "$LAB_PATIENCE"
}

save_and_restore()
{
    xl save keeper /tmp/image >/tmp/xl.out 2>&1 &&
        xl restore /tmp/image >/tmp/xl.out 2>&1 && goes_on keeper
}

# The console's file keeps the name that the guest had when it came.
migrate()
{
    xl migrate -s '' keeper 'xl migrate-receive' >/tmp/xl.out 2>&1 &&
        goes_on keeper--incoming
}

# in_a_row FACT CMD LOG: as often as `cycles` says.
in_a_row()
{
    done=0
    while [ $done -lt "$cycles" ] && $2; do
        done=$((done + 1))
        xen_log
        [ $((done % 5)) -ne 0 ] || note "$1: $done"
    done
    [ $done -eq "$cycles" ] || tail -n 8 /tmp/xl.out | sed 's/^/# /'
    fact "$1" $done
    fact "$1_bad" "$(bad_rounds "$3")"
    fact "$1_back" "$(sed -n 's/.*keeper ok \([0-9]*\).*/\1/p' \
        "$(guest_console "$3")" |
        awk '$1 <= last { n++ } { last = $1 } END { print n + 0 }')"
}

free_before=$(settled)
xen_log
for vcpus in 1 2; do
    note "$vcpus vCPU"
    start_guest keeper $cfg vcpus=$vcpus
    in_a_row "saves_$vcpus" save_and_restore keeper
    xl destroy keeper
done
start_guest keeper $cfg vcpus=2
in_a_row migrations migrate keeper--incoming
xl destroy keeper
sleep 2
fact left_domains "$(domains)"
fact leak_mib $((free_before - $(settled)))
xen_log
grep -i 'cloister: d' /tmp/xen.log | grep -v sealed | sort | uniq -c |
    sed 's/^/# /' | tail -n 10
note "done"
