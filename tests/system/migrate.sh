# SPDX-License-Identifier: BSD-2-Clause
# A guest moves between two machines (migrate.machines) of its owner's, and to
# no other, and stays where it is whatever goes wrong before its key has gone.
# Machine a has the plan, and the owner's part, too, for brevity's sake; b does
# what it is told.  On stock Xen xl alone moves the guest.
# migrate=PLAN on dom0's command line: `cut`, `again`, or a number: there and
# back so often.  Else what may be on the owner's list, and two round trips.
# shellcheck shell=sh disable=SC1091,SC2016

. /lab.sh
PATH=/files:$PATH
NONCE=00112233445566778899aabbccddeeff
TALK=7001       # a shell
GUESTS=7002     # what receives a guest

here=b mine=10.9.0.2 theirs=10.9.0.1
grep -q machine=b /proc/cmdline || here=a mine=10.9.0.1 theirs=10.9.0.2
plan=$(sed -n 's/.* migrate=\([a-z0-9]*\).*/\1/p' /proc/cmdline)
times=${plan:-2}
cuts=10
MIB=80          # the guest's

# ---- The two machines --------------------------------------------------------

network()
{
    modprobe igb
    for card in /sys/class/net/*; do
        case $(readlink "$card/device/driver") in
        */igb)
            nic=${card##*/}
            ip link set "$nic" address "02:00:00:00:00:0${mine##*.}"
            ip addr add "$mine/24" dev "$nic"
            ip link set "$nic" up
            ;;
        esac
    done
    echo "# $here: ${nic-no card}"
}

listen()
{
    receiver='xl migrate-receive'
    ! is_cloister || receiver='cloister receive'
    socat -t 600 "TCP-LISTEN:$TALK,fork,reuseaddr" EXEC:sh 2>/tmp/talk.err &
    socat -t 5 "TCP-LISTEN:$GUESTS,fork,reuseaddr" "EXEC:$receiver" \
        2>/tmp/receive.err &
}

# on_b WORDS: a shell there does it; what it prints.
on_b()
{
    printf 'cd /tmp; PATH=/files:$PATH; . /lab.sh\n%s\n' "$*" |
        timeout 300 socat -t 290 - "TCP:$theirs:$TALK"
}

hears()
{
    [ "$(on_b echo heard 2>/dev/null)" = heard ]
}

# ---- The guest ----------------------------------------------------------------

# lives NAME FACT: fact alive_FACT: two more rounds of its own check, after the
# newest here; for both machines.  (The console's file keeps the name that the
# guest had when it came.)
LIVES='
    beyond()
    {
        [ "$(rounds "$1")" -gt "$2" ] 2>/dev/null
    }
    lives()
    {
        last=$(rounds "$1")
        if wait_until 120 beyond "$1" $((${last:-0} + 1)); then
            fact "alive_$2" 1
        else
            fact "alive_$2" 0
        fi
    }'
eval "$LIVES"

lives_on_b()
{
    on_b "$LIVES
        lives keeper--incoming $1" | sed -n '/^fact/p'
}

# send [VIA]: to b, by what reaches it; its status, and xl's words in xl.out.
send()
{
    via=${1:-socat -t 5 - TCP:$theirs:$GUESTS}
    if is_cloister; then
        cloister migrate --via "$via" keeper b >/tmp/xl.out 2>&1
    else
        xl migrate -s '' keeper "$via" >/tmp/xl.out 2>&1
    fi
}

# Back from b to a.
send_back()
{
    via="socat -t 5 - TCP:$mine:$GUESTS"
    if is_cloister; then
        on_b "cloister migrate --via '$via' keeper a >/tmp/xl.out 2>&1;
            echo status \$?"
    else
        on_b "xl migrate -s '' keeper '$via' >/tmp/xl.out 2>&1;
            echo status \$?"
    fi | grep -q 'status 0'
}

said()
{
    tail -n 6 /tmp/xl.out | sed 's/^/# /'
}

# fails NAME [VIA]: facts that the migration fails, and nothing is lost.
fails()
{
    name=$1
    shift
    send "$@"
    fact "failed_$name" $(($? != 0))
    said
    wait_until 20 gone_from_b
    fact "left_on_b_$name" "$(on_b domains)"
    lives "$guest" "after_$name"
}

gone_from_b()
{
    [ "$(on_b domains)" = 0 ]
}

# ---- The owner's part ---------------------------------------------------------

