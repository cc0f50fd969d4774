// A pair of connected interfaces, "va" and "vb", in the namespace of the test.
import { openLinkWatch, type LinkWatch } from '../../src/linux/links/link-watch.ts';
import { eventually } from '../../lab/wait.ts';
import { shell } from './namespace.ts';

const WITHIN_MS = 5_000;

/** Runs `body` with the indexes of both ends; takes them, and all firewall rules, away after it. */
export async function withVeth(body: (va: number, vb: number) => Promise<void>): Promise<void> {
  await shell(`
    echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
    ip link add va type veth peer name vb; ip link set va up; ip link set vb up`);
  try {
    await running('va', 'vb');
    await body(await indexOf('va'), await indexOf('vb'));
  } finally {
    await shell('ip link del va 2>/dev/null || true; nft flush ruleset');
  }
}

/** Waits until the interfaces are up: before that, the queues of a new one drop everything. */
export function running(...names: readonly string[]): Promise<boolean> {
  return withLinks((links) => {
    const up = (name: string): boolean => links.find(name)?.operstate === 'up';
    return eventually(() => names.every(up), { withinMs: WITHIN_MS, what: 'links up' });
  });
}

/** The index of an interface that is there. */
export function indexOf(name: string): Promise<number> {
  return withLinks((links) => {
    const link = links.find(name);
    if (link === undefined) throw new Error(`no interface ${name}`);
    return Promise.resolve(link.ifindex);
  });
}

async function withLinks<Value>(body: (links: LinkWatch) => Promise<Value>): Promise<Value> {
  const links = await openLinkWatch({ onChange: () => undefined, onError: fails });
  try {
    return await body(links);
  } finally {
    links.close();
  }
}

function fails(error: unknown): never {
  throw error;
}
