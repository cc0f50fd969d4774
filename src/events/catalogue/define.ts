// How an event is defined: one record says what it tells, which fields it bears, how the log and
// the watchers word it, and what is counted of it. All else is made from the record.
import type { Micros } from '../../base/time.ts';
import type {
  CountedName,
  CounterName,
  HistogramName,
  OwnLabelsOf,
  ScopeOf,
} from '../../metrics/catalogue/metrics.ts';
import type { LabelValues } from '../../metrics/catalogue/label-values.ts';

/** Whose the event is: an instance, an interface, or the daemon as a whole. */
export type EventScope = 'instance' | 'interface' | 'daemon';

/** Whose event it is; every event of an instance bears it. */
export interface InstanceIdentity {
  readonly name: string;
  readonly interface: string;
  readonly vhid: number;
  /** Without its prefix length. */
  readonly vip: string;
}

/** What every event of a scope bears. */
export interface Identities {
  readonly instance: InstanceIdentity;
  readonly interface: { readonly interface: string };
  readonly daemon: unknown;
}

/** What a field is, as the documentation has it; sentences are for people. */
export type FieldType = 'text' | 'number' | 'boolean' | 'texts' | 'sentence' | 'sentences';

/** Plain data that is its own JSON; null stands for "none". */
type FieldValue = string | number | boolean | null | readonly string[];

export interface Field<Value extends FieldValue> {
  readonly type: FieldType;
  /** What it holds. */
  readonly holds: string;
  /** Never there: it only carries the type. */
  readonly value?: Value;
}

export type EventFields = Readonly<Record<string, Field<FieldValue>>>;

/** The fields of an event, as it bears them. */
export type ValuesOf<Fields> = {
  readonly [Name in keyof Fields]: Fields[Name] extends Field<infer Value> ? Value : never;
};

// Without a type argument the type must not be taken from where the field stands: hence two
// signatures each.

/** A name, an address, or a word of a closed list. */
export function text(holds: string): Field<string>;
export function text<Value extends string | null>(holds: string): Field<Value>;
export function text(holds: string): Field<string> {
  return { type: 'text', holds };
}

/** Durations are milliseconds. */
export function number(holds: string): Field<number>;
export function number<Value extends number | null>(holds: string): Field<Value>;
export function number(holds: string): Field<number> {
  return { type: 'number', holds };
}

export function boolean(holds: string): Field<boolean>;
export function boolean<Value extends boolean | null>(holds: string): Field<Value>;
export function boolean(holds: string): Field<boolean> {
  return { type: 'boolean', holds };
}

/** A list of names, addresses or words, none of which has a blank. */
export function texts(holds: string): Field<readonly string[]>;
export function texts<Value extends string>(holds: string): Field<readonly Value[]>;
export function texts(holds: string): Field<readonly string[]> {
  return { type: 'texts', holds };
}

/** For people: it may be worded anew. The line of the log has it in its own sentence. */
export function sentence(holds: string): Field<string>;
export function sentence<Value extends string | null>(holds: string): Field<Value>;
export function sentence(holds: string): Field<string> {
  return { type: 'sentence', holds };
}

export function sentences(holds: string): Field<readonly string[]> {
  return { type: 'sentences', holds };
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** So many lines at once, and one more each time that `refill` has passed. */
export interface Quota {
  readonly burst: number;
  readonly refill: Micros;
}

/** What an event adds to a metric, besides the labels of its scope. */
export interface MetricEffect {
  readonly labels: LabelValues;
  /** How many more of a counter, or the seconds that a histogram observes; else 1. */
  readonly amount?: number;
}

/** What the log and the metrics make of an event, apart from its identity and its fields. */
interface Reading<Event> {
  /** What it tells, as the documentation has it. */
  readonly meaning: string;
  /** So many of them that nobody watches them unasked. */
  readonly frequent?: true;
  /** How loud its line is; `unlogged`: the event is only watched. */
  readonly level: LogLevel | 'unlogged' | VariableLevel<Event>;
  /** A sentence for the log and for `carpd watch --text`, without its full stop. */
  readonly text: (event: Event) => string;
  /** What it is of its event, from a closed list, where each has a quota of its own. */
  readonly kind?: (event: Event) => string;
  /** Where there is a key, lines with it are written once in the period, besides the quota. */
  readonly once?: {
    readonly period: Micros | { readonly of: (event: Event) => Micros };
    readonly key: (event: Event) => string | undefined;
  };
  /** Where the usual one does not fit. */
  readonly quota?: Quota;
  /** The log itself writes the line, at the place of what happened, ahead of the event. */
  readonly placed?: true;
  /** Its line is written in any case: it says what to do at once. */
  readonly unlimited?: true;
}

/** A level that depends on the fields. */
interface VariableLevel<Event> {
  /** All that it may be. */
  readonly among: readonly LogLevel[];
  readonly of: (event: Event) => LogLevel;
}

/** An event as all that is made from it sees it. */
export interface EventDefinition<Event> extends Reading<Event> {
  readonly scope: EventScope;
  readonly fields: EventFields;
  readonly counts?: Readonly<Partial<Record<CountedName, EffectOf<Event, MetricEffect>>>>;
}

/** Undefined: this one is not counted. */
type EffectOf<Event, Effect> = (event: Event) => Effect | undefined;

/** The metrics that an event of a scope may count, each with exactly its labels. */
type Counts<Event, Scope> = {
  readonly [Name in CounterName as ScopeOf<Name> extends Scope ? Name : never]?: EffectOf<
    Event,
    { readonly labels: OwnLabelsOf<Name>; readonly amount?: number }
  >;
} & {
  readonly [Name in HistogramName as ScopeOf<Name> extends Scope ? Name : never]?: EffectOf<
    Event,
    { readonly labels: OwnLabelsOf<Name>; readonly amount: number }
  >;
};

/** What the author of an event writes down. */
interface Written<Fields, Event, Scope> extends Reading<Event> {
  readonly fields: Fields;
  readonly counts?: Counts<Event, Scope>;
}

/** An event of a scope with these fields. */
interface Defined<Scope extends EventScope, Fields extends EventFields> extends EventDefinition<
  Identities[Scope] & ValuesOf<Fields>
> {
  readonly scope: Scope;
  readonly fields: Fields;
}

/** Defines an event of an instance. */
export function instanceEvent<const Fields extends EventFields>(
  written: Written<Fields, InstanceIdentity & ValuesOf<Fields>, 'instance'>,
): Defined<'instance', Fields> {
  return { scope: 'instance', ...written };
}

/** Defines an event of an interface. */
export function linkEvent<const Fields extends EventFields>(
  written: Written<Fields, Identities['interface'] & ValuesOf<Fields>, 'interface'>,
): Defined<'interface', Fields> {
  return { scope: 'interface', ...written };
}

/** Defines an event of the daemon as a whole. */
export function daemonEvent<const Fields extends EventFields>(
  written: Written<Fields, ValuesOf<Fields>, 'process'>,
): Defined<'daemon', Fields> {
  return { scope: 'daemon', ...written };
}

/** One more of a counter that has no labels but those of its scope. */
export function oneMore() {
  return { labels: {} };
}
