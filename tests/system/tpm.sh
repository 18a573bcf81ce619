# SPDX-License-Identifier: BSD-2-Clause
# The TPM with two masters: dom0, as hard as it can, and Xen, for guests that
# start and get secrets.  Then it hangs, fails or talks nonsense (hostiletpm, by
# tpm.host), and is good again.
# shellcheck shell=sh disable=SC1091,SC2086
. /lab.sh

NONCE=00112233445566778899aabbccddeeff
ROUNDS=6
cd /tmp || exit 1

# seconds: since the start.
seconds()
{
    read -r up _ </proc/uptime
    echo "${up%.*}"
}

# most FILE: the greatest of the numbers in it.
most()
{
    sort -n "$1" | tail -n 1
}

# timed FILE CMD...: how long it took is a line of FILE.
timed()
{
    to=$1
    shift
    begun=$(seconds)
    "$@"
    ended=$?
    echo $(($(seconds) - begun)) >>"$to"
    return $ended
}

# ---- dom0's own use ----------------------------------------------------------

# What a disk of dom0's would be opened with: sealed to a PCR, at locality 0.
own_secret()
{
    tpm2_createprimary -Q -C o -c own.ctx &&
        tpm2_createpolicy -Q --policy-pcr -l sha256:0 -L own.policy &&
        printf 'the key of dom0s disk' |
        tpm2_create -Q -C own.ctx -i - -L own.policy -u own.pub -r own.priv &&
        tpm2_load -Q -C own.ctx -u own.pub -r own.priv -c own.key
}

unseal_own()
{
    [ "$(tpm2_unseal -c own.key -p pcr:sha256:0)" = \
        'the key of dom0s disk' ]
}

# use NAME CMD...: once; failures are counted by name.
use()
{
    name=$1
    shift
    timed dom0.times "$@" >/dev/null 2>dom0.errors || {
        echo "$name" >>dom0.failed
        sed "s/^/# $name: /" dom0.errors
    }
    echo "$name" >>dom0.done
}

busy()
{
    while [ ! -e enough ]; do
        use random tpm2_getrandom --hex 8
        use pcrs tpm2_pcrread sha256:0,21
        use unseal unseal_own
    done
}

# ---- Xen's -------------------------------------------------------------------

# A secret for any guest that starts as tiny does.
seal_for_tiny()
{
    xl create -q /files/tiny.cfg 'name="first"'
    cloister show -o tiny.log first
    xl destroy first
    cloister attest -n $NONCE -o evidence || return
    {
        echo 'key evidence/ak.pem'
        echo "measurement $(cloister show ./tiny.log |
            sed -n 's/^measurement //p')"
        echo 'reference none'
    } >tiny.policy
    printf 'for tiny' |
        cloister seal -n $NONCE --to evidence --policy tiny.policy >tiny.blob
}

# A guest's life: launch and end are events of PCR 22, the secret is unsealed.
life()
{
    xl create -q /files/tiny.cfg "name=\"tiny$1\"" || echo create >>xen.failed
    timed xen.times cloister provision "tiny$1" <tiny.blob ||
        echo provision >>xen.failed
    timed xen.times cloister attest -n $NONCE -o life "tiny$1" ||
        echo attest >>xen.failed
    cloister verify -n $NONCE -k evidence/ak.pem life >verify.log ||
        echo verify >>xen.failed
    xl destroy "tiny$1"
}

: >dom0.failed
: >dom0.done
: >xen.failed
cloister keys -f host.key
fact key $?
own_secret
fact own_secret $?
seal_for_tiny
fact sealed $?
note "both use the TPM"
busy &
for round in $(seq $ROUNDS); do
    life "$round"
done
touch enough
wait
sort dom0.done | uniq -c | sed 's/^/# dom0 has done: /'
sort dom0.failed xen.failed | uniq -c | sed 's/^/# failed: /'
fact dom0_uses "$(grep -c . dom0.done)"
fact dom0_unseals "$(grep -c unseal dom0.done)"
fact dom0_failures "$(grep -c . dom0.failed)"
fact dom0_longest "$(most dom0.times)"
fact xen_failures "$(grep -c . xen.failed)"
fact xen_longest "$(most xen.times)"

# ---- It is good no longer ----------------------------------------------------

told()
{
    cloister ok | grep -q '^FAIL.*TPM'
}

