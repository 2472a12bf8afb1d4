// The log of a daemon that had a busy day: every line is as docs/logs.md says, each connection can be followed by its
// name, and no secret is in any of them.

import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Config } from '../../src/config.ts';
import type { Daemon } from '../../src/daemon.ts';
import { selfSigned, type Identity } from '../net/peers.ts';
import { wrongIn } from '../ops/log-line.ts';
import { keyOf } from '../proxy/world.ts';
import { routeTo, World } from './world.ts';

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

const secret = /CANARY|anna|LOGIN/;
const login = 'a LOGIN anna CANARY-PASSWORD\r\n';

/** First use, relay, an HTTP client, another key, a rejection, a server that is gone. */
async function busyDay(daemon: Daemon, server: Awaited<ReturnType<World['server']>>): Promise<void> {
  const client = world.client(daemon);
  await client.hear('* OK ready');
  await client.say(login).hear('CANARY-PASSWORD');
  const lost = world.client(daemon);
  await lost.say('GET / HTTP/1.1\r\nAuthorization: Basic CANARY\r\n\r\n').over();
  server.identity = impostor;
  await world.client(daemon).say(login).over();
  const endpoint = `127.0.0.1:${server.port}`;
  await daemon.operator.command({ command: 'reject', endpoint, expect: keyOf(own) });
  await client.over();
  server.close();
  await world.client(daemon).say(login).over();
  await world.event('session-ended', 4);
}

const dayOf = async (level: Config['log']['level']): Promise<void> => {
  const server = await world.server(own);
  const config = world.config([routeTo(server, {})], { log: { level, format: 'json' } });
  const daemon = await world.start(config, { reread: async () => ({ ok: true, config }) });
  await busyDay(daemon, server);
  await daemon.reload();
  await daemon.close(0);
};

test('every line of a busy day is listed, and says nothing of what client and server said', async () => {
  await dayOf('debug');
  expect(world.log.flatMap(wrongIn)).toEqual([]);
  const events = new Set(world.log.map(({ event }) => event));
  for (const event of ['ready', 'session-started', 'dialled', 'handshaken', 'judged', 'greeted', 'carried'])
    expect(events).toContain(event);
  for (const event of ['pin-changed', 'session-ended', 'session-revoked', 'key-untrusted', 'reloaded'])
    expect(events).toContain(event);
  expect(world.text).not.toMatch(secret);
});

test('each connection is followed by its name, from its first line to its last', async () => {
  await dayOf('debug');
  const [first, ...others] = world.events.flatMap((event) =>
    event.type === 'session-started' ? [event.session] : [],
  );
  const told = world.log
    .filter(({ session }) => session === first)
    .map(({ event, change }) => change ?? event);
  expect(told).toEqual([
    'session-started',
    'dialled',
    'handshaken',
    'first-use',
    'judged',
    'greeted',
    'session-revoked',
    'carried',
    'session-ended',
  ]);
  expect(new Set(others).size).toBe(3);
  const refused = world.log.find(({ outcome }) => outcome === 'refused');
  expect(refused?.['msg']).toContain(`(#${String(refused?.['session'])})`);
  // What happens for nobody's sake names nobody.
  for (const { event, session } of world.log)
    if (event === 'ready' || event === 'reloaded' || event === 'store-health')
      expect(session).toBeUndefined();
});

test('a reload changes how much is logged, and in which form', async () => {
  const server = await world.server(own);
  const routes = [routeTo(server, {})];
  const quiet = world.config(routes, { log: { level: 'warn', format: 'json' } });
  const loud = world.config(routes, { log: { level: 'debug', format: 'pretty' } });
  const daemon = await world.start(quiet, { reread: async () => ({ ok: true, config: loud }) });
  await world.client(daemon).hear('* OK ready');
  expect(world.log.map(({ event }) => event)).toEqual(['pin-changed']);
  await daemon.reload();
  await world.client(daemon).hear('* OK ready');
  expect(world.text).toMatch(/Z DEBUG client on imap-test {2}#[0-9A-Z]{3}-2 protocol=imap/);
});
