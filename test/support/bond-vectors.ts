// The captured netlink messages of real bonds (test/vectors/netlink-bond.json), by the state of the
// bond in which they were taken.
import { readFileSync } from 'node:fs';
import { LinkTable } from '../../src/linux/links/link-table.ts';
import { readNetlink } from '../../src/linux/links/netlink.ts';

/** What iproute2 made of the same message, as far as the tests look. */
export interface BondVector {
  /** The state of the bond, a colon, and whose message it is. */
  readonly name: string;
  readonly message: string;
  readonly meaning?: {
    readonly ifindex: number;
    readonly ifname: string;
    readonly kind?: string;
    readonly data?: {
      readonly mode?: string;
      readonly active_slave?: string;
      readonly ad_info?: { readonly aggregator: number; readonly partner_mac: string };
    };
    readonly slaveKind?: string;
    readonly slaveData?: {
      readonly state: string;
      readonly mii_status: string;
      readonly ad_aggregator_id?: number;
      readonly ad_actor_oper_port_state?: number;
      readonly ad_partner_oper_port_state?: number;
    };
  };
}

const FILE = new URL('../vectors/netlink-bond.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(FILE, 'utf8')) as { vectors: readonly BondVector[] };

/** Those of one state, in the order in which they were taken; fails if there are none. */
export function bondVectors(state: string): readonly BondVector[] {
  const found = vectors.filter(({ name }) => name.startsWith(`${state}: `));
  if (found.length === 0) throw new Error(`no vectors of "${state}"`);
  return found;
}

/** A table that was told of these states, one after the other. */
export function bondTable(...states: readonly string[]): LinkTable {
  const table = new LinkTable();
  for (const vector of states.flatMap(bondVectors)) tell(table, vector);
  return table;
}

/** Lets the table have this message, as the link watch does. */
export function tell(table: LinkTable, { message }: BondVector): void {
  for (const event of readNetlink(Buffer.from(message, 'hex'))) {
    if (event.kind === 'link') table.setLink(event.link);
  }
}
