// What an instance stands on and what a master holds: its interface and the virtual IP, and how
// they came or went.
import { unreachable } from '../../base/assert.ts';
import { sysctlKey } from '../../base/command.ts';
import { fromSeconds } from '../../base/time.ts';
import { CLAIM_FORMS, type ClaimForm } from '../../carp/claim.ts';
import type { Claimant } from '../../election/claimant.ts';
import { CAUSES, type Cause } from '../../election/effects.ts';
import type { InterfaceFault } from '../../election/inputs.ts';
import type { VipFaultReason } from '../../vip/ip-outcome.ts';
import { elsewhereAdvice, putBackText } from '../../vip/words.ts';
import {
  boolean,
  instanceEvent,
  number,
  oneMore,
  sentence,
  sentences,
  text,
  texts,
  type InstanceIdentity,
  type LogLevel,
  type ValuesOf,
} from './define.ts';

const REPEAT_PERIOD = fromSeconds(10);
const CLAIM_PERIOD = fromSeconds(60);

const STUCK = 'the virtual IP could not be removed';

const FAILED_FIELDS = {
  action: text<'add' | 'keep' | 'remove' | 'remove-stale'>(
    '`add`, `keep`, `remove` or `remove-stale`',
  ),
  reason: text<VipFaultReason>('why the virtual IP could not be added or removed (logging.md)'),
  detail: sentence('what was said'),
} as const;

const CONTESTED_FIELDS = {
  form: text<ClaimForm>('as below'),
  mac: text('who claims it, by its MAC address'),
  frames: number('how often it did so in this moment'),
  answered: boolean('whether the virtual IP is announced again for it'),
  by: text<Claimant['kind']>('as below'),
  peer: text<string | null>('the address of that node of the group, or null'),
} as const;

type Failed = InstanceIdentity & ValuesOf<typeof FAILED_FIELDS>;
type Contested = InstanceIdentity & ValuesOf<typeof CONTESTED_FIELDS>;

