# SPDX-License-Identifier: BSD-2-Clause
# How long saving, restoring and the standstill of a live migration take: a
# protected guest and one that is not, in turn, on the same machine
# (cloister=optin).  Stock Xen: two that are not.
# shellcheck shell=sh disable=SC1091

. /lab.sh
PATH=/files:$PATH

times=5
cfg=/tmp/keeper.cfg
sed 's/^memory.*/memory = 128/' /guest/keeper.cfg >$cfg

# begin NAME
begin()
{
    xl create -q -p $cfg "name=\"$1\"" vcpus=1 \
        'extra="console=hvc0 loglevel=4 keeper=16 keeper_rest=1"'
    [ "$1" = plain ] || ! is_cloister || cloister protect "$1" >/dev/null
    xl unpause "$1"
    wait_for "$(guest_console "$1")" "keeper ok 1" "$LAB_PATIENCE"
}

ms()
{
    echo $(($(date +%s%N) / 1000000))
}

# one NAME: saved and restored; milliseconds are collected.
one()
{
    t0=$(ms)
    xl save "$1" /tmp/image >/tmp/xl.out 2>&1 || return 1
    t1=$(ms)
    echo $((t1 - t0)) >>"/tmp/save.$1"
    t1=$(ms)
    xl restore /tmp/image >/tmp/xl.out 2>&1 || return 1
    echo $(($(ms) - t1)) >>"/tmp/restore.$1"
    stat -c %s /tmp/image >"/tmp/bytes.$1"
    sleep 3
}

# moved NAME: migrated; its standstill is collected.
moved()
{
    standstill "$1" >>"/tmp/downtime.$1" || return 1
    sleep 3
}

# middle WHAT NAME: the median.
middle()
{
    sort -n "/tmp/$1.$2" | awk '{ v[NR] = $1 }
        END { print v[int((NR + 1) / 2)] }'
}

# compare WHAT: medians, and the ratio in hundredths.
compare()
{
    plain=$(middle "$1" plain)
    kept=$(middle "$1" kept)
    fact "$1_plain_ms" "$plain"
    fact "$1_kept_ms" "$kept"
    fact "$1_ratio" $((100 * kept / plain))
    note "$1: plain $(tr '\n' ' ' <"/tmp/$1.plain"), kept" \
        "$(tr '\n' ' ' <"/tmp/$1.kept")"
}

for name in plain kept; do begin $name; done
done=0
while [ $done -lt $times ] && one plain && one kept; do
    done=$((done + 1))
done
fact saved_and_restored $done
done=0
while [ $done -lt $times ] && moved plain && moved kept; do
    done=$((done + 1))
done
fact migrated $done
tail -n 3 /tmp/xl.out | sed 's/^/# /'
for what in save restore downtime; do compare $what; done
pages=$((128 * 256))
plain=$(cat /tmp/bytes.plain)
kept=$(cat /tmp/bytes.kept)
fact record_bytes_a_page $(((kept - plain) / pages))
note "image: plain $plain, kept $kept bytes"
fact bad "$(cat /var/log/xen/console/guest-*.log | grep -c 'keeper BAD')"
xl destroy plain
xl destroy kept
