// What an instance takes for its own adverts when its source address is exchanged.
import { deepEqual, equal } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatIpv4 } from '../../../../src/base/addresses.ts';
import { InterfaceUsability } from '../../../../src/daemon/instance/interface-usability.ts';
import { GroupClaim } from '../../../../src/groups/group-claim.ts';
import { InstanceEvents } from '../../../../src/events/publish/instance-events.ts';
import type { Link } from '../../../../src/linux/links/link-watch.ts';
import { dbConfig } from '../../../support/reports.ts';
import { FakeTime } from '../../vip/fakes.ts';
import { linkOf } from '../../../support/links.ts';

describe('the sources of an instance', () => {
  test('are those of the last three seconds, the present one first', async () => {
    const { time, usability, sources } = standing();
    deepEqual(sources(), []);
    usability.update(linkWith('10.9.0.10'), true);
    deepEqual(sources(), ['10.9.0.10']);
    await time.advance(10_000);
    usability.update(linkWith('10.9.0.11'), true);
    deepEqual(sources(), ['10.9.0.11', '10.9.0.10']);
    await time.advance(2_000);
    usability.update(linkWith('10.9.0.12'), true);
    deepEqual(sources(), ['10.9.0.12', '10.9.0.10', '10.9.0.11']);
    await time.advance(1_000);
    deepEqual(sources(), ['10.9.0.12', '10.9.0.11']);
    await time.advance(2_000);
    deepEqual(sources(), ['10.9.0.12']);
  });

  test('outlast the interface, from which adverts may still come in', async () => {
    const { time, usability, sources } = standing();
    usability.update(linkWith('10.9.0.10'), true);
    usability.update(undefined, true);
    equal(usability.source, undefined);
    deepEqual(sources(), ['10.9.0.10']);
    await time.advance(3_000);
    deepEqual(sources(), []);
  });
});

interface Standing {
  readonly time: FakeTime;
  readonly usability: InterfaceUsability;
  readonly sources: () => readonly string[];
}

function standing(): Standing {
  const time = new FakeTime();
  const { startTimer, clock: now } = time;
  const config = { ...dbConfig({}), source: undefined };
  const nobody = { leaving: () => undefined, release: () => undefined };
  const lockGroup = () => ({ kind: 'locked', lock: nobody }) as const;
  const usability = new InterfaceUsability({
    config: () => config,
    virtualIps: () => new Set([config.address.ip]),
    sharedInterface: {
      isLocal: () => true,
      elsewhere: () => [],
      link: () => undefined,
      linkDriver: { hasCarrier: () => true },
    },
    isServed: () => false,
    isServedElsewhere: () => false,
    instanceEvents: new InstanceEvents(
      () => config,
      () => undefined,
      now,
    ),
    claim: new GroupClaim({ config, startTimer, lockGroup }),
    now,
    lookAgain: () => undefined,
  });
  return { time, usability, sources: () => usability.ownSources.map(formatIpv4) };
}

function linkWith(address: string): Link {
  const addresses = [{ address, prefixLength: 24, secondary: false, scope: 0 }];
  return linkOf({ name: 'bond0', addresses });
}
