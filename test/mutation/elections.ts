// Deliberate faults in what adverts mean to a node.
import { named } from './fault.ts';

export const ELECTION_FAULTS = named({
  'strangers-demote-byte-counts': {
    what: 'the demote byte of a node that is not the master makes a backup take over',
    edits: [
      {
        file: 'src/election/advert-rules.ts',
        find: 'const mayReplace = view.fromMaster && view.isAlone && view.sendsWell;',
        replace: 'const mayReplace = view.sendsWell;',
      },
    ],
    tests: ['test/unit/election/spec-demoted.test.ts'],
  },
  'strangers-bow-out-counts': {
    what: 'the bow-out of a third node, or one that is sent again, makes a backup take over',
    edits: [
      {
        file: 'src/election/advert-rules.ts',
        find: `return view.fromMaster ? 'promote-bow-out' : 'ignore';`,
        replace: `return 'promote-bow-out';`,
      },
    ],
    tests: ['test/unit/election/advert-rules.test.ts'],
  },
  'replayed-bow-out-counts': {
    what: 'a bow-out from another address counts, however old its counter is',
    edits: [
      {
        file: 'src/election/following.ts',
        find: 'return ahead > 0n && ahead <= COUNTER_AHEAD_MAX;',
        replace: 'return ahead >= 0n;',
      },
    ],
    tests: ['test/unit/election/following.test.ts'],
  },
  'farewell-on-a-tie': {
    what: 'a master that yields to an equal one sends a farewell, so that a BSD peer yields too',
    edits: [
      {
        file: 'src/election/machine.ts',
        find:
          `if (verdict === 'yield-to-equal') ` +
          `return this.#yield('tie-lost', from, advert, now);`,
        replace: `if (verdict === 'yield-to-equal') {
      this.#bid.send('farewell');
      return this.#yield('tie-lost', from, advert, now);
    }`,
      },
    ],
    tests: ['test/unit/election/spec.test.ts'],
  },
  'no-farewell': {
    what: 'a master that yields to a better one says nothing',
    edits: [
      {
        file: 'src/election/machine.ts',
        find: `if (this.#stepDown.cause === undefined) this.#bid.send('farewell');`,
        replace: '',
      },
    ],
    tests: ['test/unit/election/spec.test.ts'],
  },
  'tie-by-plain-address': {
    what: 'a tie goes by the order of addresses and not by that of ucarp',
    edits: [
      {
        file: 'src/election/preference.ts',
        find: 'return littleEndian(a) < littleEndian(b);',
        replace: 'return littleEndian(a) !== littleEndian(b) && a < b;',
      },
    ],
    tests: ['test/unit/election/preference.test.ts'],
  },
  'nobody-yields-on-a-tie': {
    what: 'of two masters with equal timers neither yields',
    edits: [
      {
        file: 'src/election/advert-rules.ts',
        find: 'if (remote === own && winsTie(from, self.source))',
        replace: 'if (remote === own && winsTie(from, self.source) && remote < 0)',
      },
    ],
    seed: 10,
    tests: ['test/unit/election/advert-rules.test.ts'],
  },
  'no-bow-out': {
    what: 'a master that leaves does not say so',
    edits: [{ file: 'src/election/machine.ts', find: `this.#bid.send('bow-out');`, replace: '' }],
    tests: ['test/unit/election/spec-leaving.test.ts'],
  },
  'address-before-advert': {
    what: 'the address and the hooks do not wait for the advert that goes before them',
    edits: [
      {
        file: 'src/daemon/instance/effect-runner.ts',
        find: 'advertsOut: () => this.#sender.allOut,',
        replace: 'advertsOut: () => Promise.resolve(),',
      },
    ],
    tests: [
      'test/unit/daemon/instance/master-resources.test.ts',
      'test/unit/daemon/election.test.ts',
    ],
  },
  'announces-after-step-down': {
    what: 'the rest of a burst of gratuitous ARP is sent after the step down',
    edits: [
      {
        file: 'src/election/master-term.ts',
        find: `    this.#deadlines.clear('upHook', 'askForVip', 'refresh');
    this.#emit({ kind: 'stop-announcing' });`,
        replace: `    this.#deadlines.clear('upHook', 'askForVip', 'refresh');`,
      },
    ],
    tests: ['test/unit/election/spec-leaving.test.ts', 'test/unit/election/spec.test.ts'],
  },
  'announcer-does-not-stop': {
    what: 'what was planned to be announced is announced after the stop',
    edits: [
      {
        file: 'src/vip/announcer.ts',
        find: `  stop(): void {
    this.#cancelBurst?.();`,
        replace: '  stop(): void {',
      },
    ],
    tests: ['test/unit/vip/announcer.test.ts'],
  },
  'claims-of-others-unanswered': {
    what: 'a master says nothing when another host claims its address',
    edits: [
      {
        file: 'src/election/master-term.ts',
        find: `if (!mute) this.#announce('contested', false);`,
        replace: '',
      },
    ],
    tests: ['test/unit/election/spec-defence.test.ts'],
  },
  'new-mac-unannounced': {
    what: 'nobody hears of it when the address is at another MAC address',
    edits: [
      {
        file: 'src/election/master-term.ts',
        find: `if (!mute) this.#announce('mac-changed', true);`,
        replace: '',
      },
    ],
    tests: ['test/unit/election/spec-sending.test.ts'],
  },
  'announces-in-doubt': {
    what: 'a master that doubts its path claims the address to everybody',
    edits: [
      {
        file: 'src/election/confidence.ts',
        find: 'return bid.inDoubt || catchingUp.on;',
        replace: 'return bid.inDoubt && catchingUp.on;',
      },
    ],
    tests: ['test/unit/election/spec-gate.test.ts'],
  },
  'deadlines-before-sockets': {
    what: 'after a stall deadlines count before what waits in the sockets',
    edits: [
      {
        file: 'src/daemon/interface/driver.ts',
        find: 'if (late || this.#all().some((member) => member.awaitsSilence(now))) {',
        replace: 'if (this.#isClosed()) {',
      },
    ],
    tests: ['test/unit/daemon/interface/driver.test.ts'],
  },
  'stall-proves-silence': {
    what: 'a process that stood still takes adverts that it did not hear for silence',
    edits: [
      {
        file: 'src/segment/segment.ts',
        find: `return this.#electAll({ kind: 'catching-up', lateBy: input.lateBy }, now);`,
        replace: '',
      },
    ],
    tests: ['test/unit/segment/segment.test.ts', 'test/unit/daemon/election.test.ts'],
  },
  'copies-not-paired': {
    what: 'an advert that comes in by both sockets counts twice',
    edits: [
      {
        file: 'src/segment/advert-pairs.ts',
        find: 'else if (takeLate(this.#given, single)) return undefined;',
        replace: '',
      },
    ],
    tests: ['test/unit/segment/advert-pairs.test.ts'],
  },
  'same-bytes-known-for-ever': {
    what: 'what a socket brought once is known for ever, as with OpenBSD masters behind a firewall',
    edits: [
      {
        file: 'src/segment/advert-pairs.ts',
        find: 'const LATE = fromSeconds(5);',
        replace: 'const LATE = fromSeconds(5_000_000);',
      },
    ],
    tests: ['test/unit/segment/advert-pairs.test.ts'],
  },
  'demoted-node-bids-as-before': {
    what: 'a master that cannot send bids as before',
    edits: [
      {
        file: 'src/election/bid.ts',
        find: 'if (this.demoted || this.inDoubt) return Math.max(advskew, DEMOTED_ADVSKEW);',
        replace: 'if (this.demoted && this.inDoubt) return Math.max(advskew, DEMOTED_ADVSKEW);',
      },
    ],
    tests: ['test/unit/election/send-health.test.ts', 'test/unit/election/spec-sending.test.ts'],
  },
  'maintenance-ignored': {
    what: 'a node in maintenance takes over again',
    edits: [
      {
        file: 'src/election/machine.ts',
        find: `return this.#hold('maintenance', input.on, now);`,
        replace: `return input.on ? this.#leave('maintenance', now) : undefined;`,
      },
    ],
    tests: ['test/unit/election/spec-leaving.test.ts'],
  },
  'claim-failure-ignored': {
    what: 'a master that could not add its address goes on as master',
    edits: [
      {
        file: 'src/election/machine.ts',
        find: `this.#leave('vip-failed', now);`,
        replace: '',
      },
    ],
    seed: 3,
    tests: ['test/unit/election/spec-gate.test.ts'],
  },
  'blind-to-worse-masters': {
    what: 'a backup with a flood in its socket takes the loss for silence',
    edits: [
      {
        file: 'src/segment/segment.ts',
        find: `this.#elect(name, { kind: 'unheard', until: unheardUntil }, now);`,
        replace: '',
      },
    ],
    tests: ['test/unit/segment/segment.test.ts'],
  },
  'any-digest-counts': {
    what: 'adverts of who does not know the passphrase count',
    edits: [
      {
        file: 'src/carp/accept.ts',
        find: 'return digestMatches(advertDigest(key, advert.counter), advert.digest);',
        replace:
          'return digestMatches(advertDigest(key, advert.counter), advert.digest) || key.vhid > 0;',
      },
    ],
    tests: ['test/unit/carp/accept.test.ts'],
  },
});
