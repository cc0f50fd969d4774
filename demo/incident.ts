// The incident as the demo tells it: the same script for stock ucarp and for carpd, as plain data
// that comes out of the machine it was played in.

export type NodeName = 'a' | 'b';

/** Something that happened, in milliseconds since node B was started. */
export interface IncidentEvent {
  readonly atMs: number;
  readonly text: string;
  /** good: as it should be. bad: the fault that the demo shows. */
  readonly tone: 'plain' | 'good' | 'bad' | 'step';
}

/** A node was in a state for a time. */
export interface Bar {
  readonly node: NodeName;
  readonly state: 'INIT' | 'HELD' | 'BACKUP' | 'MASTER';
  readonly fromMs: number;
  readonly toMs: number;
}

/** One run of the script. */
export interface Incident {
  /** What node B runs; A runs stock ucarp in both. */
  readonly program: 'ucarp' | 'carpd';
  readonly events: readonly IncidentEvent[];
  readonly bars: readonly Bar[];
  /** When the switch began to forward. */
  readonly forwardsMs: number;
  readonly endMs: number;
  /** Who has the address at the end. */
  readonly holder: string;
}

/** Whether the healthy master kept the address, alone, all along. */
export function isKept({ bars, holder }: Incident): boolean {
  return holder === 'a' && !bars.some(({ node, state }) => node === 'b' && state === 'MASTER');
}
