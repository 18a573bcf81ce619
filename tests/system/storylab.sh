# SPDX-License-Identifier: BSD-2-Clause
# A guest whose disk is encrypted, on a host whose administrator must not read
# it: what the scenarios secret and story share.  On stock Xen the key is in
# the guest's ramdisk, as there is no better place.
#
# The owner's machine, far away, is the folder owner; the scenario is in /tmp.
# shellcheck shell=sh disable=SC2034,SC2086

NONCE=00112233445566778899aabbccddeeff
OTHER=11112233445566778899aabbccddeeff
THIRD=ffeeddccbbaa99887766554433221100  # storyguest.init's
CMDLINE='console=hvc0 loglevel=4 xen_netfront.trusted=0 xen_blkfront.trusted=0'
LAB_READY='story begins'
LAB_PATIENCE=120

# ---- The owner's part: a key, a disk, a guest --------------------------------

# A line that can be looked for in a guest's memory.  The marker itself must not
# stand here: a search of all memory would find this file in dom0.
make_key()
{
    printf '%s-%s.' CLOISTER-SECRET "$(od -An -v -tx1 -N 23 /dev/urandom |
        tr -d ' \n')" >owner/disk.key
    if is_cloister; then
        (umask 077 && cloister keygen >owner/owner.key)
        cloister pubkey <owner/owner.key >owner/owner.pub
    fi
}

make_disk()
{
    truncate -s 20M disk.img
    losetup /dev/loop0 disk.img
    modprobe -q -a dm-crypt xts
    mkdir -p /run/cryptsetup
    cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 \
        --pbkdf-force-iterations 1000 --key-file owner/disk.key /dev/loop0 &&
        cryptsetup open --key-file owner/disk.key /dev/loop0 made &&
        printf 'what only they read' |
        dd of=/dev/mapper/made conv=notrunc 2>/dev/null
    fact disk_made $?
    cryptsetup close made
}

# What a hotplug script must do, and no more.
make_hotplug()
{
    cat >/tmp/block <<'END'
#!/bin/sh
[ "$1" = add ] || exit 0
xenstore-write "$XENBUS_PATH/physical-device" 7:0 \
    "$XENBUS_PATH/physical-device-path" /dev/loop0 \
    "$XENBUS_PATH/hotplug-status" connected
END
    chmod +x /tmp/block
}

# programs FILE...: with the libraries that they need.
programs()
{
    for file in "$@"; do
        cp "$file" "guest/bin/${file##*/}"
        LD_TRACE_LOADED_OBJECTS=1 /lib64/ld-linux-x86-64.so.2 "$file" |
            sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p'
    done | sort -u | while read -r library; do
        cp -L "$library" guest/lib
    done
    cp -L /lib64/ld-linux-x86-64.so.2 guest/lib64
}

make_guest()
{
    mkdir -p guest/bin guest/lib guest/lib64 guest/modules guest/proc \
        guest/sys guest/dev guest/sbin guest/run guest/etc
    echo 'user:x:1000:1000::/:/bin/sh' >guest/etc/passwd
    cp /files/storyguest.init guest/init
    chmod +x guest/init
    programs /usr/bin/busybox "$(command -v cryptsetup)"
    if is_cloister; then
        programs "$(command -v cloister)"
        cp owner/owner.pub guest
    else
        cp owner/disk.key guest/key
    fi
    for module in xen-privcmd xen-blkfront ecb xts dm-crypt; do
        modprobe --show-depends "$module" 2>/dev/null
    done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | while read -r module; do
        grep -q "${module##*/}" guest/modules/list 2>/dev/null && continue
        cp "$module" guest/modules
        echo "${module##*/}" >>guest/modules/list
    done
    (cd guest && find . | busybox cpio -o -H newc 2>/dev/null) >guest.img
    sed "s,^ramdisk.*,ramdisk = \"/tmp/guest.img\",
        s,^extra.*,extra = \"$CMDLINE\"," /guest/keeper.cfg >guest.cfg
    make_hotplug
    echo 'disk = ["vdev=xvda,access=w,script=/tmp/block,target=/dev/loop0"]' \
        >>guest.cfg
}

# The owner's rules, once there is evidence of the host in good hands.
make_policy()
{
    cp reference/ak.pem owner/host.pem
    cp -r reference owner
    cat >owner/policy <<'END'
# who may have the key of the disk
key host.pem
expect expected
reference reference
sign owner.key
END
}

