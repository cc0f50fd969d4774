#!/bin/sh
# PID 1 of a guest on the host's root file system: prepares the machine, runs one job, leaves its exit code in
# the job's folder, and powers off. The folder, shared under the tag "job", has what it needs:
# settings.sh (CARPD_* below) and job.sh.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
line=/dev/hvc0

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run

mkdir -p /run/job /run/host /run/netns /run/home
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,rw job /run/job
# CARPD_JOB: the folder's path on the host. CARPD_CHECKOUT: where the job works. CARPD_VISIBLE: a list
# of folders with colons between. CARPD_KERNEL: the folder with the kernel's modules.
# CARPD_MODULES: a list with spaces between. CARPD_LIMIT: seconds that the job may take.
. /run/job/settings.sh

power_off() {
  sync
  echo o >/proc/sysrq-trigger
  sleep 60
}
# The host shows what is on the console.
give_up() {
  echo "carpd's bond lab: $1"
  power_off
}

# The guest's own memory covers these: the folders that are needed are shown again at their paths.
mount --bind / /run/host
mount -t tmpfs tmpfs /tmp
mkdir -p /dev/shm /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t devpts devpts /dev/pts
show() { mkdir -p "$2" && mount --bind "$1" "$2"; }
old=$IFS
IFS=:
for directory in $CARPD_VISIBLE; do
  case $directory in /tmp/* | /run/* | /dev/shm/*) show "/run/host$directory" "$directory" ;; esac
done
IFS=$old
show /run/job "$CARPD_JOB" || give_up "cannot show $CARPD_JOB"

# shellcheck disable=SC2086 # one word a module is what is wanted
modprobe -d "$CARPD_KERNEL" -a $CARPD_MODULES || give_up 'a kernel module is missing'
# What else a job needs, the kernel loads by itself.
printf '#!/bin/sh\nexec modprobe -d %s "$@"\n' "$CARPD_KERNEL" >/run/modprobe
chmod +x /run/modprobe
echo /run/modprobe >/proc/sys/kernel/modprobe
# The bonding driver makes a bond0 of its own in the first namespace: nobody asked for it.
ip link del bond0 2>/dev/null
ip link set lo up
ulimit -n 4096
stty -opost -echo <$line
export HOME=/run/home TMPDIR=/tmp CARPD_BOND_LAB=guest
cd "$CARPD_CHECKOUT" || give_up "no folder $CARPD_CHECKOUT"

echo "$CARPD_STARTED" >$line
# A sign of life for the host.
(while :; do
  echo >/run/job/alive
  sleep 10
done) &
# The host kills the machine at its limit; this one holds should the host's side be dead by then.
timeout -k 5 "$CARPD_LIMIT" sh /run/job/job.sh </dev/null >$line 2>&1
echo $? >/run/job/exit-code
power_off