not_told()
{
    ! told
}

bring()
{
    cloister provision waiting <tiny.blob
}

# one_more NAME: the fact why a guest that starts now does not run.
one_more()
{
    xl create -q /files/tiny.cfg "name=\"$1\"" >/dev/null 2>&1
    reason "$1"
    xl destroy "$1"
}

# Random numbers are kept ready, 16 of them: guests start until they are used,
# or until the TPM has not recorded a launch in time.
until_refused()
{
    for round in $(seq 20); do
        state=$(one_more "more$round")
        [ "$state" = ran ] || break
    done
    note "$round guests, then: $state"
    # Once it has failed often enough, that is the reason.
    [ "$state" != tpm_failed ] || state=pcr_busy
}

# What the admin sees of it.
show_state()
{
    cloister ok | sed 's/^/# /'
    xl dmesg | grep 'Cloister: TPM' | tail -n 3 | sed 's/^/# /'
}

# Commands that nobody repeats have failed, one after the other; when the TPM is
# good again, Xen finds that out by itself.
short_failure()
{
    note "the TPM: a short failure"
    xl create -q /files/tiny.cfg 'name="waiting"'
    host
    for _ in 1 2 3 4 5 6; do
        ! told || break
        bring 2>/dev/null
    done
    fact short_told "$(told; echo $?)"
    host
    wait_until 60 not_told
    fact short_then_ok $?
    xl destroy waiting
}

# provision_why MODE: why provision has failed, which it says in one line.
# Xen's patience with a command and provision's with Xen are about the same: it
# is chance which of them ends first while the TPM does not answer.
provision_why()
{
    case $1:$(cat provision.said) in
    *:'cloister: waiting: the TPM failed (see xl dmesg)') echo failed ;;
    hang:'cloister: waiting: the TPM did not answer in time (see xl dmesg)' | \
    dead:'cloister: waiting: the TPM did not answer in time (see xl dmesg)')
        echo failed ;;
    *) echo other ;;
    esac
}

# with MODE: all that waits for the TPM comes to an end, the rest goes on.
with()
{
    note "the TPM: $1"
    xl create -q /files/tiny.cfg 'name="waiting"'
    host
    : >xen.times
    : >attest.times
    timed attest.times timeout 600 cloister attest -n $NONCE -o with steady \
        >attest.said 2>&1 &
    attester=$!
    timed xen.times cloister provision waiting <tiny.blob 2>provision.said
    fact "$1_provision" $?
    sed 's/^/# provision: /' provision.said
    fact "$1_reason" "$(provision_why "$1")"
    fact "$1_seconds" "$(most xen.times)"
    until_refused
    fact "$1_refused" "$state"
    fact "$1_steady" "$(tiny_bad "$steady")"
    wait_until 180 told
    fact "$1_told" $?
    : >create.times
    timed create.times one_more late >late.said
    fact "$1_state" "$(cat late.said)"
    fact "$1_create_seconds" "$(most create.times)"
    show_state
    fact "$1_xl" "$(xl list >/dev/null 2>&1; echo $?)"
    wait $attester
    fact "$1_attest" $?
    sed 's/^/# attest: /' attest.said | tail -n 3
    fact "$1_attest_seconds" "$(most attest.times)"
}

# without MODE: it is good again, and so is everything.
without()
{
    note "the TPM is good again"
    host
    wait_until 60 bring 2>/dev/null
    fact "$1_then_provision" $?
    : >dom0.failed
    # What dom0's driver was waiting for is still to be told that it failed.
    use random tpm2_getrandom --hex 8
    : >dom0.failed
    use random tpm2_getrandom --hex 8
    use unseal unseal_own
    fact "$1_then_dom0_failures" "$(grep -c . dom0.failed)"
    : >xen.failed
    life "$1"
    fact "$1_then_failures" "$(grep -c . xen.failed)"
    sed 's/^/# failed: /' xen.failed
    fact "$1_then_steady" "$(tiny_bad "$steady")"
    not_told
    fact "$1_then_ok" $?
    xl destroy waiting
}

xl create -q /files/tiny.cfg 'name="steady"' 'cmdline="fill=512"'
steady=$(xl domid steady)
short_failure
for mode in hang failure garbage dead; do
    with $mode
    without $mode
done
