# SPDX-License-Identifier: BSD-2-Clause
# bash completion for cloister(1); to be installed as
# /usr/share/bash-completion/completions/cloister.
# shellcheck shell=bash

_cloister_domains()
{
    cloister status --tsv 2>/dev/null | awk -F'\t' '$1 == "domain" { print $4 }'
}

_cloister()
{
    local word=$2 verb=${COMP_WORDS[1]-} words=
    COMPREPLY=()

    if [ "$COMP_CWORD" -eq 1 ]; then
        words='status why protect keys show measure explain attest verify
            metrics help'
    else
        case $verb in
        status | why | protect | show | attest) words=$(_cloister_domains) ;;
        esac
        case $word in
        -*)
            case $verb in
            status) words='--json --tsv' ;;
            why) words='--json --number' ;;
            show) words='--json --host --output' ;;
            keys) words='--file --new' ;;
            measure) words='--kernel --ramdisk --cmdline --cpu --net --output' ;;
            attest) words='--nonce --output --tcti' ;;
            verify) words='--nonce --key --expect --reference --json' ;;
            esac
            ;;
        esac
    fi

    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -o default -F _cloister cloister
