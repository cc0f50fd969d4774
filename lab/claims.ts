// A stranger that claims an address by ARP, and a client that may believe it.
import { fileURLToPath } from 'node:url';
import type { Host } from './host.ts';
import { eventually } from './wait.ts';

const CLAIM = fileURLToPath(new URL('claim.py', import.meta.url));

/** The client talks to the address, until it has it in its table. */
export async function learn(client: Host, vip: string, withinMs: number): Promise<void> {
  const knows = async (): Promise<boolean> => {
    const script = 'ping -n -c 1 -W 1 "$1" >/dev/null || true';
    await client.exec(['sh', '-c', script, 'sh', vip]);
    return (await neighbour(client, vip)) !== undefined;
  };
  await eventually(knows, { withinMs, what: `the client knows ${vip}` });
}

/** The MAC address at which the client has it; undefined: it is not in its table. */
export async function neighbour(client: Host, vip: string): Promise<string | undefined> {
  const text = await client.ip('neigh', 'show', vip, 'dev', client.interface);
  return / lladdr (\S+)/.exec(text)?.[1];
}

/**
 * The stranger says so often, every 10 ms, that the address is its own, or at another MAC. `form`:
 * the word for claim.py.
 */
export async function claim(
  stranger: Host,
  vip: string,
  form: string,
  times: number,
  mac = stranger.mac,
): Promise<void> {
  await stranger.exec(['python3', CLAIM, stranger.interface, form, vip, mac, String(times)]);
}
