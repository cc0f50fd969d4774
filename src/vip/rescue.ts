// Keeps what hangs on a virtual IP that is deleted: the other addresses of its prefix and the
// routes through them. The kernel keeps them itself where promote_secondaries is set for the
// interface; where that may not be set, what went is made anew.
import { shellWord } from '../base/command.ts';
import type { Ipv4 } from '../base/addresses.ts';
import type { AddressBatch, BatchOptions } from './address-batch.ts';
import { IP_BATCH, type IpOutcome, type VipFaultReason } from './ip-outcome.ts';
import { commandLine, type Vip } from './plan.ts';
import { lossesBetween, restoreCommand, type Loss } from './plan-losses.ts';
import { missingRoutes, readAddresses, SHOW_ADDRESSES, SHOW_ROUTES } from './plan-routes.ts';
import type { AddressRecord, Place, SecondaryPromotion } from './ports.ts';

export interface RescueOptions extends BatchOptions {
  readonly batch: AddressBatch;
  /** Undefined: nobody can set it. */
  readonly promotion: SecondaryPromotion | undefined;
}

/**
 * What was done before a deletion. `promoted`: the kernel keeps everything, and the setting has to
 * be put back. `pictured`: these were the routes and the addresses, as `ip -j` shows them;
 * undefined: not known.
 */
export type Precaution =
  | { readonly kind: 'none' }
  | { readonly kind: 'promoted' }
  | {
      readonly kind: 'pictured';
      readonly routes: string | undefined;
      readonly addresses: string | undefined;
    };

/**
 * Losses that could not be made anew, with the command that makes each by hand, and lines for `ip`
 * that would have made the routes anew.
 */
export interface Unsaved {
  readonly losses: ReadonlyMap<Loss, string>;
  readonly routes: readonly string[];
}

/** How an attempt ended. `may-pass`: it may go well next time. */
type Try = 'done' | 'may-pass' | 'refused';

const COMMAND_TIMEOUT_MS = 2_000;
/** So often it is tried: the interface may be renamed meanwhile, or `ip` be killed by somebody. */
const TRIES_MAX = 3;
/** Between two tries under one name: an `ip` that could not be started may be able to by then. */
const PAUSE_MS = 250;
/** Some ten thousand routes; of more, none is known. */
const OUTPUT_BYTES_MAX = 4 * 1_048_576;
const PASSING: readonly VipFaultReason[] = ['command-timeout', 'command-failed'];
const ALREADY_THERE = /File exists/i;
const FAILED_LINE = /^Command failed \S+:(\d+)$/;

/** Saves and restores what the kernel takes along with a virtual IP. */
export class Rescue {
  readonly #options: RescueOptions;

  constructor(options: RescueOptions) {
    this.#options = options;
  }

