#!/usr/bin/env bash
# Makes the two images that the Dockerfile begins from, out of Debian's own packages: nothing is
# pulled. They stay in FOLDER, with the settings that podman needs where it may not raise limits.
# Needs root, podman, runc and debootstrap.
#
#   base-images.sh FOLDER        podman is then run with these two variables:
#     CONTAINERS_STORAGE_CONF=FOLDER/storage.conf CONTAINERS_CONF=FOLDER/containers.conf
set -euo pipefail
folder=$(realpath -m -- "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
suite=bookworm
debian=docker.io/library/debian:$suite-slim
node=docker.io/library/node:24-$suite-slim

mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9
cat >"$folder/storage.conf" <<END
[storage]
driver = "overlay"
graphroot = "$folder/graph"
runroot = "$folder/run"
END
# crun does not work with cgroups of both versions; higher limits need CAP_SYS_RESOURCE.
cat >"$folder/containers.conf" <<END
[containers]
default_ulimits = ["nofile=1024:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
END
export CONTAINERS_STORAGE_CONF=$folder/storage.conf CONTAINERS_CONF=$folder/containers.conf

if ! podman image exists "$debian"; then
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -m 1 '/debian/\?$' || true)
  tree=$folder/tree
  rm -rf "$tree"
  debootstrap --variant=minbase --include=ca-certificates "$suite" "$tree" \
    "${mirror:-http://deb.debian.org/debian}" >"$folder/debootstrap.log"
  echo force-unsafe-io >"$tree/etc/dpkg/dpkg.cfg.d/docker-apt-speedup"
  rm -rf "$tree"/var/cache/apt/* "$tree"/var/lib/apt/lists/* \
    "$tree"/usr/share/{doc,man,locale,info}/*
  tar -C "$tree" --numeric-owner -c . |
    podman import --change 'CMD ["bash"]' - "$debian" >/dev/null
fi

if ! podman image exists "$node"; then
  release=$(cd "$root" && node --import tsx packaging/fetch-node.ts 24)
  npm=$(npm root --global --silent)/npm
  context=$folder/node
  rm -rf "$context"
  mkdir -p "$context/bin" "$context/lib/node_modules"
  cp "$release/bin/node" "$context/bin/"
  cp -a "$npm" "$context/lib/node_modules/"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$context/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$context/bin/npx"
  printf 'FROM %s\nCOPY . /usr/local/\nCMD ["node"]\n' "$debian" >"$folder/Dockerfile.node"
  podman build --quiet --pull=never --network=host -t "$node" -f "$folder/Dockerfile.node" \
    "$context" >/dev/null
  rm -rf "$context"
fi
