#!/bin/sh
# What each sysfs and procfs file of a bond, and netlink, tells to whom: root, an ordinary user,
# an ordinary user with CAP_NET_ADMIN. Root, util-linux (setpriv), a kernel with bonding.
set -eu
cd "$(dirname "$0")"
. ./bond-lib.sh

cables
add_bond "$S" p0 p1 mode 802.3ad lacp_rate fast
add_bond "$H" e0 e1 mode 802.3ad lacp_rate fast
ip -n "$S" link set bond0 up
ip -n "$H" link set bond0 up
sleep 6

read_all='
cd /sys/class/net
for f in bond0/carrier bond0/operstate bond0/bonding/* e0/bonding_slave/*; do
  value=$(cat $f 2>&1) || value="error: $value"
  printf "%s=%s\n" "$f" "${value:-(empty)}"
done
for section in "Actor Key" "Partner Mac Address" "details actor lacp pdu" "details partner lacp pdu" "port state"; do
  printf "proc: %s=%s lines\n" "$section" "$(grep -c "$section" /proc/net/bonding/bond0)"
done
printf "netlink: bond ad_info=%s\n" "$(ip -d link show bond0 | grep -o "ad_partner_mac [^ ]*" || echo absent)"
printf "netlink: slave=%s\n" "$(ip -d link show e0 | grep -o "ad_actor_oper_port_state .*" | cut -c1-90)"
'
as() { ip netns exec "$H" setpriv "$@" sh -c "$read_all" >"$out/$who" 2>&1; }
out=$(mktemp -d)
who=root as --reuid 0
who=user as --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all
who=admin as --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all,+net_admin --ambient-caps=-all,+net_admin
echo "== as root"
cat "$out/root"
echo "== what an ordinary user reads differently"
diff "$out/root" "$out/user" || true
echo "== what an ordinary user with CAP_NET_ADMIN reads differently"
diff "$out/root" "$out/admin" && echo nothing
rm -r "$out"
