#!/usr/bin/env bash
# Installs what the demo and the tests need beyond Node, and builds carpd. As root on Debian or
# Ubuntu it installs; elsewhere it says exactly what is missing and ends with 1. Run again, it does
# nothing.
#
#   scripts/setup-debian.sh demo|test|release|boot
#
# test: with what the demo needs. release and boot: each with what the tests need.
set -euo pipefail
purpose=${1:-test}

declare -A package_of=(
  [ip]=iproute2 [bridge]=iproute2 [tc]=iproute2 [ping]=iputils-ping [arping]=iputils-arping
  [ucarp]=ucarp [tcpdump]=tcpdump [nft]=nftables
  [gcc]=gcc [g++]=g++ [make]=make [python3]=python3
)
if [ "$purpose" != demo ]; then
  package_of+=([setpriv]=util-linux [unshare]=util-linux [ps]=procps [ifup]=ifupdown)
  package_of+=([iptables]=iptables [teamnl]=libteam-utils [keepalived]=keepalived)
  package_of+=([prometheus]=prometheus [promtool]=prometheus)
  package_of+=([podman]=podman [runc]=runc [debootstrap]=debootstrap [readelf]=binutils)
fi
if [ "$purpose" = release ]; then
  package_of+=([lintian]=lintian [xz]=xz-utils [file]=file)
  package_of+=([aarch64-linux-gnu-g++]=g++-aarch64-linux-gnu [qemu-aarch64-static]=qemu-user-static)
fi
# Where the kernel has no bonding, tests on bonds run in machines with the distribution's own kernel.
has_bonding() {
  modprobe -q bonding 2>/dev/null || true
  unshare --net ip link add carpdprobe0 type bond mode 802.3ad 2>/dev/null
}
if [ "$purpose" = boot ] || { [ "$purpose" != demo ] && ! has_bonding; }; then
  case $(uname -m) in
    aarch64) package_of+=([qemu-system-aarch64]=qemu-system-arm) ;;
    *) package_of+=([qemu-system-x86_64]=qemu-system-x86) ;;
  esac
  package_of+=([busybox]=busybox-static [cpio]=cpio [depmod]=kmod)
fi
if [ "$purpose" = boot ]; then
  package_of+=([mkfs.ext4]=e2fsprogs)
fi

missing=()
for tool in "${!package_of[@]}"; do
  PATH="$PATH:/usr/sbin:/sbin" command -v "$tool" >/dev/null || missing+=("${package_of[$tool]}")
done
# debootstrap checks what it gets by Debian's keys, which only Debian itself has from the start.
if [ "$purpose" != demo ] && ! [ -e /usr/share/keyrings/debian-archive-keyring.gpg ]; then
  missing+=(debian-archive-keyring)
fi

node_is_new_enough() {
  command -v node >/dev/null &&
    node -e 'const [a, b] = process.versions.node.split(".").map(Number);
             process.exit(a > 20 || (a === 20 && b >= 20) ? 0 : 1)'
}
if ! node_is_new_enough; then
  echo "carpd needs Node.js 20.20 or newer; found: $(node --version 2>/dev/null || echo none)." >&2
  echo "Install it from https://nodejs.org or your distribution, with npm, and run this again." >&2
  exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "Raw sockets and network namespaces need root: run this with sudo." >&2
  exit 1
fi

if [ "${#missing[@]}" -gt 0 ]; then
  mapfile -t packages < <(printf '%s\n' "${missing[@]}" | sort -u)
  if ! command -v apt-get >/dev/null; then
    echo "Please install the equivalents of these Debian packages: ${packages[*]}" >&2
    exit 1
  fi
  echo "Installing: ${packages[*]}"
  # The tests run these programs themselves: no service of theirs is to be started on this host.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" \
    >/dev/null
  if [[ " ${packages[*]} " == *" prometheus "* ]] && command -v systemctl >/dev/null; then
    systemctl disable --quiet prometheus || true
  fi
fi

# A build that is newer than the sources and the lock file is used as it is.
cd "$(dirname "$0")/.."
if [ ! -f dist/main.js ] || [ ! -d node_modules ] || [ package-lock.json -nt node_modules ] ||
  [ ! -f native/build/Release/carpd_sockets.node ] ||
  [ -n "$(find src native/*.c native/binding.gyp -newer dist/main.js -print -quit)" ]; then
  echo "Building carpd (npm ci)"
  npm ci --no-audit --no-fund --loglevel=error
fi