# Evidence of both hosts, and his key sealed to each; the same with a key of
# somebody else's for b.
own()
{
    mkdir -p owner
    head -c 32 /dev/urandom >owner/key
    head -c 32 /dev/urandom >owner/other
    cloister keys -f host.key >/dev/null
    fact host_key_a $?
    fact host_key_b "$(on_b 'cloister keys -f host.key >/dev/null; echo $?')"
    cloister attest -n $NONCE -o owner/a
    on_b "cloister attest -n $NONCE -o evidence >/dev/null 2>&1
        busybox tar c -C evidence . | base64" | base64 -d >owner/b.tar
    mkdir -p owner/b
    busybox tar x -C owner/b -f owner/b.tar
    for host in a b; do
        # Whose key it is he knows otherwise.
        cp "owner/$host/ak.pem" "owner/$host.pem"
        printf 'key %s\nreference none\n' "$host.pem" >"owner/$host.policy"
        for key in key other; do
            cloister seal -m -n $NONCE --to "owner/$host" \
                --policy "owner/$host.policy" <"owner/$key" \
                >"owner/$host.$key"
            fact "sealed_${host}_$key" $?
        done
    done
    [ -s owner/a.key ] && [ -s owner/b.key ]
}

# allow_b FILE: b gets this sealed key; cloister's status.
allow_b()
{
    on_b "echo $(base64 -w 0 "$1") | base64 -d | cloister allow; echo \$?" |
        tail -n 1
}

# ---- The plan ------------------------------------------------------------------

start()
{
    option=
    ! is_cloister || option=$(cloister migrate -k owner/key)
    sed "s,^memory.*,memory = $MIB,; s,^extra = \"\\(.*\\)\",extra = \"\\1 $option\"," \
        /guest/keeper.cfg >keeper.cfg
    start_guest keeper keeper.cfg
    fact started $?
    guest=keeper
}

# Nobody has the owner's key, one of both, b another owner's.
without_list()
{
    fails no_list
    fact allowed_elsewhere "$(cloister allow <owner/b.key 2>/dev/null;
        echo $?)"
    fact allowed_b_other "$(allow_b owner/b.other)"
    fails no_key_here
    cloister allow <owner/a.key
    fact allowed_a $?
    fails other_owner_there
    fact reason_other "$(on_b cat /tmp/receive.err | grep -c 'owner is on this')"
    fact allowed_b "$(allow_b owner/b.key)"
}

allow_both()
{
    cloister allow <owner/a.key
    fact allowed_a $?
    fact allowed_b "$(allow_b owner/b.key)"
}

sent_bytes()
{
    cat "/sys/class/net/$nic/statistics/tx_bytes"
}

# The standstill, and a bit: from when the guest stands until xl knows
# that it runs there.
downtime()
{
    watchrun "$(xl domid keeper)" 900 >/tmp/watch &
    watcher=$!
    t0=$(date +%s%N)
    send
    status=$?
    t1=$(date +%s%N)
    kill $watcher 2>/dev/null
    stood=$(awk '$3 == "stands" { print int($1); exit }' /tmp/watch)
    [ $status -ne 0 ] || [ -z "$stood" ] ||
        echo $(((t1 - t0) / 1000000 - stood)) >>/tmp/downtimes
    return $status
}

# There and back.
round_trips()
{
    done=0
    while [ $done -lt "$times" ]; do
        before=$(sent_bytes)
        downtime || break
        bytes=$(($(sent_bytes) - before))
        lives_on_b "on_b_$done"
        send_back || break
        guest=keeper--incoming
        lives "$guest" "back_$done"
        done=$((done + 1))
        note "there and back: $done ($((bytes >> 10)) KiB, standstill" \
            "$(tail -n 1 /tmp/downtimes) ms)"
    done
    [ $done -eq "$times" ] || { said; on_b tail -n 6 /tmp/xl.out; }
    fact round_trips "$done"
    fact downtime_ms "$(sort -n /tmp/downtimes | awk '{ v[NR] = $1 }
        END { print v[int((NR + 1) / 2)] }')"
}

memory()
{
    fact bad_here "$(cat /var/log/xen/console/guest-keeper*.log |
        grep -c 'keeper BAD')"
    fact bad_there "$(on_b "cat /var/log/xen/console/guest-keeper*.log |
        grep -c 'keeper BAD'")"
    # Its count of rounds goes on, so nothing ran twice.
    fact back_here "$(sed -n 's/.*keeper ok \([0-9]*\).*/\1/p' \
        "$(guest_console "$guest")" |
        awk '$1 <= last { n++ } { last = $1 } END { print n + 0 }')"
}

