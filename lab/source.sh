# SPDX-License-Identifier: BSD-2-Clause
# Debian's source packages: what xen/source and lab/qemu share.  To be sourced
# after lab/lib.sh, with `store` set to a folder of the cache: $store/apt is
# apt's, and tarballs come into $store.
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154  # newest_file; repo, suite, store

apt=$store/apt

# apt with the running system's mirrors, but with source entries for $suite
# and without a trace of its own outside the cache folder.
private_apt()
{
    tool=$1
    shift
    "$tool" -o Dir::Etc::sourcelist="$apt/sources.list" \
        -o Dir::Etc::sourceparts=/dev/null -o Dir::State="$apt" \
        -o Dir::Cache="$apt/cache" -o APT::Sandbox::User="$(id -un)" \
        -o APT::Get::List-Cleanup=0 "$@"
}

prepare_apt()
{
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
    list=$(sources deb-src) || return 1
    echo "$list" >"$apt/sources.list"
}

# newest PACKAGE SERIES: the newest version of PACKAGE that begins with SERIES.
newest()
{
    private_apt apt-cache showsrc --only-source "$1" |
        sed -n "s/^Version: \($2\.\)/\1/p" | sort -V | tail -n 1
}

# download URI NAME SHA256:SUM, to $newest_file
download()
{
    if [ ! -e "$store/$2" ]; then
        private_apt /usr/lib/apt/apt-helper download-file \
            "$1" "$store/$2.tmp" "$3" || return 1
        mv "$store/$2.tmp" "$store/$2"
    fi
    newest_file=$store/$2
}

# fetch_newest PACKAGE SERIES: take the original tarball's URI and checksum
# from the (signed) index and fetch that file alone: some mirrors lack the
# .dsc that `apt-get source` starts with.  Sets $newest_file.
fetch_newest()
{
    private_apt apt-get update || return 1
    version=$(newest "$1" "$2")
    [ -n "$version" ] || { echo "no $1 $2 on the mirror"; return 1; }
    private_apt apt-get source --print-uris --only-source "$1=$version" \
        >"$apt/uris" || return 1
    # shellcheck disable=SC2046  # four fields
    set -- "$1" $(grep '\.orig\.tar\.[a-z0-9]* ' "$apt/uris" | tr -d "'")
    [ $# -eq 5 ] || { echo "no orig tarball for $1 $version"; return 1; }
    case $5 in SHA256:*) ;; *) echo "not a SHA256: $5"; return 1 ;; esac
    download "$2" "$3" "$5"
}

# plain FILE: its content, decompressed by the tool root: the least of Debian
# systems has no xz.
plain()
{
    file=$1
    case $file in
    *.xz) set -- xz -dc ;;
    *.gz) set -- gzip -dc ;;
    *.bz2) set -- bzip2 -dc ;;
    *) set -- cat ;;
    esac
    "$repo/lab/toolroot" run -- "$@" <"$file"
}
