#!/bin/sh
# Which netlink events tell about a change of LACP port state, aggregator and active slave, beside
# the same facts polled from sysfs every 50 ms. With a file name as argument, messages are written
# there as test vectors. Root, python3, a kernel with bonding.
set -eu
cd "$(dirname "$0")"
. ./bond-lib.sh
cables
ip netns exec "$H" /usr/bin/python3 bond-netlink.py "$H" "$S" "$@"
