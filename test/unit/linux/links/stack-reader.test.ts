// When the stack of an interface is looked at anew: not as long as nothing has changed.
import { equal } from 'node:assert/strict';
import { test } from 'node:test';
import { StackReader } from '../../../../src/linux/links/stack-reader.ts';
import { FakeLinks } from '../../../fakes/link-watch.ts';

test('it is stale once something that it is made of has changed, until it is read', async () => {
  const links = new FakeLinks();
  links.add('eth0');
  links.add('eth1');
  const watch = await links.open({ onChange: () => undefined, onError: () => undefined });
  let looks = 0;
  const counted = new Proxy(watch, {
    get: (target, key) => {
      if (key === 'all') looks += 1;
      return Reflect.get(target, key) as unknown;
    },
  });
  const reader = new StackReader({
    interfaceName: 'eth0',
    links: counted,
    onFaults: () => undefined,
  });
  const isStaleAfter = (expectedLooks: number): boolean => {
    looks = 0;
    const isStale = reader.isStale();
    equal(looks > 0 ? 1 : 0, expectedLooks, 'looks at the links');
    return isStale;
  };

  equal(isStaleAfter(1), true, 'it was never read');
  reader.read();
  equal(isStaleAfter(0), false);
  links.setUp('eth0', true);
  equal(isStaleAfter(1), true);
  equal(isStaleAfter(1), true, 'it was not read yet');
  reader.read();
  equal(isStaleAfter(0), false);
  links.setUp('eth1', true);
  equal(isStaleAfter(1), false, 'it does not stand on that one');
  equal(isStaleAfter(0), false);
  equal(reader.useUplinks(['eth1']), true);
  equal(isStaleAfter(1), true, 'other uplinks count');
});
