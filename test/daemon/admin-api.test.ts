// The admin API of a real daemon: every answer has the shape that its schema says, and tells what really happened.

import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { apiSchema, apiSchemas } from '../../src/admin/api-schema.ts';
import { remoteOperator } from '../../src/admin/client.ts';
import type { EndpointRow, FeedEntry } from '../../src/admin/live-shapes.ts';
import type { Operator } from '../../src/admin/operator.ts';
import { routes, type RouteEntry } from '../../src/admin/routes.ts';
import type { Daemon } from '../../src/daemon.ts';
import type { Route } from '../../src/proxy/route.ts';
import { selfSigned } from '../net/peers.ts';
import type { Identity } from '../net/peers.ts';
import { keyOf, makeAuthority, type FakeServer } from '../proxy/world.ts';
import { page, routeTo, World } from './world.ts';

let world: World;
let own: Identity;
let impostor: Identity;
beforeAll(async () => {
  [own, impostor] = [await selfSigned(), await selfSigned()];
});
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

interface Said {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly value: unknown;
}

async function ask(daemon: Daemon, method: string, path: string, body?: unknown): Promise<Said> {
  const outgoing = request({
    socketPath: daemon.adminSocket,
    method,
    path,
    agent: false,
    headers: { Host: 'letterlock', ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
  });
  const answered = once(outgoing, 'response');
  outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  const [response]: IncomingMessage[] = await answered;
  if (response === undefined) throw new TypeError('no response');
  const said = await text(response);
  return {
    status: response.statusCode,
    headers: response.headers,
    value: said === '' ? null : JSON.parse(said),
  };
}

interface Story {
  readonly daemon: Daemon;
  readonly server: FakeServer;
  readonly endpoint: string;
  readonly operator: Operator;
}

/** A session is open on a key of first use; then the key changes, and another client is refused. */
async function keyChanged(): Promise<Story> {
  const server = await world.server(own);
  const daemon = await world.start(world.config([routeTo(server, {})]));
  await world.client(daemon).hear('* OK ready');
  server.identity = impostor;
  await world.client(daemon).over();
  await world.event('session-ended');
  const endpoint = `127.0.0.1:${server.port}`;
  return { daemon, server, endpoint, operator: remoteOperator(daemon.adminSocket) };
}

const refOf = async ({ operator }: Story): Promise<string> =>
  (await operator.pins())[0]?.candidates[0]?.ref ?? '';
const rowOf = async ({ operator, endpoint }: Story): Promise<EndpointRow | undefined> =>
  (await operator.endpoints()).find((row) => row.endpoint === endpoint);

const approve = (endpoint: string, expected: string): object => ({
  command: 'approve',
  endpoint,
  expect: expected,
  forMs: null,
  as: null,
  keep: false,
  endOld: false,
  unreject: false,
});

describe('every answer', () => {
  test('of a running daemon is what its schema says, and nothing that the schema does not name', async () => {
    const story = await keyChanged();
    const { daemon, endpoint } = story;
    const ref = await refOf(story);
    const asked: Readonly<Record<string, readonly [string, unknown?]>> = {
      status: ['/v1/status'],
      sessions: ['/v1/sessions'],
      endpoints: ['/v1/endpoints'],
      pins: ['/v1/pins'],
      pin: [`/v1/pins/${encodeURIComponent(endpoint)}`],
      candidate: [`/v1/candidates/${ref}`],
      history: ['/v1/history'],
      explain: [`/v1/explain/${ref}`],
      records: ['/v1/records'],
      schema: ['/v1/schema'],
      probes: ['/v1/probes', { endpoint }],
      commands: ['/v1/commands', approve(endpoint, keyOf(impostor))],
      import: ['/v1/import', { orders: [], apply: false }],
      reload: ['/v1/reload'],
      verify: ['/v1/verify'],
    };
    const schemas: Readonly<Record<string, z.ZodType>> = apiSchemas;
    for (const route of routes as readonly RouteEntry[]) {
      const [path, body] = asked[route.name] ?? [];
      if (path === undefined || route.answer === null) continue;
      const { status, value } = await ask(daemon, route.method, path, body);
      expect([route.name, status]).toEqual([route.name, 200]);
      // What a schema does not name it leaves out, so that both are the same only where it names everything.
      expect(schemas[route.answer]?.parse(value), route.name).toEqual(value);
    }
    const { text: metrics } = await page(daemon, '/metrics');
    for (const name of Object.keys(asked))
      expect(metrics).toContain(`letterlock_admin_requests_total{route="${name}",code="200"}`);
  });

  test.each([
    ['GET', '/v1/nothing', 404],
    ['GET', '/v1/pins/nobody.example%3A993', 404],
    ['GET', '/v1/candidates/00000000', 404],
    ['GET', '/v1/commands', 405],
    ['POST', '/v1/commands', 400],
    ['POST', '/v1/probes', 400],
  ])('%s %s is an error of the one shape', async (method, path, code) => {
    const daemon = await world.start(world.config([routeTo(await world.server(own), {})]));
    const { status, value } = await ask(daemon, method, path, method === 'POST' ? {} : undefined);
    expect(status).toBe(code);
    expect(apiSchemas.Error.parse(value)).toEqual(value);
  });

  test('of the schema is what is generated here', async () => {
    const daemon = await world.start(world.config([routeTo(await world.server(own), {})]));
    expect((await ask(daemon, 'GET', '/v1/schema')).value).toEqual(JSON.parse(JSON.stringify(apiSchema())));
  });
});

describe('methods', () => {
  test('other than a route’s are turned away with the ones it has', async () => {
    const daemon = await world.start(world.config([routeTo(await world.server(own), {})]));
    for (const route of routes as readonly RouteEntry[]) {
      const path = route.path.replace(/\{\w+\}/, 'x');
      const { status, headers } = await ask(daemon, 'DELETE', path);
      expect([route.name, status, headers.allow]).toEqual([
        route.name,
        405,
        route.method === 'GET' ? 'GET, HEAD' : 'POST',
      ]);
    }
  });

  test('HEAD asks what GET asks, and gets its length alone', async () => {
    const daemon = await world.start(world.config([routeTo(await world.server(own), {})]));
    const [head, get] = [await ask(daemon, 'HEAD', '/v1/pins'), await ask(daemon, 'GET', '/v1/pins')];
    expect(head).toMatchObject({ status: 200, value: null });
    expect(head.headers['content-length']).toBe(get.headers['content-length']);
  });
});

describe('sessions', () => {
  test('are told of while they are open, with both ends and what they carried', async () => {
    const server = await world.server(own);
    const daemon = await world.start(world.config([routeTo(server, {})]));
    const client = world.client(daemon);
    await client.hear('* OK ready');
    await client.say('a NOOP\r\n').hear('a NOOP');
    const operator = remoteOperator(daemon.adminSocket);
    expect(await operator.sessions()).toEqual([
      {
        id: expect.stringMatching(/1$/),
        route: 'imap-test',
        protocol: 'imap',
        client: `127.0.0.1:${client.socket.localPort}`,
        clientTls: null,
        endpoint: `127.0.0.1:${server.port}`,
        server: `127.0.0.1:${server.port}`,
        stage: 'relaying',
        basis: 'first-use',
        spki: keyOf(own),
        startedAt: expect.stringMatching(/Z$/),
        bytesUp: 8,
        bytesDown: 20,
      },
    ]);
    client.socket.end();
    await world.event('session-ended');
    expect(await operator.sessions()).toEqual([]);
  });

  test('that still ask have no server and no key yet', async () => {
    const silent = await world.server(own, [{ wait: new Promise(() => undefined) }]);
    const daemon = await world.start(world.config([routeTo(silent, {})]));
    world.client(daemon);
    await world.event('dialled');
    expect(await daemon.operator.sessions()).toMatchObject([
      { stage: 'asking', server: null, basis: null, spki: null, bytesUp: 0, bytesDown: 0 },
    ]);
  });
});

describe('endpoints', () => {
  test('show nothing of one that was not asked yet, but how it is configured', async () => {
    const server = await world.server(own);
    const daemon = await world.start(world.config([routeTo(server, {})]));
    expect(await daemon.operator.endpoints()).toEqual([
      {
        endpoint: `127.0.0.1:${server.port}`,
        configured: true,
        routes: ['imap-test'],
        policy: 'tofu',
        firstUse: 'accept',
        state: 'none',
        candidates: 0,
        refusing: false,
        lastVerdict: null,
        lastProbe: null,
        nextProbe: null,
      },
    ]);
  });

  test('show what was judged last, with the certificate, and no more refusal once that was decided', async () => {
    const story = await keyChanged();
    expect(await rowOf(story)).toMatchObject({
      state: 'pinned',
      candidates: 1,
      refusing: true,
      lastVerdict: {
        verdict: 'refused',
        reason: 'pin-mismatch',
        by: 'session',
        spki: keyOf(impostor),
        faults: expect.arrayContaining(['self-signed']),
        certificate: {
          subject: 'CN=mail.test',
          issuer: 'CN=mail.test',
          names: ['mail.test', '127.0.0.1'],
          sha256: expect.stringMatching(/^[0-9A-F:]{95}$/),
          notAfter: expect.stringMatching(/Z$/),
        },
        chainNotAfter: null,
      },
    });
    await ask(story.daemon, 'POST', '/v1/commands', approve(story.endpoint, keyOf(impostor)));
    expect(await rowOf(story)).toMatchObject({ refusing: false, lastVerdict: { verdict: 'refused' } });
    await world.client(story.daemon).hear('* OK ready');
    expect(await rowOf(story)).toMatchObject({
      refusing: false,
      candidates: 0,
      lastVerdict: { verdict: 'pin', reason: null, spki: keyOf(impostor) },
    });
  });

  test('show also what was refused before there was a key', async () => {
    const plain = await world.server(own, [{ say: '* PREAUTH\r\n' }]);
    const daemon = await world.start(world.config([routeTo(plain, { upstreamTls: 'starttls' })]));
    await world.client(daemon).over();
    await world.event('session-ended');
    expect(await daemon.operator.endpoints()).toMatchObject([
      {
        refusing: true,
        lastVerdict: { verdict: 'refused', reason: 'preauth', by: 'session', spki: null, certificate: null },
      },
    ]);
  });

  test('say when a verdict was of a connection kept ready, and until when a verified path is good', async () => {
    const authority = await makeAuthority();
    const server = await world.server(await authority.issue());
    const file = join(world.folder, 'ca.pem');
    writeFileSync(file, authority.pem);
    const route: Route = {
      ...routeTo(server, {}),
      warm: 1,
      anchors: [file],
      trust: { policy: 'ca', firstUse: 'accept', configPins: [] },
    };
    const daemon = await world.start(world.config([route]));
    const client = world.client(daemon);
    await client.hear('* OK ready');
    await world.event('judged', 2);
    const [row] = await daemon.operator.endpoints();
    expect(row?.lastVerdict).toMatchObject({
      verdict: 'ca',
      by: 'warm',
      faults: [],
      chainNotAfter: row?.lastVerdict?.certificate?.notAfter,
    });
  });
});

describe('a candidate', () => {
  test('is compared with the key that is pinned, over the socket and without a daemon alike', async () => {
    const story = await keyChanged();
    const { operator, endpoint, daemon } = story;
    const ref = await refOf(story);
    const comparison = await operator.candidate(ref.toLowerCase());
    expect(comparison).toMatchObject({
      endpoint,
      ref,
      state: 'pinned',
      sentence: expect.stringMatching(/^The key changed; subject, issuer and names stayed: /),
      known: { spki: keyOf(own), basis: 'pinned' },
      presented: { spki: keyOf(impostor), basis: 'candidate' },
      reason: 'pin-mismatch',
      seenCount: 1,
    });
    expect(comparison).toEqual(await daemon.operator.candidate(ref));
    await operator.command({ command: 'reject', endpoint, expect: keyOf(impostor) });
    await expect(operator.candidate(ref)).rejects.toMatchObject({
      exit: 'not-found',
      message: expect.stringContaining('does not wait for a decision'),
    });
  });
});

describe('the events', () => {
  test('tell the story of a changed key to whoever follows, from before it began', async () => {
    const story = await keyChanged();
    await ask(story.daemon, 'POST', '/v1/commands', approve(story.endpoint, keyOf(impostor)));
    const stop = new AbortController();
    const entries: FeedEntry[] = [];
    for await (const entry of story.operator.follow({ after: 0, signal: stop.signal })) {
      entries.push(entry);
      if (entry.fields['change'] === 'approved') stop.abort();
    }
    const told = entries.map(({ event, fields }) => [event, fields['change'] ?? fields['outcome'] ?? null]);
    expect(told).toEqual(
      expect.arrayContaining([
        ['listening', null],
        ['session-started', null],
        ['pin-changed', 'first-use'],
        ['pin-changed', 'candidate'],
        ['session-ended', 'refused'],
        ['pin-changed', 'approved'],
      ]),
    );
    expect(entries.map(({ id }) => id - (entries[0]?.id ?? 0))).toEqual(entries.map((_, at) => at));
  });

  test('hold nothing of what client and server say to each other', async () => {
    const server = await world.server(own);
    const daemon = await world.start(world.config([routeTo(server, {})]));
    const client = world.client(daemon);
    await client.hear('* OK ready');
    await client.say('a LOGIN anna CANARY-PASSWORD\r\n').hear('CANARY-PASSWORD');
    client.socket.end();
    await world.event('session-ended');
    const stop = new AbortController();
    const entries: FeedEntry[] = [];
    for await (const entry of daemon.operator.follow({ after: 0, signal: stop.signal })) {
      entries.push(entry);
      if (entry.event === 'session-ended') stop.abort();
    }
    expect(JSON.stringify(entries)).not.toMatch(/CANARY|anna|LOGIN/);
  });

  test('end with the daemon', async () => {
    const daemon = await world.start(world.config([routeTo(await world.server(own), {})]));
    const following = remoteOperator(daemon.adminSocket).follow({
      after: null,
      signal: new AbortController().signal,
      hello: () => void daemon.close(0),
    });
    const told: string[] = [];
    for await (const { event } of following) told.push(event);
    expect(told).toEqual([]);
  });
});