export const ADDRESS_EVENTS = {
  'interface-usable': instanceEvent({
    meaning: 'the interface is there, up and has its source address',
    fields: {
      source: text('the sender of our adverts'),
      carrier: boolean('whether there is carrier'),
    },
    level: 'info',
    text: ({ interface: on, source, carrier }) =>
      `${on} is usable ${carrier ? 'with' : 'without'} carrier, source ${source}`,
  }),
  'interface-unusable': instanceEvent({
    meaning: 'the instance cannot take part on its interface',
    fields: {
      fault: text<InterfaceFault>('a cause of a transition (logging.md)'),
      remedy: sentence('what to do'),
    },
    level: 'warn',
    text: ({ interface: on, fault, remedy }) => `${on}: ${CAUSES[fault]}. ${remedy}`,
  }),
  'vip-off-network': instanceEvent({
    meaning: 'the virtual IP is in no network of its interface',
    fields: { networks: texts('those there are') },
    level: 'warn',
    text: ({ vip, interface: on, networks }) =>
      `${vip} is in no network of ${on} (${networks.join(', ')}), so its neighbours find it only ` +
      'by a route; correct `address` if that is not what you want',
  }),
  'vip-added': instanceEvent({
    meaning: 'the virtual IP is on the interface',
    fields: {},
    level: 'info',
    text: ({ vip, interface: on }) => `${vip} is on ${on}`,
  }),
  'vip-restored': instanceEvent({
    meaning: 'the virtual IP is back after somebody had removed it, or its interface was replaced',
    fields: {
      replaced: boolean('true: the virtual IP had gone with its interface; nobody removed it'),
    },
    level: 'warn',
    text: ({ vip, interface: on, replaced }) =>
      replaced
        ? `${on} was replaced, and ${vip} went with it; it is on the new ${on}`
        : `${vip} on ${on} was removed by someone; it is back`,
    counts: { carpd_vip_restored_total: ({ replaced }) => (replaced ? undefined : oneMore()) },
  }),
  'vip-removed': instanceEvent({
    meaning: 'the virtual IP is off the interface',
    fields: { late: boolean('it could not be removed at first') },
    level: 'info',
    text: ({ vip, interface: on, late }) =>
      late ? `${vip} on ${on} is off after all` : `${vip} is off ${on}`,
  }),
  'vip-failed': instanceEvent({
    meaning: 'the virtual IP could not be added, kept or removed',
    fields: FAILED_FIELDS,
    level: 'error',
    text: failedText,
  }),
  'step-down-stuck': instanceEvent({
    meaning: 'a step down took too long, because the virtual IP could not be removed',
    fields: {
      cause: text<Cause>('why it should step down (logging.md)'),
      stays: boolean('true: it stays master; false: it leaves with the virtual IP still on'),
      detail: sentence('what was said'),
    },
    level: 'error',
    text: ({ vip, interface: on, cause, stays, detail }) => {
      const what = stays
        ? `stays MASTER and does not step down (${cause}): ${STUCK}. Correct that and try again`
        : `steps down (${cause}) although ${vip} is still on ${on}, so that two hosts may ` +
          `answer for it. ${STUCK}; carpd tries again`;
      return `${what}: ${detail}`;
    },
  }),
  'vip-left-behind': instanceEvent({
    meaning: 'the instance ended and the virtual IP could not be removed',
    fields: { command: sentence('what removes it') },
    level: 'error',
    text: ({ command }) => `the virtual IP could not be removed and stays. Do it now: ${command}`,
    unlimited: true,
  }),
  'vip-stale': instanceEvent({
    meaning: 'the virtual IP was on the interface while this node was not master',
    fields: {
      removed: boolean('false: it has another prefix length and is left alone'),
      prefixLength: number<number | null>('that prefix length, or null'),
    },
    level: 'warn',
    text: ({ vip, interface: on, removed, prefixLength }) =>
      removed
        ? `${vip} was on ${on}, where this node does not serve it; it was removed. An earlier ` +
          'run may have left it there'
        : `${vip} is already on ${on}, with prefix length ${prefixLength ?? '?'}; carpd leaves ` +
          'it there',
  }),
  'vip-unwanted': instanceEvent({
    meaning: 'somebody put the virtual IP on this node, which is not master; it was removed',
    fields: {},
    level: 'warn',
    text: ({ vip, interface: on }) =>
      `${vip} was put on ${on} by someone while this node is not master; it was removed. Find ` +
      'out who else manages the addresses of this interface',
    once: { period: REPEAT_PERIOD, key: () => '' },
    counts: { carpd_vip_unwanted_total: oneMore },
  }),
  'vip-elsewhere': instanceEvent({
    meaning: 'another interface of this host has the virtual IP, or none has it any more',
    fields: {
      interfaces: texts('the interfaces where no instance serves it; an empty list: none any more'),
    },
    level: {
      among: ['info', 'warn'],
      of: ({ interfaces }) => (interfaces.length === 0 ? 'info' : 'warn'),
    },
    text: ({ vip, interface: on, interfaces }) => {
      if (interfaces.length === 0) return `no other interface of this host has ${vip}`;
      const { meaning, remedy } = elsewhereAdvice(vip, on, interfaces);
      return `${meaning}. ${remedy}`;
    },
    once: { period: REPEAT_PERIOD, key: () => '' },
  }),
  'addresses-taken-along': instanceEvent({
    meaning: 'removing the virtual IP made the kernel remove others',
    fields: {
      addresses: texts('which'),
      restored: boolean('they were put back, with their routes'),
      unsaved: sentences('the commands that put back what carpd could not'),
    },
    level: 'warn',
    text: ({ vip, interface: on, addresses, unsaved }) =>
      `removing ${vip} on ${on} made the kernel remove ${addresses.join(', ')}; ` +
      `${putBackText({ unsaved })}. Set the sysctl ${sysctlKey(on, 'promote_secondaries')} to 1`,
  }),
  'secondaries-promoted': instanceEvent({
    meaning: 'promote_secondaries was set while the virtual IP was removed; reported once',
    fields: {},
    level: 'info',
    text: ({ vip, interface: on }) =>
      `${vip} is the first address of its prefix on ${on}, and other addresses depend on it: ` +
      'carpd sets promote_secondaries while it removes the address, and then resets it',
  }),
  'vip-contested': instanceEvent({
    meaning: 'another host claims the virtual IP of this master by ARP, or asks whether it is free',
    fields: CONTESTED_FIELDS,
    level: { among: ['info', 'warn'], of: contestedLevel },
    text: contestedText,
    kind: ({ form, by }) => (form === 'probe' ? form : by),
    once: { period: CLAIM_PERIOD, key: ({ form, mac, by }) => `${form} ${mac} ${by}` },
    counts: {
      carpd_vip_claims_total: ({ form, frames }) => ({ labels: { form }, amount: frames }),
    },
  }),
};

function failedText({ vip, interface: on, action, detail }: Failed): string {
  switch (action) {
    case 'add':
      return `${vip} could not be added to ${on}: ${detail}`;
    case 'keep':
      return `${vip} on ${on} was removed: ${detail}`;
    case 'remove':
      return `${vip} could not be removed from ${on}: ${detail}`;
    case 'remove-stale':
      return `${vip} is on ${on}, is not served there, and could not be removed: ${detail}`;
    default:
      return unreachable(action);
  }
}

/** A probe is no harm, and other nodes of the group send them; who claims the address does harm. */
function contestedLevel({ form, by }: Contested): LogLevel {
  return form === 'probe' || by === 'rival' ? 'info' : 'warn';
}

function contestedText(event: Contested): string {
  const { vip, mac, form, answered } = event;
  if (form === 'probe') {
    return `${mac} asks whether ${vip} is free: a node of the group, or a host that wants it`;
  }
  const what = `${mac} says that ${vip} is its own (${CLAIM_FORMS[form]})`;
  const reaction = answered ? 'announcing it again' : 'not answered while this node is in doubt';
  return `${what}; ${reaction}. ${claimMeaning(event)}`;
}

function claimMeaning({ vip, by, peer }: Contested): string {
  switch (by) {
    case 'rival':
      return `${peer ?? 'It'} is heard as master of this group as well: the election decides`;
    case 'peer':
      return (
        `That is ${peer ?? 'a node'} of this group. It is not heard advertising, but it has the ` +
        `address. Remove ${vip} there, or start carpd there`
      );
    case 'stranger':
      return `Find the host with that MAC address and remove ${vip} from it`;
    default:
      return unreachable(by);
  }
}
