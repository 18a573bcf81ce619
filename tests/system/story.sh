# SPDX-License-Identifier: BSD-2-Clause
# A guest whose disk is encrypted, on a host whose administrator must not read
# it: the whole story, and who wants to change its end.  On stock Xen the key
# is in the guest's ramdisk, as there is no better place.
#
# The owner's machine, far away, is the folder /tmp/owner.  What goes to other
# hosts (story.machines) is printed at the end.
# shellcheck shell=sh disable=SC1091
. /lab.sh

NONCE=00112233445566778899aabbccddeeff
OTHER=11112233445566778899aabbccddeeff
THIRD=ffeeddccbbaa99887766554433221100
CMDLINE='console=hvc0 loglevel=4 xen_netfront.trusted=0 xen_blkfront.trusted=0'
mkdir -p /tmp/owner
cd /tmp || exit 1

# ---- The owner's part: a key, a disk, a guest --------------------------------

# A line that can be looked for in a guest's memory.
make_key()
{
    printf 'CLOISTER-SECRET-%s.' "$(od -An -v -tx1 -N 23 /dev/urandom |
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
        guest/sys guest/dev guest/sbin guest/run
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

# said NAME WORD: what the guest's line "story WORD" says.
said()
{
    sed -n "s/.*story $2 \(.*\)/\1/p" "$(guest_console "$1")" | tr -d '\r' |
        tail -n 1
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

# key_lines NAME FACT: lines of the key in the guest's memory, as dom0 sees it.
key_lines()
{
    fact "$2" "$(/files/mapscan "$(xl domid "$1")" | sed -n 's/^lines //p')"
}

make_key
make_disk
make_guest
LAB_READY='story begins'
LAB_PATIENCE=120

if ! is_cloister; then
    note "stock Xen: the key comes with the guest"
    start_guest web guest.cfg
    fact started $?
    wait_for "$(guest_console web)" 'story ends' 120
    fact opened "$(said web opened)"
    fact read "$(said web disk | tr ' ' _)"
    key_lines web key_lines
    exit 0
fi

# ---- The story ---------------------------------------------------------------

note "the owner computes what to expect; the guest starts"
cloister keys -f host.key
fact key $?
cloister measure -o owner/expected guest.cfg
fact measured $?
start_guest web guest.cfg
status=$?
fact started $status
[ $status -eq 0 ] || exit 1

note "evidence of the host, then of the guest"
cloister attest -n $OTHER -o reference
fact attested_host $?
cp reference/ak.pem owner/host.pem
cp -r reference owner
cat >owner/policy <<'END'
# who may have the key of the disk
key host.pem
expect expected
reference reference
sign owner.key
END
cloister attest -n $NONCE -o evidence web
fact attested $?
cloister verify -n $NONCE -p owner/policy evidence | sed 's/^/# /'
cloister verify -n $NONCE -p owner/policy evidence >/dev/null
fact verified $?
tpm2_checkquote -Q -u owner/host.pem -m evidence/quote.msg \
    -s evidence/quote.sig -q $NONCE >/dev/null
fact checkquote $?

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
fact secret "$(said web secret)"
fact opened "$(said web opened)"
fact read "$(said web disk | tr ' ' _)"
fact again "$(said web again)"
fact user "$(said web user)"
key_lines web key_lines
cloister provision web <blob
fact provisioned_again $?
fact disk_lines "$(grep -a -c 'what only they' disk.img)"

note "the guest proves itself to somebody else"
cloister pubkey --report evidence >owner/report.pem
fact report_key $?
sed -n 's/.*story R://p' "$(guest_console web)" | tr -d '\r' | base64 -d |
    gzip -dc >report
fact report "$(said web report)"
verify_report()
{
    cloister verify -n "$1" -k "$2" -e owner/expected -r owner/reference \
        report >verify.log
}
verify_report $THIRD owner/report.pem
fact report_verified $?
verify_report $NONCE owner/report.pem
fact report_nonce $?
verify_report $THIRD owner/host.pem
fact report_wrong_key $?
sed 's/"report": "Q0xPSVNUU/"report": "Q0xPSVNUV/' report >report.changed
mv report.changed report
verify_report $THIRD owner/report.pem
fact report_changed $?

# ---- dom0 --------------------------------------------------------------------

note "dom0 asks for itself, and opens the blob with the TPM's own tools"
cloister secret >/dev/null
fact dom0_secret $?
cloister report -n $NONCE >/dev/null
fact dom0_report $?
u16()
{
    od -An -tu1 -j "$2" -N 2 "$1" | awk '{ print $1 + 256 * $2 }'
}
# A TPM2B of a part of the blob: its size, which is less than 65536, comes first.
tpm2b()
{
    printf '%b' "\\0$(printf %o $(($2 / 256)))\\0$(printf %o $(($2 % 256)))"
    tail -c +$(($1 + 1)) blob | head -c "$2"
}
public=$(u16 blob 20) duplicate=$(u16 blob 22) seed=$(u16 blob 24)
tpm2b 28 "$public" >s.pub
tpm2b $((28 + public)) "$duplicate" >s.dup
tpm2b $((28 + public + duplicate)) "$seed" >s.seed
tpm2_createprimary -Q -C o -G ecc -c srk -a 'fixedtpm|fixedparent|'\
'sensitivedataorigin|userwithauth|noda|restricted|decrypt'
tpm2_import -Q -C srk -u s.pub -i s.dup -s s.seed -r s.priv
tpm2_load -Q -C srk -u s.pub -r s.priv -c s
fact dom0_loads $?
for locality in 1 2 4 8 16; do
    tpm2_startauthsession --policy-session -S s.session
    tpm2_policylocality -Q -S s.session $locality
    tpm2_policypcr -Q -S s.session -l sha256:0,2,4,7,8,9,21
    tpm2_unseal -c s -p session:s.session >>unsealed 2>>unseal.log
    tpm2_flushcontext s.session
done
fact dom0_unsealed_bytes "$(stat -c %s unsealed)"

note "evidence that must not pass"
verify()
{
    cloister verify -n "$1" -p owner/policy "$2" >verify.log
}
verify $OTHER evidence
fact wrong_nonce $?
cloister attest -n $OTHER -o fresh web
cp evidence/quote.* fresh
verify $OTHER fresh
fact replayed_quote $?
cp -r evidence forgery
sed 's/console=com1/console=com2/' evidence/host.log >forgery/host.log
verify $NONCE forgery
fact forged_log $?
cloister seal -n $NONCE --to forgery --policy owner/policy \
    <owner/disk.key >forged.blob
fact forged_sealed $?
fact forged_blob_size "$(stat -c %s forged.blob)"
cp -r evidence forgery.key
cp reference/storage.* forgery.key
verify $NONCE forgery.key
fact forged_key $?
xl destroy web

note "other guests: nobody seals for them, and they do not get it"
# other NAME FACT [KEY=VALUE...]
other()
{
    other=$1
    other_fact=$2
    shift 2
    xl create -q guest.cfg name="\"$other\"" "$@"
    cloister attest -n $NONCE -o "$other.evidence" "$other"
    verify $NONCE "$other.evidence"
    fact "${other_fact}_verify" $?
    cloister explain owner/expected "$other.evidence/launch.log" |
        sed 's/^/# /'
    cloister provision "$other" <blob
    fact "${other_fact}_secret" $?
    xl destroy "$other"
}
other cmdline changed_cmdline "extra=\"$CMDLINE init=/bin/sh\""
sed 's/story begins/STORY begins/' guest.img >ramdisk
other ramdisk changed_ramdisk 'ramdisk="/tmp/ramdisk"'
other kernel changed_kernel 'kernel="/files/tiny.elf"'

note "dom0 seals a key of its own, for a disk of its own"
printf 'a key that dom0 knows' >own.key
sed '/sign/d; s,^\(key\|expect\|reference\) ,&owner/,' owner/policy >own.policy
start_guest again guest.cfg
cloister attest -n $NONCE -o evidence again
cloister seal -n $NONCE --to evidence --policy own.policy <own.key >own.blob
fact dom0_seals $?
head -c 100 blob >short.blob
cloister provision again <short.blob
fact short_blob $?
{ head -c 200 blob; printf X; tail -c +202 blob; } >changed.blob
cloister provision again <changed.blob
fact changed_blob $?
wait_for "$(guest_console again)" 'story user' 60
cloister provision again <own.blob
fact dom0_provisions $?
wait_for "$(guest_console again)" 'story ends' 120
fact dom0_secret_in_guest "$(said again secret)"
fact dom0_disk_opened "$(said again opened)"
xl destroy again

# ---- For the other hosts -----------------------------------------------------

note "a secret for a guest that does not run yet"
xl create -q /files/tiny.cfg
cloister show -o tiny.log tiny
{
    echo 'key owner/host.pem'
    echo "measurement $(cloister show ./tiny.log |
        sed -n 's/^measurement //p')"
    echo 'reference owner/reference'
} >tiny.policy
cloister attest -n $NONCE -o evidence
cloister seal -n $NONCE --to evidence --policy tiny.policy \
    <owner/disk.key >tiny.blob
fact tiny_sealed $?
cloister provision tiny <tiny.blob
fact tiny_provisioned $?
xl destroy tiny
mkdir story
cp -r owner/reference owner/host.pem tiny.blob host.key evidence story
busybox tar -c story 2>/dev/null | gzip -c | base64 | sed 's/^/S:/'
