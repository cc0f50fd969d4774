// Frames that were caught twice: at an uplink, whatever tags they bore there, and on the bridge
// above. The second copy lacks a tag or has another one, and all that follows is the same. Pure.
import { VLAN_TAG_TYPES } from '../../base/ethertypes.ts';
import type { WitnessedFrame } from '../../carp/frame.ts';

/** So many copies wait for their twins; of more the oldest are forgotten. */
const WAITING_MAX = 1_024;
/** What a frame is known by: its headers and some of what they carry. */
const KEY_BYTES = 160;

const ADDRESS_BYTES = 12;
const TAG_BYTES = 4;

/** Finds the second copy of a frame among those that came in a moment ago. */
export class TwinFrames<Origin> {
  #waiting: { readonly key: string; readonly origin: Origin }[] = [];

  /** One that came in at an uplink. */
  came(frame: WitnessedFrame, origin: Origin): void {
    this.#waiting.push({ key: keyOf(frame), origin });
    // Not at each one: to move all of them takes long.
    if (this.#waiting.length >= 2 * WAITING_MAX) this.#waiting = this.#waiting.slice(-WAITING_MAX);
  }

  /**
   * Where one came in that was caught on the bridge; undefined: it did not come in there. Each one
   * that came in is the twin of one other at most.
   */
  take(frame: WitnessedFrame): Origin | undefined {
    const key = keyOf(frame);
    const index = this.#waiting.findIndex((one) => one.key === key);
    return index === -1 ? undefined : this.#waiting.splice(index, 1)[0]?.origin;
  }
}

/** The addresses and what stands behind the tags. */
function keyOf({ bytes }: WitnessedFrame): string {
  let at = ADDRESS_BYTES;
  while (VLAN_TAG_TYPES.includes(((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0))) at += TAG_BYTES;
  const addresses = bytes.subarray(0, ADDRESS_BYTES);
  return Buffer.concat([addresses, bytes.subarray(at, at + KEY_BYTES)]).toString('latin1');
}
