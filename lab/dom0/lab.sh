# SPDX-License-Identifier: BSD-2-Clause
# Helpers for scenarios: `. /lab.sh`.  Every wait has a bound.
# shellcheck shell=sh

# The pattern on a guest's console that says it runs, and how long to wait:
# the Intel machine, without a clock to go by, is the slow one.
LAB_READY=${LAB_READY:-keeper ok 1}
LAB_PATIENCE=${LAB_PATIENCE:-120}

# ---- What a scenario reports ------------------------------------------------

# fact NAME VALUE: for the scenario's .expect.
fact()
{
    echo "fact $1 $2"
}

# note TEXT: progress, with dom0's time.
note()
{
    read -r lab_up _ </proc/uptime
    echo "# ${lab_up%.*} s: $*"
}

# facts PREFIX: facts PREFIX_NAME from lines "NAME VALUE"; "# TEXT" is noted.
facts()
{
    while read -r lab_name lab_value; do
        case $lab_name in
        '#') echo "# $lab_value" ;;
        *) fact "$1_$lab_name" "$lab_value" ;;
        esac
    done
}

# ---- Waiting ----------------------------------------------------------------

# wait_for FILE PATTERN SECONDS: until a line of FILE matches.
wait_for()
{
    lab_wait=$3
    until grep -q -e "$2" "$1" 2>/dev/null; do
        [ "$lab_wait" -gt 0 ] || return 1
        lab_wait=$((lab_wait - 1))
        sleep 1
    done
}

# wait_until SECONDS CMD...: until CMD succeeds.
wait_until()
{
    lab_wait=$1
    shift
    until "$@"; do
        [ "$lab_wait" -gt 0 ] || return 1
        lab_wait=$((lab_wait - 1))
        sleep 1
    done
}

# ---- The disk (lab/lab run --disk), an archive of files --------------------

# shelf_open: what was put on it is in /shelf; shelf_keep: puts it there.
shelf_open()
{
    modprobe ahci
    modprobe sd_mod
    wait_until 20 test -b /dev/sda || return 1
    mkdir -p /shelf
    busybox tar xf /dev/sda -C /shelf 2>/dev/null || :
}

shelf_keep()
{
    busybox tar cf /dev/sda -C /shelf .
    sync
}

# ---- Xen --------------------------------------------------------------------

# after: the rest of the scenario is for the host (lab/lab run --after), as
# dom0 is about to end.  Returns when the second serial port has sent all.
after()
{
    printf '\036lab-after\n'
    sleep 2
}

# host: lab/lab run --host FILE has its turn, within a few seconds; it stops
# the machine meanwhile.
host()
{
    printf '\036lab-host\n'
    sleep 10
}

# free_mem: Xen's free memory, MiB; settled: the same, when it stays so.
free_mem()
{
    xl info | sed -n 's/^free_memory *: //p'
}

settled()
{
    lab_now=$(free_mem)
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        lab_last=$lab_now
        sleep 1
        lab_now=$(free_mem)
        [ "$lab_now" != "$lab_last" ] || break
    done
    echo "$lab_now"
}

# xen_log: Xen's log since the start is in /tmp/xen.log then.  It is a ring:
# to be collected before it wraps.
xen_log()
{
    xl dmesg -c >>/tmp/xen.log 2>/dev/null
}

# xen_errors [PATTERN]: the fact of that name: how many lines of Xen's log,
# but those of PATTERN, have what no good host's log has.
xen_errors()
{
    xen_log
    [ -s /tmp/xen.log ] || { fact xen_errors log_lost; return; }
    grep -i -E 'assert|\bbug\b|panic|call trace|error|fail|leak|unhandled|hung' \
        /tmp/xen.log | grep -v -e "${1:-^$}" >/tmp/xen.errors
    fact xen_errors "$(grep -c . /tmp/xen.errors)"
    head -n 20 /tmp/xen.errors | sed 's/^/# /'
}

is_cloister()
{
    command -v cloister >/dev/null && cloister status >/dev/null 2>&1
}

# json NAME: the last number of that name in Cloister's status.
json()
{
    cloister status --json | sed -n "s/.*\"$1\": *\([0-9.]*\).*/\1/p" |
        tail -n 1
}

# ---- Domains ----------------------------------------------------------------

