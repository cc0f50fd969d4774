// podman for tests, with a store and settings of its own, so that it leaves the machine's alone.
import { ok } from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { Child } from '../../lab/child.ts';
import { runSync } from '../../lab/command.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Kept from run to run: making the images that all others begin from takes half a minute. */
const STORE = '/var/tmp/carpd-containers';
const COMMAND_MS = 600_000;

/** What podman has to be told by its environment. */
export const PODMAN_ENV = {
  CONTAINERS_STORAGE_CONF: `${STORE}/storage.conf`,
  CONTAINERS_CONF: `${STORE}/containers.conf`,
};

/** Makes debian:bookworm-slim and node:24-bookworm-slim from Debian's packages; pulls nothing. */
export async function makeBaseImages(): Promise<void> {
  await succeeds(['bash', 'test/package/base-images.sh', STORE]);
}

/** Starts podman with these words. */
export function podman(...words: readonly string[]): Child {
  const label = `podman ${words[0] ?? ''}`;
  return new Child(['podman', ...words], { cwd: ROOT, env: PODMAN_ENV, label });
}

/** Runs podman to its end, while everything else stands still, for clean-up; never fails. */
export function podmanSync(...words: readonly string[]): void {
  const settings = Object.entries(PODMAN_ENV).map(([name, value]) => `${name}=${value}`);
  runSync(['env', ...settings, 'podman', ...words]);
}

/** Runs a command, with podman's environment, and yields what it said; fails if it fails. */
export async function succeeds(argv: readonly string[]): Promise<string> {
  const label = argv.slice(0, 4).join(' ');
  const child = new Child(argv, { cwd: ROOT, env: PODMAN_ENV, label });
  const { code } = await child.ended(COMMAND_MS);
  ok(code === 0, child.tail(60));
  return child.lines.map(({ text }) => text).join('\n');
}
