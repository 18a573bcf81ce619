# SPDX-License-Identifier: BSD-2-Clause
# A guest's ordinary life under xl: a PV guest, a PVH guest that nobody
# protects, and one that is protected.  KIND_STEP is 1 if the step did what it
# is for; what is on stock Xen must be here, and what a protected guest is
# refused is refused for a reason.
# shellcheck shell=sh disable=SC1091
. /lab.sh
. ./lifelab.sh

extra='console=hvc0 keeper=4 xen_netfront.trusted=0 xen_blkfront.trusted=0'
cloister=
command -v cloister >/dev/null && cloister status >/dev/null 2>&1 && cloister=1

# step NAME COMMAND...: the fact $kind_NAME is whether COMMAND succeeds.
step()
{
    name=$1
    shift
    if "$@" >/tmp/step.out 2>&1; then
        fact "${kind}_$name" 1
    else
        sed "s/^/# $name: /" /tmp/step.out | tail -n 12
        tell_more
        fact "${kind}_$name" 0
    fi
}

# What xl, which waits for the guest's end, and the guest have said.
tell_more()
{
    for log in /var/log/xen/xl-"$guest"*.log "$(guest_console "$guest")"; do
        [ ! -e "$log" ] || tail -n 8 "$log" | sed "s,^,# ${log##*/}: ,"
    done
    xl dmesg | tail -n 4 | sed 's/^/# /'
}

# state LETTER...: one of them is in the guest's state
state()
{
    xl list "$guest" | awk 'NR == 2 { print $5 }' | grep -q "[$1]"
}

gone()
{
    ! xl domid "$1" 2>/dev/null
}

# The guest goes on, and finds its memory as it left it.  $1: its name when its
# console was opened, if it has another now.
alive()
{
    before=$(rounds "${1:-$guest}")
    wait_for "$(guest_console "${1:-$guest}")" \
        "keeper ok $((${before:-0} + 2))" 90
}

# ---- The steps --------------------------------------------------------------

create()
{
    : >"$(guest_console "$guest")"
    xl create -q -p /tmp/life.cfg "name=\"$guest\"" vcpus=2 \
        memory=96 'on_reboot="restart"' "extra=\"$extra\"" \
        "type=\"$type\"" || return 1
    if [ "$kind" = guarded ] && [ -n "$cloister" ]; then
        cloister protect "$guest" || return 1
    fi
    xl unpause "$guest" &&
        wait_for "$(guest_console "$guest")" 'keeper ok 1' 120
}

# Early deaths under emulation: the start, and nothing else, is tried again.
start()
{
    create && return 0
    echo "lab: retried start of $guest"
    xl destroy "$guest" 2>/dev/null
    create
}

pause()
{
    xl pause "$guest" && state p
}

unpause()
{
    xl unpause "$guest" && ! state p && alive
}

listed()
{
    xl list "$guest" | grep -q "$guest" && xl list -l "$guest" |
        grep -q "\"$guest\""
}

info()
{
    xl info | grep -q 'free_memory' && xl vcpu-list "$guest" |
        grep -q "$guest" && xl uptime "$guest" | grep -q "$guest"
}

# xl console wants a terminal; what it would connect to has the next round.
console()
{
    tty=/local/domain/$(xl domid "$guest")/console/tty
    socat -u "$(xenstore-read "$tty"),raw" - >/tmp/xl.console 2>/dev/null &
    reader=$!
    wait_for /tmp/xl.console 'keeper ok' 60
    result=$?
    kill $reader 2>/dev/null
    return $result
}

at_most()
{
    [ "$(xl list "$guest" | awk 'NR == 2 { print $3 }')" -le "$1" ]
}

# memory MIB: the guest has given back what it was asked for.
memory()
{
    xl mem-set "$guest" "$1" &&
        wait_until 60 at_most "$1"
}

mem_set()
{
    memory 80 && alive
}

at_least()
{
    [ "$(xl list "$guest" | awk 'NR == 2 { print $3 }')" -ge "$1" ]
}

# All that it may have: xl builds a guest anew with what it had last, and the
# rest populated on demand, with which no guest is protected.
mem_back()
{
    xl mem-set "$guest" 96 && wait_until 60 at_least 96
}

online()
{
    [ "$(xl vcpu-list "$guest" | awk 'NR > 1 && $5 !~ /p/' | wc -l)" = "$1" ]
}

vcpu_set()
{
    xl vcpu-set "$guest" 1 && wait_until 40 online 1 && alive
}

# The lab's machine has this one on Xen's command line.
sched()
{
    xl sched-credit -d "$guest" -w 512 &&
        xl sched-credit -d "$guest" | grep -q ' 512 '
}

