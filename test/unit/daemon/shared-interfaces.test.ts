// Checks that an interface has one hub, by whatever names it is called and whenever it appears.
import { deepEqual, equal } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SharedInterfaces, type KnownInterface } from '../../../src/daemon/shared-interfaces.ts';
import { BoundLinks } from '../../../src/linux/links/bound-links.ts';
import type { Link, LinkWatch } from '../../../src/linux/links/link-watch.ts';
import { FakeLinks } from '../../fakes/link-watch.ts';

class FakeInterface implements KnownInterface {
  readonly interfaceName: string;
  readonly #links: LinkWatch;
  memberNames: string[];
  refreshed = 0;
  isAside = false;
  isClosed = false;

  constructor(interfaceName: string, links: LinkWatch) {
    this.interfaceName = interfaceName;
    this.memberNames = [interfaceName];
    this.#links = new BoundLinks(links);
  }

  link(): Link | undefined {
    return this.isAside ? undefined : this.#links.find(this.interfaceName);
  }

  isAbout(): boolean {
    return true;
  }

  refreshSoon(): Promise<void> {
    this.refreshed += 1;
    return Promise.resolve();
  }

  otherChanged(): void {
    this.refreshed += 1;
  }

  standAside(): void {
    this.isAside = true;
  }

  close(): void {
    this.isClosed = true;
  }
}

describe('the interfaces of a daemon', () => {
  test('are one for each interface that is there, by any of its names', async () => {
    const { interfaces, kernel, links } = await none();
    kernel.add('eth0', { altNames: ['enp6s18'] });
    kernel.add('eth1');
    equal(interfaces.of('eth0', links), interfaces.of('enp6s18', links));
    equal([...interfaces].length, 1);
    interfaces.of('eth1', links);
    equal([...interfaces].length, 2);
  });

  test('are one for each name while there is no interface, and one when it appears', async () => {
    const { interfaces, kernel, links } = await none();
    const first = interfaces.of('eth0', links);
    const second = interfaces.of('enp6s18', links);
    equal(interfaces.of('eth0', links), first);
    const ifindex = kernel.add('eth0', { altNames: ['enp6s18'] });
    deepEqual(interfaces.linkChanged({ name: 'eth0', ifindex }), [second]);
    deepEqual([first.isAside, second.isAside], [false, true]);
    deepEqual(interfaces.linkChanged({ name: 'eth0', ifindex }), [], 'told once');
    equal(interfaces.of('enp6s18', links), first, 'whoever comes now shares it');
  });

  test('are one as well where an interface gets the name that another waits for', async () => {
    const { interfaces, kernel, links } = await none();
    const ifindex = kernel.add('eth0');
    const first = interfaces.of('eth0', links);
    first.link();
    const waits = interfaces.of('wan0', links);
    deepEqual(interfaces.linkChanged({ name: 'eth0', ifindex }), []);
    kernel.set('eth0', { name: 'wan0' });
    deepEqual(interfaces.linkChanged({ name: 'wan0', ifindex }), [waits]);
  });

  test('break up where the interface goes that their instances call by several names', async () => {
    const { interfaces, kernel, links } = await none();
    const ifindex = kernel.add('eth0', { altNames: ['enp6s18'] });
    const other = kernel.add('eth1', { altNames: ['enp6s19'] });
    const shared = interfaces.of('eth0', links);
    shared.memberNames.push('enp6s18');
    const plain = interfaces.of('eth1', links);
    kernel.remove('eth1');
    deepEqual(
      interfaces.linkChanged({ name: 'eth1', ifindex: other }),
      [],
      'they all mean one name',
    );
    equal(plain.isAside, false);
    kernel.remove('eth0');
    // One of the names is another's in the same moment.
    kernel.add('eth0');
    deepEqual(interfaces.linkChanged({ name: 'eth0', ifindex }), [shared]);
    equal(shared.isAside, true);
    deepEqual(interfaces.linkChanged({ name: 'eth0', ifindex }), [], 'told once');
  });

  test('go with the last instance on them', async () => {
    const { interfaces, links } = await none();
    const shared = interfaces.of('eth0', links);
    interfaces.leave(shared);
    equal(shared.isClosed, false);
    shared.memberNames = [];
    interfaces.leave(shared);
    deepEqual([shared.isClosed, [...interfaces].length], [true, 0]);
  });
});

async function none(): Promise<{
  interfaces: SharedInterfaces<FakeInterface>;
  kernel: FakeLinks;
  links: LinkWatch;
}> {
  const kernel = new FakeLinks();
  const links = await kernel.open({ onChange: () => undefined, onError: () => undefined });
  return {
    interfaces: new SharedInterfaces((name, watch) => new FakeInterface(name, watch)),
    kernel,
    links,
  };
}
