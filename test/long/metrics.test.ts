// A minute of scrapes without a pause: neither the heap of carpd nor its open files grow by them.
// Needs root and namespaces.
import { equal, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startCarpdInstances, type CarpdOptions } from '../../lab/carpd-peer.ts';
import { nowMs } from '../../lab/clock.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { scrape, withMetrics } from '../../lab/scrape.ts';
import { valueOf } from '../support/exposition.ts';

const GROUP = { vhid: 7, vip: '10.77.0.100', password: 'a secret' };
const INSTANCES = 20;
/** Until the compiler has seen all of it and the collector has found its pace. */
const WARM_UP_MS = 15_000;
const WINDOW_MS = 20_000;
const BETWEEN_MS = 10_000;
const SCRAPERS = 4;
/** A single text that is kept for each rendering would come to more than twice as much. */
const GROWTH_BYTES_MAX = 8_000_000;
const WITHIN_MS = 30_000;
const skip = await labSkipReason();

interface Used {
  readonly heapBytes: number;
  readonly files: number;
}

describe('a minute of scrapes', { skip }, () => {
  test('leaves heap and open files as they were', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const groups: Record<string, CarpdOptions> = {};
    for (let index = 1; index <= INSTANCES; index += 1) {
      groups[`g${index}`] = { ...GROUP, vhid: index, vip: `10.77.0.${100 + index}` };
    }
    const peers = startCarpdInstances(host, groups, withMetrics(host));
    for (const peer of peers) await peer.waitFor('MASTER', WITHIN_MS);

    /** The least of what was in use: what the collector could not take away. */
    const scrapeFor = async (forMs: number): Promise<Used> => {
      const endMs = nowMs() + forMs;
      let least: Used = { heapBytes: Infinity, files: Infinity };
      const scraper = async (): Promise<void> => {
        while (nowMs() < endMs) {
          const text = await scrape(host);
          const heapBytes = valueOf(text, 'nodejs_heap_size_used_bytes') ?? NaN;
          const files = valueOf(text, 'process_open_fds') ?? NaN;
          least = {
            heapBytes: Math.min(least.heapBytes, heapBytes),
            files: Math.min(least.files, files),
          };
        }
      };
      await Promise.all(Array.from({ length: SCRAPERS }, scraper));
      return least;
    };
    await scrapeFor(WARM_UP_MS);
    const before = await scrapeFor(WINDOW_MS);
    await scrapeFor(BETWEEN_MS);
    const after = await scrapeFor(WINDOW_MS);
    const grown = after.heapBytes - before.heapBytes;
    t.diagnostic(`heap ${before.heapBytes} bytes, then ${grown} more; files ${after.files}`);
    ok(grown < GROWTH_BYTES_MAX, `the heap grew by ${grown} bytes from ${before.heapBytes}`);
    ok(after.files <= before.files + 2, `${before.files} open files became ${after.files}`);
    for (const peer of peers) equal(peer.state(), 'MASTER');
  });
});
