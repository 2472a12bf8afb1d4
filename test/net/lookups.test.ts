// One name that nobody answers for must not keep any other from being looked up.

import type { LookupAddress } from 'node:dns';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { dial } from '../../src/net/dial.ts';
import { Lookups, NotLookedUp, threadsForLookups } from '../../src/net/lookups.ts';
import { listen, portOf } from './peers.ts';

const here: readonly LookupAddress[] = [{ address: '127.0.0.1', family: 4 }];

/** A name service in which names that begin with `hang` are answered when a test says so, and no sooner. */
class NameService {
  readonly asked: string[] = [];
  now = 0;
  readonly lookups: Lookups;
  readonly #hanging = new Map<string, { answer: () => void; fail: () => void }>();

  constructor(atOnce = 2) {
    this.lookups = new Lookups({ lookUp: (host) => this.#lookUp(host), now: () => this.now, atOnce });
  }

  #lookUp(host: string): Promise<readonly LookupAddress[]> {
    this.asked.push(host);
    if (!host.startsWith('hang')) return Promise.resolve(here);
    return new Promise((resolve, reject) => {
      const again = Object.assign(new Error('no answer'), { code: 'EAI_AGAIN' });
      this.#hanging.set(host, { answer: () => resolve(here), fail: () => reject(again) });
    });
  }

  /** Whoever asks for it; the answer shows how it went. */
  ask(host: string): Promise<string> {
    return this.lookups.resolve(host).then(
      () => 'found',
      (error: unknown) => (error instanceof NotLookedUp ? 'not asked' : 'failed'),
    );
  }

  answer(host: string): void {
    this.#hanging.get(host)?.answer();
  }

  fail(host: string): void {
    this.#hanging.get(host)?.fail();
  }
}

describe('a look-up that hangs', () => {
  it('is one for all who ask, and leaves the others their thread', async () => {
    const service = new NameService();
    const asking = Array.from({ length: 50 }, () => service.ask('hang.test'));
    expect(await service.ask('good.test')).toBe('found');
    expect(await service.ask('other.test')).toBe('found');
    service.answer('hang.test');
    expect(new Set(await Promise.all(asking))).toEqual(new Set(['found']));
    expect(service.asked).toEqual(['hang.test', 'good.test', 'other.test']);
  });

  it('is known as such after six seconds: who comes then is told at once', async () => {
    const service = new NameService();
    const first = service.ask('hang.test');
    service.now = 5_999;
    const second = service.ask('hang.test');
    service.now = 6_000;
    expect(await service.ask('hang.test')).toBe('not asked');
    service.answer('hang.test');
    expect(await Promise.all([first, second])).toEqual(['found', 'found']);
    expect(await service.ask('good.test')).toBe('found');
    expect(service.asked).toEqual(['hang.test', 'good.test']);
  });

  it('is remembered for ten seconds when it came to nothing, and then tried again', async () => {
    const service = new NameService();
    const first = service.ask('hang.test');
    service.now = 20_000;
    service.fail('hang.test');
    expect(await first).toBe('failed');
    service.now = 29_999;
    expect(await service.ask('hang.test')).toBe('not asked');
    service.now = 30_000;
    const second = service.ask('hang.test');
    service.answer('hang.test');
    expect(await second).toBe('found');
    const third = service.ask('hang.test');
    service.answer('hang.test');
    expect(await third).toBe('found');
  });

  it('is not remembered when the answer was no, and soon', async () => {
    const service = new NameService();
    const first = service.ask('hang.test');
    service.fail('hang.test');
    expect(await first).toBe('failed');
    const second = service.ask('hang.test');
    service.answer('hang.test');
    expect(await second).toBe('found');
  });

  it('takes no thread from other names when it is known to hang, however many do', async () => {
    const service = new NameService();
    const asking = ['hang1', 'hang2', 'hang3'].map((name) => service.ask(name));
    const waits = service.ask('good.test');
    expect(service.asked).toEqual(['hang1', 'hang2']);
    for (const name of ['hang1', 'hang2', 'hang3']) {
      service.now += 10_000;
      service.fail(name);
      // The next one gets the thread.
      await new Promise(setImmediate);
    }
    expect(await Promise.all(asking)).toEqual(['failed', 'failed', 'failed']);
    expect(await waits).toBe('found');
    service.now += 10_000;
    const again = ['hang1', 'hang2', 'hang3'].map((name) => service.ask(name));
    expect(await Promise.all(again.slice(1))).toEqual(['not asked', 'not asked']);
    expect(await service.ask('good.test')).toBe('found');
    service.answer('hang1');
    expect(await again[0]).toBe('found');
  });

  it('keeps no more than a bounded number of others waiting', async () => {
    const service = new NameService(1);
    const hanging = service.ask('hang.test');
    const waiting = Array.from({ length: 64 }, (_, index) => service.ask(`${index}.test`));
    expect(await service.ask('one-more.test')).toBe('not asked');
    service.answer('hang.test');
    expect(new Set(await Promise.all([hanging, ...waiting]))).toEqual(new Set(['found']));
  });

  it('is told in words that say so', async () => {
    const service = new NameService();
    const first = service.ask('hang.test');
    service.now = 6_000;
    const resolve = (host: string) => service.lookups.resolve(host);
    const { signal } = new AbortController();
    await expect(
      dial({ host: 'hang.test', port: 1 }, { deadlineMs: 5_000, signal, resolve }),
    ).rejects.toMatchObject({ code: 'dns', passing: false, detail: expect.stringContaining('hangs') });
    service.answer('hang.test');
    await first;
  });
});

it('look-ups are made by the system where nobody says otherwise', async () => {
  const server = await listen(createServer());
  const lookups = new Lookups();
  const { signal } = new AbortController();
  const resolve = async (host: string) =>
    (await lookups.resolve(host)).filter(({ address }) => address === '127.0.0.1');
  const socket = await dial(
    { host: 'localhost', port: portOf(server) },
    { deadlineMs: 5_000, signal, resolve },
  );
  expect(socket.remoteAddress).toBe('127.0.0.1');
  socket.destroy();
  server.close();
});

it.each([
  [undefined, 2],
  ['1', 1],
  ['8', 4],
  ['0', 1],
  ['many', 1],
  ['9999', 512],
])('libuv with %s threads lends %i to look-ups', (size, lent) => {
  expect(threadsForLookups({ UV_THREADPOOL_SIZE: size })).toBe(lent);
});
