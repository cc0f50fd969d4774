// What a hook gets in its environment besides ucarp's arguments. Pure.
import { formatIpv4, type Ipv4 } from '../../base/addresses.ts';
import type { ElectionSnapshot } from '../../election/snapshot.ts';
import type { LastTransition } from '../../report/report.ts';

/** What is known of an instance when a hook is due. */
export interface HookView {
  readonly name: string;
  readonly election: Pick<ElectionSnapshot, 'state' | 'leaving' | 'master'>;
  readonly lastTransition: LastTransition | undefined;
  /** The node's own address. */
  readonly source: Ipv4 | undefined;
}

/** The variables of the hook; what is not known is empty, so that each is always set. */
export function hookSituation(view: HookView): Readonly<Record<string, string>> {
  const { name, election, lastTransition, source } = view;
  const { state, leaving, master } = election;
  const server = state === 'MASTER' ? source : master?.address;
  return {
    INSTANCE: name,
    STATE: state,
    PREVIOUS: lastTransition?.from ?? '',
    CAUSE: leaving ?? lastTransition?.cause ?? '',
    MASTER: server === undefined ? '' : formatIpv4(server),
  };
}
