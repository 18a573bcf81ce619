#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# cloister measure and explain, with Xen's own toolstack libraries and the tiny
# guest.  (That the real Xen comes to the same is tests/system/attest.sh.)
set -u

bin=$1
kernel=$2
PATH=$bin:$PATH
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0
cd "$dir" || exit 1

# check NAME STATUS COMMAND...: its output is in log then.
check()
{
    name=$1
    want=$2
    shift 2
    "$@" >log 2>&1
    verdict "exit status $?" "exit status $want"
}

verdict()
{
    if [ "$1" = "$2" ]; then
        echo "ok $name"
        passed=$((passed + 1))
    else
        echo "FAIL $name: $1, not $2"
        sed 's/^/# /' log
        failed=$((failed + 1))
    fi
}

# says NAME TEXT: the last output has it.
says()
{
    name=$1
    if grep -q -e "$2" log; then verdict said said; else verdict other "$2"; fi
}

# config NAME LINE...
config()
{
    to=$1
    shift
    {
        echo 'name = "t"'
        echo 'type = "pvh"'
        echo 'memory = 4'
        echo "kernel = \"$kernel\""
        for line in "$@"; do echo "$line"; done
    } >"$to"
}

config good 'cmdline = "a=1"'
config pci 'cmdline = "a=1"' 'pci = [ "01:00.0" ]'
config two 'cmdline = "a=1"' 'vcpus = 2'
config extra 'extra = "a=1"'
config root 'root = "/dev/x"' 'extra = "a=1"'
sed 's/pvh/pv/' good >pv
head -c 5000 /dev/urandom >ramdisk

check measure 0 cloister measure -o good.log good
check well_formed 0 cloister show ./good.log
check again 0 cloister measure -o again.log good
check deterministic 0 cmp good.log again.log
check extra_is_a_command_line 0 cloister measure -o extra.log extra
check same_as_cmdline 0 cloister explain good.log extra.log

check root_comes_first 0 cloister measure -o root.log root
check other_command_line 6 cloister explain good.log root.log
says names_the_command_line 'actual   "root=/dev/x a=1"'
check option_command_line 0 cloister measure -c 'root=/dev/x a=1' -o c.log good
check option_is_the_same 0 cloister explain root.log c.log

check with_ramdisk 0 cloister measure -r ramdisk -o r.log good
check other_ramdisk 6 cloister explain good.log r.log
says names_the_register 'RBX:.*ramdisk'
printf x | dd of=ramdisk bs=1 seek=4000 conv=notrunc 2>/dev/null
check ramdisk_changed 0 cloister measure -r ramdisk -o r2.log good
check explained 6 cloister explain r.log r2.log
says names_its_pages 'in it:.*ramdisk'

check two_vcpus 0 cloister measure -o two.log two
check other_vcpus 6 cloister explain good.log two.log
says names_the_vcpus '2 vCPUs'

check as_json 0 cloister measure --json good
says json_has_a_schema '"schema": 1'
says json_has_the_measurement "\"measurement\": \"$(cloister measure good)\""

check no_network_setting 2 cloister measure -n vlan=5000 good

sed 's/tiny BAD/tiny bad/' "$kernel" >changed
check kernel_changed 0 cloister measure -k changed -o k.log good
check other_kernel 6 cloister explain good.log k.log
says names_the_kernel 'in it: kernel'

check net_settled 0 cloister measure -n vlan=7,isolated=1 -o n.log good
check explained_as_json 6 cloister explain -j good.log n.log
says json_names_the_item '"type": "net"'
check other_network 6 cloister explain good.log n.log
says names_the_network 'only in the actual one: net .*vlan 7, mtu 0, isolated 1'
check net_again 0 cloister measure -n isolated=1,vlan=7 -o n2.log good
check net_is_the_same 0 cloister explain n.log n2.log
check net_senseless 2 cloister measure -n speed=7 good

check without_config 1 cloister measure nowhere
check without_kernel 1 cloister measure -k nowhere good
check pv_guest 1 cloister measure pv
check what_is_not_known 1 cloister measure pci
says names_it 'pci='
check no_kernel_at_all 1 cloister measure -k good good

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
