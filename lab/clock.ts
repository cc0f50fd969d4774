// The lab's one time line: milliseconds of performance.now(), to which log lines, hook events and
// captured frames, which carry wall-clock stamps of other processes, are brought.
import { performance } from 'node:perf_hooks';

/** Now, in milliseconds with fraction on the lab's time line. Only differences mean anything. */
export function nowMs(): number {
  return performance.now();
}

/**
 * The instant of a wall-clock stamp (milliseconds since 1970) on the lab's time line. Exact as long
 * as nobody steps the machine's clock while the test process runs.
 */
export function fromWallMs(wallMs: number): number {
  return wallMs - performance.timeOrigin;
}
