// Deliberate faults in how a daemon is put together: locks, reloads, sockets, ends.
import { named } from './fault.ts';

export const WIRING_FAULTS = named({
  'group-lock-ignored': {
    what: 'a second daemon serves a group that another one on the host serves',
    edits: [
      {
        file: 'src/groups/group-claim.ts',
        find: `if (attempt.kind === 'held') return attempt;`,
        replace: `if (attempt.kind === 'held') return { kind: 'ours' };`,
      },
    ],
    tests: ['test/unit/daemon/several.test.ts'],
  },
  'own-claims-contested': {
    what: 'another interface of this host counts as another host that claims the address',
    edits: [
      {
        file: 'src/daemon/interface/shared-interface.ts',
        find: 'isOwnMac: (mac) => [...links.all()].some((link) => link.mac === mac),',
        replace: 'isOwnMac: () => false,',
      },
    ],
    tests: ['test/unit/daemon/election.test.ts'],
  },
  'group-not-let-go': {
    what: 'an instance that has ended keeps its group',
    edits: [
      {
        file: 'src/daemon/instance/instance.ts',
        find: 'this.#options.claim.release();',
        replace: '',
      },
    ],
    tests: ['test/unit/daemon/several.test.ts'],
  },
  'reload-drops-an-instance': {
    what: 'an instance that a reload adds, or begins anew, is not begun',
    edits: [
      {
        file: 'src/daemon/reload.ts',
        find: 'const fresh = [...added, ...others(restarting)];',
        replace: 'const fresh = others(restarting);',
      },
    ],
    tests: ['test/unit/daemon/several.test.ts', 'test/unit/daemon/reload-in-place.test.ts'],
  },
  'reload-keeps-what-is-removed': {
    what: 'an instance that a reload removes goes on',
    edits: [
      {
        file: 'src/daemon/reload.ts',
        find: 'await retireAll([...diff.removed, ...restarting], instances);',
        replace: 'await retireAll(restarting, instances);',
      },
    ],
    tests: ['test/unit/daemon/several.test.ts'],
  },
  'reload-forgets-settings': {
    what: 'a setting that changes in place reaches no election',
    edits: [
      {
        file: 'src/daemon/instance/instance.ts',
        find: `this.#feed({ kind: 'reconfigured', settings: changeableSettings(config) });`,
        replace: '',
      },
    ],
    tests: ['test/unit/daemon/reload-in-place.test.ts'],
  },
  'stale-address-stays': {
    what: 'what a daemon that was killed has left on the interface stays there',
    edits: [
      {
        file: 'src/daemon/instance/instance.ts',
        find:
          'if (this.#usability.mayRemoveStale(sharedInterface.link())) ' +
          'await this.effects.removeStale();',
        replace: '',
      },
    ],
    seed: 6,
    tests: ['test/unit/daemon/election.test.ts', 'test/unit/daemon/several.test.ts'],
  },
  'frames-only-by-raw-socket': {
    what: 'adverts go through the neighbour table and the firewall of the host',
    edits: [
      {
        file: 'src/traffic/advert-way.ts',
        find: `    try {
      this.#sendFrame(packet, station);
    } catch (error) {`,
        replace: `    try {
      await carp.send(packet, formatIpv4(destination));
    } catch (error) {`,
      },
    ],
    tests: ['test/unit/traffic/advert-way.test.ts'],
  },
  'broken-sockets-not-reopened': {
    what: 'sockets that broke are not opened again',
    edits: [
      {
        file: 'src/traffic/interface-sockets.ts',
        find: 'this.#cancelReopening = startTimer(delayMs, onTrouble);',
        replace: 'this.#cancelReopening = startTimer(delayMs, () => void onTrouble);',
      },
    ],
    seed: 2,
  },
  'sockets-of-a-gone-interface': {
    what: 'the sockets of an interface that was replaced are kept',
    edits: [
      {
        file: 'src/traffic/interface-sockets.ts',
        find:
          'if (this.#sockets !== undefined && this.#sockets.ifindex !== ' +
          'this.#options.link()?.ifindex) {',
        replace: 'if (this.#closed) {',
      },
    ],
    seed: 1,
  },
  'witness-stays-open': {
    what: 'an interface that ends keeps its frame witness',
    edits: [
      {
        file: 'src/daemon/interface/link-driver.ts',
        find: '    this.#witness.close();\n',
        replace: '',
      },
    ],
    tests: ['test/unit/daemon/several.test.ts'],
  },
});
