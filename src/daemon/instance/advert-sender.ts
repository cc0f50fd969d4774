// The adverts of one instance on their way out: written, signed, sent, and counted while pending.
import { messageOf } from '../../base/errors.ts';
import { writeAdvert } from '../../carp/advert.ts';
import type { Ipv4 } from '../../base/addresses.ts';
import { advertDigest, type GroupKey } from '../../carp/digest.ts';
import { writeCarpPacket } from '../../carp/ipv4.ts';
import type { InstanceConfig } from '../../config/config.ts';
import type { Effect } from '../../election/effects.ts';
import type { Ports } from '../../ports/ports.ts';
import type { SharedInterface } from '../interface/shared-interface.ts';

type SendAdvert = Extract<Effect, { kind: 'send-advert' }>;

export interface AdvertSenderOptions extends Pick<Ports, 'randomIdentification'> {
  /** As it is in force now: a reload may change it in place. */
  readonly config: () => InstanceConfig;
  readonly key: GroupKey;
  readonly sharedInterface: Pick<SharedInterface, 'sendAdvert' | 'isLocal'>;
  /** The address that the next advert comes from; undefined: none can be sent. */
  readonly source: () => Ipv4 | undefined;
  /** An advert has left, or could not; never called from within `send`. */
  readonly onDone: (sent: SendAdvert, ok: boolean) => void;
  readonly onFailed: (unsent: SendAdvert, reason: string) => void;
}

/** Sends the adverts of one instance in order. */
export class AdvertSender {
  readonly #options: AdvertSenderOptions;
  #pending = 0;
  /** The address that the last regular advert came from. */
  #advertisedFrom: Ipv4 | undefined;
  #allOut: Promise<void> = Promise.resolve();

  constructor(options: AdvertSenderOptions) {
    this.#options = options;
  }

  /** Adverts that have neither left nor failed yet. */
  get pending(): number {
    return this.#pending;
  }

  /** Settled when every advert so far has left, or can't. */
  get allOut(): Promise<void> {
    return this.#allOut;
  }

  send(effect: SendAdvert): void {
    this.#pending += 1;
    const sent = this.#send(effect);
    this.#allOut = this.#allOut.then(() => sent);
  }

  async #send(effect: SendAdvert): Promise<void> {
    const { advbase, advskew, counter } = effect;
    const { config, key, sharedInterface, randomIdentification, onDone, onFailed } = this.#options;
    const { vhid, destination, broadcast } = config();
    const from = this.#sourceOf(effect);
    let sent = false;
    try {
      if (from !== undefined) {
        const digest = advertDigest(key, counter);
        const bytes = writeAdvert({ vhid, advbase, advskew, demote: 0, counter, digest });
        const identification = randomIdentification();
        const packet = writeCarpPacket({ source: from, destination, identification }, bytes);
        await sharedInterface.sendAdvert(packet, destination, broadcast);
        sent = true;
      }
    } catch (error) {
      onFailed(effect, messageOf(error));
    }
    await Promise.resolve();
    this.#pending -= 1;
    onDone(effect, sent);
  }

  /**
   * A bow-out comes from where the adverts came from, as long as this host has that address: its
   * peers may obey nobody else.
   */
  #sourceOf({ advert }: SendAdvert): Ipv4 | undefined {
    const { source, sharedInterface } = this.#options;
    const now = source();
    if (advert === 'regular') this.#advertisedFrom = now;
    const before = this.#advertisedFrom;
    if (advert !== 'bow-out' || now === undefined || before === undefined) return now;
    return sharedInterface.isLocal(before) ? before : now;
  }
}
