# SPDX-License-Identifier: BSD-2-Clause
# bash completion for cloister(1); to be installed as
# /usr/share/bash-completion/completions/cloister.
# shellcheck shell=bash

_cloister_domains()
{
    cloister list --tsv 2>/dev/null | awk -F'\t' '$1 == "domain" { print $4 }'
}

_cloister_options()
{
    case $1 in
    status | list) echo '--json --tsv' ;;
    ok | net | explain) echo '--json' ;;
    log) echo '--json --counts' ;;
    why) echo '--json --number' ;;
    show) echo '--json --host --output' ;;
    protect) echo '--off' ;;
    keys) echo '--file --new --follow' ;;
    dump) echo '--key' ;;
    open-dump) echo '--key-file --output' ;;
    measure) echo '--kernel --ramdisk --cmdline --cpu --net --output --json' ;;
    attest) echo '--nonce --output --tcti' ;;
    verify) echo '--nonce --key --expect --reference --policy --json' ;;
    convert) echo '--format' ;;
    pubkey) echo '--report --storage' ;;
    seal) echo '--nonce --to --policy --migration' ;;
    migrate) echo '--via --key --again' ;;
    secret) echo '--wait --key' ;;
    report) echo '--nonce' ;;
    esac
}

_cloister()
{
    local word=$2 before=$3 verb=${COMP_WORDS[1]-} words=
    COMPREPLY=()

    if [ "$COMP_CWORD" -eq 1 ]; then
        words=$(cloister help | awk '/^  [a-z]/ { print $1 }')
    elif [[ $word == -* ]]; then
        words=$(_cloister_options "$verb")
    elif [[ $before == --format || $before == -f && $verb == convert ]]; then
        words='coco-tpm eat'
    else
        case $verb in
        status | why | log | protect | net | show | dump | attest | provision | migrate)
            words=$(_cloister_domains)
            ;;
        esac
    fi

    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -o default -F _cloister cloister
