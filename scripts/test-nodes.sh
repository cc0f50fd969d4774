#!/usr/bin/env bash
# Builds carpd with each Node that is supported, in a copy of the tree, and runs test suites there.
# As root. The Nodes come from the npm registry, pinned in packaging/node-releases.json.
#
#   scripts/test-nodes.sh [SUITE...]             default: unit contract netns
#   NODES="24 26" scripts/test-nodes.sh          default: 20 24 26
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup-debian.sh test
suites=("$@")
if [ "${#suites[@]}" -eq 0 ]; then suites=(unit contract netns); fi

work=$(mktemp -d)
# Tests of rights run commands as other users.
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
failed=0
summary=()
for major in ${NODES:-20 24 26}; do
  node=$(node --import tsx packaging/fetch-node.ts "$major")
  mkdir "$work/$major"
  git ls-files -z --cached --others --exclude-standard | tar -c --null -T - | tar -x -C "$work/$major"
  # node_modules may be a symlink here, and nothing of this build may come from there.
  rm -rf "$work/$major/node_modules"
  echo "== Node $major: building"
  if (
    cd "$work/$major"
    export PATH="$node/bin:$PATH" npm_config_nodedir="$node"
    node --version
    npm ci --no-audit --no-fund --loglevel=error
    node scripts/run-tests.mjs "${suites[@]}"
  ) 2>&1 | tee "$work/log"; then :; else failed=1; fi
  summary+=("Node $major: $(tail -n 1 "$work/log")")
  rm -rf "${work:?}/$major"
done
printf '%s\n' "${summary[@]}"
exit "$failed"
