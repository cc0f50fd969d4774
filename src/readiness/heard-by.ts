// By which socket the adverts of one instance come in: the CARP socket, or the frame witness alone.
import type { AdvertHeard } from './inputs.ts';
import { obstacleWarning, type Obstacle } from './obstacle.ts';
import type { Warning } from './reasons.ts';

/** Which socket hears the master of one instance. */
export class HeardBy {
  #onlyByWitness = false;
  #keptBy: Obstacle = 'looking';
  #socketHears = false;

  /** The last advert came by the witness and not by the CARP socket. */
  get onlyByWitness(): boolean {
    return this.#onlyByWitness;
  }

  /** An advert has come in by the CARP socket in this epoch. */
  get socketHears(): boolean {
    return this.#socketHears;
  }

  heard({ heardBy, keptBy = 'firewall' }: AdvertHeard): void {
    this.#onlyByWitness = heardBy === 'witness';
    this.#keptBy = keptBy;
    this.#socketHears ||= heardBy === 'socket';
  }

  epochBegan(): void {
    this.#socketHears = false;
  }

  /** What keeps adverts from the CARP socket, where something does and is known. */
  warnings(): readonly Warning[] {
    return this.#onlyByWitness ? obstacleWarning(this.#keptBy) : [];
  }
}