owner_prepares()
{
    cd /tmp || exit 1
    mkdir -p owner
    make_key
    make_disk
    make_guest
}

# ---- Looking ----------------------------------------------------------------

# said NAME WORD: what the guest's line "story WORD" says.
said()
{
    sed -n "s/.*story $2 \(.*\)/\1/p" "$(guest_console "$1")" | tr -d '\r' |
        tail -n 1
}

# key_lines NAME FACT: lines of the key in the guest's memory, as dom0 sees it.
key_lines()
{
    fact "$2" "$(/files/mapscan "$(xl domid "$1")" | sed -n 's/^lines //p')"
}

# verify NONCE DIR: by the owner's policy.
verify()
{
    cloister verify -n "$1" -p owner/policy "$2" >verify.log 2>&1
}

# verify_report NONCE KEY: what the guest has shown, as somebody else sees it.
verify_report()
{
    cloister verify -n "$1" -k "$2" -e owner/expected -r owner/reference \
        report >verify.log 2>&1
}

# dom0 uses the TPM, too.
busy()
{
    while [ ! -e /tmp/enough ]; do
        tpm2_getrandom --hex 8 >/dev/null 2>&1 || echo random >>/tmp/tpm.failed
        tpm2_pcrread sha256:0,21 >/dev/null 2>&1 || echo pcr >>/tmp/tpm.failed
        echo >>/tmp/tpm.done
    done
}

# ---- The story ---------------------------------------------------------------

stock_story()
{
    note "stock Xen: the key comes with the guest"
    start_guest web guest.cfg
    fact started $?
    wait_for "$(guest_console web)" 'story ends' 120
    fact opened "$(said web opened)"
    fact read "$(said web disk | tr ' ' _)"
    key_lines web key_lines
}

start_measured()
{
    note "the owner computes what to expect; the guest starts"
    cloister keys -f host.key
    fact key $?
    cloister measure -o owner/expected guest.cfg >/dev/null
    fact measured $?
    start_guest web guest.cfg
    status=$?
    fact started $status
    [ $status -eq 0 ] || exit 1
}

attest_and_verify()
{
    note "evidence of the host, then of the guest"
    cloister attest -n $OTHER -o reference
    fact attested_host $?
    make_policy
    cloister attest -n $NONCE -o evidence web
    fact attested $?
    verify $NONCE evidence
    fact verified $?
    sed 's/^/# /' verify.log
    tpm2_checkquote -Q -u owner/host.pem -m evidence/quote.msg \
        -s evidence/quote.sig -q $NONCE >/dev/null
    fact checkquote $?
}

seal_and_bring()
{
    note "the secret is sealed, brought, fetched; dom0 uses the TPM meanwhile"
    : >/tmp/tpm.failed
    : >/tmp/tpm.done
    busy &
    cloister seal -n $NONCE --to evidence --policy owner/policy \
        <owner/disk.key >blob
    fact sealed $?
    fact blob_lines "$(grep -a -c CLOISTER-SECRET blob)"
    wait_for "$(guest_console web)" 'story user' 60
    cloister provision web <blob
    fact provisioned $?
    wait_for "$(guest_console web)" 'story ends' 120
    touch /tmp/enough
    wait
    fact dom0_tpm_uses "$(grep -c '' /tmp/tpm.done)"
    fact dom0_tpm_failures "$(grep -c . /tmp/tpm.failed)"
}

guest_has_it()
{
    fact secret "$(said web secret)"
    fact opened "$(said web opened)"
    fact read "$(said web disk | tr ' ' _)"
    fact again "$(said web again)"
    fact user "$(said web user)"
    key_lines web key_lines
    cloister provision web <blob
    fact provisioned_again $?
    fact disk_lines "$(grep -a -c 'what only they' disk.img)"
}

guest_reports()
{
    note "the guest proves itself to somebody else"
    cloister pubkey --report evidence >owner/report.pem
    fact report_key $?
    sed -n 's/.*story R://p' "$(guest_console web)" | tr -d '\r' |
        base64 -d | gzip -dc >report
    fact report "$(said web report)"
    verify_report $THIRD owner/report.pem
    fact report_verified $?
}

# All of it, until the guest has its disk.
good_story()
{
    start_measured
    attest_and_verify
    seal_and_bring
    guest_has_it
    guest_reports
}
