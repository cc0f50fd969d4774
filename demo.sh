#!/usr/bin/env bash
# Sets up what is missing and shows a live election and failover with a real ucarp peer.
set -euo pipefail
cd "$(dirname "$0")"
scripts/setup-debian.sh demo
exec node --import tsx demo/main.ts "$@"
