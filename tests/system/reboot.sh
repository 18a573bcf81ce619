# SPDX-License-Identifier: BSD-2-Clause
# Saved images and the host's restart: an image that was not restored can be
# afterwards; one that was, cannot, whatever files dom0 brings back, and
# whatever it does to the TPM's counter.  The machine starts four times; dom0's
# files are on its disk.
# shellcheck shell=sh disable=SC1091

. /lab.sh
PATH=/files:$PATH

INDEX=0x180c105
shelf=/shelf
shelf_open || { note "no disk"; exit 1; }
boot=$(($(cat $shelf/boot 2>/dev/null || echo 0) + 1))
echo $boot >$shelf/boot
note "boot $boot"

# keys [LIST]: gives Xen its key, and this list or the one kept last; keeps
# what there is then.
keys()
{
    is_cloister || return 0
    [ -z "${1-}" ] || cp "$shelf/$1" $shelf/key.images
    cloister keys -f $shelf/key 2>&1 | sed 's/^/# /'
}

# saved NAME: a tiny guest runs and is saved.
saved()
{
    xl create -q /files/tiny.cfg memory=6 name="\"$1\"" \
        'extra="fill=1024 suspend=2"'
    tiny_save "$1" "$shelf/$1"
}

# restored FACT NAME: does the image run, and find its memory as it was?
restored()
{
    ok=0
    if xl restore "$shelf/$2" >/tmp/xl.out 2>&1; then
        id=$(xl domid "$2")
        ! wait_until 60 tiny_said "$id" ok || ok=1
        fact "$1_bad" "$(tiny_bad "$id")"
    fi
    fact "$1" $ok
    # One that could not run stays, paused.
    xl destroy "$2" 2>/dev/null
    xen_log
    grep 'Cloister: d.* is not protected' /tmp/xen.log | tail -n 1 |
        sed 's/^/# /'
}

again()
{
    shelf_keep
    note "restarting"
    sleep 2
    busybox reboot -f
    sleep 600
}

keep()
{
    keys
    ! is_cloister || cp $shelf/key.images "$shelf/$1"
}

# The counter's value in a list, as the TPM has it: big-endian.
counter_of()
{
    tail -c +33 "$shelf/$1" | head -c 8 | od -An -v -b |
        awk '{ for (i = NF; i; i--) printf "\\0%s", $i }' >/tmp/text
    printf '%b' "$(cat /tmp/text)"
}

case $boot in
1)
    keys
    for name in first second third; do saved $name; done
    keep all
    restored before third
    keep two
    again
    ;;
2)
    note "the list from before the last restore"
    keys all
    restored older_list third
    restored older_list_other first
    note "the newest list"
    keys two
    restored after first
    restored after_twice first
    restored after_used third
    keep one
    again
    ;;
3)
    note "the list of the boot before"
    keys two
    restored older_boot first
    note "the newest list"
    keys one
    restored last second
    if is_cloister; then
        tpm2_nvincrement -C o $INDEX >/dev/null 2>&1
        fact dom0_increments $?
        tpm2_nvundefine -Q -C o $INDEX
        tpm2_nvdefine -Q -C o -s 8 -a 'authread|authwrite|no_da' $INDEX
        counter_of two >/tmp/value
        tpm2_nvwrite -Q -i /tmp/value $INDEX
        fact counter_forged "$(tpm2_nvread $INDEX | od -An -tx1 |
            grep -c -x "$(od -An -tx1 /tmp/value)")"
    fi
    again
    ;;
4)
    note "an older list, and the counter that it had, by dom0's hand"
    keys two
    restored forged_counter first
    if is_cloister; then
        tpm2_nvundefine -Q -C o $INDEX
        keys two
    fi
    restored new_counter first
    ;;
esac
xen_log
fact xen_alive 1
note "done"
