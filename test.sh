#!/usr/bin/env bash
# Sets up what is missing and runs every test: checks, pure tests, and live tests with real peers.
set -euo pipefail
cd "$(dirname "$0")"
scripts/setup-debian.sh test
npm run --silent check
exec node scripts/run-tests.mjs "$@"
