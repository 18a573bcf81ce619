#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# cloister as it is built for machines without Xen; a software TPM stands for
# the host's.
set -u

cloister=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0
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

has_xen()
{
    ldd "$cloister" | grep -q -i xen
}

# pipe FILE COMMAND...: with FILE for its input.
pipe()
{
    from=$1
    shift
    "$@" <"$from"
}

check no_xen_library 1 has_xen
check version 0 "$cloister" --version
check help 0 "$cloister" help
check status 4 "$cloister" status
check ok 4 "$cloister" ok
check attest 4 "$cloister" attest -n 0011223344556677 -o x
check secret 4 "$cloister" secret
check report 4 "$cloister" report -n 0011223344556677
check provision 4 pipe /dev/null "$cloister" provision web

check keygen 0 "$cloister" keygen
cp log owner.key
check keygen_makes_a_key 0 openssl pkey -in owner.key -noout
check pubkey 0 pipe owner.key "$cloister" pubkey
cp log owner.pub
openssl pkey -in owner.key -pubout -out want.pub
check pubkey_is_its_half 0 cmp owner.pub want.pub
check pubkey_of_nothing 1 pipe /dev/null "$cloister" pubkey

check verify_nothing 1 "$cloister" verify -n 0011223344556677 -k owner.pub .
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
