#!/usr/bin/env bash
# Makes the disk of one guest: the base tree, then DEB (unless it is empty) installed by dpkg, then the
# files of each FOLDER at their places. Needs root.
#
#   image.sh BASE IMAGE DEB FOLDER...
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"
base=$(realpath -- "$1") image=$(realpath -m -- "$2") deb=$3
shift 3
mapfile -t folders < <(realpath -- "$@")

# The mounts are seen here alone, and end with this script.
if [ "${CARPD_BOOT_UNSHARED:-}" != 1 ]; then
  CARPD_BOOT_UNSHARED=1 exec unshare --mount --propagation private \
    bash "$0" "$base" "$image" "$deb" "${folders[@]}"
fi
work=$(mktemp -d "$image.XXXXXX")
trap 'cd /; umount -R "$work"; rm -rf "$work"' EXIT
mount -t tmpfs image "$work"
mkdir "$work"/{upper,scratch,root}
mount -t overlay overlay \
  -o "lowerdir=$base/tree,upperdir=$work/upper,workdir=$work/scratch" "$work/root"
cd "$work/root"

if [ -n "$deb" ]; then
  cp "$deb" "$work/root/tmp/carpd.deb"
  chroot . env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 dpkg --install /tmp/carpd.deb
  rm tmp/carpd.deb
fi
for folder in "${folders[@]}"; do
  cp -a --no-preserve=ownership "$folder/." .
done
# A checkout keeps neither modes nor owners.
if [ -n "$deb" ]; then
  chroot . chown carpd:carpd /etc/carpd/db.pass
  chmod 600 etc/carpd/db.pass
fi
chroot . systemctl enable --quiet lab-switch.service lab-peer.service lab-console.service
rm -f "$image"
mkfs.ext4 -q -F -d . "$image" 2G
