// The stream of events over the socket, as a program reads it by hand and as our own client does.

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { once } from 'node:events';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { remoteOperator } from '../../src/admin/client.ts';
import type { ClientOptions } from '../../src/admin/client.ts';
import { Feed } from '../../src/admin/feed.ts';
import type { FeedEntry, FeedHello } from '../../src/admin/live-shapes.ts';
import { serveAdmin } from '../../src/admin/server.ts';
import type { AdminServer } from '../../src/admin/server.ts';
import { operateOn } from '../../src/admin/tofu-operator.ts';
import { CommandError } from '../../src/errors.ts';
import type { ProxyEvent } from '../../src/proxy/events.ts';
import { openMemoryStore } from '../../src/store/memory.ts';
import { openTofu, silent } from './world.ts';

const warning = (message: string): ProxyEvent => ({ type: 'warning', code: 'test', message });

let folder: string;
let path: string;
let feed: Feed;
let server: AdminServer | null;
let served: string[];
const undo: (() => void)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'letterlock-events-'));
  path = join(folder, 'admin.sock');
  [feed, server, served] = [new Feed(Date.now), null, []];
});
afterEach(async () => {
  for (const step of undo.splice(0)) step();
  feed.close();
  await server?.close();
  rmSync(folder, { recursive: true });
});

const never = (): Promise<never> => Promise.reject(new TypeError('not asked'));

async function serve(
  limits: { readonly heartbeatMs?: number; readonly drainMs?: number } = {},
): Promise<void> {
  const store = openMemoryStore();
  const operator = operateOn({
    source: 'daemon',
    tofu: await openTofu(store),
    store,
    origin: 'cli',
    now: Date.now,
    settings: () => new Map(),
    status: never,
    reload: never,
    live: { ...silent, follow: (options) => feed.follow(options) },
    close: async () => undefined,
  });
  server = await serveAdmin({
    socket: { path, mode: 0o600, group: null },
    operator,
    served: (route, status) => served.push(`${route} ${status}`),
    rejected: () => undefined,
    ...limits,
  });
}

class Reader {
  text = '';
  over = false;
  readonly response: IncomingMessage;
  #wake: () => void = () => undefined;

  constructor(response: IncomingMessage) {
    this.response = response;
    response.on('data', (chunk: Buffer) => {
      this.text += chunk.toString();
      this.#wake();
    });
    response.on('error', () => undefined);
    response.on('close', () => {
      this.over = true;
      this.#wake();
    });
  }

