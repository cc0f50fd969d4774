// The commands of carpd, as the argument list asks for them. Pure.
import type { GivenAnswers } from './init-plan.ts';

/** The commands, as they are typed. */
export const COMMAND_NAMES = [
  'run',
  'check',
  'status',
  'explain',
  'watch',
  'handover',
  'maintenance',
  'init',
  'sniff',
  'doctor',
  'release',
  'reload',
  'version',
] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];

/** What was asked for. `topic` undefined: the help of carpd as a whole. */
export type CarpdCommand =
  | { readonly kind: 'run'; readonly configPath: string }
  | CheckCommand
  | StatusCommand
  | ExplainCommand
  | WatchCommand
  | HandoverCommand
  | MaintenanceCommand
  | InitCommand
  | SniffCommand
  | DoctorCommand
  | ReleaseCommand
  | ReloadCommand
  | { readonly kind: 'help'; readonly topic: CommandName | undefined }
  | { readonly kind: 'version' }
  | CarpdMisuse;

export interface CheckCommand {
  readonly kind: 'check';
  readonly configPath: string;
  readonly json: boolean;
  /** Print faults and warnings, and nothing else. */
  readonly quiet: boolean;
  /** False: their files are not read, since they may be out of reach here. */
  readonly passphrases: boolean;
  /** Print the difference to what the running daemon goes by, and nothing else. */
  readonly diff: boolean;
  /** Undefined: where the daemon of the file may answer. */
  readonly socketPath: string | undefined;
}

export interface StatusCommand {
  readonly kind: 'status';
  /** Also what would be folded. */
  readonly all: boolean;
  /** The instance; undefined: all. */
  readonly name: string | undefined;
  readonly json: boolean;
  /** Again and again. */
  readonly watch: boolean;
  readonly socketPath: string;
}

export interface ExplainCommand {
  readonly kind: 'explain';
  /** The instance; undefined: the only one that there is. */
  readonly name: string | undefined;
  readonly json: boolean;
  readonly socketPath: string;
}

export interface WatchCommand {
  readonly kind: 'watch';
  /** The instance; undefined: everything. */
  readonly name: string | undefined;
  /** Undefined: text on a terminal, JSON for anything else. */
  readonly format: 'text' | 'json' | undefined;
  /** Also what is frequent. */
  readonly verbose: boolean;
  readonly socketPath: string;
}

/** Whom an order concerns: an instance by its name, all, or the only one that there is. */
interface OrderCommand {
  readonly name: string | undefined;
  /** Never with `name`. */
  readonly all: boolean;
  readonly force: boolean;
  readonly json: boolean;
  readonly socketPath: string;
}

export interface HandoverCommand extends OrderCommand {
  readonly kind: 'handover';
}

export interface MaintenanceCommand extends OrderCommand {
  readonly kind: 'maintenance';
  /** Undefined: show how it is; then no name is all. */
  readonly on: boolean | undefined;
}

/** What `carpd init` was given of its answers, as it was typed. */
export interface InitCommand {
  readonly kind: 'init';
  readonly given: GivenAnswers;
  /** Where the configuration goes; the passphrase file stands beside it unless it is named. */
  readonly configPath: string;
  readonly passphrasePath: string | undefined;
  /** Replace a configuration that is there; the old one is kept beside it. */
  readonly force: boolean;
  /** Look for what is in the way when it is written. */
  readonly examine: boolean;
}

/** Exactly one of `interfaceName` and `file` is given. */
export interface SniffCommand {
  readonly kind: 'sniff';
  readonly interfaceName: string | undefined;
  /** A capture file, "-" for standard input. */
  readonly file: string | undefined;
  /** Undefined: digests are not checked. */
  readonly configPath: string | undefined;
  readonly json: boolean;
  /** Ends after so many packets, or seconds. */
  readonly count: number | undefined;
  readonly seconds: number | undefined;
}

export interface ReleaseCommand {
  readonly kind: 'release';
  readonly configPath: string;
  /** The instances; none: all. */
  readonly names: readonly string[];
  /** Say nothing of addresses that are not there. */
  readonly quiet: boolean;
}

export interface ReloadCommand {
  readonly kind: 'reload';
  /** Only say what it would do. */
  readonly dryRun: boolean;
  /** Of the daemon that is meant; undefined: the one at the usual socket. */
  readonly configPath: string | undefined;
  /** Whom to signal where no socket answers. */
  readonly pid: number | undefined;
  /** Undefined: where the daemon of the file may answer. */
  readonly socketPath: string | undefined;
}

export interface DoctorCommand {
  readonly kind: 'doctor';
  /** Undefined: `interfaceName` alone is looked at. */
  readonly configPath: string | undefined;
  readonly interfaceName: string | undefined;
  readonly json: boolean;
  /** How long segments are listened to; 0: not at all. */
  readonly seconds: number;
}

/** Wrong usage: exit code 2; one line without the program's name. */
export interface CarpdMisuse {
  readonly kind: 'error';
  readonly message: string;
}
