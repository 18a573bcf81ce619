# SPDX-License-Identifier: BSD-2-Clause
# dom0 ends while guests run: survive.after, on the host, sees from Xen's
# console what becomes of them.  How dom0 ends is on its kernel's command
# line: survive=crash (default), hang, poweroff or reboot.
# shellcheck shell=sh disable=SC1091
. /lab.sh

# dom0's watchdog daemon does not get to run any more.
hang()
{
    xenwatchdogd 4 1
    sleep 2
    kill -STOP "$(pidof xenwatchdogd)"
}

how=$(sed -n 's/.*survive=\([a-z]*\).*/\1/p' /proc/cmdline)

start_guest keeper /guest/keeper.cfg \
    'extra="console=hvc0 loglevel=4 keeper=8 keeper_exit=100"' || exit 1
# It prints to Xen's log itself, and ends with a crash.
xl create -q tiny.cfg 'extra="fill=512 crash=60"' || exit 1
echo "fact guests_running $(xl list | grep -c -E '^(keeper|tiny) ')"
echo "# dom0 ends: ${how:-crash}"
after

case $how in
hang) hang ;;
poweroff | reboot) busybox "$how" -f ;;
*) echo c >/proc/sysrq-trigger ;;
esac
sleep 1000
