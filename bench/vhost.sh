#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Frames between two drivers (DPDK's virtio_user, on one processor) through a
# switch on another: this engine, and DPDK's own vhost, in turns.  JSON lines.
# Runs inside the tool root, as root: hugepages are taken for it and given
# back; dpdk-testpmd is installed.
#
#   bench/vhost.sh VHOST [ROUNDS [SECONDS]]
set -eu

backend=$1
rounds=${2:-7}
seconds=${3:-4}
dir=$(mktemp -d)
switch=''
huge=/proc/sys/vm/nr_hugepages
had=$(cat $huge)
trap 'kill $switch 2>/dev/null; echo "$had" >$huge; rm -rf "$dir"' EXIT

# The peer is no tool of ours: it is there when it is asked for.
command -v dpdk-testpmd >/dev/null || {
    echo "vhost: installing DPDK into the tool root" >&2
    apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y \
        --no-install-recommends dpdk-dev librte-net-virtio25 \
        librte-net-vhost25 librte-mempool-ring25
} >"$dir/install" 2>&1 || {
    cat "$dir/install" >&2
    echo "vhost: DPDK cannot be installed: is a Debian mirror in reach?" >&2
    exit 1
}

# 256 MiB for each of two processes, and the driver's memory for the rings.
[ "$had" -ge 512 ] || echo 512 >$huge
[ "$(cat $huge)" -ge 512 ] || {
    echo "vhost: no room for 512 hugepages of 2 MiB, $(cat $huge) only" >&2
    exit 1
}

# eal NAME CPU OPTION...: testpmd's first options.
eal()
{
    echo "--lcores 0@$2,1@$2 --in-memory --single-file-segments" \
        "--file-prefix $1 --no-pci -m 256 --no-telemetry --log-level=error"
}

ours()
{
    "$backend" 1 "$dir/0" "$dir/1" &
    switch=$!
}

dpdk()
{
    # shellcheck disable=SC2046  # words
    dpdk-testpmd $(eal switch 1) \
        --vdev "net_vhost0,iface=$dir/0,queues=1" \
        --vdev "net_vhost1,iface=$dir/1,queues=1" -- \
        --forward-mode=io --auto-start --total-num-mbufs=16384 \
        --no-lsc-interrupt --stats-period 100 >"$dir/switch" 2>&1 &
    switch=$!
}

# drive SIZE: frames of this size go round between the driver's two ports;
# how many it received in a second.
drive()
{
    {
        sleep 2
        echo start tx_first 6
        sleep 1
        echo clear fwd stats all
        sleep "$seconds"
        echo show fwd stats all
        sleep 1
        echo quit
    } | {
        # shellcheck disable=SC2046  # words
        dpdk-testpmd $(eal driver 0) \
            --vdev "net_virtio_user0,path=$dir/0,queues=1,queue_size=256,mac=02:00:00:00:00:01" \
            --vdev "net_virtio_user1,path=$dir/1,queues=1,queue_size=256,mac=02:00:00:00:00:02" -- \
            -i --forward-mode=mac --eth-peer=0,02:00:00:00:00:02 \
            --eth-peer=1,02:00:00:00:00:01 --txpkts="$1" \
            --txd=256 --rxd=256 --total-num-mbufs=16384
    } >"$dir/driver" 2>&1 || :
    sed -n '/Accumulated forward/,$ s/.*RX-total: *\([0-9]*\).*/\1/p' \
        "$dir/driver" | head -n 1 |
        awk -v s="$seconds" '{ n = $1 } END { printf "%d", n / s }'
}

for size in 64 1500; do
    for _ in $(seq "$rounds"); do
        for who in ours dpdk; do
            rm -f "$dir/0" "$dir/1"
            $who
            tries=200
            until [ -S "$dir/1" ] || [ $((tries -= 1)) -eq 0 ]; do
                sleep 0.1
            done
            echo "$size $who $(drive "$size")"
            kill "$switch" 2>/dev/null || :
            wait "$switch" || :
        done
    done
done | tee "$dir/rates" >&2
awk '
    { n[$1, $2]++; v[$1, $2, n[$1, $2]] = $3 }
    function median(size, who,    k, i, j, t)
    {
        k = n[size, who]
        for (i = 1; i <= k; i++)
            for (j = i + 1; j <= k; j++)
                if (v[size, who, j] < v[size, who, i]) {
                    t = v[size, who, i]
                    v[size, who, i] = v[size, who, j]
                    v[size, who, j] = t
                }
        return v[size, who, int((k + 1) / 2)]
    }
    END {
        for (size = 64; size <= 1500; size += 1436)
            printf "{\"bench\":\"vhost\",\"size\":%d,\"unit\":" \
                "\"frames_per_second\",\"ours\":%d,\"dpdk\":%d," \
                "\"ratio\":%.3f,\"rounds\":%d}\n", size,
                median(size, "ours"), median(size, "dpdk"),
                median(size, "ours") / (median(size, "dpdk") + 1),
                n[size, "ours"]
    }' "$dir/rates"
