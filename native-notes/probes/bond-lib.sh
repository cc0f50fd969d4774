# Shared by the bond-*.sh probes: a host with a bond and an emulated switch, in two network namespaces.
# Sourced, not run. Needs root, iproute2 and a kernel with bonding (run a probe in the bond lab otherwise).
H=cbh$$
S=cbs$$
trap 'ip netns del $H 2>/dev/null; ip netns del $S 2>/dev/null' EXIT
start=$(cut -d' ' -f1 /proc/uptime)

# seconds since the probe began
now() { awk -v s="$start" '{ printf "%.2f", $1 - s }' /proc/uptime; }
say() { printf '%7s  %s\n' "$(now)" "$*"; }

# two namespaces, two cables: host e0, e1 to switch p0, p1; a bridge br0 in the switch; no IPv6 anywhere
cables() {
  ip netns add "$H" && ip netns add "$S"
  for ns in "$H" "$S"; do
    ip netns exec "$ns" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
      echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
  done
  ip -n "$S" -batch - <<END
link add br0 type bridge forward_delay 200 mcast_snooping 0
link set br0 up
link add p0 type veth peer name e0 netns $H
link add p1 type veth peer name e1 netns $H
END
}

# a bond of the two cables: add_bond NAMESPACE PORT PORT BOND-OPTIONS...; left down
add_bond() {
  ns=$1 a=$2 b=$3
  shift 3
  ip -n "$ns" -batch - <<END
link add bond0 type bond miimon 100 $*
link set $a down
link set $b down
link set $a master bond0
link set $b master bond0
END
}

# own and partner port states of a slave: lacp NAMESPACE SLAVE
lacp() {
  ip netns exec "$1" sh -c "cd /sys/class/net/$2/bonding_slave && echo actor=\$(cat ad_actor_oper_port_state) \
partner=\$(cat ad_partner_oper_port_state) agg=\$(cat ad_aggregator_id) mii=\$(cat mii_status) state=\$(cat state)"
}