rename_it()
{
    xl rename "$guest" other && xl domid other && xl rename other "$guest"
}

# connected COMMAND COLUMN: both ends of the guest's device, the only one that xl
# COMMAND lists, say so (XenbusStateConnected is 4).
connected()
{
    [ "$(xl "$1" "$guest" | awk -v column="$2" \
        'NR == 2 { print $column }')" = 4 ]
}

network()
{
    ip link add name xenbr0 type bridge 2>/dev/null
    ip link set xenbr0 up
    xl network-attach "$guest" bridge=xenbr0 &&
        wait_until 40 connected network-list 5
}

# What the guest reads is from dom0, and what it writes gets here.
block()
{
    [ -e /tmp/disk ] || truncate -s 16M /tmp/disk
    text="for $guest"
    printf '%-1024s' "$text" | dd of=/tmp/disk conv=notrunc 2>/dev/null
    losetup /dev/loop0 >/dev/null 2>&1 || losetup /dev/loop0 /tmp/disk
    xl block-attach "$guest" phy:/dev/loop0 xvda w &&
        wait_until 40 connected block-list 4 &&
        wait_for "$(guest_console "$guest")" "life disk $text" 40 &&
        dd if=/tmp/disk bs=512 skip=1 count=1 2>/dev/null |
        grep -q "^seen: $text"
}

# trigger NAME: xl does not say by its exit status that Xen has refused.
trigger()
{
    xl trigger "$guest" "$1" 0 >/tmp/trigger.out 2>&1
    cat /tmp/trigger.out
    ! grep -q 'failed' /tmp/trigger.out
}

# A PVH guest has nothing that a power button could be seen at: it goes on.
trigger_power()
{
    trigger power && alive
}

trigger_nmi()
{
    trigger nmi &&
        wait_for "$(guest_console "$guest")" 'NMI.*reason' 20 && alive
}

save_on()
{
    xl save -c "$guest" /tmp/image && alive
}

restore()
{
    xl save "$guest" /tmp/image && wait_until 20 gone "$guest" &&
        : >"$(guest_console "$guest")" && xl restore /tmp/image && alive
}

migrate()
{
    xl migrate -s '' "$guest" 'xl migrate-receive' &&
        alive "$guest--incoming"
}

# reborn ID: the guest is there, and has another id.
reborn()
{
    now=$(xl domid "$guest" 2>/dev/null) && [ "$now" != "$1" ]
}

reboot_it()
{
    id=$(xl domid "$guest")
    xl reboot "$guest" && : >"$(guest_console "$guest")" &&
        wait_until 60 reborn "$id" &&
        wait_for "$(guest_console "$guest")" 'keeper ok 1' 120
}

# With cloister=optin nobody has asked for the guest that xl builds anew.
guarded()
{
    cloister why "$guest"
}

shutdown_it()
{
    xl shutdown "$guest" && wait_until 60 gone "$guest"
}

# A step with an answer of its own for guarded guests: the reason.
reason()
{
    cloister log "$guest" 2>/dev/null |
        sed -n 's/^ *reason .*\[\([a-z_]*\), .*/\1/p' | head -n 1
}

live()
{
    note "$kind"
    step create start
    step list listed
    step info info
    step console console
    step pause pause
    step unpause unpause
    step mem_set mem_set
    step vcpu_set vcpu_set
    step sched sched
    step rename rename_it
    step network network
    step power trigger_power
    if [ "$kind" = guarded ]; then
        step nmi trigger_nmi
        [ -z "$cloister" ] || fact guarded_nmi_reason "$(reason)"
    fi
    note "$kind: save"
    xl network-detach "$guest" 0 >/dev/null 2>&1
    step save_on save_on
    step restore restore
    xl domid "$guest" >/dev/null 2>&1 || start
    step migrate migrate
    xl domid "$guest" >/dev/null 2>&1 || start
    note "$kind: reboot"
    step mem_back mem_back
    step reboot reboot_it
    if [ "$kind" = guarded ] && [ -n "$cloister" ]; then
        step reboot_protected guarded
    fi
    step shutdown shutdown_it
    xl domid "$guest" >/dev/null 2>&1 || start
    step block block
    xl destroy "$guest" 2>/dev/null
}

guest_image
modprobe -q -a xen-netback xen-blkback
kind=pv type=pv guest=lifepv
live
kind=open type=pvh guest=lifeopen
live
kind=guarded type=pvh guest=lifeguarded
live
[ -z "$cloister" ] || cloister log | sed 's/^/# /' | head -n 20
sleep 2
fact left_domains "$(xl list | awk 'NR > 1 && $2 != 0' | wc -l)"
note "done"
