// keepalived on a host of a lab: what a host runs before it moves to carpd.
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Child } from './child.ts';
import type { Host } from './host.ts';

const KEEPALIVED = '/usr/sbin/keepalived';
const ROUTER_ID = 51;

/** Why keepalived can't take part, for the `skip` option of node:test; false if it can. */
export function keepalivedSkipReason(): string | false {
  return existsSync(KEEPALIVED) ? false : `${KEEPALIVED} is not installed`;
}

/** Starts keepalived with one VRRP instance; the higher priority wins. */
export function startKeepalived(host: Host, vip: string, priority: number): Child {
  const directory = mkdtempSync(join(host.directory, 'keepalived-'));
  const file = join(directory, 'keepalived.conf');
  writeFileSync(file, configuration(host, vip, priority));
  const pids = ['-p', 'parent.pid', '-r', 'vrrp.pid'].map((word) =>
    word.endsWith('.pid') ? join(directory, word) : word,
  );
  const argv = [KEEPALIVED, '--dont-fork', '--log-console', '--vrrp', '-f', file, ...pids];
  return host.spawn(argv, { label: `keepalived on ${host.name}` });
}

function configuration(host: Host, vip: string, priority: number): string {
  return `vrrp_instance lab {
  state BACKUP
  interface ${host.interface}
  virtual_router_id ${ROUTER_ID}
  priority ${priority}
  advert_int 1
  virtual_ipaddress {
    ${vip}/${host.prefixLength}
  }
}
`;
}
