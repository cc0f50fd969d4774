#!/bin/sh
# Which frames that reach a slave count in the bond's rx_packets, and which of them an AF_PACKET
# socket on the bond or on the slave sees. Root, python3, a kernel with bonding.
set -eu
cd "$(dirname "$0")"
. ./bond-lib.sh
python=/usr/bin/python3

wait_lacp() {
  n=0
  until case "$(lacp "$H" e0)$(lacp "$H" e1)" in *actor=63\ partner=63*actor=63\ partner=63*) true ;; *) false ;; esac; do
    n=$((n + 1)) && [ $n -lt 60 ] || { echo "LACP did not form: $(lacp "$H" e0)"; exit 1; }
  done
}

cables
add_bond "$S" p0 p1 mode 802.3ad lacp_rate fast
add_bond "$H" e0 e1 mode 802.3ad lacp_rate fast
ip -n "$S" link set bond0 master br0
ip -n "$H" addr add 10.9.0.10/24 dev bond0
ip -n "$S" link set bond0 up
ip -n "$H" link set bond0 up
wait_lacp
bridge -n "$S" link set dev bond0 state 0

echo "== 802.3ad, LACP formed at fast rate, switch port not forwarding: 10 s of nothing but the link itself"
$python bond-frames.py "$H" "$S" idle 10
echo "== 802.3ad, formed: five frames of each kind, sent into cable 0"
$python bond-frames.py "$H" "$S" kinds p0
ip -n "$H" link del bond0
ip -n "$S" link del bond0

add_bond "$H" e0 e1 mode active-backup
ip -n "$H" addr add 10.9.0.10/24 dev bond0
ip -n "$S" -batch - <<END
link set p0 up
link set p1 up
END
ip -n "$H" link set bond0 up
ip netns exec "$H" sh -c 'until [ "$(cat /sys/class/net/bond0/bonding/active_slave)" = e0 ]; do sleep 0.1; done'
echo "== active-backup, e0 active: five frames of each kind, sent into the active slave's cable"
$python bond-frames.py "$H" "$S" kinds p0
echo "== active-backup, e0 active: five frames of each kind, sent into the backup slave's cable"
$python bond-frames.py "$H" "$S" kinds p1
