#!/usr/bin/env bash
# Makes the kernel that guests boot: the distribution's own, fetched as a package and taken apart,
# never installed on this host. It stays in FOLDER until this script is another; remove FOLDER to get
# a newer one. Two runs at once wait for each other.
#
#   kernel.sh FOLDER
#
# FOLDER/vmlinuz, FOLDER/initrd.gz, FOLDER/lib/modules/RELEASE, FOLDER/release (text)
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"
folder=$(realpath -m -- "$1")
init=$(dirname "$(realpath "$0")")/initrd-init.sh
# The initrd loads these, with what they depend on: disks, shared folders, the line to the host.
first_modules='virtio_pci virtio_console 9pnet_virtio 9p virtio_blk ext4'
# Hardware that no guest has.
left_out='drivers/gpu drivers/media drivers/net/ethernet drivers/net/wireless drivers/infiniband
  drivers/scsi drivers/usb drivers/iio drivers/hid drivers/hwmon drivers/staging sound'

mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9
wanted=$(cat "$0" "$init" | sha256sum)
[ "$(cat "$folder/stamp" 2>/dev/null)" != "$wanted" ] || exit 0

fail() {
  echo "bond lab: $1" >&2
  exit 1
}

# The package that the metapackage stands for: its name has the version, such as
# linux-image-6.1.0-57-amd64.
kernel_package() {
  apt-cache show --no-all-versions "linux-image-$(dpkg --print-architecture)" 2>/dev/null |
    sed -n 's/^Depends: *//p' | grep -oE '^linux-image-[0-9][^ ,|(]*|, *linux-image-[0-9][^ ,|(]*' |
    sed 's/^, *//' | head -n 1
}

fetch() {
  local package
  package=$(kernel_package) && [ -n "$package" ] && (cd "$work" && apt-get download -q "$package" >&2)
}

for tool in apt-get dpkg-deb depmod modprobe cpio busybox; do
  command -v "$tool" >/dev/null || fail "$tool is missing: see test/bond/install.sh"
done
if ldd "$(command -v busybox)" >/dev/null 2>&1; then
  fail 'busybox has to be a static one: apt-get install busybox-static'
fi
work=$(mktemp -d "$folder/new.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo 'bond lab: fetching the kernel for the guests' >&2
# The lists of packages may be missing or old.
fetch || { apt-get update -q >&2 && fetch; } ||
  fail "apt-get found no kernel package behind linux-image-$(dpkg --print-architecture)"

words=()
for part in $left_out; do words+=("--exclude=./lib/modules/*/kernel/$part"); done
dpkg-deb --fsys-tarfile "$work"/*.deb | tar -x -C "$work" --no-same-owner "${words[@]}" ./boot ./lib
rm "$work"/*.deb
release=$(basename "$work"/lib/modules/*)
depmod -b "$work" "$release"

root=$work/initrd
mkdir -p "$root"/{bin,dev,proc,sys,host,modules}
cp "$(command -v busybox)" "$root/bin/busybox"
cp "$init" "$root/init"
chmod 755 "$root/init" "$root/bin/busybox"
for module in $first_modules; do
  modprobe -d "$work" -S "$release" --show-depends "$module"
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$work/files"
number=100
while read -r file; do
  cp "$file" "$root/modules/$number-$(basename "$file")"
  number=$((number + 1))
done <"$work/files"
(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1) >"$work/initrd.gz"

rm -rf "$folder/lib" "$folder/stamp"
mv "$work/lib" "$work/initrd.gz" "$folder/"
mv "$work"/boot/vmlinuz-* "$folder/vmlinuz"
echo "$release" >"$folder/release"
echo "$wanted" >"$folder/stamp"
