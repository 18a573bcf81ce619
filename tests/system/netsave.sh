# SPDX-License-Identifier: BSD-2-Clause
# Two guests talk over one TCP connection at a time.  One is saved and restored
# in the middle of it, the other one migrated to the host itself: it goes on.
# shellcheck shell=sh disable=SC1091,SC2034,SC2154
. /lab.sh
. ./netlab.sh

mib=${MIB:-32}

# result CMD...: 0, or what xl has said.
result()
{
    if "$@" >/tmp/xl.out 2>&1; then
        echo 0
    else
        sed 's/^/# /' /tmp/xl.out >&2
        echo failed
    fi
}

# sent NAME: frames that its card, which is a new one for Xen, has sent.
sent()
{
    ./cloister net "$1" | sed -n 's/ *sent *\([0-9]*\).*/\1/p'
}

net_image peer netpeer
net_bridge
settings='vlan=9'
[ -z "$stock" ] || settings=
net_guest server peer net=10.9.0.1 keep=8
LAB_READY='net out-begun'
net_guest client peer net=10.9.0.2 peer=10.9.0.1 "mib=$mib" work=out,in keep=8 \
    "inmib=$((mib * 5))"
console=$(guest_console client)
note "the client is saved and restored"
fact saved "$(result xl save client /tmp/image)"
fact restored "$(result xl restore /tmp/image)"
[ "$stock" ] || fact kept "$(./cloister net client | grep -c 'VLAN 9')"
wait_for "$console" 'net out right\|net out WRONG' 300
fact out "$(said client out)"
[ "$stock" ] || fact out_sent "$(sent client)"

wait_for "$console" 'net in-begun' 200
note "the server is migrated"
fact migrated "$(result xl migrate -s '' server 'xl migrate-receive')"
wait_for "$console" 'net in right\|net in WRONG' 300
fact in "$(said client in)"
[ "$stock" ] || fact in_sent "$(sent server)"

if [ -z "$stock" ]; then
    note "another guest with the client's address"
    command xl create -q -p /tmp/peer.cfg 'name="twin"'
    ./cloister net twin vlan=9 "mac=$(said client card)"
    command xl unpause twin 2>&1 | sed 's/^/# /'
    fact twin "$(reason twin)"
    ./cloister net | sed 's/^/# /'
fi
fact memory_bad "$(cat /var/log/xen/console/guest-*.log | grep -c 'memory BAD')"
fact memory_ok "$(grep -c 'net memory ok' "$console")"
sed 's/^/# client: /' "$console" | grep 'net '
xen_errors 'fail.*IRQ'
xl dmesg | grep -i 'cloister' | tail -n 12 | sed 's/^/# /'
note "done"
