# SPDX-License-Identifier: BSD-2-Clause
# The guest of life.sh: `. ./lifelab.sh`, after /lab.sh.  It is the keeper,
# behind drivers for a network card and a disk (lifeguest.init).
# shellcheck shell=sh

guest_modules()
{
    for module in xen-netfront xen-blkfront; do
        modprobe --show-depends "$module"
    done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | while read -r module; do
        cp "$module" /tmp/life/modules
        echo "${module##*/}"
    done >/tmp/life/modules/list
}

guest_busybox()
{
    cp -L "$(command -v busybox)" /tmp/life/bin/busybox
    LD_TRACE_LOADED_OBJECTS=1 /lib64/ld-linux-x86-64.so.2 \
        /tmp/life/bin/busybox | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p' |
        while read -r library; do
            cp -L "$library" /tmp/life/lib
        done
    cp -L /lib64/ld-linux-x86-64.so.2 /tmp/life/lib64
}

# /tmp/life.cfg
guest_image()
{
    mkdir -p /tmp/life/bin /tmp/life/lib /tmp/life/lib64 /tmp/life/modules
    (cd /tmp/life && busybox cpio -i -d </guest/keeper.img) 2>/dev/null
    mv /tmp/life/init /tmp/life/keeper
    ln -sf ../keeper /tmp/life/sbin/poweroff
    ln -sf ../keeper /tmp/life/sbin/reboot
    cp /files/lifeguest.init /tmp/life/init
    chmod +x /tmp/life/init
    guest_modules
    guest_busybox
    (cd /tmp/life && find . | busybox cpio -o -H newc) >/tmp/life.img \
        2>/dev/null
    sed 's,^ramdisk.*,ramdisk = "/tmp/life.img",' /guest/keeper.cfg \
        >/tmp/life.cfg
}