# reason DOMAIN: name of the reason why it does not run, "ran" if it is not
# paused any more (xl's exit status does not tell).
reason()
{
    case $(xl list "$1" | awk 'NR == 2 { print $5 }') in
        *p*) ;;
        *) echo ran; return ;;
    esac
    cloister why "$1" | sed -n 's/^ *reason .*\[\([a-z0-9_]*\), .*/\1/p'|
        head -n 1
}

# made KIND: a domain from mkdomain, and the facts why it does not run.
made()
{
    echo "# a domain of the kind $1"
    ./mkdomain "$1" >/tmp/made 2>&1
    lab_id=$(sed -n 's/^domid //p' /tmp/made)
    lab_result=$(sed -n 's/^unpause //p' /tmp/made)
    if [ -z "$lab_id" ]; then
        echo "fact refused_$1 not_created:$(tail -n 1 /tmp/made | tr ' ' _)"
        return
    fi
    echo "fact refused_$1 $(reason "$lab_id")"
    echo "fact result_$1 $(echo "$lab_result" | tr ' ' _)"
    xl destroy "$lab_id"
}

# domains: how many there are, without dom0; the dying count, too.
domains()
{
    xl list | awk 'NR > 1 && $2 != 0' | wc -l
}

# has_flag NAME LETTER: in the state that xl list gives, as p for paused.
has_flag()
{
    xl list "$1" 2>/dev/null | awk 'NR == 2 { print $5 }' | grep -q "$2"
}

# guest_console NAME: the file that holds what the guest has printed.
guest_console()
{
    echo "/var/log/xen/console/guest-$1.log"
}

# lab_start NAME CFG [key=value...]: one attempt; 0 when the guest runs, 1
# when it could not be created, 2 when it died early, 3 when it is silent.
lab_start()
{
    lab_log=$(guest_console "$1")
    lab_name=$1
    lab_cfg=$2
    shift 2
    # Not rm: xenconsoled keeps the file open.
    [ ! -e "$lab_log" ] || : >"$lab_log"
    xl create -q "$lab_cfg" "name=\"$lab_name\"" "$@" || return 1
    lab_left=$LAB_PATIENCE
    until wait_for "$lab_log" "$LAB_READY" 0; do
        xl domid "$lab_name" >/dev/null 2>&1 || return 2
        [ "$lab_left" -gt 0 ] || return 3
        lab_left=$((lab_left - 1))
        sleep 1
    done
}

# start_guest NAME CFG [key=value...]: start it and wait until it says
# LAB_READY.  A start that dies early, which emulation has done to guests on
# unmodified Xen, too, is tried once more; nothing else is.  tests/run counts
# "lab: retried", and allows one for each machine.
start_guest()
{
    lab_start "$@" && return 0
    lab_status=$?
    if [ "$lab_status" -eq 2 ]; then
        echo "lab: retried start of $1"
        lab_start "$@" && return 0
        lab_status=$?
    fi
    echo "lab: start of $1 failed ($lab_status: 1 not created, 2 died," \
        "3 silent)"
    tail -n 20 "$(guest_console "$1")" 2>/dev/null
    return "$lab_status"
}

# ---- The keeper (lab/keeper.c) ----------------------------------------------

# rounds NAME: its newest good round.
rounds()
{
    sed -n 's/.*keeper ok \([0-9]*\).*/\1/p' "$(guest_console "$1")" |
        tail -n 1
}

# bad_rounds NAME: how often it has found its memory changed.
bad_rounds()
{
    grep -c 'keeper BAD' "$(guest_console "$1")"
}

# alive NAME FACT: fact alive_FACT: its own check goes on, two more rounds.
alive()
{
    lab_before=$(rounds "$1")
    lab_ok=0
    ! wait_for "$(guest_console "$1")" \
        "keeper ok $((${lab_before:-0} + 2))" "$LAB_PATIENCE" || lab_ok=1
    fact "alive_$2" $lab_ok
}

# ---- The tiny guest (tests/system/tiny), which talks to Xen's log -----------

# tiny_said DOMID PATTERN
tiny_said()
{
    xl dmesg | grep -q -e "(d$1) tiny $2"
}

