#!/bin/sh
# PID 1 of the User Mode Linux guest: prepares the machine, runs one job, reports its exit code, powers off.
# The kernel command line gives it (as environment): CARPD_JOB, the job's directory on the host,
# CARPD_TOKEN, which makes the marker lines unique, CARPD_LIMIT, seconds that the job may take,
# CARPD_CHECKOUT, the directory that the job works in, CARPD_VISIBLE, directories with colons
# between, CARPD_MODULES, modules with commas between.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
stty -opost -echo 2>/dev/null

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mkdir -p /dev/shm /dev/pts /run/netns /run/home /run/modules/lib/modules
mount -t tmpfs tmpfs /dev/shm
mount -t devpts devpts /dev/pts
# The tmpfs above may have covered these: show them again, at the same paths as on the host.
show() {
  mkdir -p "$2"
  mount -t hostfs -o "$1,$2" none "$2"
}
old=$IFS
IFS=:
for directory in $CARPD_VISIBLE; do
  case $directory in /tmp/* | /run/* | /dev/shm/*) show ro "$directory" ;; esac
done
IFS=$old
show rw "$CARPD_JOB"

finish() {
  sync
  printf '\nCARPD-UML-EXIT %s %s\n' "$CARPD_TOKEN" "$1"
  echo o >/proc/sysrq-trigger
  sleep 60
}

ln -s "/usr/lib/uml/modules/$(uname -r)" "/run/modules/lib/modules/$(uname -r)"
# shellcheck disable=SC2046 # one word a module is what is wanted
modprobe -d /run/modules -a $(echo "$CARPD_MODULES" | tr , ' ') || finish 125
# What else a job needs, the kernel loads by itself.
printf '#!/bin/sh\nexec modprobe -d /run/modules "$@"\n' >/run/modprobe
chmod +x /run/modprobe
echo /run/modprobe >/proc/sys/kernel/modprobe
# The bonding driver makes a bond0 of its own in the first namespace: nobody asked for it.
ip link del bond0 2>/dev/null
ip link set lo up
ulimit -n 4096
export HOME=/run/home TMPDIR=/tmp CARPD_BOND_LAB=uml
cd "$CARPD_CHECKOUT" || finish 125

printf '\nCARPD-UML-START %s %s\n' "$CARPD_TOKEN" "$(cut -d' ' -f1 /proc/uptime)"
# The host kills the machine at its limit; this one holds should the host's side be dead by then.
timeout -k 5 "$CARPD_LIMIT" sh "$CARPD_JOB/job.sh" </dev/null 2>&1
finish $?
