// Hooks that fail because carpd is not root: what they say is seen, and what helps is said once.
import type { HookReport } from './hooks.ts';

/** As the C library, systemctl and ifup put it. */
const REFUSALS = new RegExp(
  [
    'operation not permitted',
    'permission denied',
    'read-only file system',
    'authentication required',
    'access denied',
    'must be (?:super-?user|root)',
  ].join('|'),
  'i',
);

const REMEDY =
  'what it does was refused, and carpd does not run as root here; where hooks need root, use the ' +
  'drop-in root.conf of the unit (docs/systemd.md, "Hooks that need root")';

/** Reads along with the hooks of one instance, which run one at a time. */
export class HookRights {
  readonly #isRoot: boolean;
  #wasRefused = false;
  #isReported = false;

  /** `isRoot`: hooks may do everything. */
  constructor(isRoot: boolean) {
    this.#isRoot = isRoot;
  }

  /** A line of the hook that runs. */
  line(text: string): void {
    this.#wasRefused ||= REFUSALS.test(text);
  }

  /** The report of that hook, with the remedy where it is the first that failed for this reason. */
  explain(report: HookReport): HookReport {
    const { result } = report;
    const wasRefused = this.#wasRefused;
    this.#wasRefused = false;
    if (result.kind !== 'failed' || !wasRefused || this.#isRoot || this.#isReported) return report;
    this.#isReported = true;
    return { ...report, result: { ...result, detail: `${result.detail}: ${REMEDY}` } };
  }
}