# tiny_save NAME FILE [OPTION]: xl save.  The tiny guest does not listen to
# the toolstack: it suspends by itself (suspend=ROUND), and dom0 answers in
# its place.
tiny_save()
{
    lab_key=/local/domain/$(xl domid "$1")/control/shutdown
    # shellcheck disable=SC2086  # none or one
    xl save ${3-} "$1" "$2" >/tmp/save.out 2>&1 &
    lab_saver=$!
    wait_until "$LAB_PATIENCE" tiny_asked && xenstore-write "$lab_key" ''
    wait $lab_saver
}

tiny_asked()
{
    [ "$(xenstore-read "$lab_key" 2>/dev/null)" = suspend ]
}

# tiny_round DOMID: its newest good round.
tiny_round()
{
    xl dmesg | sed -n "s/.*(d$1) tiny ok \([0-9]*\).*/\1/p" | tail -n 1
}

tiny_beyond()
{
    [ "$(tiny_round "$1")" -gt "$2" ] 2>/dev/null
}

# tiny_bad DOMID: how often it has found its memory changed, once it has
# reported again; "silent" if it does not.
tiny_bad()
{
    lab_round=$(tiny_round "$1")
    if wait_until "$LAB_PATIENCE" tiny_beyond "$1" "${lab_round:-0}"; then
        xl dmesg | grep -c -e "(d$1) tiny BAD"
    else
        echo silent
    fi
}

# ---- hold: a mapping in the background --------------------------------------

# hold_start DOMID [END [SECONDS]]: dom0 begins to map all of it, or what is
# below END; commands go to fd 4, answers to /tmp/hold.
hold_start()
{
    rm -f /tmp/hold.in
    mkfifo /tmp/hold.in
    : >/tmp/hold
    hold "$@" </tmp/hold.in >/tmp/hold 2>&1 &
    lab_holder=$!
    exec 4>/tmp/hold.in
}

# hold_wait: until it has.
hold_wait()
{
    wait_for /tmp/hold '^held' 300 || note "hold failed: $(cat /tmp/hold)"
    note "dom0 holds $(sed -n 's/^held //p' /tmp/hold) pages"
}

hold_open()
{
    hold_start "$@"
    hold_wait
}

# hold_search NAME: the fact NAME is how many lines are in what is held, which
# must be a good part of a guest.
hold_search()
{
    echo "$1" >&4
    wait_for /tmp/hold "^$1 " 300
    lab_held=$(sed -n 's/^held //p' /tmp/hold)
    if [ "${lab_held:-0}" -ge 1000 ]; then
        fact "$1" "$(sed -n "s/^$1 //p" /tmp/hold)"
    else
        fact "$1" "only_${lab_held:-0}_pages_held"
    fi
}

hold_close()
{
    exec 4>&-
    wait "$lab_holder"
}

# ---- xl dump-core -----------------------------------------------------------

# file_kib FILE
file_kib()
{
    stat -c %s "$1" 2>/dev/null |
        awk '{ kib = $1 / 1024 } END { print int(kib) }'
}

# dump_some NAME KIB: what xl dump-core writes first is in /tmp/core.  It
# tries a million holes, one at a time, which takes minutes; the guest's
# memory stands before them, and is written in pieces: once KIB of it have
# been, it is stopped.
dump_some()
{
    rm -f /tmp/core
    xl dump-core "$1" /tmp/core >/tmp/dump.out 2>&1 &
    lab_dumper=$!
    lab_left=$LAB_PATIENCE
    until [ "$(file_kib /tmp/core)" -ge "$2" ]; do
        [ "$lab_left" -gt 0 ] || break
        kill -0 $lab_dumper 2>/dev/null || break
        lab_left=$((lab_left - 1))
        sleep 1
    done
    kill $lab_dumper 2>/dev/null
    wait $lab_dumper 2>/dev/null
    tail -n 2 /tmp/dump.out | sed 's/^/# /'
}

# ---- Migration --------------------------------------------------------------

# standstill NAME: a live migration to this host itself; the milliseconds from
# the guest's suspension until it runs again.  Needs watchrun in $PATH.
standstill()
{
    watchrun "$(xl domid "$1")" 120 >/tmp/watch &
    lab_watcher=$!
    xl migrate -s '' "$1" 'xl migrate-receive' >/tmp/xl.out 2>&1 || return 1
    wait $lab_watcher
    awk '$3 == "stands" && !from { from = $1 }
        $3 == "runs" && from { print int($1 - from); exit }' /tmp/watch
}
