// The bus: order, independence of the listeners, and who hears what.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EventBus, instancePublisher, linkPublisher } from '../../../src/events/bus.ts';
import type { DomainEvent } from '../../../src/events/events.ts';
import { dbConfig } from '../../support/reports.ts';

const late = (lateMs: number): DomainEvent => ({ event: 'late-wake', lateMs });
const lost = (lostLines: number): DomainEvent => ({ event: 'log-gap', lostLines });

function text(event: DomainEvent): string {
  if (event.event === 'late-wake') return `late ${event.lateMs}`;
  return event.event === 'log-gap' ? `lost ${event.lostLines}` : event.event;
}

describe('the bus', () => {
  test('delivers before publish returns, to those who want the event', () => {
    const bus = new EventBus(assert.ifError);
    const heard: string[] = [];
    bus.subscribe(['late-wake'], ({ lateMs }) => heard.push(`one ${lateMs}`));
    bus.subscribe(['late-wake', 'log-gap'], (event) => heard.push(`two ${text(event)}`));
    bus.publish(late(1));
    bus.publish(lost(2));
    bus.publish({ event: 'daemon-started', instances: 1 });
    assert.deepEqual(heard, ['one 1', 'two late 1', 'two lost 2']);
  });

  test('tells nobody who has had enough, also in the middle of an event', () => {
    const bus = new EventBus(assert.ifError);
    const heard: string[] = [];
    const stop = bus.subscribe(['late-wake'], (event) => {
      heard.push(text(event));
      stop();
    });
    bus.subscribe(['late-wake'], () => heard.push('other'));
    bus.publish(late(1));
    bus.publish(late(2));
    stop();
    assert.deepEqual(heard, ['late 1', 'other', 'other']);
  });

  test('gives all listeners the same order where one publishes in turn', () => {
    const bus = new EventBus(assert.ifError);
    const heard: string[] = [];
    bus.subscribe(['late-wake'], () => bus.publish(lost(1)));
    bus.subscribe(['late-wake', 'log-gap'], (event) => heard.push(text(event)));
    bus.publish(late(1));
    bus.publish(late(2));
    assert.deepEqual(heard, ['late 1', 'lost 1', 'late 2', 'lost 1']);
  });

  test('keeps going where a listener throws, and says at which event', () => {
    const faults: string[] = [];
    const bus = new EventBus((error, event) => faults.push(`${event}: ${String(error)}`));
    const heard: string[] = [];
    bus.subscribe(['late-wake'], () => {
      throw new Error('broken');
    });
    bus.subscribe(['late-wake'], (event) => heard.push(text(event)));
    bus.publish(late(1));
    bus.publish(late(2));
    assert.deepEqual(heard, ['late 1', 'late 2']);
    assert.deepEqual(faults, Array(2).fill('late-wake: Error: broken'));
  });

  test('costs next to nothing where nobody listens', () => {
    const bus = new EventBus(assert.ifError);
    const stop = bus.subscribe(['late-wake'], () => assert.fail('nobody is there'));
    stop();
    const started = performance.now();
    for (let count = 0; count < 1_000_000; count += 1) bus.publish(late(count));
    // A microsecond each on a slow machine that does other things as well; it takes 20 ns.
    assert.ok(performance.now() - started < 5_000, 'a look into a map');
  });

  test('has an instance and an interface say whose events they are', () => {
    const bus = new EventBus(assert.ifError);
    const heard: DomainEvent[] = [];
    bus.subscribe(['vip-added', 'send-blocked'], (event) => heard.push(event));
    instancePublisher(bus, dbConfig())({ event: 'vip-added' });
    linkPublisher(bus, 'eth0')({ event: 'send-blocked' });
    const { interfaceName, vhid } = dbConfig();
    assert.deepEqual(heard, [
      { event: 'vip-added', name: 'db', interface: interfaceName, vhid, vip: '10.9.0.100' },
      { event: 'send-blocked', interface: 'eth0' },
    ]);
  });
});
