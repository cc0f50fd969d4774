#!/bin/busybox sh
# The first process of every guest: loads what is needed to see a root file system, and starts what
# the kernel's command line names: CARPD_ROOT (host, or disk) and CARPD_INIT, a program on that root.
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t devtmpfs dev /dev
for module in /modules/*; do $b insmod "$module" || echo "cannot load $module"; done
if [ "$CARPD_ROOT" = disk ]; then
  $b mount -t ext4 -o rw /dev/vda /host
else
  $b mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=512000 host /host
fi || exec $b poweroff -f
$b mount --move /dev /host/dev
$b umount /proc
# shellcheck disable=SC2086 # a program, perhaps with an argument
exec $b switch_root /host $CARPD_INIT
