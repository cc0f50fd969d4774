// A host in memory whose interfaces are stacked on each other, and what one of them stands on.
import { ok } from 'node:assert/strict';
import { resolveStack, type LinkStack } from '../../src/linux/links/link-facts.ts';
import type { Link } from '../../src/linux/links/link-table.ts';
import { bondsOf } from '../../src/readiness/facts.ts';
import { FakeLinks } from '../fakes/link-watch.ts';
import { attribute, u16 } from './netlink-message.ts';

/** A host whose interfaces are made from the bottom, all up; resolves one of them. */
export class Layers {
  readonly links = new FakeLinks();
  readonly #indexes = new Map<string, number>();

  /** `on`: the interface below; `in`: the bridge or bond that it is a port of. */
  add(name: string, kind?: string, where: { on?: string; in?: string } = {}): this {
    const master = where.in === undefined ? undefined : this.index(where.in);
    const properties: Partial<Link> = {
      ...(kind === undefined ? {} : { kind }),
      ...(where.on === undefined ? {} : { link: this.index(where.on) }),
      ...(master === undefined ? {} : { master, forwards: true }),
      carrierDownCount: 1,
    };
    this.#indexes.set(name, this.links.add(name, properties));
    this.links.setUp(name, true);
    return this;
  }

  /** A veth with both its ends on this host, each in a bridge if one is given. */
  cable(ends: readonly [string, string], bridges: readonly (string | undefined)[] = []): this {
    const [near, far] = ends;
    ends.forEach((end, at) => this.add(end, 'veth', bridges[at] ? { in: bridges[at] } : {}));
    this.links.set(near, { link: this.index(far) });
    this.links.set(far, { link: this.index(near) });
    return this;
  }

  vlan(name: string, id: number, where: { on: string; in?: string }): this {
    this.add(name, 'vlan', where);
    this.links.set(name, { data: Uint8Array.from(attribute(1, u16(id))) });
    return this;
  }

  bond(name: string, where: { in?: string } = {}): this {
    this.add(name, 'bond', where);
    this.links.set(name, { data: Uint8Array.from(attribute(1, [1])) });
    this.add(`${name}a`, undefined, { in: name });
    return this.add(`${name}b`, undefined, { in: name });
  }

  index(name: string): number {
    const ifindex = this.#indexes.get(name);
    ok(ifindex !== undefined, `${name} was made`);
    return ifindex;
  }

  async resolve(name: string, named?: 'auto' | readonly string[]): Promise<Resolved> {
    const watch = await this.links.open({ onChange: () => undefined, onError: () => undefined });
    const stack = resolveStack(watch, name, named);
    const names = stack.polled.map((ifindex) => watch.byIndex(ifindex)?.name ?? '?');
    return { ...stack, names, text: textOf(stack) };
  }
}

export interface Resolved extends LinkStack {
  /** Of the interfaces that are polled. */
  readonly names: readonly string[];
  readonly text: string;
}

/** The lower facts and the uplinks with their VLANs: "bond bond0: bond0 5 7". */
export function textOf({ facts, uplinks }: LinkStack): string {
  const lower = facts?.lower;
  const named = lower?.kind === 'team' ? [lower] : bondsOf(lower);
  const name = named.map((one) => ` ${one.name}`).join('');
  const ways = uplinks.map((uplink) => [uplink.name, ...uplink.vlans].join(' '));
  return `${lower?.kind ?? 'missing'}${name}: ${ways.join(', ')}`;
}
