// The page's door on a real daemon: it is there where it is asked for, counts what it turns away, and writes down
// its orders as its own.

import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { remoteOperator } from '../../src/admin/client.ts';
import type { Config } from '../../src/config.ts';
import type { Daemon } from '../../src/daemon.ts';
import { selfSigned } from '../net/peers.ts';
import type { Identity } from '../net/peers.ts';
import { keyOf } from '../proxy/world.ts';
import { page, routeTo, World } from './world.ts';

let world: World;
let own: Identity;
beforeAll(async () => {
  own = await selfSigned();
});
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

async function start(listen: Config['admin']['listen'] = { host: '127.0.0.1', port: 0 }): Promise<Daemon> {
  const server = await world.server(own);
  const config = world.config([routeTo(server, {})]);
  return world.start({ ...config, admin: { ...config.admin, listen } });
}

interface Sent {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

async function send(daemon: Daemon, { method = 'GET', path, headers, body }: Sent): Promise<string> {
  const origin = `http://${daemon.dashboard ?? ''}`;
  const outgoing = request(`${origin}${path}`, {
    method,
    agent: false,
    headers: {
      ...(method === 'GET' ? {} : { Origin: origin }),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
  });
  const answered = once(outgoing, 'response');
  outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  const [response]: IncomingMessage[] = await answered;
  if (response === undefined) throw new TypeError('no response');
  return `${response.statusCode} ${await text(response)}`;
}

async function tokenOf(daemon: Daemon, scope: 'read' | 'admin'): Promise<string> {
  const { url } = await remoteOperator(daemon.adminSocket).dashboard({ scope, uid: null });
  const code = new URL(url).hash.slice('#code='.length);
  const said = await send(daemon, { method: 'POST', path: '/session', body: { code } });
  return /"token":"([\w-]+)"/.exec(said)?.[1] ?? '';
}

const bearer = (token: string): Readonly<Record<string, string>> => ({ Authorization: `Bearer ${token}` });

/** Of the metrics page: the value of every series of these families that is not 0. */
async function counted(daemon: Daemon): Promise<Readonly<Record<string, number>>> {
  const { text: metrics } = await page(daemon, '/metrics');
  const lines = [...metrics.matchAll(/^letterlock_admin_requests_(rejected_)?total\{(.*)\} (\d+)$/gm)];
  return Object.fromEntries(
    lines.filter(([, , , value]) => value !== '0').map(([, , labels = '', value]) => [labels, Number(value)]),
  );
}

describe('a daemon with admin.listen', () => {
  test('says where it serves the page, makes addresses for the socket, and tells who opened it', async () => {
    const daemon = await start();
    expect(world.log.find(({ event }) => event === 'ready')).toMatchObject({ dashboard: daemon.dashboard });
    const link = await remoteOperator(daemon.adminSocket).dashboard({ scope: 'admin', uid: null });
    expect(new URL(link.url).host).toBe(daemon.dashboard);
    await tokenOf(daemon, 'admin');
    const told = world.log.filter(({ event }) => event === 'dashboard-opened');
    expect(told).toMatchObject([{ scope: 'admin', level: 'info' }]);
    expect(world.text).not.toContain('code=');
  });

  test('counts each thing it turns away once, by its reason, and everything else by its route', async () => {
    const daemon = await start();
    const token = await tokenOf(daemon, 'read');
    expect(await counted(daemon)).toEqual({
      'route="dashboard",code="200"': 1,
      'route="session",code="200"': 1,
    });
    const wrong: readonly [Sent, string][] = [
      [{ path: '/v1/pins', headers: { ...bearer(token), Host: 'evil.test' } }, 'bad-host'],
      [{ path: '/v1/pins', headers: { ...bearer(token), Origin: 'http://evil.test' } }, 'bad-origin'],
      [{ path: '/v1/pins' }, 'no-token'],
      [{ path: '/v1/pins', headers: bearer('x'.repeat(43)) }, 'bad-token'],
    ];
    for (const [sent, reason] of wrong) {
      const before = await counted(daemon);
      await send(daemon, sent);
      expect(await counted(daemon)).toEqual({ ...before, [`reason="${reason}"`]: 1 });
    }
    const before = await counted(daemon);
    await send(daemon, { path: '/v1/pins', headers: bearer(token) });
    await send(daemon, { path: '/v1/reload', method: 'POST', headers: bearer(token) });
    await send(daemon, { path: '/' });
    for (let guess = 0; guess < 10; guess += 1)
      await send(daemon, { path: '/v1/pins', headers: bearer('y'.repeat(43)) });
    expect(await counted(daemon)).toEqual({
      ...before,
      'route="pins",code="200"': 1,
      'route="reload",code="403"': 1,
      'route="page",code="503"': 1,
      'reason="bad-token"': 10,
      'reason="rate"': 1,
    });
  });

  test('has every reason at 0 from the start', async () => {
    const { text: metrics } = await page(await start(), '/metrics');
    for (const reason of ['bad-host', 'bad-origin', 'no-token', 'bad-token', 'rate'])
      expect(metrics).toContain(`letterlock_admin_requests_rejected_total{reason="${reason}"} 0`);
  });

  test('writes down an order of the page as one of the page, directly and over the socket', async () => {
    const daemon = await start();
    const endpoint = daemon.routes()[0]?.endpoint ?? '';
    const add = { command: 'add', endpoint, pin: keyOf(own), forMs: null, unreject: false } as const;
    const token = await tokenOf(daemon, 'admin');
    await send(daemon, { method: 'POST', path: '/v1/commands', headers: bearer(token), body: add });
    await remoteOperator(daemon.adminSocket, { origin: 'admin' }).command({ command: 'undo', endpoint });
    await remoteOperator(daemon.adminSocket).command(add);
    expect((await daemon.operator.history(endpoint)).map(({ event, origin }) => [event, origin])).toEqual([
      ['added', 'admin'],
      ['undone', 'admin'],
      ['added', 'cli'],
    ]);
  });

  test('lets nobody on the page make addresses of it', async () => {
    const daemon = await start();
    const wanted = { scope: 'admin', uid: null } as const;
    const token = await tokenOf(daemon, 'admin');
    const sent = { method: 'POST', path: '/v1/dashboard', headers: bearer(token), body: wanted };
    expect(await send(daemon, sent)).toMatch(/^404 /);
    const asPage = remoteOperator(daemon.adminSocket, { origin: 'admin' });
    await expect(asPage.dashboard(wanted)).rejects.toMatchObject({ exit: 'not-found' });
  });

  test('gives the events, and ends with them in good time', async () => {
    const daemon = await start();
    const outgoing = request(`http://${daemon.dashboard ?? ''}/v1/events`, {
      agent: false,
      headers: bearer(await tokenOf(daemon, 'read')),
    });
    outgoing.end();
    const [response]: IncomingMessage[] = await once(outgoing, 'response');
    const heard = response === undefined ? '' : text(response);
    await daemon.reload();
    await daemon.close(0);
    expect(await heard).toMatch(/^event: hello\n[^]*event: reloaded\n/);
  });

  test('does not start where the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server has such an address
    const { port } = other.address() as AddressInfo;
    await expect(start({ host: '127.0.0.1', port })).rejects.toMatchObject({
      exit: 'network',
      code: 'listen-busy',
    });
    other.close();
    expect((await start({ host: 'localhost', port })).dashboard).toBe(`127.0.0.1:${port}`);
  });

  test('does not move it on a reload, and says so', async () => {
    const server = await world.server(own);
    const config = world.config([routeTo(server, {})]);
    const listen = { host: '127.0.0.1', port: 0 };
    const daemon = await world.start(config, {
      reread: async () => ({ ok: true, config: { ...config, admin: { ...config.admin, listen } } }),
    });
    expect(await daemon.reload()).toMatchObject({
      reloaded: false,
      problems: [{ message: 'admin cannot change while letterlock runs' }],
    });
  });
});

test('a daemon without admin.listen serves no page, and says how to see it', async () => {
  const daemon = await start(null);
  expect(daemon.dashboard).toBeNull();
  await expect(
    remoteOperator(daemon.adminSocket).dashboard({ scope: 'read', uid: null }),
  ).rejects.toMatchObject({ exit: 'not-found', hint: expect.stringContaining('admin: {listen:') });
});
