// What goes wrong in a swarm: each fault begins now, and what it returns ends it.
import { micros } from '../../../src/base/time.ts';
import { parseIpv4, parseMac } from '../../../src/base/addresses.ts';
import { gratuitousArp } from '../../../src/carp/arp.ts';
import type { Prng } from '../prng.ts';
import { STRANGER } from './client.ts';
import type { SwarmNode } from './node.ts';
import { interfaceOf, ownAddress, type Plan, type PlannedInstance } from './plan.ts';
import { namesOf } from '../../fakes/host-process.ts';
import { SPOILS, type Spoil } from './spoil.ts';
import type { StockHost } from './stock-host.ts';
import { FAIR, type Storm, type Timers } from './storm.ts';

/** What a fault may lay hands on. */
export interface Stage {
  readonly prng: Prng;
  readonly plan: Plan;
  readonly nodes: readonly SwarmNode[];
  readonly storms: readonly Storm[];
  readonly stock: StockHost | undefined;
  /** Calls back in some milliseconds. */
  readonly later: (ms: number, run: () => void) => void;
}

/** Where it strikes. */
export interface Place {
  readonly node: SwarmNode;
  readonly segment: number;
  readonly storm: Storm;
  readonly instance: PlannedInstance;
}

type End = () => void;
type Fault = (place: Place, stage: Stage) => End | undefined;

const REFUSED = 'RTNETLINK answers: Operation not permitted';
const ARPHRD_ETHER = 1;
const ARPHRD_NONE = 0xfffe;
const DESTINATION = '224.0.0.18';
const SOMEBODY_ELSE = 1;
const LAG_MAX_US = 200_000;

/** Something that keeps a host from what it has to do in time. */
function disturbing(begin: (place: Place, stage: Stage) => End): Fault {
  return (place, stage) => {
    const calm = place.node.disturbed();
    const end = begin(place, stage);
    return () => {
      end();
      calm();
    };
  };
}

/** An order of an operator, while there is a daemon to take it. */
function ordered(
  node: SwarmNode,
  give: (running: NonNullable<SwarmNode['running']>) => unknown,
): void {
  const { running } = node;
  if (running === undefined) return;
  node.orders += 1;
  const isOver = (): void => {
    node.orders -= 1;
  };
  void Promise.resolve(give(running)).then(isOver, isOver);
}

function replays(change: Partial<Timers>): Fault {
  return ({ storm }, { prng, later }) => {
    const count = prng.between(1, 8);
    for (let at = 0; at < count; at += 1) {
      later(prng.between(0, 4_000), () => storm.replay(change));
    }
    return undefined;
  };
}

function isSpoil(how: string): how is Spoil {
  return how in SPOILS;
}

/** Another one of the same name comes in its place; returns its index. */
function replaceInterface(node: SwarmNode, segment: number): number {
  node.host.unplug(interfaceOf(segment));
  node.pathChanged(segment);
  return node.plug(segment);
}

/** As a bond that gets its first InfiniBand port: its type changes while it has no carrier. */
const noEthernet: Fault = disturbing(({ node, segment }) => {
  const name = interfaceOf(segment);
  node.host.carrier(name, false);
  node.host.set(name, { type: ARPHRD_NONE });
  node.pathChanged(segment);
  return () => {
    node.host.set(name, { type: ARPHRD_ETHER });
    node.host.carrier(name, true);
  };
});

/** What the kernel tells comes late, or is lost. */
function blinding(how: 'told' | 'lost'): Fault {
  return disturbing(({ node }) => {
    node.isBlind = true;
    node.host.holdNetlink();
    return () => {
      node.host.tellAll(how);
      node.isBlind = false;
    };
  });
}

