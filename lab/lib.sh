# SPDX-License-Identifier: BSD-2-Clause
# What the scripts in lab/ and xen/ share.  To be sourced with `repo` set to
# the repository's root.
# shellcheck shell=sh

: "${repo:?set repo before sourcing lab/lib.sh}"

cache=${CLOISTER_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/cloister}
suite=trixie
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
# Only inside the tool root does this file exist.
# shellcheck disable=SC2034
inside_mark=/etc/cloister-toolroot

say()
{
    echo "==> $*" >&2
}

die_status=1

die()
{
    echo "${0##*/}: $*" >&2
    exit "$die_status"
}

need_root()
{
    [ "$(id -u)" -eq 0 ] || die "must be run as root"
}

# The cache folder, absolute and without symbolic links, so that it has the
# same name inside and outside the tool root.
open_cache()
{
    mkdir -p "$cache/log" || die "cannot create the cache folder $cache"
    cache=$(cd "$cache" && pwd -P)
    free_kib=$(df -Pk "$cache" | awk 'NR == 2 { print $4 }')
    [ "${free_kib:-0}" -ge 524288 ] || die "no room in $cache: it has" \
        "$((${free_kib:-0} / 1024)) MiB, and 512 are wanted (set" \
        "CLOISTER_CACHE to have it elsewhere)"
}

# key_of FILE...: a short name for the content of these files.
key_of()
{
    cat -- "$@" | sha256sum | cut -c1-16
}

# locked NAME CMD...: one at a time.  The lock is on a file descriptor that
# the command does not inherit: a daemon it leaves behind must not hold it.
locked()
{
    lock=$cache/lock-$1
    shift
    (
        flock 9
        "$@" 9>&-
    ) 9>"$lock"
}

# step LOG WHAT CMD...: run CMD with its output in LOG; on failure name both.
step()
{
    step_log=$1
    step_what=$2
    shift 2
    say "$step_what"
    "$@" >>"$step_log" 2>&1 && return 0
    tail -n 20 "$step_log" >&2
    die "failed: $step_what (log: $step_log)"
}

# repo_uri SUITE: where the configured package sources have SUITE's `main`.
repo_uri()
{
    # shellcheck disable=SC2016  # apt expands these
    apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(REPO_URI)' |
        awk -v s="$1" '$1 == s && $2 == "main" { print $3; exit }'
}

# host_codename: the running system's Debian suite.
host_codename()
{
    # shellcheck source=/dev/null
    (. /etc/os-release && echo "${VERSION_CODENAME:-unknown}")
}

# sources deb|deb-src: lines for $suite from the mirrors that this host has
# configured for its own suite; security updates when the host has them.
# The tool root's own sources came from here.
sources()
{
    if [ -e $inside_mark ]; then
        sed "s/^deb /$1 /" /etc/apt/sources.list
        return
    fi
    host=$(host_codename)
    case $host in
    bookworm | trixie) ;;
    *) die "this host is '$host'; Debian 12 (bookworm) or 13 (trixie) is" \
        "wanted" ;;
    esac
    main=$(repo_uri "$host")
    if [ -z "$main" ]; then
        # Without package lists apt does not know suites by name.
        apt-get update >&2 || :
        main=$(repo_uri "$host")
    fi
    [ -n "$main" ] || die "no apt source carries the main component of" \
        "'$host': see /etc/apt/sources.list, and whether its host is reached"
    echo "$1 [signed-by=$keyring] $main $suite main"
    security=$(repo_uri "$host-security")
    [ -z "$security" ] ||
        echo "$1 [signed-by=$keyring] $security $suite-security main"
}
