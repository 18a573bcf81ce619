#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# test_manual TOOLS BIN: cloister(1), the summary and the completion say the
# same as the program.
set -u

tools=$1
bin=$2
PATH=$bin:$PATH
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0
cd "$dir" || exit 1

# check NAME COMMAND...: succeeds, and has nothing to say.
check()
{
    name=$1
    shift
    if "$@" >log 2>&1 && ! [ -s log ]; then
        echo "ok $name"
        passed=$((passed + 1))
    else
        echo "FAIL $name"
        sed 's/^/# /' log
        failed=$((failed + 1))
    fi
}

# missing FILE: the lines of standard input that FILE does not have.
missing()
{
    while read -r line; do
        grep -q -x -F -e "$line" "$1" || echo "not there: $line"
    done
}

# complete WORD...: what the completion offers for the last one.
complete_words()
{
    bash -c '. "$1"; shift
        COMP_WORDS=(cloister "$@") COMP_CWORD=$#
        _cloister cloister "${!#}" "${COMP_WORDS[$(($# - 1))]}"
        printf "%s\n" "${COMPREPLY[@]}"' bash \
        "$tools/completion/cloister.bash" "$@" | sort
}

# The source of a command that parses its own options.
source_of()
{
    case $1 in
    open-dump) echo opendump ;;
    pubkey) echo ownerkey ;;
    *) echo "$1" ;;
    esac
}

same_options()
{
    complete_words "$1" -- >offered
    sed -n 's/.*{"\([a-z-]*\)", *[a-z]*_argument.*/--\1/p' \
        "$tools/$(source_of "$1").c" | sort >taken
    diff taken offered
}

# What the manual's OPTIONS has for one command; -j is on top for them all.
same_in_manual()
{
    sed -n '/^Of single commands/,/^# EXIT/p' "$tools/cloister.1.scd" |
        awk -v head="*$1*" '$0 == head { on = 1; next } /^\*/ { on = 0 } on' |
        grep -o -e '--[a-z-]*' | sort >described_options
    complete_words "$1" -- | grep -v -x -e --json >offered
    diff described_options offered
}

cloister help >help
awk '/^  [a-z]/ { print $1 }' help >commands
# The third column begins where it should, on each line.
in_columns()
{
    awk '/^  [a-z]/ && (substr($0, 49, 1) != " " || substr($0, 50, 1) == " ")' \
        help
}
sed -n 's/^\*cloister\* \[*\*\([a-z-]*\)\*.*/\1/p' "$tools/cloister.1.scd" |
    sort -u >synopsis
sed -n 's/^\*\([a-z-]*\)\*.*/\1/p' "$tools/cloister.1.scd" >described

check help_in_columns in_columns
check mandoc mandoc -T lint "$bin/cloister.1"
check commands_in_the_synopsis missing synopsis <commands
check commands_described missing described <commands
check synopsis_of_commands_only missing commands <synopsis
complete_words '' >offered
check commands_completed missing offered <commands
for command in show keys dump open-dump attest verify convert measure explain \
    pubkey seal secret report; do
    check "options_$command" same_options "$command"
done
for command in keys show dump open-dump migrate measure attest verify convert \
    pubkey seal secret report; do
    check "manual_$command" same_in_manual "$command"
done

# Names of guests that live now, from a cloister that has some.
mkdir names
cat >names/cloister <<'END'
#!/bin/sh
printf 'host\ton\ndomain\t3\tuuid\tweb\tsealed\ndomain\t4\tuuid\tdb\tsealed\n'
END
chmod +x names/cloister
live_names()
{
    PATH=$dir/names:$PATH
    complete_words "$1" '' | tr '\n' ' ' | grep -v -x 'db web '
}
for command in status why log protect net show dump attest provision; do
    check "names_$command" eval "! live_names $command"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
