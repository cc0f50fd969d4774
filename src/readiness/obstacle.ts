// An obstacle: why the CARP socket does not hear adverts that come in.
import type { Warning } from './reasons.ts';

/** What keeps adverts from the CARP socket that the frame witness sees; looking: not known yet. */
export type Obstacle = 'firewall' | 'reverse-path' | 'upper-interface' | 'unknown' | 'looking';

const WARNINGS = {
  firewall: ['adverts-only-by-witness'],
  'reverse-path': ['adverts-kept-by-rp-filter'],
  'upper-interface': ['adverts-kept-by-upper-interface'],
  unknown: ['adverts-kept-by-unknown'],
  looking: [],
} as const satisfies Record<Obstacle, readonly Warning[]>;

/** The warning that names it; none while the daemon still looks for it. */
export function obstacleWarning(obstacle: Obstacle): readonly Warning[] {
  return WARNINGS[obstacle];
}
