# SPDX-License-Identifier: BSD-2-Clause
# What a guest started from, told to somebody far away who does not trust dom0.
# The story: the tenant computes what to expect from the guest's files, the
# guest starts, dom0 fetches evidence, the tenant verifies it.  And its
# failures, and what dom0 tries.
# shellcheck shell=sh disable=SC1091
. /lab.sh
. /files/forgehost.sh
. /files/unsealhost.sh

NONCE=00112233445566778899aabbccddeeff
cd /tmp || exit 1

# The TPM's driver is part of Debian's kernel, which asks it for random numbers
# now and then, and gives up locality 0 after that: in the middle of a command
# of tpmextend's.
echo none >/sys/class/misc/hw_random/rng_current
fact rng_thread "$(cat /proc/[0-9]*/comm 2>/dev/null | grep -c hwrng)"

note "dom0 drives the TPM itself"
pcrs_before=$(tpm2_pcrread sha256:21 2>/dev/null | tail -n 1)
/files/tpmextend >/tmp/extend
sed 's/^/# /' /tmp/extend
fact dom0_extends "$(grep -c '^extend . done' /tmp/extend)"
fact dom0_resets "$(grep -c '^reset . done' /tmp/extend)"
fact dom0_unseals "$(grep -c '^unseal . done' /tmp/extend)"
# At its own locality the TPM refuses it, for that reason alone.
fact dom0_extend_refused "$(grep -c '^extend 0 refused 0x907$' /tmp/extend)"
fact dom0_reset_refused "$(grep -c '^reset 0 refused 0x907$' /tmp/extend)"
fact dom0_unseal_at_0 "$(grep -c '^unseal 0 refused 0x907$' /tmp/extend)"
fact pcr_changed "$([ "$pcrs_before" = "$(tpm2_pcrread sha256:21 |
    tail -n 1)" ] && echo 0 || echo 1)"

note "and a PCR that is its own to extend and reset"
/files/tpmextend 16 >/tmp/extend
sed 's/^/# /' /tmp/extend
fact dom0_extends_own "$(grep -c '^extend 0 done$' /tmp/extend)"
fact dom0_resets_own "$(grep -c '^reset 0 done$' /tmp/extend)"

note "dom0 attests a guest that it does not protect"
cp /files/tiny.elf kernel
measurement=$(/files/cloister measure -k kernel -c tiny=1 -o expected \
    /files/tiny.cfg)
fact measured $?
forge_evidence forged.evidence $NONCE expected "$measurement"
/files/cloister verify -n $NONCE -k forged.evidence/ak.pem -e expected \
    forged.evidence >verify.log
fact forged_evidence $?
fact forged_evidence_pcr21 "$(grep -c -x \
    'FAIL  PCR 21 vouches for what the host runs' verify.log)"
sed 's/^/# /' verify.log
is_cloister || exit 0

# ---- The host key -----------------------------------------------------------

size()
{
    stat -c %s "$1"
}

le16()
{
    printf '%b' "\\0$(printf %o $(($1 % 256)))\\0$(printf %o $(($1 / 256)))"
}

be16()
{
    printf '%b' "\\0$(printf %o $(($1 / 256)))\\0$(printf %o $(($1 % 256)))"
}

# part FILE OFFSET SIZE
part()
{
    tail -c +$(($2 + 1)) "$1" | head -c "$3"
}

u16()
{
    od -An -tu1 -j "$2" -N 2 "$1" | awk '{ print $1 + 256 * $2 }'
}

SRK='fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted'

# A secret that dom0 knows, made as much like Xen's as it can make it.
forge()
{
    tpm2_createprimary -Q -C o -G ecc -c srk -a "$SRK|decrypt"
    tpm2_startauthsession -S s
    tpm2_policylocality -Q -S s 4
    tpm2_policypcr -Q -S s -l "$PCRS" -L policy
    tpm2_flushcontext s
    printf 'dom0 knows these 32 bytes well..' >known
    tpm2_create -Q -C srk -i known -L policy -a 'fixedtpm|fixedparent|noda' \
        -u f.pub -r f.priv --creation-data f.data -t f.ticket -d f.hash \
        -l "$PCRS" -q "$(printf 'Cloister host key 1\0' | od -An -v -tx1 |
            tr -d ' \n')"
    for f in priv pub data; do tail -c +3 f.$f >f.$f.plain; done
    # Locality 2 in the creation data, which were made at locality 0.
    if [ "$1" = changed ]; then
        sed 's/\x01\x00\x0b\x00\x22/\x04\x00\x0b\x00\x22/' f.data.plain \
            >f.changed
        mv f.changed f.data.plain
    fi
    all=$((24 + $(size f.priv.plain) + $(size f.pub.plain) +
        $(size f.data.plain) + $(size f.ticket)))
    {
        printf CLOISTHK
        le16 1
        le16 0
        le16 $all
        le16 0
        le16 "$(size f.priv.plain)"
        le16 "$(size f.pub.plain)"
        le16 "$(size f.data.plain)"
        le16 "$(size f.ticket)"
        cat f.priv.plain f.pub.plain f.data.plain f.ticket
    } >forged
}

