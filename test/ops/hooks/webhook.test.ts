// Signatures are checked by the reference library, over receivers of Node's own.

import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readyHooks, type Delivered } from '../../../src/ops/hooks/delivery.ts';
import type { WebhookHook } from '../../../src/ops/hooks/hook.ts';
import { secretKey } from '../../../src/ops/hooks/signature.ts';
import { webhookDelivery, type Pace } from '../../../src/ops/hooks/webhook.ts';
import { loadAnchors } from '../../../src/net/anchors.ts';
import { selfSigned, type Identity } from '../../net/peers.ts';
import { keyOf } from '../../proxy/world.ts';
import {
  Receiver,
  saying,
  secret,
  somePayload,
  verified,
  webhook,
  Workshop,
  type Answering,
} from './world.ts';
import { writeFileSync } from 'node:fs';

let own: Identity;
let impostor: Identity;
beforeAll(async () => {
  [own, impostor] = [await selfSigned(), await selfSigned()];
});

let workshop: Workshop;
const open: Receiver[] = [];
beforeEach(() => {
  workshop = new Workshop();
});
afterEach(async () => {
  for (const receiver of open.splice(0)) await receiver.close();
  workshop.remove();
});

async function receiving(identity: Identity | null, ...answers: (Answering | number)[]): Promise<Receiver> {
  const receiver = await Receiver.open(identity, ...answers);
  open.push(receiver);
  return receiver;
}

const pace: Pace = { firstMs: 20, longestMs: 100, longestAskedMs: 300, totalMs: 3000 };

/** Through what a daemon uses, but for the waits. */
async function delivered(
  hook: WebhookHook,
  given: { readonly signal?: AbortSignal; readonly pace?: Pace } = {},
): Promise<Delivered> {
  const anchors = await loadAnchors(hook.anchors ?? []);
  const receiver = { url: hook.url, anchors, named: hook.anchors !== null, pins: hook.pins };
  const deliver = webhookDelivery(hook, receiver, {
    now: Date.now,
    version: '1.2.3',
    pace: given.pace ?? pace,
  });
  return deliver(somePayload(), given.signal ?? new AbortController().signal);
}

const pinned = (receiver: Receiver, facts: Partial<WebhookHook> = {}): WebhookHook =>
  webhook(receiver, { pins: [keyOf(own)], ...facts });

const caFile = (identity: Identity): string => {
  writeFileSync(workshop.path('ca.pem'), identity.cert);
  return workshop.path('ca.pem');
};

const endless: Answering = (response) => {
  response.writeHead(200);
  // In a turn of its own: some Nodes answer at once when the other side is gone.
  const more = (error?: Error | null): void => {
    if (error == null && !response.destroyed) setImmediate(() => response.write('x'.repeat(16_384), more));
  };
  more();
};

const hanging: Answering = () => undefined;

describe('what a receiver gets', () => {
  test('is signed so that the reference library takes it, and no other secret fits', async () => {
    const receiver = await receiving(own, 204);
    expect(await delivered(pinned(receiver))).toEqual({ result: 'delivered', detail: null, attempts: 1 });
    const [got] = receiver.got;
    if (got === undefined) throw new Error('it got nothing');
    expect(verified(got)).toEqual(somePayload());
    expect(got).toMatchObject({
      path: '/hook',
      headers: {
        'webhook-id': 'msg_1',
        'content-type': 'application/json',
        'user-agent': 'letterlock/1.2.3',
        host: `127.0.0.1:${receiver.port}`,
      },
    });
    const other = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
    expect(() => verified(got, other)).toThrow(/No matching signature/);
    expect(() => verified({ ...got, body: `${got.body} ` })).toThrow(/No matching signature/);
  });

  test('has the same id in every attempt, and a signature of its own time', async () => {
    const receiver = await receiving(own, 500, 503, 429, 408, 200);
    expect(await delivered(pinned(receiver, { retries: 5 }))).toMatchObject({
      result: 'delivered',
      attempts: 5,
    });
    expect(receiver.got.map(({ headers }) => headers['webhook-id'])).toEqual(Array(5).fill('msg_1'));
    for (const got of receiver.got) verified(got);
  });
});

