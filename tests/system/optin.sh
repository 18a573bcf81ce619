# SPDX-License-Identifier: BSD-2-Clause
# cloister=optin: who does not ask runs as on stock Xen, save and restore
# included; who asks is protected.
# shellcheck shell=sh disable=SC1091
. /lab.sh

# lines DOMID: in all its memory, if dom0 gets at that.
lines()
{
    ./mapscan "$1" | awk '
        { of[$1] = $2 }
        END { print (of["pages"] >= 20000 ? of["lines"] : "no_pages") }'
}

# why_open: why the guest of that name is not protected
why_open()
{
    cloister why open | sed -n 's/^ *reason .*\[\([a-z0-9_]*\), .*/\1/p'
}

echo "# a guest that did not ask"
start_guest open /guest/keeper.cfg 'extra="console=hvc0 keeper=4"'
echo "fact open_lines $(lines "$(xl domid open)")"
echo "fact open_reason $(why_open)"
if xl save open /tmp/open.save >/dev/null 2>&1 &&
    : >"$(guest_console open)" &&
    xl restore /tmp/open.save >/dev/null 2>&1 &&
    wait_for "$(guest_console open)" 'keeper ok' 60; then
    echo "fact open_restored 1"
else
    echo "fact open_restored 0"
fi
rm -f /tmp/open.save
echo "fact open_bad $(grep -c 'keeper BAD' "$(guest_console open)")"

echo "# a guest that asks too late, and one that asks in time"
cloister protect open >/dev/null 2>&1
echo "fact late_status $?"
echo "fact late_lines $(lines "$(xl domid open)")"
xl destroy open

uuid=$(cat /proc/sys/kernel/random/uuid)
# built NAME [TYPE]: paused, as the guest that asks, by UUID.
built()
{
    xl create -q -p /guest/keeper.cfg "name=\"$1\"" "uuid=\"$uuid\"" \
        "type=\"${2:-pvh}\"" 'extra="console=hvc0 keeper=4"'
}
built asks
cloister protect asks
echo "fact protect_status $?"
xl unpause asks
wait_for "$(guest_console asks)" 'keeper ok 1' 120 &&
    echo "fact asks_runs 1"
cloister why asks
echo "fact asks_why $?"
echo "fact asks_lines $(lines "$(xl domid asks)")"
xl destroy asks

echo "# it is built anew, and nobody asks; then it is not wanted any longer"
built again
xl unpause again
cloister why again
echo "fact again_why $?"
xl destroy again
built open pv
xl unpause open
echo "fact as_pv_reason $(reason open)"
xl destroy open
built open
cloister protect --off open
echo "fact off_status $?"
xl unpause open
echo "fact off_reason $(why_open)"
xl destroy open
built open
xl unpause open
echo "fact forgotten_reason $(why_open)"
xl destroy open
