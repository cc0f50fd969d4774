// Deliberate faults in what the gate believes of a link.
import { named } from './fault.ts';

export const LINK_FAULTS = named({
  'uplinks-not-in-epoch': {
    what: 'a bridge that loses its uplink goes on with the proof that came in by it',
    edits: [
      {
        file: 'src/readiness/epoch.ts',
        find: `if (lacksAny(known.uplinks, seen.uplinks, hasStayed)) return 'uplink-changed';`,
        replace: '',
      },
    ],
    tests: ['test/unit/readiness/epoch.test.ts'],
  },
  'uplink-losses-unseen': {
    what: 'a port of a bridge that stops forwarding and is back at once ends no epoch',
    edits: [
      {
        file: 'src/readiness/epoch.ts',
        find: '(seen.uplinkLosses ?? 0) > (known.uplinkLosses ?? Infinity)',
        replace: '(seen.uplinkLosses ?? 0) < 0',
      },
    ],
    tests: ['test/unit/readiness/epoch-losses.test.ts'],
  },
  'carrier-blinks-unseen': {
    what: 'a carrier that was away for a moment ends no epoch',
    edits: [
      {
        file: 'src/readiness/epoch.ts',
        find: '(seen.carrierLosses ?? 0) > (known.carrierLosses ?? Infinity)',
        replace: '(seen.carrierLosses ?? 0) < 0',
      },
    ],
    tests: ['test/unit/readiness/epoch-losses.test.ts'],
  },
  'carrier-loss-ends-no-epoch': {
    what: 'what came in before the carrier was lost still proves the link',
    edits: [
      {
        file: 'src/readiness/epoch.ts',
        find: 'if (known.carrier === true && seen.carrier === false) {',
        replace: 'if (known.carrier === undefined && seen.carrier === false) {',
      },
      {
        file: 'src/readiness/epoch.ts',
        find: '(seen.carrierLosses ?? 0) > (known.carrierLosses ?? Infinity)',
        replace: '(seen.carrierLosses ?? 0) < 0',
      },
    ],
    seed: 13,
    tests: ['test/unit/readiness/epoch.test.ts'],
  },
  'replaced-interface-ends-no-epoch': {
    what: 'another interface of the same name inherits the proof of the one before',
    edits: [
      {
        file: 'src/readiness/epoch.ts',
        find: `if (changed(known.ifindex, seen.ifindex)) return 'ifindex-changed';`,
        replace: '',
      },
      {
        file: 'src/readiness/epoch.ts',
        find: `if (changed(known.mac, seen.mac)) return 'mac-changed';`,
        replace: '',
      },
    ],
    tests: ['test/unit/readiness/epoch.test.ts'],
  },
  'stp-state-ignored': {
    what: 'a port of a bridge counts while its spanning tree still listens',
    edits: [
      {
        file: 'src/linux/links/link-facts.ts',
        find: '({ blocked }) => blocked === false',
        replace: '({ blocked }) => blocked !== undefined',
      },
    ],
    tests: ['test/unit/linux/links/link-uplinks.test.ts'],
  },
  'guests-prove-the-link': {
    what: 'an advert of a guest on a bridge of this host opens the gate',
    edits: [
      {
        file: 'src/segment/hearing.ts',
        find: 'throughUplink: !this.hasGuests || way.throughUplink === true,',
        replace: 'throughUplink: true,',
      },
    ],
    tests: ['test/unit/segment/segment.test.ts'],
  },
  'own-macs-are-others': {
    what: 'frames of other interfaces of this host count as those of another station',
    edits: [
      {
        file: 'src/carp/frame.ts',
        find: "if (view.ownMacs.has(from)) return fail('own-source');",
        replace: '',
      },
    ],
    tests: ['test/unit/carp/frame.test.ts'],
  },
  'foreign-vlans-prove': {
    what: 'frames of every VLAN that come in by the uplink are proof',
    edits: [
      {
        file: 'src/carp/frame.ts',
        find: 'if (!sameVlans(read.vlans, view.ownVlans))',
        replace: 'if (read.payloadAt < 0)',
      },
    ],
    tests: ['test/unit/carp/frame.test.ts'],
  },
  'old-frames-prove': {
    what: 'evidence of an epoch that has ended counts in the new one',
    edits: [
      {
        file: 'src/readiness/evidence.ts',
        find: 'if (evidence.epoch !== this.#epoch) return false;',
        replace: 'if (evidence.epoch > this.#epoch) return false;',
      },
    ],
    tests: ['test/unit/readiness/evidence.test.ts'],
  },
  'gate-ignored': {
    what: 'a shut gate holds nobody',
    edits: [
      {
        file: 'src/election/machine.ts',
        find: `return this.#hold('gate-closed', !input.open, now);`,
        replace: `return this.#hold('gate-closed', false, now);`,
      },
    ],
    seed: 13,
    tests: ['test/unit/election/spec-gate.test.ts'],
  },
  'path-always-trusted': {
    what: 'a master over a path that went dark without a word bids as before',
    edits: [
      {
        file: 'src/readiness/path-trust.ts',
        find: `if (this.#distrust === undefined) return 'trusted';
    return this.#distrust.trust;`,
        replace: `return 'trusted';`,
      },
    ],
    tests: ['test/unit/readiness/path-trust.test.ts'],
  },
  'no-doubt': {
    what: 'a master whose path has changed does not doubt it',
    edits: [
      {
        file: 'src/readiness/instance.ts',
        find: `this.#doubt.begin('epoch-ended', now, isSure ? sureAt : undefined);`,
        replace: 'if (isSure && sureAt === undefined) this.#doubt.end();',
      },
    ],
    tests: ['test/unit/readiness/doubt.test.ts', 'test/unit/readiness/link-master.test.ts'],
  },
  'leg-that-stays-is-trusted': {
    what: 'a bond that loses a leg trusts the one that stays, which may pass LACP and no data',
    edits: [
      {
        file: 'src/readiness/known-bond.ts',
        find: "return losesPort(known, seen, proved) ? 'port-lost' : undefined;",
        replace:
          "return losesPort(known, seen, proved) && proved.size < 0 ? 'port-lost' : undefined;",
      },
    ],
    tests: ['test/unit/readiness/epoch-bonds.test.ts'],
  },
  'lacp-ignored': {
    what: 'a bond without LACP is as good as one with it',
    edits: [
      {
        file: 'src/readiness/judge.ts',
        find: 'if (bond === undefined) return NOT_APPLICABLE;',
        replace: 'if (bond === undefined || !fallback.met) return NOT_APPLICABLE;',
      },
    ],
    tests: ['test/unit/readiness/judge.test.ts'],
  },
  'active-slave-unseen': {
    what: 'balance-alb and balance-tlb change their active slave, and the old proof goes on',
    edits: [
      {
        file: 'src/readiness/known-bond.ts',
        find: "mode === 'balance-tlb' || mode === 'balance-alb';",
        replace: 'mode === undefined;',
      },
    ],
    tests: ['test/unit/readiness/epoch.test.ts'],
  },
  'worse-rival-unseats': {
    what: 'old adverts of a worse node make a healthy master doubt, whoever answers it',
    edits: [
      {
        file: 'src/readiness/doubt.ts',
        find: 'this.#rivals.set(address, { ...rival, unansweredSince: now });',
        replace: 'this.#rivals.set(address, { ...rival, unansweredSince: rival.unansweredSince });',
      },
    ],
    tests: ['test/unit/readiness/doubt.test.ts'],
  },
  'foreign-holder-ignored': {
    what: 'a host that answers for the virtual IP is ignored by who never heard a master',
    edits: [
      {
        file: 'src/readiness/vip-in-use.ts',
        find: `return policy === 'always' || !advertHeardInEpoch ? 'wait' : 'warn';`,
        replace: `return policy === 'always' || advertHeardInEpoch ? 'warn' : 'ignore';`,
      },
    ],
    tests: ['test/unit/readiness/link-gates.test.ts'],
  },
});
