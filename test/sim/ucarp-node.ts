// A node that runs the stock ucarp.
import type { Cadence } from '../../src/election/cadence.ts';
import type { SimNode, Surroundings } from './node.ts';
import type { Station } from './station.ts';
import { StockUcarp } from './stock-ucarp.ts';

export class UcarpNode extends StockUcarp implements SimNode {
  readonly station: Station;

  constructor(
    world: Surroundings,
    station: Station,
    cadence: Cadence & { readonly preempt: boolean },
  ) {
    super(world, station, cadence);
    this.station = station;
  }
}
