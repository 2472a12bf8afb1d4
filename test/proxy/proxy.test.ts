// The proxy as a whole: starting all or nothing, limits, reload, drain, and that nothing of it stays behind.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadAnchors, type AnchorSet } from '../../src/net/anchors.ts';
import type { Route } from '../../src/proxy/route.ts';
import { turnsOfSlow } from '../turns.ts';
import { deafPort } from '../net/deaf-port.ts';
import { listen as listenOn, portOf, selfSigned, type Identity } from '../net/peers.ts';
import { honest } from './scripts.ts';
import { FakeServer, makeAuthority, Rig, routeTo, type RigOptions } from './world.ts';

let directory: string;
let own: Identity;
let anchors: AnchorSet;
const rigs: Rig[] = [];
const closing: { close(): unknown }[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'letterlock-proxy-'));
  await writeFile(join(directory, 'ca.pem'), (await makeAuthority()).pem);
  anchors = await loadAnchors([join(directory, 'ca.pem')]);
  own = await selfSigned();
});
afterAll(() => rm(directory, { recursive: true }));
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close();
  for (const one of closing.splice(0)) one.close();
});

async function open(options: Partial<RigOptions> = {}): Promise<Rig> {
  const rig = await Rig.open({
    identity: own,
    anchors,
    script: honest(options.protocol ?? 'imap', 'implicit'),
    ...options,
  });
  rigs.push(rig);
  return rig;
}

async function secondServer(): Promise<FakeServer> {
  const server = await new FakeServer(own, honest('imap', 'implicit')).listen();
  closing.push(server);
  return server;
}

async function takenPort(): Promise<number> {
  const server = await listenOn(createServer());
  closing.push(server);
  return portOf(server);
}

const at = (route: Route, name: string, port = 0): Route => ({
  ...route,
  name,
  listen: [{ kind: 'tcp', host: '127.0.0.1', port }],
});

describe('start and reload', () => {
  it('tells what it listens on', async () => {
    const rig = await open();
    expect(rig.proxy.status()).toEqual([
      {
        name: 'imap-test',
        listen: `127.0.0.1:${rig.port}`,
        port: rig.port,
        upstream: rig.route.upstream,
        endpoint: rig.endpoint,
        protocol: 'imap',
        sessions: 0,
        warm: 0,
        state: 'ready',
      },
    ]);
    expect(rig.events).toContainEqual({
      type: 'listening',
      route: 'imap-test',
      address: `127.0.0.1:${rig.port}`,
      upstream: rig.route.upstream,
    });
  });

  it('tells every place of a route, and no port where it has none', async () => {
    const path = join(directory, 'imap.sock');
    const place = { kind: 'unix', path, mode: 0o600, group: null } as const;
    const rig = await open({ route: { listen: [{ kind: 'tcp', host: '127.0.0.1', port: 0 }, place] } });
    expect(rig.proxy.status()).toMatchObject([
      { listen: `127.0.0.1:${rig.port}, unix:${path}`, port: rig.port },
    ]);
    await rig.client().hear('ready');
    await rig.client({ path }).hear('ready');
    await rig.proxy.replace([{ ...rig.route, listen: [place] }]);
    expect(rig.proxy.status()).toMatchObject([{ listen: `unix:${path}`, port: null, sessions: 2 }]);
    await rig.client({ path }).hear('ready');
  });

  it('binds nothing when one route cannot be bound', async () => {
    const rig = await open();
    const before = rig.proxy.status();
    const busy = await takenPort();
    const free = await takenPort();
    closing.pop()?.close();
    await expect(
      rig.proxy.replace([rig.route, at(rig.route, 'free', free), at(rig.route, 'busy', busy)]),
    ).rejects.toMatchObject({ code: 'listen-busy' });
    expect((await rig.client(free).over()).error).toBe('ECONNREFUSED');
    expect(rig.proxy.status()).toEqual(before);
    await rig.client().hear('ready');
  });

  it('keeps listening socket and open sessions of a route that stays, and serves it with the new upstream', async () => {
    const rig = await open();
    const { port } = rig;
    const live = await rig.client().hear('ready');
    const moved = await secondServer();
    await rig.proxy.replace([{ ...routeTo(moved, {}), name: rig.route.name }]);
    expect(rig.port).toBe(port);
    await live.say('a1 STILL\r\n').hear('a1 STILL\r\n');
    await (await rig.client().hear('ready')).say('b1 NEW\r\n').hear('b1 NEW\r\n');
    expect(rig.server.heard).toBe('a1 STILL\r\n');
    expect(moved.heard).toBe('b1 NEW\r\n');
  });

  it('lets the event loop turn between routes that stay', async () => {
    const rig = await open();
    const many = Array.from({ length: 50 }, (_, index) => at(rig.route, `route-${index}`));
    await rig.proxy.replace(many);
    const { turns } = await turnsOfSlow(() => rig.proxy.replace(many));
    expect(turns).toBeGreaterThanOrEqual(many.length);
  });

  it('closes what is not wanted any more, and lets its sessions go on', async () => {
    const rig = await open();
    const { port } = rig;
    const live = await rig.client().hear('ready');
    await rig.proxy.replace([at(rig.route, 'elsewhere')]);
    expect(rig.port).not.toBe(port);
    expect((await rig.client(port).over()).error).toBe('ECONNREFUSED');
    await live.say('a1 STILL\r\n').hear('a1 STILL\r\n');
  });

  it('refuses to take an address away from one route and give it to two', async () => {
    const rig = await open();
    const fixed = await takenPort();
    closing.pop()?.close();
    await rig.proxy.replace([at(rig.route, 'one', fixed)]);
    await expect(
      rig.proxy.replace([at(rig.route, 'one', fixed), at(rig.route, 'two', fixed)]),
    ).rejects.toMatchObject({
      code: 'listen-busy',
    });
    expect(rig.proxy.status().map(({ name }) => name)).toEqual(['one']);
  });

  it('refuses a kept address that is not loopback once unsafeListen is gone', async () => {
    const rig = await open({
      route: { listen: [{ kind: 'tcp', host: '0.0.0.0', port: 0 }], unsafeListen: true },
    });
    await expect(rig.proxy.replace([{ ...rig.route, unsafeListen: false }])).rejects.toMatchObject({
      code: 'listen-unsafe',
    });
    expect(rig.proxy.status()).toHaveLength(1);
  });
});

