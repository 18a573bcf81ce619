# SPDX-License-Identifier: BSD-2-Clause
# A guest gets the key of its disk from its owner, once, and opens the disk;
# a guest that starts from something else, or from an image, gets nothing
# (storylab.sh).
# shellcheck shell=sh disable=SC1091,SC2154,SC2086
. /lab.sh
. /files/storylab.sh

owner_prepares
if ! is_cloister; then
    stock_story
    exit 0
fi

good_story

note "the guest comes back from an image: the same secret is not given again"
xl save web image >/tmp/xl.out 2>&1 && xl restore image >>/tmp/xl.out 2>&1
fact restored $?
rm -f image
cloister provision web <blob 2>provision.err
fact restored_provisioned $?
fact restored_had "$(grep -c 'it has had its secret' provision.err)"
xl destroy web

note "a guest with another command line: nobody seals, and it gets nothing"
start_guest other guest.cfg "extra=\"$CMDLINE story_wait=20\""
fact other_started $?
cloister attest -n $OTHER -o other other
fact other_attested $?
verify $OTHER other
fact other_verified $?
cloister seal -n $OTHER --to other --policy owner/policy \
    <owner/disk.key >other.blob
fact other_sealed $?
fact other_blob_size "$(stat -c %s other.blob)"
wait_for "$(guest_console other)" 'story user' 60
cloister provision other <blob
fact other_provisioned $?
wait_for "$(guest_console other)" 'story ends' 120
fact other_secret "$(said other secret)"
fact other_opened "$(said other opened)"
