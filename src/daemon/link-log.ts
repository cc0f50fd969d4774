// What is told of the readiness of an interface: once for each change, never for each frame.
import { unreachable } from '../base/assert.ts';
import { fromSeconds, toMillis, type Micros } from '../base/time.ts';
import type { StackFault } from '../linux/link-facts.ts';
import type { ReadinessEffect } from '../readiness/effects.ts';
import { EPOCH_END_CAUSES, type Epoch } from '../readiness/epoch.ts';
import { WARNINGS, type Warning } from '../readiness/reasons.ts';
import { explain } from './gate-log.ts';
import type { Logger } from './log.ts';
import { RateLimit } from './rate-limit.ts';

const REPEAT_PERIOD = fromSeconds(60);

/** See the head of this file. */
export class LinkLog {
  readonly #interfaceName: string;
  readonly #log: Logger;
  readonly #now: () => Micros;
  readonly #repeats = new RateLimit(REPEAT_PERIOD, 16);
  #warned: readonly Warning[] = [];

  constructor(interfaceName: string, log: Logger, now: () => Micros) {
    this.#interfaceName = interfaceName;
    this.#log = log;
    this.#now = now;
  }

  epochBegan({ number, cause }: Epoch): void {
    if (cause === undefined) return;
    const text = `${this.#interfaceName}: ${EPOCH_END_CAUSES[cause]}; it has to prove itself anew`;
    this.#log.info('link-epoch', text, { interface: this.#interfaceName, epoch: number, cause });
  }

  verdict(effect: Extract<ReadinessEffect, { kind: 'verdict-changed' }>): void {
    const { verdict, heldFor } = effect;
    const fields = { interface: this.#interfaceName, reasons: verdict.reasons.join(' ') };
    if (heldFor === undefined) {
      const text = `${this.#interfaceName} has not proved itself: ${explain(verdict.reasons)}`;
      this.#log.debug('link-unproved', text, fields);
      return;
    }
    const heldMs = Math.round(toMillis(heldFor));
    const text = `${this.#interfaceName} has proved that it passes frames, after ${heldMs} ms`;
    this.#log.info('link-proved', text, { interface: this.#interfaceName, heldMs });
  }

  warnings(warnings: readonly Warning[]): void {
    for (const warning of warnings) {
      if (this.#warned.includes(warning)) continue;
      const { meaning, remedy } = WARNINGS[warning];
      const text = `${this.#interfaceName}: ${meaning}; ${remedy}`;
      this.#log.warn('link-warning', text, { interface: this.#interfaceName, warning });
    }
    this.#warned = warnings;
  }

  /** The socket that sees frames could not be opened, or failed; it is tried again. */
  tapFailed(reason: string): void {
    this.#failed(`${reason}; until it works, adverts alone can prove the link`);
  }

  /** What is wrong with the devices that the interface stands on. */
  stackFaults(faults: readonly StackFault[]): void {
    for (const fault of faults) this.#failed(describeStackFault(fault));
  }

  gatewaysUnread(reason: string): void {
    this.#failed(`the probe target \`gateway\` is not known: ${reason}`);
  }

  probeFailed(reason: string): void {
    this.#failed(`an ARP probe could not be sent: ${reason}`);
  }

  #failed(text: string): void {
    const allowed = this.#repeats.allow(text, this.#now());
    if (allowed === undefined) return;
    const fields = { interface: this.#interfaceName, repeats: allowed.untold };
    this.#log.warn('link-unreadable', `${this.#interfaceName}: ${text}`, fields);
  }
}

function describeStackFault(fault: StackFault): string {
  switch (fault.kind) {
    case 'no-uplink':
      return (
        `no port of the bridge ${fault.bridge} leads to other hosts by its kind, so no frame ` +
        'can prove the link; name the right ones in gate.uplinks'
      );
    case 'uplink-missing':
      return `the uplink ${fault.name} does not exist; correct gate.uplinks`;
    default:
      return unreachable(fault);
  }
}