  /** Before addresses are deleted on which others hang. */
  async prepare(place: Place): Promise<Precaution> {
    const { promotion } = this.#options;
    if (promotion?.inForce(place) === true) return { kind: 'none' };
    if ((await promotion?.set(place, true)) === true) return { kind: 'promoted' };
    const [routes, addresses] = [await this.#show(SHOW_ROUTES), await this.#show(SHOW_ADDRESSES)];
    return { kind: 'pictured', routes, addresses };
  }

  /**
   * What went with the deleted addresses, where events of the kernel were lost so that they can't
   * tell. An address of which no picture was to be had is among it, with what is known of it.
   */
  async unheardLosses(
    precaution: Precaution,
    place: Place,
    {
      deleted,
      endangered,
    }: { readonly deleted: readonly Vip[]; readonly endangered: readonly Vip[] },
  ): Promise<readonly Loss[]> {
    if (precaution.kind !== 'pictured') return [];
    const { addresses } = precaution;
    const before =
      addresses === undefined ? endangered.map(plain) : readAddresses(addresses, place.name);
    const after = await this.#show(SHOW_ADDRESSES);
    const { name } = this.#placeNow(place);
    return lossesBetween(before, readAddresses(after ?? '', name), deleted);
  }

  /**
   * Makes the losses anew; one that somebody is quicker with is left as it is then. `place`: what
   * the interface was called before the deletion.
   */
  async restore(
    losses: readonly Loss[],
    precaution: Precaution,
    place: Place,
    virtualIps: ReadonlySet<Ipv4>,
  ): Promise<Unsaved> {
    let missing = losses;
    await this.#tryOften(place, async (now) => {
      const commands = missing.map(({ lost }) => restoreCommand(lost, now.name, place.name));
      const { each } = await this.#options.batch.run(commands, now);
      missing = missing.filter((_, index) => each[index]?.kind === 'fault');
      if (missing.length === 0) return 'done';
      return each.some(mayPass) ? 'may-pass' : 'refused';
    });
    const routes = await this.#restoreRoutes(precaution, place, virtualIps);
    const { name } = this.#placeNow(place);
    const byHand = missing.map((loss) => [loss, handCommand(loss, name, place.name)] as const);
    return { losses: new Map(byHand), routes };
  }

  /** After everything: the setting is put back as it was. */
  async finish(precaution: Precaution, place: Place): Promise<void> {
    if (precaution.kind === 'promoted') await this.#options.promotion?.set(place, false);
  }

  async #restoreRoutes(
    precaution: Precaution,
    place: Place,
    virtualIps: ReadonlySet<Ipv4>,
  ): Promise<readonly string[]> {
    if (precaution.kind !== 'pictured' || precaution.routes === undefined) return [];
    const { routes } = precaution;
    let unsaved: readonly string[] = [];
    await this.#tryOften(place, async (now) => {
      const after = await this.#show(SHOW_ROUTES);
      if (after === undefined) return 'may-pass';
      const lines = missingRoutes(routes, after, now, virtualIps, place.name);
      unsaved = [];
      if (lines.length === 0) return 'done';
      const said = await this.#run(IP_BATCH, lines.map((line) => `${line}\n`).join(''));
      unsaved = said?.ok === true ? [] : failedLines(lines, said?.output);
      if (unsaved.length === 0) return 'done';
      return said === undefined ? 'may-pass' : 'refused';
    });
    return unsaved;
  }

  /** Tries until it works or is refused, and once more for each new name of the interface. */
  async #tryOften(place: Place, attempt: (now: Place) => Promise<Try>): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const now = this.#placeNow(place);
      const came = await attempt(now);
      if (came === 'done' || tries === TRIES_MAX) return;
      if (this.#placeNow(place).name !== now.name) continue;
      if (came === 'refused') return;
      await this.#pause();
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => void this.#options.startTimer(PAUSE_MS, resolve));
  }

  /** The same interface by the name that it has now. */
  #placeNow(place: Place): Place {
    const { addresses } = this.#options;
    addresses.drain();
    const now = addresses.current();
    return now?.ifindex === place.ifindex ? now : place;
  }

  async #show(argv: readonly string[]): Promise<string | undefined> {
    const shown = await this.#run(argv);
    return shown?.ok === true ? shown.output : undefined;
  }

  async #run(
    argv: readonly string[],
    input?: string,
  ): Promise<{ readonly ok: boolean; readonly output: string } | undefined> {
    const { runCommand, env } = this.#options;
    const given = input === undefined ? {} : { input };
    const limits = { timeoutMs: COMMAND_TIMEOUT_MS, outputBytesMax: OUTPUT_BYTES_MAX };
    const result = await runCommand({ argv, env, ...limits, ...given }).result;
    if (result.kind !== 'exited' || result.truncated || result.code === undefined) return undefined;
    return { ok: result.code === 0, output: result.output };
  }
}

/** It may go well next time: `ip` was killed, hung, was not started, or failed without words. */
function mayPass(outcome: IpOutcome): boolean {
  return outcome.kind === 'fault' && PASSING.includes(outcome.fault.reason);
}

/** All that is known of an address of which there is no picture. */
function plain({ address, prefixLength }: Vip): AddressRecord {
  return { address, prefixLength, peer: address, scope: 0, noPrefixRoute: false };
}

/** How an address that could not be made anew is made by hand; see `restoreCommand`. */
function handCommand({ lost }: Loss, interfaceName: string, nameBefore: string): string {
  const command = restoreCommand(lost, interfaceName, nameBefore);
  return `ip ${commandLine(command, shellWord(interfaceName))}`;
}

/** Those that failed, but for routes that somebody has made meanwhile. */
function failedLines(lines: readonly string[], output: string | undefined): readonly string[] {
  if (output === undefined) return lines;
  const failed: string[] = [];
  let said = '';
  for (const text of output.split('\n')) {
    const number = FAILED_LINE.exec(text.trim())?.[1];
    if (number === undefined) {
      said += text;
      continue;
    }
    const line = lines[Number(number) - 1];
    if (line !== undefined && !ALREADY_THERE.test(said)) failed.push(line);
    said = '';
  }
  return failed;
}
