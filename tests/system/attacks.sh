# SPDX-License-Identifier: BSD-2-Clause
# The attack suite (tests/attacks): prints "attack NAME VERDICT DETAIL" and
# "fact NAME VERDICT", which attacks.expect judges.  Then all that dom0
# can read is searched; and on Cloister dom0 is a noisy neighbour, and throws
# random calls at a guest.
#
# On its kernel's command line: attacks=all (default), =long (the search, then
# noise and calls for much longer) or =canary (the search only), and
# attacks_seed=NUMBER for other random calls.
# shellcheck shell=sh disable=SC1091
. /lab.sh

# option NAME DEFAULT
option()
{
    value=$(tr ' ' '\n' </proc/cmdline | sed -n "s/^$1=//p" | tail -n 1)
    echo "${value:-$2}"
}

mode=$(option attacks all)
noisy_seconds=20 fuzz_calls=20000
[ "$mode" != long ] || noisy_seconds=300 fuzz_calls=200000

# facts PREFIX: from a line of names and values.
facts()
{
    awk -v prefix="$1" '{
        for (i = 2; i < NF; i += 2)
            print "fact " prefix "_" $i, $(i + 1)
    }'
}

if [ "$mode" = all ]; then
    ./attack all | tee /tmp/attacks
    sed -n 's/^attack \([^ ]*\) \([a-z]*\) .*/fact \1 \2/p' /tmp/attacks
fi

note "everything dom0 can read is searched"
./attack canary | facts canary
if command -v cloister >/dev/null && [ "$mode" != canary ]; then
    note "noise for $noisy_seconds s"
    ./attack noisy "$noisy_seconds" | facts noisy
    note "$fuzz_calls random calls"
    ./attack fuzz "$(option attacks_seed 1)" "$fuzz_calls" | facts fuzz
fi
xl dmesg >/tmp/xen.log
fact canary_planted "$(grep -c 'KEYS ARE PLANTED: [1-9]' /tmp/xen.log)"
errors='assert|\bbug\b|panic|unhandled|hung'
fact_errors=$(grep -v -e '^(d' /tmp/xen.log | grep -c -i -E "$errors")
echo "fact xen_errors $fact_errors"
grep -i -E "$errors" /tmp/xen.log | head -n 20 | sed 's/^/# /'