# At 10 points, from a seed.
cut_links()
{
    lost=0 sent=0
    # All of the guest's memory goes over, so each is before the end.
    awk -v most=$((MIB << 20)) -v n=$cuts 'BEGIN { srand(4)
        for (; n; n--) print int(rand() * most) }' >/tmp/points
    while read -r point; do
        send "dd bs=64K count=$point iflag=count_bytes 2>/dev/null |
            socat -t 5 - TCP:$theirs:$GUESTS" && 
            sent=$((sent + 1))
        wait_until 20 gone_from_b || lost=$((lost + 1))
        [ "$(lives "$guest" cut)" = 'fact alive_cut 1' ] ||
            lost=$((lost + 1))
        note "cut after $point bytes"
    done </tmp/points
    fact cut_sent $sent
    fact cut_lost $lost
}

# In the record; and from there to the key's end and beyond, a point in each
# 100 bytes: what comes after the record is not much longer than that.
late_points()
{
    awk 'BEGIN { srand(5)
        for (i = 0; i < 4; i++) print "record", int(rand() * 480 * 1024)
        for (i = 0; i < 8; i++) print "tail", int((i + rand()) * 100) }'
}

# It has gone from one of the two.
decided()
{
    gone_from_b || [ "$(domains)" = 0 ]
}

# place: where the guest goes on; with +left if b has one that does not.
find_guest()
{
    place=
    wait_until 60 decided
    if xl domid keeper >/dev/null 2>&1 && ! has_flag keeper s; then
        [ "$(lives "$guest" late)" != 'fact alive_late 1' ] || place=here
    fi
    if ! gone_from_b; then
        there=+left
        [ "$(lives_on_b late)" != 'fact alive_late 1' ] || there=there
        place=$place$there
    fi
}

# Wherever it is cut, the guest goes on here, or there, and not on both.
cut_late()
{
    late_here=0 late_there=0 late_lost=0
    late_points >/tmp/points
    while read -r part point; do
        send "cutlate $part $point | socat -t 5 - TCP:$theirs:$GUESTS"
        status=$?
        find_guest
        note "cut $point bytes into the $part: status $status, ${place:-nowhere}"
        # What xl says is so.
        case $place$((status != 0)) in
        here1) late_here=$((late_here + 1)) ;;
        there0)
            late_there=$((late_there + 1))
            send_back || break
            guest=keeper--incoming
            ;;
        *)
            late_lost=$((late_lost + 1))
            said
            break
            ;;
        esac
    done </tmp/points
    fact cut_late_cuts $((late_here + late_there))
    fact cut_late_here $late_here
    fact cut_late_there $late_there
    fact cut_late_lost $late_lost
}

# The record, as b gets it, is another; the pages are dom0's affair until the
# guest touches them.
changed_record()
{
    fails changed "flipafter CLOISTER 3000 | socat -t 5 - TCP:$theirs:$GUESTS"
}

# arrived N: waits until so many guests are all there on b, and what holds the
# last one has seen it, too.
arrived()
{
    wait_until 200 all_there "$1"
    fact "arrived_$1" $?
    sleep 2
}

all_there()
{
    [ "$(on_b grep -c requesting.permission /tmp/receive.err)" = "$1" ]
}

# What went over, once more; and up to the key only, and then nothing.
played_again()
{
    send "tee /tmp/recorded | socat -t 5 - TCP:$theirs:$GUESTS"
    fact recorded $?
    lives_on_b recorded
    before=$(on_b domains)
    # GO and the key are the last two frames; the key comes when its guest is
    # there, as it did.
    end=$((8 + 44 + 8 + 80))
    size=$(stat -c %s /tmp/recorded)
    # b ends what is refused, and what is cut: that is not to be this here.
    (head -c $((size - end)) /tmp/recorded
        arrived 2 >/tmp/arrived
        tail -c $end /tmp/recorded
        sleep 60) | socat -t 60 - "TCP:$theirs:$GUESTS" >/tmp/again 2>&1
    cat /tmp/arrived
    fact again_running $(($(on_b domains) - before))
    fact again_refused "$(on_b grep -c 'key.is.not.for' /tmp/receive.err)"
    (head -c $((size - end)) /tmp/recorded; sleep 1000) |
        socat -t 60 - "TCP:$theirs:$GUESTS" >/tmp/again 2>&1 &
    waiting=$!
    arrived 3
    on_b 'id=$(xl domid keeper--incoming)
        echo lines $(mapscan $id | sed -n "s/^lines //p")
        xl unpause $id 2>/dev/null
        echo reason $(reason $id)
        xl destroy $id' >/tmp/waiting
    kill $waiting
    fact waiting_lines "$(sed -n 's/^lines //p' /tmp/waiting)"
    fact waiting_reason "$(sed -n 's/^reason //p' /tmp/waiting)"
    lives_on_b replayed
}

