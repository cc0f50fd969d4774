// What systemd is told of this service, by the protocol of sd_notify(3): datagrams of lines
// VARIABLE=VALUE to the Unix socket that it names in the environment.
import { native } from '../sockets/native.ts';

/** systemd, or another service manager that speaks its protocol. */
export interface ServiceManager {
  /**
   * Within this time it wants to hear WATCHDOG=1, again and again, or it kills the process;
   * undefined: it does not watch.
   */
  readonly watchdogMs: number | undefined;
  /**
   * Sends these variables (sd_notify(3)) in one message. Never throws and never waits: what can't
   * be sent now goes out with the next call, where no later message of the same variables has
   * taken its place.
   */
  notify(variables: Readonly<Record<string, string>>): void;
}

/** Sends one datagram to a Unix socket, or throws; "@" begins an abstract name. */
export type SendDatagram = (path: string, bytes: Uint8Array) => void;

const MICROS_PER_MILLISECOND = 1_000;

/** The service manager that the environment names; undefined: none does, or not to this process. */
export function findServiceManager(
  env: Readonly<Record<string, string | undefined>> = process.env,
  pid = process.pid,
  send: SendDatagram = (path, bytes) => native().sendUnixDatagram(path, bytes),
): ServiceManager | undefined {
  const path = env['NOTIFY_SOCKET'] ?? '';
  // Others (vsock:CID:PORT) are for the manager of a virtual machine.
  if (!path.startsWith('/') && !path.startsWith('@')) return undefined;
  return new NotifySocket(path, watchdogMs(env, pid), send);
}

class NotifySocket implements ServiceManager {
  readonly watchdogMs: number | undefined;
  readonly #path: string;
  readonly #send: SendDatagram;
  /** Messages by the names of their variables, in the order in which they are to leave. */
  readonly #unsent = new Map<string, Uint8Array>();

  constructor(path: string, watchdogMs: number | undefined, send: SendDatagram) {
    this.#path = path;
    this.watchdogMs = watchdogMs;
    this.#send = send;
  }

  notify(variables: Readonly<Record<string, string>>): void {
    const names = Object.keys(variables).join();
    // A line break in a value would begin a variable of its own.
    const lines = Object.entries(variables).map(
      ([name, value]) => `${name}=${value.replaceAll(/[\0\r\n]+/g, ' ')}`,
    );
    this.#unsent.delete(names);
    this.#unsent.set(names, new TextEncoder().encode(lines.join('\n')));
    for (const [key, message] of this.#unsent) {
      try {
        this.#send(this.#path, message);
      } catch {
        // Its queue is full, or it is being replaced; what comes later must not overtake this.
        return;
      }
      this.#unsent.delete(key);
    }
  }
}

/** WATCHDOG_USEC, unless it is meant for another process (sd_watchdog_enabled(3)). */
function watchdogMs(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): number | undefined {
  const wantedPid = env['WATCHDOG_PID'];
  if (wantedPid !== undefined && wantedPid !== String(pid)) return undefined;
  const text = env['WATCHDOG_USEC'] ?? '';
  const ms = /^\d{1,15}$/.test(text) ? Number(text) / MICROS_PER_MILLISECOND : 0;
  return ms > 0 ? ms : undefined;
}
