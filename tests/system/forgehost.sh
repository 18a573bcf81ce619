# SPDX-License-Identifier: BSD-2-Clause
# dom0 attests what is not so: evidence, made with the TPM's stock tools, that
# Cloister protects a guest, which has started from what its owner wants.  It
# stands and falls with PCRs 21 and 22, which are to vouch for the log.
# shellcheck shell=sh

# le VALUE BYTES: little-endian.
le()
{
    value=$1
    for _ in $(seq "$2"); do
        printf '%b' "\\0$(printf %o $((value & 255)))"
        value=$((value >> 8))
    done
}

# unhex HEX: the bytes.
unhex()
{
    echo "$1" | busybox xxd -r -p
}

digest_of()
{
    sha256sum "$1" | cut -d ' ' -f 1
}

# item TYPE PCR FILE: an event of the log (include/abi/evidence.h).
item()
{
    size=$(stat -c %s "$3")
    {
        le "$1" 2
        le 0 2
        le "$size" 4
        le 0 16
        unhex "$(digest_of "$3")"
    } >forge.head
    digest_of forge.head >>"forge.$2"
    cat forge.head "$3"
    head -c $(((8 - size % 8) % 8)) /dev/zero
}

# forge_log MEASUREMENT: of a host with Cloister, and one launch.
forge_log()
{
    printf 'a build of Cloister ' >forge.build
    printf 'console=com1 cloister=on' >forge.cmdline
    { le 1 4; le 1 4; le 0 4; le 2098069 4; } >forge.policy
    { cat forge.guest; unhex "$1"; le 1 8; le 1 8; } >forge.launch
    : >forge.21
    : >forge.22
    item 32 21 forge.build
    item 33 21 forge.cmdline
    item 34 21 forge.policy
    item 48 22 forge.launch
}

# forge_evidence DIR NONCE LOG MEASUREMENT: LOG is the guest's launch log.
forge_evidence()
{
    mkdir -p "$1"
    printf 'no guest of ours' >forge.guest
    cp forge.guest "$1/guest"
    cp "$3" "$1/launch.log"
    forge_log "$4" >"$1/host.log"
    # shellcheck disable=SC2046  # words
    /files/tpmextend 21 $(cat forge.21) >forge.out
    # shellcheck disable=SC2046
    /files/tpmextend 22 $(cat forge.22) >>forge.out
    tpm2_createprimary -Q -C e -G ecc:ecdsa-sha256:null -c forge.ak -a \
        'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|'\
'restricted|sign'
    tpm2_readpublic -Q -c forge.ak -f pem -o "$1/ak.pem"
    tpm2_quote -Q -c forge.ak -l sha256:0,1,2,3,4,5,6,7,8,9,21,22 -q "$2" \
        -m "$1/quote.msg" -s "$1/quote.sig" -o "$1/pcrs" -F values
}
