# SPDX-License-Identifier: BSD-2-Clause
# Registers across thousands of views: of guests that keep known values in
# them, and of the program in dom0 that maps.
# Prints "fact NAME NUMBER"; the .expect file says what is right.
# shellcheck shell=sh disable=SC1091
. /lab.sh
PATH=/files:$PATH

# Of 16 pages each.  Mapping a page takes a PVH dom0 milliseconds here.
calls=250
[ "$(cat /sys/hypervisor/guest_type)" = PV ] || calls=50

rounds()
{
    xl dmesg | sed -n 's/.*tiny vectors ok \([0-9]*\).*/\1/p' | tail -n 1
}

note "$(xl dmesg | sed -n 's/.*\(page cipher: .*\)/\1/p')"
fact cipher "$(xl dmesg | sed -n 's/.*page cipher: \([a-z0-9]*\).*/\1/p')"

# With eager FPU one guest shares dom0's processor, the other runs beside it;
# lazily they share the other processor, as guests on dom0's have been seen to
# damage dom0 under emulation (docs/support.md), before there was any view.
shared=1
! xl info xen_commandline | grep -q eager-fpu || shared=0
for cpu in 0 1; do
    xl create -q -p /files/tiny.cfg "name=\"tiny$cpu\"" memory=8 \
        'extra="vectors"'
    xl vcpu-pin "tiny$cpu" 0 $((cpu ? 1 : shared))
    xl unpause "tiny$cpu"
done
left=100
until [ "$(rounds)0" -ge 640 ] || [ $left -eq 0 ]; do
    left=$((left - 1))
    sleep 1
done
before=$(rounds)
note "the guests check their registers: $before rounds"

for cpu in 0 1; do
    vectors "$(xl domid "tiny$cpu")" $calls >/tmp/vectors
    sed 's/^/# /' /tmp/vectors
    fact "pages_$cpu" "$(sed -n 's/^pages //p' /tmp/vectors)"
    fact "width_$cpu" "$(sed -n 's/^width //p' /tmp/vectors)"
    fact "changed_$cpu" "$(sed -n 's/^changed //p' /tmp/vectors)"
done

left=100
until [ "$(rounds)" -gt "$before" ] || [ $left -eq 0 ]; do
    left=$((left - 1))
    sleep 1
done
note "and after: $(rounds) rounds"
fact guest_went_on $((left > 0))
fact guest_bad "$(xl dmesg | grep -c 'tiny BAD')"
cloister status --json | sed -n 's/.*"views_given": *\([0-9]*\).*/\1/p' |
    awk '{ sum += $1 } END { print "fact views", sum + 0 }'
xl destroy tiny0
xl destroy tiny1
note "done"
