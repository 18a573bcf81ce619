# SPDX-License-Identifier: BSD-2-Clause
# The whole story (storylab.sh), and who wants to change its end.
# shellcheck shell=sh disable=SC1091,SC2154,SC2086
. /lab.sh
. /files/storylab.sh
. /files/unsealhost.sh

owner_prepares
good_story
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
dom0_unseals s

note "evidence that must not pass"
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
{
    head -c 200 blob
    head -c 201 blob | tail -c 1 | tr '\000-\377' '\001-\377\000'
    tail -c +202 blob
} >changed.blob
cloister provision again <changed.blob
fact changed_blob $?
wait_for "$(guest_console again)" 'story user' 60
cloister provision again <own.blob
fact dom0_provisions $?
wait_for "$(guest_console again)" 'story ends' 120
fact dom0_secret_in_guest "$(said again secret)"
fact dom0_disk_opened "$(said again opened)"
xl destroy again
