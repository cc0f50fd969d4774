// Checks that an interface has one hub, by whatever names it is called and whenever it appears.
import { deepEqual, equal } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Hubs, type KnownHub } from '../../../src/daemon/hubs.ts';
import { BoundLinks } from '../../../src/linux/links/bound-links.ts';
import type { Link, LinkWatch } from '../../../src/linux/links/link-watch.ts';
import { FakeLinks } from '../../fakes/link-watch.ts';

class FakeHub implements KnownHub {
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

describe('the hubs of a daemon', () => {
  test('are one for each interface that is there, by any of its names', async () => {
    const { hubs, kernel, links } = await none();
    kernel.add('eth0', { altNames: ['enp6s18'] });
    kernel.add('eth1');
    equal(hubs.of('eth0', links), hubs.of('enp6s18', links));
    equal([...hubs].length, 1);
    hubs.of('eth1', links);
    equal([...hubs].length, 2);
  });

  test('are one for each name while there is no interface, and one when it appears', async () => {
    const { hubs, kernel, links } = await none();
    const first = hubs.of('eth0', links);
    const second = hubs.of('enp6s18', links);
    equal(hubs.of('eth0', links), first);
    const ifindex = kernel.add('eth0', { altNames: ['enp6s18'] });
    deepEqual(hubs.linkChanged({ name: 'eth0', ifindex }), [second]);
    deepEqual([first.isAside, second.isAside], [false, true]);
    deepEqual(hubs.linkChanged({ name: 'eth0', ifindex }), [], 'told once');
    equal(hubs.of('enp6s18', links), first, 'whoever comes now shares it');
  });

  test('are one as well where an interface gets the name that another waits for', async () => {
    const { hubs, kernel, links } = await none();
    const ifindex = kernel.add('eth0');
    const first = hubs.of('eth0', links);
    first.link();
    const waits = hubs.of('wan0', links);
    deepEqual(hubs.linkChanged({ name: 'eth0', ifindex }), []);
    kernel.set('eth0', { name: 'wan0' });
    deepEqual(hubs.linkChanged({ name: 'wan0', ifindex }), [waits]);
  });

  test('break up where the interface goes that their instances call by several names', async () => {
    const { hubs, kernel, links } = await none();
    const ifindex = kernel.add('eth0', { altNames: ['enp6s18'] });
    const other = kernel.add('eth1', { altNames: ['enp6s19'] });
    const hub = hubs.of('eth0', links);
    hub.memberNames.push('enp6s18');
    const plain = hubs.of('eth1', links);
    kernel.remove('eth1');
    deepEqual(hubs.linkChanged({ name: 'eth1', ifindex: other }), [], 'they all mean one name');
    equal(plain.isAside, false);
    kernel.remove('eth0');
    // One of the names is another's in the same moment.
    kernel.add('eth0');
    deepEqual(hubs.linkChanged({ name: 'eth0', ifindex }), [hub]);
    equal(hub.isAside, true);
    deepEqual(hubs.linkChanged({ name: 'eth0', ifindex }), [], 'told once');
  });

  test('go with the last instance on them', async () => {
    const { hubs, links } = await none();
    const hub = hubs.of('eth0', links);
    hubs.leave(hub);
    equal(hub.isClosed, false);
    hub.memberNames = [];
    hubs.leave(hub);
    deepEqual([hub.isClosed, [...hubs].length], [true, 0]);
  });
});

async function none(): Promise<{ hubs: Hubs<FakeHub>; kernel: FakeLinks; links: LinkWatch }> {
  const kernel = new FakeLinks();
  const links = await kernel.open({ onChange: () => undefined, onError: () => undefined });
  return { hubs: new Hubs((name, watch) => new FakeHub(name, watch)), kernel, links };
}