describe('limits', () => {
  it('resets clients beyond the limit and serves again when there is room', async () => {
    const rig = await open({ limits: { connections: 1 } });
    const first = await rig.client().hear('ready');
    const second = await rig.client().over();
    expect(second).toMatchObject({ text: '', error: 'ECONNRESET' });
    expect(await rig.end(1)).toMatchObject({
      session: expect.stringMatching(/-2$/),
      outcome: 'rejected',
      reason: 'limit',
    });
    expect(rig.server.visits).toHaveLength(1);
    first.socket.end();
    await rig.end(2);
    await rig.client().hear('ready');
  });

  it('keeps sixteen dials under way, and the seventeenth waits inside dialSeconds', async () => {
    const { port, close } = await deafPort();
    closing.push({ close });
    const rig = await open({
      limits: { dialSeconds: 1 },
      route: { addresses: [{ host: '127.0.0.1', port }] },
    });
    const clients = Array.from({ length: 17 }, () => rig.client());
    await Promise.all(clients.map((client) => client.over()));
    await rig.end(17);
    expect(rig.ends.map(({ reason }) => reason)).toEqual(Array.from({ length: 17 }, () => 'timeout'));
    // The last one has no more than what the others left of its time.
    const whole = rig.events.filter((event) => event.type === 'dialled' && event.seconds > 0.5);
    expect(whole).toHaveLength(16);
  });
});

describe('drain', () => {
  it('stops accepting, waits for sessions to end by themselves, and says so', async () => {
    const rig = await open();
    const { port } = rig;
    const live = await rig.client().hear('ready');
    const drained = rig.proxy.drain(60_000);
    expect(rig.proxy.status()[0]?.state).toBe('draining');
    expect((await rig.client(port).over()).error).toBe('ECONNREFUSED');
    await live.say('a1 LAST\r\n').hear('a1 LAST\r\n');
    live.socket.end();
    await drained;
    expect(await rig.end()).toMatchObject({ outcome: 'relayed', detail: null });
  });

  it('resets what is left when the time is over', async () => {
    const rig = await open();
    const live = await rig.client().hear('ready');
    await rig.proxy.drain(10);
    await live.over();
    expect(live.error).toBe('ECONNRESET');
    expect(await rig.end()).toMatchObject({
      outcome: 'relayed',
      detail: expect.stringContaining('shutting down'),
    });
  });

  it('ends clients of a socket file as well, which have no reset', async () => {
    const path = join(directory, 'drained.sock');
    const rig = await open({
      limits: { connections: 1 },
      route: { listen: [{ kind: 'unix', path, mode: 0o600, group: null }] },
    });
    const live = await rig.client({ path }).hear('ready');
    expect((await rig.client({ path }).over()).text).toBe('');
    await rig.proxy.drain(10);
    await live.over();
    expect(rig.ends.map(({ outcome }) => outcome)).toEqual(['rejected', 'relayed']);
    expect((await rig.client({ path }).over()).error).toBe('ENOENT');
  });

  it('ends a session that was not greeted yet as rejected', async () => {
    const rig = await open({ script: [{ do: 'tls' }, { wait: new Promise(() => undefined) }] });
    rig.client();
    await rig.until(() => rig.count('handshaken') === 1);
    await rig.proxy.drain(0);
    expect(await rig.end()).toMatchObject({ outcome: 'rejected', reason: 'draining' });
  });

  it('is the end: a reload after it is refused', async () => {
    const rig = await open();
    await rig.proxy.drain(0);
    await expect(rig.proxy.replace([rig.route])).rejects.toMatchObject({ exit: 'internal' });
  });
});