note "the host key: dom0's own, then Xen's"
forge as-is
cloister keys -f forged
fact key_forged $?
forge changed
cloister keys -f forged
fact key_forged_locality $?
echo 'no key at all' >garbage
cloister keys -f garbage
fact key_garbage $?
cloister keys -f host.key
fact key_made $?
cloister keys -f host.key
fact key_again $?
fact key_mode "$(stat -c %a host.key)"

note "dom0 tries to unseal it"
private=$(u16 host.key 16)
public=$(u16 host.key 18)
{ be16 "$private"; part host.key 24 "$private"; } >h.priv
{ be16 "$public"; part host.key $((24 + private)) "$public"; } >h.pub
tpm2_load -Q -C srk -u h.pub -r h.priv -c h
fact dom0_loads $?
dom0_unseals h

# ---- Guests, while dom0 uses the TPM too ------------------------------------

busy()
{
    while [ ! -e /tmp/enough ]; do
        tpm2_getrandom --hex 8 >/dev/null 2>&1 || echo random >>/tmp/tpm.failed
        tpm2_pcrread sha256:0,21 >/dev/null 2>&1 || echo pcr >>/tmp/tpm.failed
        echo >>/tmp/tpm.done
    done
}

: >/tmp/tpm.failed
: >/tmp/tpm.done
busy &
note "the guest starts"
TINY='cmdline="tiny=1"'
LAB_READY='' xl create -q /files/tiny.cfg name='"tenant"' "$TINY"
fact started $?
cloister show -o actual tenant
fact shown $?
cloister explain expected actual >explained
fact as_expected $?
sed 's/^/# /' explained
xl create -q /guest/keeper.cfg 'name="keeper"' 'extra="console=hvc0 keeper=1"'
cloister measure -c 'console=hvc0 keeper=1' -o expected.keeper /guest/keeper.cfg
cloister show -o actual.keeper keeper
cloister explain expected.keeper actual.keeper >explained
fact keeper_as_expected $?
sed 's/^/# /' explained
touch /tmp/enough
wait
note "dom0 has used the TPM $(grep -c '' /tmp/tpm.done) times meanwhile"
fact dom0_tpm_uses "$(grep -c '' /tmp/tpm.done)"
fact dom0_tpm_failures "$(grep -c . /tmp/tpm.failed)"

# ---- Evidence ---------------------------------------------------------------

note "evidence"
cloister attest -n $NONCE -o evidence tenant
fact attested $?
cp evidence/ak.pem trusted.pem
verify()
{
    cloister verify -k trusted.pem "$@"
}

verify -n $NONCE -e expected -r evidence evidence
fact verified $?
tpm2_checkquote -Q -u trusted.pem -m evidence/quote.msg \
    -s evidence/quote.sig -q $NONCE >/dev/null
fact checkquote $?
fact pcr22_is_in_log "$(tpm2_pcrread sha256:22 | grep -i -c \
    "$(cloister show --host | sed -n 's/^PCR 22 *//p')")"

note "and what must not pass"
verify -n 11112233445566778899aabbccddeeff evidence >verify.log
fact wrong_nonce $?
cloister attest -n 11112233445566778899aabbccddeeff -o fresh tenant
cp evidence/quote.* fresh
verify -n 11112233445566778899aabbccddeeff fresh >verify.log
fact replayed_quote $?
cp -r evidence forgery
sed 's/console=com1/console=com2/' evidence/host.log >forgery/host.log
verify -n $NONCE forgery >verify.log
fact forged_log $?

# other NAME FACT OPTION...: a guest that is not what was expected.
other()
{
    other=$1
    other_fact=$2
    shift 2
    xl create -q /files/tiny.cfg name="\"$other\"" "$@"
    cloister attest -n $NONCE -o "$other.evidence" "$other"
    verify -n $NONCE -e expected "$other.evidence" >verify.log
    fact "$other_fact" $?
    grep FAIL verify.log | sed 's/^/# /'
    cloister explain expected "$other.evidence/launch.log" >explained
    sed 's/^/# /' explained
    xl destroy "$other"
}

other cmdline changed_cmdline 'cmdline="tiny=2"'
fact explained_cmdline "$(grep -c 'command line' explained)"
sed 's/tiny BAD/tiny bad/' kernel >kernel.changed
other kernel changed_kernel "$TINY" 'kernel="/tmp/kernel.changed"'
fact explained_kernel "$(grep -c 'in it: kernel' explained)"
other memory changed_memory "$TINY" 'memory=5'

note "a guest that has ended"
xl destroy tenant
sleep 2
cloister attest -n $NONCE -o later keeper
cp evidence/guest evidence/launch.log later
verify -n $NONCE later >verify.log
fact ended $?
/files/tpmextend >/tmp/extend
fact dom0_extends_later "$(grep -c '^extend . done' /tmp/extend)"
fact dom0_extend_refused_later \
    "$(grep -c '^extend 0 refused 0x907$' /tmp/extend)"
cloister attest -n $NONCE -o later keeper
verify -n $NONCE -e expected.keeper later
fact verified_later $?
xl destroy keeper
