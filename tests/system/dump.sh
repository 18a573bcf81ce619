# SPDX-License-Identifier: BSD-2-Clause
# A guest's core is ciphertext, but for the owner that its command line names.
# (The key is made when the tests' programs are.)
# shellcheck shell=sh disable=SC1091

. /lab.sh
PATH=/files:$PATH
shelf_open || exit 1

lines()
{
    linescan "$1" | sed -n 's/^lines //p'
}

# tiny NAME ARGUMENTS: it runs, with 1 MiB of lines.
tiny()
{
    xl create -q /files/tiny.cfg memory=6 name="\"$1\"" "extra=\"fill=1024 $2\""
    wait_until 60 tiny_said "$(xl domid "$1")" 'ok 1'
}

option=
if is_cloister; then
    option=$(cloister dump -k /files/owner.pub)
    note "$option"
fi
tiny owned "$option"
tiny other ""
note "xl dump-core: it tries a million holes"
xl pause owned
xl dump-core owned /shelf/core >/tmp/dump.out 2>&1
fact dump_status $?
fact core_lines "$(lines /shelf/core)"
if ! is_cloister; then
    note "done"
    exit 0
fi

note "the record behind it"
cloister dump -k /files/stranger.pub owned /shelf/core
fact stranger $?
cloister dump -k /files/owner.pub other /shelf/core
fact not_named $?
cp /shelf/core /tmp/bare
cloister dump -k /files/owner.pub owned /shelf/core
fact owner $?
fact record_lines "$(lines /shelf/core)"

note "opened"
cloister open-dump --key-file /files/stranger.pem -o /tmp/x /shelf/core
fact stranger_opens $?
cloister open-dump --key-file /files/owner.pem -o /tmp/x /tmp/bare
fact no_record $?
cloister open-dump --key-file /files/owner.pem -o /shelf/plain /shelf/core
fact opened $?
fact plain_lines "$(lines /shelf/plain)"

# flip OFFSET: one byte of the core, from the start, or before the end.
flip()
{
    cp /shelf/core /tmp/flipped
    at=$1
    [ "$at" -ge 0 ] || at=$(($(stat -c %s /tmp/flipped) + at))
    printf '\377' | dd of=/tmp/flipped bs=1 seek=$at conv=notrunc 2>/dev/null
    cmp -s /shelf/core /tmp/flipped &&
        printf '\000' | dd of=/tmp/flipped bs=1 seek=$at conv=notrunc 2>/dev/null
    rm -f /tmp/x
    cloister open-dump --key-file /files/owner.pem -o /tmp/x /tmp/flipped
}
flip 100000
fact flipped_page $?
flip -20000
fact flipped_record $?
flip -100
fact flipped_key $?
fact nothing_left "$([ -e /tmp/x ] && echo 0 || echo 1)"

note "as the host finds it"
rm /shelf/core
shelf_keep
host
xl unpause owned
fact goes_on "$(wait_until 90 tiny_said "$(xl domid owned)" 'ok 128' &&
    echo 1 || echo 0)"
fact bad "$(tiny_bad "$(xl domid owned)")"
xl destroy owned
xl destroy other
