// A daemon whose doors were opened before it: who connects meanwhile waits, and is served or closed without a byte.

import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Config } from '../../src/config.ts';
import { EarlyDoors } from '../../src/proxy/early-doors.ts';
import type { ListenPlace } from '../../src/proxy/route.ts';
import { openLevelStore } from '../../src/store/level.ts';
import { selfSigned } from '../net/peers.ts';
import type { Identity } from '../net/peers.ts';
import { FakeClient } from '../proxy/world.ts';
import { routeTo, World } from './world.ts';

let world: World;
let own: Identity;
beforeAll(async () => {
  own = await selfSigned();
});
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('no port');
  return address.port;
}

/** A port nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}

const placeAt = (port: number): readonly ListenPlace[] => [{ kind: 'tcp', host: '127.0.0.1', port }];

async function configAt(port: number): Promise<Config> {
  const server = await world.server(own);
  return world.config([{ ...routeTo(server, {}), listen: placeAt(port) }]);
}

/** Connected. Rejects with the socket's error. */
async function clientAt(port: number): Promise<FakeClient> {
  const client = new FakeClient(port);
  await once(client.socket, 'connect');
  return client;
}

describe('doors opened early', () => {
  test('keep who connects until the daemon is there, and then serve him', async () => {
    const port = await freePort();
    const config = await configAt(port);
    const doors = await EarlyDoors.open(config.routes, {});
    const client = await clientAt(port);
    client.say('a NOOP\r\n');
    const daemon = await world.start(config, { doors });
    await client.hear('* OK ready');
    await client.hear('a NOOP');
    client.socket.destroy();
    expect(daemon.routes()).toMatchObject([{ listen: `127.0.0.1:${port}` }]);
  });

  test('close without a byte, and let the port go, where the daemon does not start', async () => {
    const port = await freePort();
    const config = await configAt(port);
    const store = await openLevelStore({ directory: config.state, create: true, now: Date.now });
    const doors = await EarlyDoors.open(config.routes, {});
    const client = await clientAt(port);
    await expect(world.start(config, { doors })).rejects.toMatchObject({ exit: 'store' });
    await expect.poll(() => client.closed).toBe(true);
    expect(client.socket.bytesRead).toBe(0);
    await store.close();
    const other = createServer().listen(port, '127.0.0.1');
    await once(other, 'listening');
    other.close();
  });

  test('that cannot be had are told after what else keeps the daemon from starting', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const config = await configAt(portOf(squatter));
    const store = await openLevelStore({ directory: config.state, create: true, now: Date.now });
    const first = world.start(config, { doors: await EarlyDoors.open(config.routes, {}) });
    await expect(first).rejects.toMatchObject({ exit: 'store' });
    await store.close();
    const second = world.start(config, { doors: await EarlyDoors.open(config.routes, {}) });
    await expect(second).rejects.toMatchObject({ exit: 'network', code: 'listen-busy' });
    squatter.close();
  });

  test('close where what serves there cannot be loaded', async () => {
    const port = await freePort();
    const doors = await EarlyDoors.open((await configAt(port)).routes, {});
    const client = await clientAt(port);
    await expect(doors.across(Promise.reject(new TypeError('no such file')))).rejects.toThrow(TypeError);
    await expect.poll(() => client.closed).toBe(true);
    await expect(clientAt(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('close with the daemon', async () => {
    const port = await freePort();
    const config = await configAt(port);
    const daemon = await world.start(config, { doors: await EarlyDoors.open(config.routes, {}) });
    await daemon.close();
    await expect(clientAt(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('tell of sockets passed by a service manager that make no sense when the daemon starts', async () => {
    const config = await configAt(await freePort());
    const env = { LISTEN_PID: String(process.pid), LISTEN_FDS: 'many' };
    const doors = await EarlyDoors.open(config.routes, env);
    await expect(world.start(config, { doors })).rejects.toMatchObject({ code: 'listen-failed' });
  });
});
