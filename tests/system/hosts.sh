# SPDX-License-Identifier: BSD-2-Clause
# A secret for a guest that does not run yet, sealed to this host as it is.
# What goes to other hosts (hosts.machines) is printed at the end.
# shellcheck shell=sh disable=SC1091,SC2154,SC2086
. /lab.sh
. /files/storylab.sh

cd /tmp || exit 1
mkdir -p owner
cloister keygen >owner/owner.key
cloister keys -f host.key
fact key $?
cloister attest -n $OTHER -o reference
fact attested_host $?
make_policy
xl create -q /files/tiny.cfg
cloister show -o tiny.log tiny
{
    echo 'key owner/host.pem'
    echo "measurement $(cloister show ./tiny.log |
        sed -n 's/^measurement //p')"
    echo 'reference owner/reference'
} >tiny.policy
cloister attest -n $NONCE -o evidence
printf 'a secret for tiny' >tiny.key
cloister seal -n $NONCE --to evidence --policy tiny.policy \
    <tiny.key >tiny.blob
fact tiny_sealed $?
cloister provision tiny <tiny.blob
fact tiny_provisioned $?
xl destroy tiny
mkdir story
cp -r owner/reference owner/host.pem tiny.blob host.key evidence story
busybox tar -c story 2>/dev/null | gzip -c | base64 | sed 's/^/S:/'
