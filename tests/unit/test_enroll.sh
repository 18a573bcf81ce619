#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# cloister-enroll, with two software TPMs and certificates of swtpm's own CA.
set -u

enroll=$1
dir=$(mktemp -d)
# shellcheck disable=SC2154  # set when it runs
trap 'kill $pids 2>/dev/null; rm -rf "$dir"' EXIT
pids='' passed=0 failed=0
cd "$dir" || exit 1

# check NAME STATUS COMMAND...
check()
{
    name=$1
    want=$2
    shift 2
    "$@" >log 2>&1
    got=$?
    if [ "$got" -eq "$want" ]; then
        echo "ok $name"
        passed=$((passed + 1))
    else
        echo "FAIL $name: exit status $got, not $want"
        sed 's/^/# /' log
        failed=$((failed + 1))
    fi
}

# tpm NAME: with a certificate of a CA of its own.
tpm()
{
    mkdir "$1" "$1/ca"
    cat >"$1/localca" <<END
statedir = $dir/$1/ca
signingkey = $dir/$1/ca/key.pem
issuercert = $dir/$1/ca/issuer.pem
certserial = $dir/$1/ca/serial
END
    echo "--platform-manufacturer id:00001014 --platform-model T \
        --platform-version 1" >"$1/options"
    cat >"$1/setup" <<END
create_certs_tool = /usr/bin/swtpm_localca
create_certs_tool_config = $dir/$1/localca
create_certs_tool_options = $dir/$1/options
END
    swtpm_setup --tpm2 --tpmstate "$dir/$1" --config "$dir/$1/setup" \
        --create-ek-cert --overwrite >"$1/log" 2>&1 ||
        { cat "$1/log"; exit 1; }
    swtpm socket --tpm2 --tpmstate dir="$dir/$1" \
        --server type=unixio,path="$dir/$1/data" \
        --ctrl type=unixio,path="$dir/$1/control" \
        --flags not-need-init,startup-clear >/dev/null 2>&1 &
    pids="$pids $!"
    until [ -S "$1/data" ]; do sleep 0.1; done
}

# on TPM VERB...
on()
{
    TPM2TOOLS_TCTI="cmd:socat - UNIX-CONNECT:$dir/$1/data"
    export TPM2TOOLS_TCTI
    shift
    "$enroll" "$@"
}

# The machine far away has no TPM.
far()
{
    TPM2TOOLS_TCTI=none "$enroll" "$@"
}

# A key in the host's TPM that signs whatever it is given.
own_key()
{
    TPM2TOOLS_TCTI="cmd:socat - UNIX-CONNECT:$dir/host/data"
    export TPM2TOOLS_TCTI
    tpm2_createprimary -Q -C o -G ecc:ecdsa-sha256:null -c own -a \
        'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|sign'
    tpm2_flushcontext -t
    tpm2_readpublic -Q -c own -o own.pub
    tpm2_flushcontext -t
}

# certificate CA KEY SUBJECT [LINE]: of the host's endorsement key; LINE: an
# extension.
certificate()
{
    printf '%s\n' "${4-}" >extensions
    openssl x509 -new -force_pubkey ek.pem -subj "/CN=$3" -days 9 -CA "$1" \
        -CAkey "$2" -extfile extensions -outform der -out d/ek.der
}

# refused REASON CA...: with status 3, and for that reason.
refused()
{
    reason=$1
    shift
    far challenge d secret "$@" >refused.log 2>&1
    status=$?
    cat refused.log
    [ $status -eq 3 ] && grep -q "$reason" refused.log
}

tpm host
tpm other
ca="host/ca/swtpm-localca-rootca-cert.pem host/ca/issuer.pem"
foreign_ca="other/ca/swtpm-localca-rootca-cert.pem other/ca/issuer.pem"

check usage 2 "$enroll" offer
check offer 0 on host offer d
# shellcheck disable=SC2086  # words
{
    check foreign_certificate 3 far challenge d secret $foreign_ca
    # The maker's CA among those that the machine trusts, and not named.
    mkdir trusted
    for file in $ca; do cp "$file" "trusted/${file##*/}"; done
    openssl rehash trusted
    export SSL_CERT_DIR="$dir/trusted"
    check certificate_of_the_system 3 far challenge d secret $foreign_ca
    unset SSL_CERT_DIR
    check challenge 0 far challenge d secret $ca
    check answer 0 on host answer d
    cp -r d good
    cp secret good.secret
    cp secret.ak good.secret.ak

    check accept 0 far accept d secret key.pem
    check key_is_a_key 0 openssl pkey -pubin -in key.pem -noout
    check secret_is_gone 1 test -e secret

    cp good.secret secret && cp good.secret.ak secret.ak
    head -c 32 /dev/zero >d/answer
    check wrong_answer 3 far accept d secret key.pem
    cp good/answer d/answer
    own_key >/dev/null 2>&1
    cp own.pub d/ak.pub
    check key_changed_afterwards 3 far accept d secret key.pem
    check key_that_signs_anything 3 far challenge d secret $ca

    on other offer o >/dev/null 2>&1
    cp good/ak.pub good/ek.der d
    cp o/ek.pub d
    check key_of_another_certificate 3 far challenge d secret $ca
    cp good/ek.pub d
    check challenge_again 0 far challenge d secret $ca
    check another_tpm_answers 1 on other answer d
    cp o/ak.pub d
    check challenge_for_a_foreign_key 0 far challenge d secret $ca
    check foreign_key_is_not_here 1 on host answer d
}

# The maker's root has signed the certificate itself; and what else a CA signs.
cp good/ak.pub good/ek.pub d
TPM2TOOLS_TCTI=none tpm2_print -t TPM2B_PUBLIC -f pem d/ek.pub >ek.pem
openssl req -x509 -newkey rsa:2048 -noenc -keyout root.key -out root.pem \
    -subj /CN=root -days 9 >log 2>&1
certificate root.pem root.key ek 'extendedKeyUsage = 2.23.133.8.1'
check root_alone 0 far challenge d secret root.pem
check foreign_root_alone 0 refused 'not signed by these' \
    host/ca/swtpm-localca-rootca-cert.pem
certificate root.pem root.key ek \
    'extendedKeyUsage = serverAuth, 2.23.133.8.1'
check purpose_among_others 0 far challenge d secret root.pem
certificate root.pem root.key ek
check no_purpose 0 refused 'extended key usage lacks' root.pem
certificate root.pem root.key ek 'extendedKeyUsage = serverAuth, 2.23.133.8.10'
check other_purposes 0 refused 'extended key usage lacks' root.pem
certificate root.pem root.key ek 'basicConstraints = CA:TRUE'
check certificate_of_a_ca 0 refused 'is one of a CA' root.pem
cp good/ek.der d
check certificate_between_is_missing 0 refused 'not signed by these' \
    host/ca/swtpm-localca-rootca-cert.pem
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
