// What has been read of a configuration, as it goes from one thread to another: the secrets go as
// bytes, which are in one of the two only.
import { deepFreeze, type Config, type InstanceConfig } from './config.ts';
import type { LoadResult } from './load.ts';
import { Secret } from './secret.ts';

/** An instance with its passphrase laid open. */
type OpenInstance = Omit<InstanceConfig, 'passphrase'> & {
  readonly passphrase: Uint8Array<ArrayBuffer>;
  /** The file that the passphrase is from. */
  readonly origin: string | undefined;
};

/** A LoadResult that can be sent. */
export type LoadMessage =
  | Exclude<LoadResult, { readonly ok: true }>
  | (Omit<Extract<LoadResult, { readonly ok: true }>, 'config'> & {
      readonly config: Omit<Config, 'instances'>;
      readonly instances: readonly OpenInstance[];
    });

/** The message, and the buffers that the sender loses by it. */
export function packed(result: LoadResult): {
  readonly message: LoadMessage;
  readonly transfer: readonly ArrayBuffer[];
} {
  if (!result.ok) return { message: result, transfer: [] };
  const { instances: closed, ...config } = result.config;
  const instances = closed.map((one) => ({
    ...one,
    passphrase: Uint8Array.from(one.passphrase.reveal()),
    origin: one.passphrase.origin,
  }));
  return {
    message: { ...result, config, instances },
    transfer: instances.map(({ passphrase }) => passphrase.buffer),
  };
}

/** The result that the message holds; wipes the passphrases in the message. */
export function unpacked(message: LoadMessage): LoadResult {
  if (!message.ok) return deepFreeze(message);
  const { instances: open, config, warnings } = message;
  const instances = open.map(({ origin, ...one }) => {
    const passphrase = new Secret(one.passphrase, origin);
    one.passphrase.fill(0);
    return { ...one, passphrase };
  });
  return deepFreeze({ ok: true, config: { ...config, instances }, warnings });
}
