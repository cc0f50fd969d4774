// Deliberate faults in how virtual IPs come and go.
import { named } from './fault.ts';

export const ADDRESS_FAULTS = named({
  'puts-back-released-vips': {
    what: 'a virtual IP that another instance released meanwhile is put back as taken along',
    edits: [
      {
        file: 'src/vip/keeper.ts',
        find: 'return wanted === undefined;',
        replace: 'return true;',
      },
    ],
    tests: ['test/unit/vip/keeper.test.ts'],
  },
  'ignores-wanted-flag': {
    what: 'a virtual IP that is not wanted is put back, one that is wanted is not',
    edits: [
      {
        file: 'src/vip/keeper.ts',
        find: `      if (wanted === true) this.#takenByUs.add(address);
      return wanted === undefined;`,
        replace: '      return wanted !== true;',
      },
    ],
    tests: ['test/unit/vip/keeper.test.ts'],
  },
  'own-losses-count-as-meddling': {
    what: 'a virtual IP that our own deletion took along counts as taken off by somebody',
    edits: [
      {
        file: 'src/vip/keeper.ts',
        find: 'if (wanted === true) this.#takenByUs.add(address);',
        replace: '',
      },
    ],
    tests: ['test/unit/vip/keeper.test.ts'],
  },
  'secondaries-not-promoted': {
    what: 'promote_secondaries is not seen to, and no picture is taken before a deletion',
    edits: [
      {
        file: 'src/vip/rescue.ts',
        find: `if (promotion?.inForce(place) === true) return { kind: 'none' };`,
        replace: `if (this.#options.batch !== undefined) return { kind: 'none' };`,
      },
    ],
    tests: ['test/unit/vip/keeper.test.ts'],
  },
  'losses-not-restored': {
    what: 'what the kernel took along with a virtual IP is not made anew',
    edits: [
      {
        file: 'src/vip/keeper.ts',
        find: 'if (losses.length === 0) return;\n    const unsaved',
        replace: 'if (losses.length >= 0) return;\n    const unsaved',
      },
    ],
    seed: 24,
    tests: ['test/unit/vip/keeper.test.ts'],
  },
  'promotion-stays-set': {
    what: 'promote_secondaries is not put back as it was',
    edits: [
      {
        file: 'src/vip/rescue.ts',
        find: 'await this.#options.promotion?.set(place, false);',
        replace: 'await Promise.resolve();',
      },
    ],
    tests: ['test/unit/vip/reconciler.test.ts'],
  },
  'own-source-must-be-primary': {
    what: 'an own address that is secondary is none',
    edits: [
      {
        file: 'src/addressing/own-addresses.ts',
        find: 'filter(({ address }) => !virtualIps.has(address));',
        replace: 'filter(({ address, secondary }) => !secondary && !virtualIps.has(address));',
      },
    ],
    tests: ['test/unit/addressing/usability.test.ts', 'test/unit/addressing/own-addresses.test.ts'],
  },
  'virtual-ip-as-source': {
    what: 'a virtual IP of this daemon is taken for an own address',
    edits: [
      {
        file: 'src/addressing/own-addresses.ts',
        find: 'filter(({ address }) => !virtualIps.has(address));',
        replace: 'filter(({ address }) => address > 0 || !virtualIps.has(address));',
      },
    ],
    tests: ['test/unit/addressing/own-addresses.test.ts'],
  },
  'bow-out-before-release': {
    what: 'a master that leaves bows out while its address is still on',
    edits: [
      {
        file: 'src/election/machine.ts',
        find: 'if (heldVip && !this.#holdsVip() && !this.#masterTerm.end()) this.#left(now);',
        replace: `if (heldVip && !this.#holdsVip()) {
      this.#masterTerm.end();
      this.#left(now);
    }`,
      },
    ],
    seed: 1,
    tests: ['test/unit/election/spec-leaving.test.ts'],
  },
  'bow-out-when-stuck': {
    what: 'an order to leave is obeyed though `ip addr del` fails: the address stays on',
    edits: [
      {
        file: 'src/election/step-down.ts',
        find: 'if (this.#mustLeave && !shown) return true;',
        replace: 'if (this.#mustLeave || shown) return true;',
      },
    ],
    seed: 20,
    tests: ['test/unit/election/spec-stuck.test.ts'],
  },
  'never-gives-up-stuck-order': {
    what: 'an order that waits for an address that is stuck is carried out after all',
    edits: [
      {
        file: 'src/election/step-down.ts',
        find: `if (this.#mustLeave) return 'leave';`,
        replace: `if (this.#cause !== undefined) return 'leave';`,
      },
    ],
    seed: 20,
    tests: ['test/unit/election/spec-stuck.test.ts'],
  },
  'forgotten-release': {
    what: 'a master that yields leaves its address on',
    edits: [
      {
        file: 'src/election/master-term.ts',
        find: `      this.#emit({ kind: 'release-vip', term: this.#term });`,
        replace: '',
      },
    ],
    seed: 1,
    tests: ['test/unit/election/spec.test.ts'],
  },
  'failed-release-not-retried': {
    what: 'an address that could not be removed is never tried again',
    edits: [
      {
        file: 'src/vip/reconciler.ts',
        find: `if (task.phase === 'retrying') this.#retryLater(task);`,
        replace: '',
      },
    ],
    seed: 29,
    tests: ['test/unit/vip/reconciler.test.ts'],
  },
  'unwanted-vip-stays': {
    what: 'a virtual IP that somebody puts on a backup stays there',
    edits: [
      {
        file: 'src/vip/reconciler.ts',
        find: 'if (shown !== task.present) this.#mend(task, byUs);',
        replace: 'if (!shown && task.present) this.#mend(task, byUs);',
      },
    ],
    seed: 9,
    tests: ['test/unit/vip/reconciler-watch.test.ts'],
  },
  'lost-vip-stays-lost': {
    what: 'a virtual IP that somebody takes off a master is not put back',
    edits: [
      {
        file: 'src/vip/reconciler.ts',
        find: 'if (shown !== task.present) this.#mend(task, byUs);',
        replace: 'if (shown && !task.present) this.#mend(task, byUs);',
      },
    ],
    seed: 1,
    tests: ['test/unit/vip/reconciler-watch.test.ts'],
  },
  'lone-host-backs-off': {
    what: 'a lone host puts a virtual IP that is removed again and again back ever later',
    edits: [
      {
        file: 'src/vip/reconciler.ts',
        find: 'if (!task.present || task.wentAlong || !this.#options.mayAnotherServe()) {',
        replace: 'if (!task.present || task.wentAlong) {',
      },
    ],
    tests: ['test/unit/vip/reconciler-watch.test.ts'],
  },
  'no-device-means-removed': {
    what: '"Cannot find device" is taken for "removed", as when the interface has another name',
    edits: [
      {
        file: 'src/vip/ip-outcome.ts',
        find: 'const ALREADY_GONE = /Cannot assign requested address|Address not found/i;',
        replace:
          'const ALREADY_GONE = /Cannot assign requested address|Address not found|Cannot find/i;',
      },
    ],
    tests: ['test/unit/vip/ip-outcome.test.ts'],
  },
  'late-add-of-unwanted-vip': {
    what: 'an address that nobody wants any more is added after slow preparations',
    edits: [
      {
        file: 'src/vip/keeper.ts',
        find: `return command.verb === 'del' || jobs[goal]?.errand.isWanted() === true;`,
        replace: `return command.verb === 'del' || jobs[goal] !== undefined;`,
      },
    ],
    tests: ['test/unit/vip/keeper.test.ts'],
  },
  'bow-out-from-new-source': {
    what: 'a bow-out leaves from another address than the adverts did, so that nobody obeys',
    edits: [
      {
        file: 'src/daemon/instance/advert-sender.ts',
        find: 'return sharedInterface.isLocal(before) ? before : now;',
        replace: 'return sharedInterface.isLocal(before) ? now : before;',
      },
    ],
    tests: ['test/unit/daemon/instance/advert-sender.test.ts', 'test/unit/daemon/election.test.ts'],
  },
});
