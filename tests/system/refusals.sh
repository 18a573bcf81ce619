# SPDX-License-Identifier: BSD-2-Clause
# Guests that cannot be protected: refused with the right reason, nothing
# half-done, and nothing lost.  refused_X is the reason's name as cloister(1)
# gives it, "ran" if the guest ran.
# shellcheck shell=sh disable=SC1091
. /lab.sh

# configured NAME OPTION...: a guest from xl with one option too many.  xl
# leaves a guest that it could not unpause, or destroys it: both are fine.
configured()
{
    name=$1
    shift
    echo "# a guest with $*"
    number=$(newest)
    if ! xl create -q -p /guest/keeper.cfg "name=\"$name\"" \
        'extra="console=hvc0 keeper=1"' "$@" >/tmp/xl.log 2>&1; then
        echo "fact refused_$name not_created"
        sed 's/^/# /' /tmp/xl.log | tail -n 3
        return
    fi
    xl unpause "$name" >/tmp/xl.log 2>&1
    sed 's/^/# /' /tmp/xl.log
    echo "fact refused_$name $(reason "$name")"
    xl destroy "$name"
    echo "fact logged_$name $(($(newest) - number))"
}

# newest: how many refusals Xen has on record.
newest()
{
    xl dmesg | grep -c 'Cloister: d.* is not protected'
}

free_before=$(free_mem)
made hvm
made nested
made altp2m
made ports
made empty
configured pod memory=128 maxmem=160
configured passthrough 'ioports=["3e8-3ef"]'

echo "# after all that"
sleep 2
echo "fact refusals_leak_mib $((free_before - $(free_mem)))"
start_guest after /guest/keeper.cfg 'extra="console=hvc0 keeper=1"' &&
    echo "fact runs_afterwards 1" || echo "fact runs_afterwards 0"
cloister status
xl destroy after
echo "fact xen_alive 1"