# once WAY: for send: the first link is WAY, the others are whole; with `none`
# there are no others.
once()
{
    rm -f /tmp/once
    others="socat -t 5 - TCP:$theirs:$GUESTS"
    [ "${2-}" != none ] || others='exit 1'
    echo "if [ -e /tmp/once ]; then $others; else touch /tmp/once; $1; fi"
}

# What the guests there have printed so far is put aside (not by mv:
# xenconsoled keeps the file open): the next one counts its rounds anew.
ASIDE='
    cd /var/log/xen/console
    for log in guest-keeper*.log; do
        [ "$log" != guest-keeper-before.log ] || continue
        cat "$log" >>guest-keeper-before.log
        : >"$log"
    done'

# here_again NAME: a guest as before, after the last one has gone from b.
here_again()
{
    on_b "xl destroy keeper; $ASIDE"
    (eval "$ASIDE")
    start_guest keeper keeper.cfg
    note "$1"
}

# The key is lost on its way, or nobody hears that it has come: it is brought
# once more.
delivered_again()
{
    here_again "the key is lost"
    send "$(once "losekey | socat -t 5 - TCP:$theirs:$GUESTS")"
    fact lost_failed $(($? != 0))
    said
    sleep 10
    lives_on_b lost
    fact left_here_lost "$(domains)"

    here_again "that it has come is not heard"
    # xl's banner in frames of one byte, the offer.
    deaf="socat -t 5 - TCP:$theirs:$GUESTS |
        dd bs=1 count=$((54 * 9 + 8 + 64)) 2>/dev/null"
    send "$(once "$deaf")"
    fact deaf_failed $(($? != 0))
    said
    sleep 10
    lives_on_b deaf
    fact left_here_deaf "$(domains)"
}

# Once the key has gone the guest is there, whatever a is told.
never_heard()
{
    here_again "nothing is heard any more"
    send "$(once "$deaf" none)"
    fact unheard_failed $(($? != 0))
    said
    sleep 10
    lives_on_b unheard
    xl unpause keeper 2>/dev/null
    sleep 2
    fact forked "$(xl list | awk '/^keeper/ { print $5 }' | grep -c '[rb]')"
    fact fork_refused "$(xl dmesg |
        grep -c "is refused: the guest's image has been restored")"
    stranger
    xl destroy keeper
}

# Another guest there, with its UUID, does not pass for it.
stranger()
{
    uuid=$(xenstore-read "/local/domain/$(xl domid keeper)/vm")
    on_b "xl destroy keeper--incoming; xl destroy keeper
        sed '/^name/d' /guest/keeper.cfg >other.cfg
        echo 'name = \"other\"' >>other.cfg
        echo 'uuid = \"${uuid#/vm/}\"' >>other.cfg
        start_guest other other.cfg; fact stranger_started \$?" |
        sed -n '/^fact/p'
    cloister migrate --again --via "socat -t 5 - TCP:$theirs:$GUESTS" keeper b \
        >/tmp/xl.out 2>&1
    fact stranger_refused $(($? != 0))
    said
    on_b 'xl destroy other'
}

cd /tmp || exit 1
network
listen
if [ $here = b ]; then
    wait_until 7000 test -e /tmp/enough
    exit 0
fi
wait_until 120 hears
fact joined $?
: >/tmp/downtimes
! is_cloister || own || { on_b touch /tmp/enough; exit 1; }
start
case $plan in
cut)
    allow_both
    cut_links
    cut_late
    ;;
again)
    allow_both
    played_again
    delivered_again
    never_heard
    ;;
[0-9]*)
    ! is_cloister || allow_both
    round_trips
    ;;
*)
    if is_cloister; then
        without_list
        fails target_gone "socat -t 5 - TCP:$theirs:9"
        changed_record
    fi
    round_trips
    ;;
esac
memory
xen_errors 'Cloister: d'
on_b touch /tmp/enough
