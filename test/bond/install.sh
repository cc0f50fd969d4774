#!/bin/sh
# Installs what the bond lab needs on Debian and its kin; elsewhere it says what is missing.
# Idempotent: it touches nothing when everything is there.
set -eu
export PATH="$PATH:/usr/sbin:/sbin"

missing=
want() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
want ip iproute2
want bridge iproute2
want tc iproute2
want ucarp ucarp
want nft nftables
want arping iputils-arping
want tcpdump tcpdump
want teamnl libteam-utils
want python3 python3
# A kernel with bonding of its own needs no machine.
if [ "${1:-}" != native ]; then
  case $(uname -m) in
    aarch64) want qemu-system-aarch64 qemu-system-arm ;;
    *) want qemu-system-x86_64 qemu-system-x86 ;;
  esac
  want busybox busybox-static
  want cpio cpio
  want modprobe kmod
  want setpriv util-linux
fi

[ -n "$missing" ] || exit 0
# shellcheck disable=SC2086 # one word a package is what is wanted
packages=$(printf '%s\n' $missing | sort -u | tr '\n' ' ')
if ! command -v apt-get >/dev/null 2>&1; then
  echo "bond lab: missing, install by hand (Debian's package names): $packages" >&2
  echo "bond lab: qemu and what it boots can be left out where 'ip link add type bond' works" >&2
  exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "bond lab: run as root: apt-get install --no-install-recommends $packages" >&2
  exit 1
fi
echo "bond lab: installing $packages" >&2
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
apt-get install -y -q --no-install-recommends $packages >&2 ||
  { apt-get update -q >&2 && apt-get install -y -q --no-install-recommends $packages >&2; }
