// The groups of a configuration, as adverts are checked against them.
import type { InstanceConfig } from '../config/config.ts';
import type { KnownGroup } from './observe.ts';

/** One for each instance; holds the passphrases, so that it is kept no longer than it is needed. */
export function knownGroups(instances: readonly InstanceConfig[]): readonly KnownGroup[] {
  return instances.map(({ name, passphrase, vhid, address, destination }) => ({
    name,
    key: { passphrase: passphrase.reveal(), vhid, addresses: [address.ip] },
    destination,
  }));
}
