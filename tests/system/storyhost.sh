# SPDX-License-Identifier: BSD-2-Clause
# The secret of hosts.sh, on another host, or on the same one after another
# boot.  PREFIX (/files/story/prefix) is for the names of the facts.
# shellcheck shell=sh disable=SC1091
. /lab.sh

NONCE=22222233445566778899aabbccddeeff
prefix=$(cat /files/story/prefix)
cd /files/story || exit 1
cloister keys -f host.key
fact "${prefix}_key" $?
cloister attest -n $NONCE -o fresh
fact "${prefix}_attested" $?
cloister verify -n $NONCE -k host.pem -r reference fresh >verify.log
fact "${prefix}_verify" $?
grep FAIL verify.log | sed 's/^/# /'
cloister verify -n $NONCE -k host.pem -r reference evidence >verify.log
fact "${prefix}_old_evidence" $?
xl create -q /files/tiny.cfg
cloister provision tiny <tiny.blob
fact "${prefix}_secret" $?
