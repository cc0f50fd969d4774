// One rendering for all who ask at the same time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Page } from '../../../src/metrics/page.ts';

/** A page whose renderings are answered by hand. */
function rig(): {
  readonly page: Page;
  readonly renderings: PromiseWithResolvers<string>[];
  readonly pass: (ms: number) => void;
} {
  let nowMs = 0;
  const renderings: PromiseWithResolvers<string>[] = [];
  const render = (): Promise<string> => {
    const rendering = withResolvers<string>();
    renderings.push(rendering);
    return rendering.promise;
  };
  const pass = (ms: number): void => void (nowMs += ms);
  return { page: new Page(render, () => nowMs), renderings, pass };
}

interface PromiseWithResolvers<Value> {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value) => void;
  readonly reject: (reason: Error) => void;
}

function withResolvers<Value>(): PromiseWithResolvers<Value> {
  let resolve: (value: Value) => void = () => undefined;
  let reject: (reason: Error) => void = () => undefined;
  const promise = new Promise<Value>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

test('all who come while it is rendered get the same, however long that takes', async () => {
  const { page, renderings, pass } = rig();
  const first = page.content();
  pass(60_000);
  const second = page.content();
  assert.equal(renderings.length, 1);
  renderings[0]!.resolve('ä');
  assert.equal(text(await first), 'ä');
  assert.equal(await second, await first);
});

test('a rendering is good for half a second', async () => {
  const { page, renderings, pass } = rig();
  const first = page.content();
  renderings[0]!.resolve('one');
  await first;
  pass(499);
  assert.equal(text(await page.content()), 'one');
  pass(1);
  const later = page.content();
  assert.equal(renderings.length, 2);
  renderings[1]!.resolve('two');
  assert.equal(text(await later), 'two');
});

test('one that failed is told to those who asked, and tried again', async () => {
  const { page, renderings, pass } = rig();
  const failed = page.content();
  renderings[0]!.reject(new Error('a fault'));
  await assert.rejects(failed, /a fault/);
  pass(500);
  const again = page.content();
  renderings[1]!.resolve('good');
  assert.equal(text(await again), 'good');
});
