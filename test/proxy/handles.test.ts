// Nothing of a proxy stays behind when it is drained. In a file of its own: it counts what the process holds.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadAnchors } from '../../src/net/anchors.ts';
import { selfSigned } from '../net/peers.ts';
import { honest } from './scripts.ts';
import { makeAuthority, Rig } from './world.ts';

const counted = new Set(['TCPServerWrap', 'TCPSocketWrap', 'Timeout', 'GetAddrInfoReqWrap']);
const held = (): readonly string[] =>
  process
    .getActiveResourcesInfo()
    .filter((kind) => counted.has(kind))
    .toSorted();

it('a drained proxy leaves no socket, listener or timer behind, whatever its sessions did', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'letterlock-proxy-'));
  await writeFile(join(directory, 'ca.pem'), (await makeAuthority()).pem);
  const anchors = await loadAnchors([join(directory, 'ca.pem')]);
  const identity = await selfSigned();
  const before = held();

  const rig = await Rig.open({ identity, anchors, script: honest('imap', 'implicit') });
  const relayed = await rig.client().hear('ready');
  const rejected = await rig.client().say('GET / HTTP/1.1\r\n').over();
  const idle = await rig.client().hear('ready');
  relayed.socket.end();
  await relayed.over();
  rig.server.identity = await selfSigned();
  const refused = await rig.client().over();
  rig.server.script = [{ do: 'tls' }, { wait: new Promise(() => undefined) }];
  rig.server.identity = identity;
  rig.clock.ahead = 120_000;
  rig.client();
  await rig.until(() => rig.count('handshaken') === 4);
  expect(held().length).toBeGreaterThan(before.length);

  await rig.proxy.drain(0);
  for (const { socket } of [relayed, rejected, idle, refused]) socket.destroy();
  await rig.close();
  await rm(directory, { recursive: true });
  for (let turn = 0; turn < 100 && held().length > before.length; turn += 1) await new Promise(setImmediate);
  // The test runner's own timers may have gone meanwhile.
  expect(held().filter((kind) => kind !== 'Timeout')).toEqual([]);
  expect(held().length).toBeLessThanOrEqual(before.length);
});

it('a drained proxy leaves no warm connection behind, nor one on its way', async () => {
  const anchors = await loadAnchors([]);
  const identity = await selfSigned();
  const before = held();
  const script = honest('imap', 'implicit');
  const rig = await Rig.open({ identity, anchors, script, route: { warm: 2 } });
  await rig.client().hear('ready');
  await expect.poll(() => rig.proxy.status()[0]?.warm).toBe(2);
  rig.server.script = [{ do: 'tls' }, { wait: new Promise(() => undefined) }];
  await rig.client().hear('ready');
  await expect.poll(() => rig.server.visits.length).toBe(4);
  await rig.close();
  for (let turn = 0; turn < 100 && held().length > before.length; turn += 1) await new Promise(setImmediate);
  expect(held().filter((kind) => kind !== 'Timeout')).toEqual([]);
  expect(held().length).toBeLessThanOrEqual(before.length);
});
