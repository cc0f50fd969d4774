#!/usr/bin/env bash
# Makes the Debian that the boot test boots: a tree of Debian's own packages with systemd, ifupdown,
# ifenslave and the stock ucarp, and the modules of the kernel that test/bond/kernel.sh has made in
# KERNEL. It stays in FOLDER/tree until this script, or the kernel, is another. Needs root and
# debootstrap.
#
#   base-tree.sh FOLDER KERNEL
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"
folder=$(realpath -m -- "$1")
suite=bookworm
packages=systemd,systemd-sysv,dbus,udev,kmod,ifupdown,ifenslave,iproute2,iputils-ping,procps,ucarp
release=$(cat "$2/release")
modules=$2/lib/modules/$release
tree=$folder/tree
stamp=$folder/stamp

mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9
wanted=$(sha256sum <"$0")$release
[ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || exit 0

# shellcheck disable=SC2016 # the variable is apt's
mirror=$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -m 1 '/debian/\?$' || true)
rm -rf "$tree" "$stamp"
debootstrap --variant=minbase --include="$packages" "$suite" "$tree" \
  "${mirror:-http://deb.debian.org/debian}" >"$folder/debootstrap.log"
rm -rf "$tree"/var/cache/apt/* "$tree"/var/lib/apt/lists/* "$tree"/usr/share/{doc,man,locale,info}/*
echo force-unsafe-io >"$tree/etc/dpkg/dpkg.cfg.d/carpd-test"

# Only what networking needs of the modules, with what they depend on.
mkdir -p "$tree/lib/modules/$release/kernel/drivers"
cp -a "$modules"/modules.{order,builtin,builtin.modinfo} "$tree/lib/modules/$release/"
cp -a "$modules"/kernel/{net,lib,crypto,arch} "$tree/lib/modules/$release/kernel/"
cp -a "$modules/kernel/drivers/net" "$tree/lib/modules/$release/kernel/drivers/"
depmod --basedir "$tree" "$release"

echo carpd-boot >"$tree/etc/hostname"
# The journal outlives a reboot.
mkdir -p "$tree/var/log/journal"
echo '/dev/vda / ext4 defaults 0 1' >"$tree/etc/fstab"
echo "$wanted" >"$stamp"
