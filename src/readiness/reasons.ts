// Everything that can keep a gate closed, and everything worth a warning, with what it means and
// what would help: closed lists that metrics, logs and `carpd explain` share.

interface Explanation {
  readonly meaning: string;
  readonly remedy: string;
}

/** Why a condition is not met, or not known to be. */
export const REASONS = {
  'interface-missing': {
    meaning: 'the interface does not exist',
    remedy: 'create the interface, or correct the name that carpd was given',
  },
  'no-carrier': {
    meaning: 'the interface has no carrier',
    remedy: 'check the cable, the switch port, and that the interface and all below it are up',
  },
  'no-uplink': {
    meaning: 'nothing below the interface leads to other hosts',
    remedy: 'add to the bridge a port that leads out, or name the uplinks in gate.uplinks',
  },
  'uplink-blocked': {
    meaning: 'the bridge of this host does not forward on the port that leads to other hosts',
    remedy: 'wait until its spanning tree forwards there (bridge link show), or turn it off',
  },
  'carrier-unknown': {
    meaning: 'the carrier is not known yet',
    remedy:
      'wait for the first report of the kernel; if this lasts, look for read errors in the log',
  },
  'no-ports': {
    meaning: 'the bond has no ports',
    remedy: 'add interfaces to the bond',
  },
  'no-port-with-link': {
    meaning: 'no port of the bond has link',
    remedy: 'check the cables and switch ports of the bond',
  },
  'mode-unknown': {
    meaning: 'the mode of the bond could not be read',
    remedy: 'check that the bonding driver of this kernel reports the mode',
  },
  'no-partner': {
    meaning: 'no LACP partner: the switch does not speak LACP on these ports',
    remedy: 'configure a port channel with LACP on the switch, or wait until it has formed',
  },
  'partner-unknown': {
    meaning: 'the LACP partner could not be read',
    remedy: 'wait until the bond has an active aggregator; if this lasts, check its ports',
  },
  'aggregator-unknown': {
    meaning: 'the active aggregator of the bond could not be read, or there is none yet',
    remedy: 'wait until the bond has chosen an aggregator; if this lasts, check its ports',
  },
  'no-ready-port': {
    meaning: 'no port of the active aggregator is collecting and distributing on both sides',
    remedy: 'see the state of each port; wait for LACP to form, or check the port channel',
  },
  'ports-unknown': {
    meaning: 'the LACP state of the ports could not be read',
    remedy: 'check that this kernel reports the port states of the bond',
  },
  'no-frames': {
    meaning: 'no data frame of another station has come in since the link last changed',
    remedy: 'check that the switch port forwards (spanning tree, VLAN), or name probe targets',
  },
  'no-probe-answer': {
    meaning: 'no ARP probe was answered since the link last changed, and the gate requires it',
    remedy: 'name probe targets or peers that answer ARP, and check that our frames get out',
  },
  'no-answer-since-advert': {
    meaning: 'the master fell silent and no ARP probe was answered since its last advert',
    remedy: 'check the path to the probe targets and peers: the silence may be our own link',
  },
  'vip-in-use': {
    meaning: 'another host answers for the virtual IP',
    remedy:
      'find the host with that address; check that its adverts (IP protocol 112) reach this ' +
      'node, and that its passphrase is ours (carpd drops adverts with another passphrase)',
  },
} as const satisfies Record<string, Explanation>;

export type Reason = keyof typeof REASONS;

/** What works, but not as it should. */
export const WARNINGS = {
  'bond-unseen': {
    meaning: 'carpd cannot see what is below the interface; only carrier and frames decide',
    remedy: 'run carpd in the network namespace of the bond if it must watch LACP',
  },
  'team-carrier-only': {
    meaning: 'the interface is on a team device, and carpd sees only its carrier',
    remedy: 'use a bond if carpd must watch LACP',
  },
  'vlans-unread': {
    meaning:
      'the kernel does not show the VLAN table of a bridge below: a frame counts only if carpd ' +
      'catches it both on the bridge and on its uplink',
    remedy: 'use a kernel that shows it; until then make sure that the port carries the VLAN',
  },
  'lacp-by-fallback': {
    meaning: 'LACP has not formed, but probes were answered for 10 s, so the link counts as ready',
    remedy: 'configure LACP on the switch: its ports are in fallback, and one may be unused',
  },
  'opened-without-proof': {
    meaning: 'the gate was opened by its time limit, without proof that frames pass',
    remedy: 'see what is missing; the link may be dead and another master alive',
  },
  'adverts-only-by-witness': {
    meaning: 'adverts come in but do not reach the CARP socket: a firewall drops IP protocol 112',
    remedy: 'allow incoming IP protocol 112 on the interface',
  },
  'adverts-kept-by-rp-filter': {
    meaning:
      'adverts come in and the kernel drops them: rp_filter is 1, and the route back to their ' +
      'sender uses another interface',
    remedy: 'set net.ipv4.conf.IF.rp_filter and that of "all" to 2 or 0, or correct the route',
  },
  'adverts-kept-by-upper-interface': {
    meaning:
      'adverts come in but do not reach the CARP socket: the interface is a port of a bridge, a ' +
      'bond or the like, which takes everything that comes in',
    remedy: 'configure the upper interface instead, or take this one out of it',
  },
  'adverts-kept-by-unknown': {
    meaning:
      'adverts come in but do not reach the CARP socket, and neither the firewall nor rp_filter ' +
      'nor an upper interface explains that',
    remedy: 'run carpd doctor on the interface; look at its tc filters and XDP programs',
  },
  'path-unconfirmed': {
    meaning:
      'nobody answers any more, or nobody was heard for long enough: the path may be dark, so ' +
      'this node bids low',
    remedy: 'check VLANs and forwarding of the switch ports; name targets that always answer',
  },
  'vip-answered': {
    meaning: 'another host answers for the virtual IP though its master has fallen silent',
    remedy: 'find the host with that address: its daemon may have died and left the address on',
  },
} as const satisfies Record<string, Explanation>;

export type Warning = keyof typeof WARNINGS;

/** Whether two lists of reasons or warnings say the same; their order is fixed. */
export function sameList<Item>(a: readonly Item[], b: readonly Item[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

/** Reasons as a sentence: what is missing, and what would help. */
export function explainReasons(reasons: readonly Reason[]): string {
  return reasons
    .map((reason) => `${REASONS[reason].meaning} (${REASONS[reason].remedy})`)
    .join('; ');
}
