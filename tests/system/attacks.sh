# SPDX-License-Identifier: BSD-2-Clause
# The attack suite (tests/attacks): prints "attack NAME VERDICT DETAIL" and
# "fact NAME VERDICT", which attacks.expect judges.  Then all that dom0
# can read is searched; and on Cloister dom0 is a noisy neighbour, and throws
# random calls at a guest.
# shellcheck shell=sh disable=SC1091
. /lab.sh

noisy_seconds=${NOISY_SECONDS:-30}
fuzz_calls=${FUZZ_CALLS:-5000}
fuzz_seed=${FUZZ_SEED:-1}

# facts PREFIX: from a line of names and values.
facts()
{
    awk -v prefix="$1" '{
        for (i = 2; i < NF; i += 2)
            print "fact " prefix "_" $i, $(i + 1)
    }'
}

: >/tmp/attacks
[ -n "${NO_ATTACKS:-}" ] || ./attack all | tee /tmp/attacks
sed -n 's/^attack \([^ ]*\) \([a-z]*\) .*/fact \1 \2/p' /tmp/attacks

./attack canary | facts canary
if command -v cloister >/dev/null; then
    ./attack noisy "$noisy_seconds" | facts noisy
    ./attack fuzz "$fuzz_seed" "$fuzz_calls" | facts fuzz
fi
xl dmesg >/tmp/xen.log
errors='assert|\bbug\b|panic|unhandled|hung'
fact_errors=$(grep -v -e '^(d' /tmp/xen.log | grep -c -i -E "$errors")
echo "fact xen_errors $fact_errors"
grep -i -E "$errors" /tmp/xen.log | head -n 20 | sed 's/^/# /'