export const FAULTS: Readonly<Record<string, Fault>> = {
  loss: ({ storm }, { prng }) => {
    storm.weather = { ...FAIR, loss: 0.3 * prng.next() };
    return () => void (storm.weather = FAIR);
  },
  'late and doubled frames': ({ storm }, { prng }) => {
    const delayMaxUs = prng.between(20_000, 1_000_000);
    storm.weather = { ...FAIR, delayMaxUs, duplication: 0.3 };
    return () => void (storm.weather = FAIR);
  },
  mute: ({ storm, node, segment }) => {
    const mac = node.macOf(segment);
    storm.cut(mac, '', true);
    return () => storm.cut(mac, '', false);
  },
  deaf: ({ storm, node, segment }) => {
    const mac = node.macOf(segment);
    storm.cut('', mac, true);
    return () => storm.cut('', mac, false);
  },
  'one way': ({ storm, node, segment }, { prng, nodes }) => {
    const [from, to] = [node.macOf(segment), prng.pick(nodes).macOf(segment)];
    storm.cut(from, to, true);
    return () => storm.cut(from, to, false);
  },
  'dark path': ({ storm, node, segment }) => {
    const mac = node.macOf(segment);
    storm.cut(mac, '', true);
    storm.cut('', mac, true);
    return () => {
      storm.cut(mac, '', false);
      storm.cut('', mac, false);
    };
  },
  'clogged path': ({ storm, node, segment }) => {
    const mac = node.macOf(segment);
    storm.clog(mac);
    return () => storm.unclog(mac);
  },
  'old adverts': replays({}),
  'old adverts with the best timers': replays({ advbase: 1, advskew: 0 }),
  'forged bow-outs': replays({ advbase: 255, advskew: 255 }),
  'old adverts with slow timers': replays({ advbase: 200, advskew: 0 }),
  'old adverts of demoted nodes': replays({ advbase: 1, advskew: 254, demote: 255 }),
  noise: ({ storm }, { prng, later }) => {
    for (const how of Object.keys(SPOILS).filter(isSpoil)) {
      if (prng.chance(0.5)) later(prng.between(0, 4_000), () => storm.spoil(how, STRANGER));
    }
    return undefined;
  },
  'somebody claims the address': ({ segment, storm, instance }) => {
    const ip = parseIpv4(instance.ip);
    if (ip !== undefined && instance.segment === segment) {
      storm.wire.send(STRANGER, gratuitousArp(STRANGER, ip));
    }
    return undefined;
  },
  'link flap': ({ node, segment }) => {
    node.host.carrier(interfaceOf(segment), false);
    node.pathChanged(segment);
    return () => node.host.carrier(interfaceOf(segment), true);
  },
  'flap to a dark port': ({ storm, node, segment }) => {
    const mac = node.macOf(segment);
    storm.cut(mac, '', true);
    storm.cut('', mac, true);
    node.host.carrier(interfaceOf(segment), false);
    node.pathChanged(segment);
    node.host.carrier(interfaceOf(segment), true);
    return () => {
      storm.cut(mac, '', false);
      storm.cut('', mac, false);
    };
  },
  'set down': disturbing(({ node, segment }) => {
    node.host.admin(interfaceOf(segment), false);
    node.pathChanged(segment);
    return () => node.host.admin(interfaceOf(segment), true);
  }),
  'another MAC address': ({ node, segment }, { prng }) => {
    const mac = parseMac(`02:dd:00:00:0${node.index}:${prng.between(16, 99)}`);
    if (mac !== undefined) node.host.set(interfaceOf(segment), { mac });
    node.pathChanged(segment);
    return undefined;
  },
  'no Ethernet': noEthernet,
  'interface replaced': ({ node, segment }) => {
    replaceInterface(node, segment);
    return undefined;
  },
  'interface replaced, and its group taken': disturbing(({ node, segment, instance }) => {
    const ifindex = replaceInterface(node, segment);
    const place = {
      ifindex,
      vhid: instance.vhid,
      destination: DESTINATION,
      virtualIp: instance.ip,
    };
    const names = namesOf(place).map(({ name }) => name);
    for (const name of names) node.host.names.set(name, SOMEBODY_ELSE);
    return () => {
      for (const name of names) {
        if (node.host.names.get(name) === SOMEBODY_ELSE) node.host.names.delete(name);
      }
    };
  }),
  'no sockets': disturbing(({ node }) => {
    const { running } = node;
    if (running === undefined) return () => undefined;
    running.process.socketErrno = 'EPERM';
    running.process.breakSockets('ENETDOWN');
    return () => {
      running.process.socketErrno = undefined;
    };
  }),
  'stand still': disturbing(({ node }) => {
    const { running } = node;
    running?.process.standStill();
    return () => running?.process.goOn();
  }),
  'late timers': disturbing(({ node }, { prng }) => {
    const { running } = node;
    if (running !== undefined) running.process.lag = micros(prng.between(1, LAG_MAX_US));
    return () => {
      if (running !== undefined) running.process.lag = micros(0);
    };
  }),
  kill: ({ node }) => {
    if (node.orders > 0) return undefined;
    node.kill();
    return () => void node.start();
  },
  'stock ucarp is killed': (_place, { stock }) => {
    stock?.kill();
    return () => stock?.start();
  },
  'slow ip': disturbing(({ node }) => {
    node.host.ip = { ms: 1_500 };
    return () => void (node.host.ip = { ms: 2 });
  }),
  'ip hangs': disturbing(({ node }) => {
    node.host.ip = 'hangs';
    return () => void (node.host.ip = { ms: 2 });
  }),
  'ip fails': disturbing(({ node, instance }) => {
    node.host.refuses = (line) => (line.includes(instance.cidr) ? REFUSED : undefined);
    node.running?.daemon.handover();
    return () => void (node.host.refuses = () => undefined);
  }),
  'slow hooks': ({ node }) => {
    node.host.hook = () => ({ ms: 4_000 });
    return () => void (node.host.hook = () => ({ ms: 5 }));
  },
  'hooks hang': ({ node }) => {
    node.host.hook = () => 'hangs';
    return () => void (node.host.hook = () => ({ ms: 5 }));
  },
  'late netlink': blinding('told'),
  'lost netlink': blinding('lost'),
  'own address renewed': ({ node, segment }, { prng, later }) => {
    const [own, name] = [ownAddress(segment, node.index), interfaceOf(segment)];
    if (!node.hasOwn(segment) || node.bare.has(segment)) return undefined;
    const calm = node.disturbed();
    node.bare.add(segment);
    node.host.meddle(`addr del ${own} dev ${name}`);
    const renew = (): void => {
      if (!node.hasOwn(segment)) node.host.meddle(`addr add ${own} dev ${name}`);
      node.bare.delete(segment);
      calm();
    };
    // Most who renew it do so at one stroke, and it comes behind virtual IPs of its prefix.
    if (prng.chance(0.6)) renew();
    else later(prng.between(1, 2_000), renew);
    return undefined;
  },
  'own address comes behind the virtual IP': ({ node, instance }) => {
    const { segment, cidr } = instance;
    const [own, name] = [ownAddress(segment, node.index), interfaceOf(segment)];
    if (!node.hasOwn(segment)) return undefined;
    // It is a secondary from then on, which goes with the virtual IP unless somebody sees to it.
    node.host.meddle(`addr del ${own} dev ${name}`);
    if (!node.holds(instance)) node.host.meddle(`addr add ${cidr} dev ${name}`);
    if (!node.hasOwn(segment)) node.host.meddle(`addr add ${own} dev ${name}`);
    return undefined;
  },
  'somebody takes the address off': ({ node, instance }) => {
    const name = interfaceOf(instance.segment);
    if (node.holds(instance)) node.host.meddle(`addr del ${instance.cidr} dev ${name}`);
    return undefined;
  },
  'somebody puts the address on': ({ node, instance }) => {
    const name = interfaceOf(instance.segment);
    if (!node.holds(instance)) node.host.meddle(`addr add ${instance.cidr} dev ${name}`);
    return undefined;
  },
  'broken sockets': ({ node }) => void node.running?.process.breakSockets('ENETDOWN'),
  'no sends': disturbing(({ node }) => {
    node.host.rawErrno = 'ENOBUFS';
    node.host.packetErrno = 'ENOBUFS';
    return () => {
      node.host.rawErrno = undefined;
      node.host.packetErrno = undefined;
    };
  }),
  firewall: ({ node }, { prng }) => {
    node.host.blocks = prng.pick(['in', 'out']);
    return () => void (node.host.blocks = 'nothing');
  },
  handover: ({ node }) => void node.running?.daemon.handover(),
  maintenance: ({ node, instance }) => {
    const turn = (on: boolean): void => {
      ordered(node, ({ process: { control } }) => {
        return control?.order({ kind: 'maintenance', on, force: true }, [instance.name]);
      });
    };
    turn(true);
    return () => turn(false);
  },
  'reload with other settings': ({ node, instance }, { prng }) => {
    const changed = { advskew: prng.between(0, 100) };
    ordered(node, ({ daemon }) => daemon.reload(node.configWithout(instance, changed)));
    return () => ordered(node, ({ daemon }) => daemon.reload(node.config));
  },
  'reload without an instance, and back': ({ node, instance }, { plan }) => {
    if (plan.instances.length < 2) return undefined;
    ordered(node, ({ daemon }) => daemon.reload(node.configWithout(instance)));
    return () => ordered(node, ({ daemon }) => daemon.reload(node.config));
  },
};
