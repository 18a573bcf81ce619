# SPDX-License-Identifier: BSD-2-Clause
# A host on which nothing can be protected (no TPM, say), or need not be: what
# happens to a guest, and what the tools say.
# shellcheck shell=sh disable=SC1091
. /lab.sh

echo "# the host says"
cloister status

if ! xl create -q -p /guest/keeper.cfg 'name="guest"' \
    'extra="console=hvc0 keeper=1"'; then
    # Gone already: Xen remembers why.
    cloister why
    echo "fact guest $(cloister why |
        sed -n 's/^ *reason .*\[\([a-z0-9_]*\), .*/\1/p' | head -n 1)"
    exit 0
fi
xl unpause guest 2>&1 | sed 's/^/# /'
case $(xl list guest | awk 'NR == 2 { print $5 }') in
    *p*)
        echo "fact guest $(cloister why guest |
            sed -n 's/^ *reason .*\[\([a-z0-9_]*\), .*/\1/p')"
        ;;
    *)
        echo "fact guest ran"
        wait_for "$(guest_console guest)" 'keeper ok 1' 120 &&
            echo "fact guest_checks 1"
        ;;
esac
cloister why guest
xl destroy guest
