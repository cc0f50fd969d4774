// Everything the readiness of an interface wants done or known, as plain data.
import type { Ipv4 } from '../base/addresses.ts';
import type { Micros } from '../base/time.ts';
import type { DoubtCause } from './doubt.ts';
import type { Epoch } from './epoch.ts';
import type { GateVerdict } from './gate.ts';
import type { Conditions, Verdict } from './judge.ts';
import type { Trust } from './path-trust.ts';
import type { Warning } from './reasons.ts';

export type ReadinessEffect =
  /**
   * A new epoch has begun; its cause ended the one before. Frames still queued in any socket are of
   * the old one: what is read from now on bears this number only if the socket was opened anew.
   */
  | { readonly kind: 'epoch-began'; readonly epoch: Epoch }
  /** The link's own verdict, policies apart. */
  | {
      readonly kind: 'verdict-changed';
      readonly verdict: Verdict;
      readonly conditions: Conditions;
      /** How long it was not ready; set if and only if it has become ready. */
      readonly heldFor: Micros | undefined;
    }
  /** What is to be warned of on this interface, all of it. */
  | { readonly kind: 'link-warnings-changed'; readonly warnings: readonly Warning[] }
  /** An instance's gate opened or closed, or is as it was for other reasons. */
  | {
      readonly kind: 'gate-changed';
      readonly name: string;
      readonly gate: GateVerdict;
      readonly warnings: readonly Warning[];
    }
  | {
      readonly kind: 'doubt-changed';
      readonly name: string;
      readonly inDoubt: boolean;
      /** Why it began; undefined when it ends. */
      readonly cause: DoubtCause | undefined;
    }
  /** How far the instance may trust its path, whatever its role. */
  | { readonly kind: 'path-changed'; readonly name: string; readonly trust: Trust }
  /**
   * The virtual IP of this master is at another MAC address from now on, and nobody else can have
   * taken it over: its neighbours have to hear of it, though the path has to prove itself anew.
   */
  | { readonly kind: 'master-moved'; readonly name: string }
  /**
   * Open the frame witness; what it sees bears this epoch. If it is open for an earlier epoch, open
   * it anew; if for this one, only what it lets through changes.
   */
  | {
      readonly kind: 'open-witness';
      readonly epoch: number;
      /**
       * any-frame: all that classifyFrame may count. one-frame: the first of them, and then it may
       * close by itself. adverts: those alone, which costs little.
       */
      readonly wanted: 'any-frame' | 'one-frame' | 'adverts';
    }
  | { readonly kind: 'close-witness' }
  /**
   * Send one ARP request for each address, and one RFC 5227 probe for each virtual IP. Answers are
   * wanted whether or not the witness is open.
   */
  | {
      readonly kind: 'probe';
      readonly addresses: readonly Ipv4[];
      readonly vips: readonly Ipv4[];
    }
  /** Find out which stations the kernel knows on the segment, and say so: neighbours-found. */
  | { readonly kind: 'find-neighbours' }
  /** Leave and join the groups of all instances: switches forget who wants to hear them. */
  | { readonly kind: 'rejoin-multicast' };