  async until(done: () => boolean): Promise<void> {
    while (!done()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  async hear(text: string): Promise<void> {
    await this.until(() => this.text.includes(text) || this.over);
    expect(this.text).toContain(text);
  }
}

async function open(
  url = '/v1/events',
  {
    method = 'GET',
    headers = {},
  }: { readonly method?: string; readonly headers?: Record<string, string> } = {},
): Promise<Reader> {
  const outgoing = request({
    socketPath: path,
    path: url,
    method,
    agent: false,
    headers: { Host: 'letterlock', ...headers },
  });
  outgoing.on('error', () => undefined);
  undo.push(() => outgoing.destroy());
  const answered = once(outgoing, 'response');
  outgoing.end();
  const [response]: IncomingMessage[] = await answered;
  if (response === undefined) throw new TypeError('no response');
  return new Reader(response);
}

describe('the stream', () => {
  test('begins with a hello and goes on with each entry, its id and its type', async () => {
    await serve();
    const reader = await open();
    expect(reader.response.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    await reader.hear('\n\n');
    feed.take(warning('one\nline'));
    await reader.hear('one');
    const [hello, entry] = reader.text.split('\n\n');
    const latest = Number(/"id":(\d+)/.exec(hello ?? '')?.[1]);
    expect(hello).toBe(`event: hello\ndata: {"id":${latest},"dropped":false}`);
    const [id, type, data, more] = (entry ?? '').split('\n');
    expect([id, type, more]).toEqual([`id: ${latest + 1}`, 'event: warning', undefined]);
    expect(JSON.parse((data ?? '').slice('data: '.length))).toEqual({
      id: latest + 1,
      at: expect.stringMatching(/^\d{4}-.*Z$/),
      level: 'warn',
      event: 'warning',
      message: 'one\\x0aline',
      fields: { code: 'test' },
    });
    expect(served).toEqual(['events 200']);
  });

  test('goes on after the id a reader names, in the header before the address', async () => {
    await serve();
    for (const message of ['first', 'second', 'third']) feed.take(warning(message));
    const all = await open('/v1/events?after=0');
    await all.hear('third');
    const second = /id: (\d+)\nevent: warning\ndata: [^\n]*second/.exec(all.text)?.[1] ?? '';
    const rest = await open('/v1/events?after=0', { headers: { 'Last-Event-ID': second } });
    await rest.hear('third');
    expect(all.text).toContain('first');
    expect(rest.text).not.toMatch(/first|second/);
  });

  test('shows a sign of life while nothing happens', async () => {
    await serve({ heartbeatMs: 5 });
    const reader = await open();
    await reader.hear('\n\n: \n\n: \n\n');
  });

  test.each(['x', '-1', '1.5', '1e3', '9999999999999999'])('has no place %s to begin at', async (after) => {
    await serve();
    const reader = await open(`/v1/events?after=${after}`);
    expect(reader.response.statusCode).toBe(400);
    expect(served).toEqual(['events 400']);
  });

  test('answers HEAD with nothing to follow', async () => {
    await serve();
    const reader = await open('/v1/events', { method: 'HEAD' });
    await reader.until(() => reader.over);
    expect([reader.response.statusCode, reader.text]).toEqual([200, '']);
  });

  test('is told to 16 readers, and to the 17th that there are too many', async () => {
    await serve();
    const readers = await Promise.all(Array.from({ length: 16 }, () => open()));
    const late = await open();
    await late.hear('too-many-followers');
    expect(late.response.statusCode).toBe(503);
    readers[3]?.response.destroy();
    // The server notices that one left some time after it did.
    let again = await open();
    while (again.response.statusCode === 503) again = await open();
    expect(again.response.statusCode).toBe(200);
  });

  test('ends with its connection, also of one that asks for many at once and has none', async () => {
    await serve();
    const many = connect(path);
    undo.push(() => many.destroy());
    many.on('error', () => undefined).resume();
    const over = new Promise((resolve) => many.once('close', resolve));
    many.write('GET /v1/events HTTP/1.1\r\nHost: letterlock\r\n\r\n'.repeat(16));
    await over;
    expect(served.length).toBeLessThanOrEqual(1);
    // Whoever came in vain goes again, so that only those that were left behind are in the way.
    await expect
      .poll(async () => {
        const readers = await Promise.all(Array.from({ length: 16 }, () => open()));
        const told = readers.every(({ response }) => response.statusCode === 200);
        for (const { response } of readers) response.destroy();
        return told;
      })
      .toBe(true);
  });

  test('ends in good order when the daemon does', async () => {
    await serve();
    const reader = await open();
    await reader.hear('hello');
    feed.take(warning('last'));
    feed.close();
    await reader.until(() => reader.over);
    expect(reader.text).toContain('last');
    expect(reader.response.complete).toBe(true);
  });

  test('breaks off for a reader that takes nothing, and only for that one', async () => {
    await serve({ drainMs: 20 });
    const idle = connect(path);
    undo.push(() => idle.destroy());
    idle.on('error', () => undefined).pause();
    idle.write('GET /v1/events HTTP/1.1\r\nHost: letterlock\r\n\r\n');
    const quick = await open();
    await quick.hear('hello');
    while (served.length < 2) await new Promise((resolve) => setImmediate(resolve));
    // Enough that no buffer of the system takes it all; the ring is never outrun by the reader that reads.
    for (let round = 0; round < 40; round += 1) {
      for (let at = 0; at < 100; at += 1) feed.take(warning(`${round}.${at} ${'x'.repeat(280)}`));
      await quick.hear(`${round}.99 `);
    }
    // It reads nothing, so it learns of its end by writing; empty lines before a request are passed over.
    while (!idle.destroyed) {
      idle.write('\r\n');
      await new Promise((resolve) => setImmediate(resolve));
    }
    feed.take(warning('the end'));
    await quick.hear('the end');
  });
});

/** What our own client is told until `wanted` entries came. */
async function collect(
  wanted: number,
  { after = null, ...options }: ClientOptions & { readonly after?: number | null } = {},
): Promise<{ readonly hello: FeedHello[]; readonly entries: FeedEntry[] }> {
  const stop = new AbortController();
  const [hello, entries]: [FeedHello[], FeedEntry[]] = [[], []];
  const told = (greeting: FeedHello): void => {
    hello.push(greeting);
    feed.take(warning('after the hello'));
  };
  for await (const entry of remoteOperator(path, options).follow({
    after,
    signal: stop.signal,
    hello: told,
  })) {
    entries.push(entry);
    if (entries.length === wanted) stop.abort();
  }
  return { hello, entries };
}

describe('our own client', () => {
  test('follows, and ends with its signal', async () => {
    await serve();
    feed.take(warning('before'));
    const { hello, entries } = await collect(2, { after: 0 });
    expect(entries.map(({ message }) => message)).toEqual(['before', 'after the hello']);
    expect(hello).toEqual([{ id: entries[0]?.id, dropped: false }]);
  });

  test('ends with the daemon', async () => {
    await serve();
    const stop = new AbortController();
    const entries: string[] = [];
    const following = remoteOperator(path).follow({
      after: null,
      signal: stop.signal,
      hello: () => feed.close(),
    });
    for await (const { message } of following) entries.push(message);
    expect(entries).toEqual([]);
  });

  test('is told why it may not follow', async () => {
    await serve();
    await Promise.all(Array.from({ length: 16 }, () => open()));
    await expect(collect(1)).rejects.toMatchObject({ code: 'too-many-followers', exit: 'no-daemon' });
  });

  test('says that no daemon answers', async () => {
    await expect(collect(1)).rejects.toMatchObject({ exit: 'no-daemon' });
  });

  describe('does not take', () => {
    let strange: Server | null = null;
    afterEach(() => {
      strange?.closeAllConnections();
      strange?.close();
    });
    const answering = async (text: string): Promise<void> => {
      strange = createServer((_incoming, response) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        response.write(text);
      }).listen(path);
      await once(strange, 'listening');
    };

    test.each([
      ['an event that is no JSON', 'event: warning\ndata: {\n\n', /is not JSON/],
      ['an event that is no object', 'event: warning\ndata: 1\n\n', /is not JSON/],
      ['an event without an end', `event: warning\ndata: ${'x'.repeat(300_000)}`, /too long/],
    ])('%s', async (_name, text, message) => {
      await answering(text);
      await expect(collect(1)).rejects.toThrow(message);
      await expect(collect(1)).rejects.toBeInstanceOf(CommandError);
    });

    test('silence', async () => {
      await answering('event: hello\ndata: {"id":1,"dropped":false}\n\n');
      await expect(collect(1, { silenceMs: 30 })).rejects.toMatchObject({ exit: 'no-daemon' });
    });
  });
});