describe('who the receiver is', () => {
  test('a certificate of its own is fine where caFile names it', async () => {
    const receiver = await receiving(own, 204);
    const hook = webhook(receiver, { anchors: [caFile(own)] });
    expect(await delivered(hook)).toMatchObject({ result: 'delivered' });
  });

  const rows: readonly (readonly [what: string, hook: (at: Receiver) => WebhookHook, detail: RegExp])[] = [
    [
      'a stranger to the system',
      (at) => webhook(at, { anchors: ['system'] }),
      /is not CA-verified as 127\.0\.0\.1/,
    ],
    [
      'another key than pinned',
      (at) => webhook(at, { pins: [keyOf(impostor)] }),
      /its key is not the one pinned/,
    ],
    ['one that nothing says how to know', (at) => webhook(at), /nothing says how to know it/],
    [
      'a pinned key that its CA does not know, where both are asked for',
      (at) => webhook(at, { pins: [keyOf(own)], anchors: [caFile(impostor)] }),
      /is not CA-verified/,
    ],
    [
      'a good certificate for another name',
      (at) => {
        const hook = webhook(at, { anchors: [caFile(own)] });
        return { ...hook, url: { ...hook.url, host: 'localhost' } };
      },
      /is not CA-verified as localhost \(.*name-mismatch/,
    ],
  ];
  test.each(rows)('%s gets nothing, at once and once', async (_, hook, detail) => {
    const receiver = await receiving(own, 204);
    const done = await delivered({ ...hook(receiver), retries: 3 });
    expect(done).toEqual({ result: 'failed', detail: expect.stringMatching(detail), attempts: 1 });
    expect(receiver.got).toEqual([]);
    expect(receiver.connections).toBe(1);
  });

  test('in clear it is reached on this machine', async () => {
    const receiver = await receiving(null, 204);
    const hook = webhook(receiver);
    expect(await delivered({ ...hook, url: { ...hook.url, scheme: 'http' } })).toMatchObject({
      result: 'delivered',
    });
  });

  test('a CA file that went is told with the name of the hook', async () => {
    const hook = webhook({ port: 1 }, { anchors: [workshop.path('gone.pem')] });
    await expect(readyHooks([hook], { env: {}, now: Date.now, version: '1' })).rejects.toThrow(
      /^hook pager: cannot read the CA file/,
    );
  });
});

describe('an answer', () => {
  test.each([
    [200, { result: 'delivered', attempts: 1 }],
    [202, { result: 'delivered', attempts: 1 }],
    [400, { result: 'failed', attempts: 1, detail: 'HTTP 400' }],
    [401, { result: 'failed', attempts: 1, detail: 'HTTP 401' }],
    [404, { result: 'failed', attempts: 1, detail: 'HTTP 404' }],
    [410, { result: 'failed', attempts: 1, gone: true }],
    [500, { result: 'failed', attempts: 3, detail: 'HTTP 500' }],
    [502, { result: 'failed', attempts: 3, detail: 'HTTP 502' }],
    [503, { result: 'failed', attempts: 3, detail: 'HTTP 503' }],
    [429, { result: 'failed', attempts: 3, detail: 'HTTP 429' }],
  ])('%s', async (status, expected) => {
    const receiver = await receiving(own, status);
    expect(await delivered(pinned(receiver, { retries: 2 }))).toMatchObject(expected);
    expect(receiver.got).toHaveLength(expected.attempts);
  });

  test('that leads elsewhere is not followed', async () => {
    const elsewhere = await receiving(own, 204);
    const receiver = await receiving(own, saying(307, { location: `https://127.0.0.1:${elsewhere.port}/x` }));
    expect(await delivered(pinned(receiver, { retries: 2 }))).toEqual({
      result: 'failed',
      detail: 'HTTP 307: redirects are not followed',
      attempts: 1,
    });
    expect(elsewhere.connections).toBe(0);
  });

  test.each(['1', new Date(Date.now() + 3_600_000).toUTCString()])(
    'that asks to wait (%s) is waited for, within bounds',
    async (asked) => {
      const receiver = await receiving(own, saying(503, { 'retry-after': asked }), 200);
      expect(await delivered(pinned(receiver, { retries: 1 }))).toMatchObject({
        result: 'delivered',
        attempts: 2,
      });
      const [first, second] = receiver.got.map(({ at }) => at);
      expect((second ?? 0) - (first ?? 0)).toBeGreaterThan(250);
      expect((second ?? 0) - (first ?? 0)).toBeLessThan(5000);
    },
  );

  test('without an end is cut off, and its status counts', async () => {
    const receiver = await receiving(own, endless);
    expect(await delivered(pinned(receiver))).toMatchObject({ result: 'delivered' });
  });

  test('with headers without an end is none', async () => {
    const receiver = await receiving(own, saying(200, { 'x-long': 'x'.repeat(20_000) }));
    expect(await delivered(pinned(receiver))).toMatchObject({
      result: 'failed',
      detail: /the connection broke/,
    });
  });
});

describe('a receiver that does not answer', () => {
  test('is given up after the time of each attempt', async () => {
    const receiver = await receiving(own, hanging);
    const done = await delivered(pinned(receiver, { retries: 1, timeoutMs: 300 }));
    expect(done).toEqual({ result: 'failed', detail: 'no answer within 0.3 s', attempts: 2 });
  });

  test('is given up after the time of all attempts', async () => {
    const receiver = await receiving(own, 500);
    const done = await delivered(pinned(receiver, { retries: 10 }), { pace: { ...pace, totalMs: 60 } });
    expect(done.result).toBe('failed');
    expect(done.attempts).toBeLessThan(6);
  });

  test('and whose port is closed is tried again', async () => {
    const receiver = await Receiver.open(own, 204);
    const hook = pinned(receiver, { retries: 2 });
    await receiver.close();
    expect(await delivered(hook)).toMatchObject({ result: 'failed', attempts: 3, detail: /ECONNREFUSED/ });
  });

  test('is left at once when the delivery is broken off, in an attempt or between two', async () => {
    for (const [answer, detail] of [
      [hanging, 'broken off'],
      [saying(503, { 'retry-after': '3600' }), 'HTTP 503'],
    ] as const) {
      const receiver = await receiving(own, answer);
      const stop = new AbortController();
      const long = { ...pace, longestAskedMs: 60_000, totalMs: 120_000 };
      const over = delivered(pinned(receiver, { retries: 3, timeoutMs: 60_000 }), {
        signal: stop.signal,
        pace: long,
      });
      await expect.poll(() => receiver.got.length).toBe(1);
      stop.abort();
      expect(await over).toMatchObject({ result: 'failed', attempts: 1, detail });
    }
  });
});

test('a secret is whsec_ and 24 to 64 octets, and no complaint quotes it', () => {
  expect(secretKey(secret)).toEqual(Buffer.alloc(32, 7));
  expect(secretKey(secret.replace(/=+$/, ''))).toEqual(Buffer.alloc(32, 7));
  for (const wrong of [
    'hunter2',
    'whsec_hunter2!',
    `whsec_${'hunter2x'.repeat(2)}`,
    `whsec_${'hunter2x'.repeat(20)}`,
  ]) {
    const said = secretKey(wrong);
    expect(said).toEqual(expect.any(String));
    expect(said).not.toContain('hunter');
  }
});
