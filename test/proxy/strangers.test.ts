// allowUsers: who may be served, who may not, and that nothing is said before that is known.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { endianness, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { loadAnchors, type AnchorSet } from '../../src/net/anchors.ts';
import { PeerTable } from '../../src/proxy/peer-table.ts';
import { refuseStrangers } from '../../src/proxy/strangers.ts';
import { selfSigned, type Identity } from '../net/peers.ts';
import { honest } from './scripts.ts';
import { makeAuthority, Rig, type RigOptions } from './world.ts';

const root = process.getuid?.() === 0;
const own = process.getuid?.() ?? -1;
const other = 12_345;

let directory: string;
let identity: Identity;
let anchors: AnchorSet;
const rigs: Rig[] = [];
const children: ChildProcess[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'letterlock-strangers-'));
  await writeFile(join(directory, 'ca.pem'), (await makeAuthority()).pem);
  anchors = await loadAnchors([join(directory, 'ca.pem')]);
  identity = await selfSigned();
});
afterAll(() => rm(directory, { recursive: true }));
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const rig of rigs.splice(0)) await rig.close();
});

async function open(route: RigOptions['route']): Promise<Rig> {
  const rig = await Rig.open({ identity, anchors, script: honest('imap', 'implicit'), route: route ?? {} });
  rigs.push(rig);
  return rig;
}

/** What a client of another user was told. */
async function toldTo(uid: number, port: number): Promise<string> {
  const program = `
import socket, sys
s = socket.create_connection(("127.0.0.1", ${port}))
try:
    s.sendall(b"a1 NOOP\\r\\n")
    print("told", s.recv(100).decode().strip(), flush=True)
except OSError as error:
    print("error", error.strerror, flush=True)
sys.stdin.read()`;
  const child = spawn('setpriv', [
    '--reuid',
    String(uid),
    '--clear-groups',
    '/usr/bin/python3',
    '-c',
    program,
  ]);
  children.push(child);
  const [line]: unknown[] = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    once(child, 'exit').then(([code]) => [`ended with ${code}`]),
  ]);
  return String(line);
}

describe.skipIf(process.platform !== 'linux')('allowUsers', () => {
  it('serves a user it names', async () => {
    const rig = await open({ allowUsers: [other, own] });
    await rig.client().hear('ready');
  });

  it('closes a user it does not name without a byte, counted once, and never dials for him', async () => {
    const rig = await open({ allowUsers: [other] });
    const client = await rig.client().say('a1 NOOP\r\n').over();
    expect(client).toMatchObject({ text: '', error: 'ECONNRESET' });
    expect(await rig.end()).toMatchObject({
      outcome: 'rejected',
      reason: 'peer-uid',
      said: null,
      detail: expect.stringContaining(`user ${own}`),
    });
    expect(rig.ends).toHaveLength(1);
    expect(rig.server.visits).toEqual([]);
  });

  it('serves everybody where it is absent, and nobody where it is empty', async () => {
    await (await open({ allowUsers: null })).client().hear('ready');
    const rig = await open({ allowUsers: [] });
    expect((await rig.client().over()).text).toBe('');
  });

  it.skipIf(!root)('tells the users of one machine apart', async () => {
    const rig = await open({ allowUsers: [other] });
    expect(await toldTo(other, rig.port)).toMatch(/^told \* OK/);
    expect(await toldTo(other + 1, rig.port)).toMatch(/^error/);
    expect(await rig.end(1)).toMatchObject({
      reason: 'peer-uid',
      detail: expect.stringContaining(`user ${other + 1}`),
    });
  });

  it.skipIf(!root)('never serves the uid that stands for all unknown ones', async () => {
    const rig = await open({ allowUsers: [65_534, other] });
    expect(await toldTo(65_534, rig.port)).toMatch(/^error/);
    expect(await toldTo(other, rig.port)).toMatch(/^told/);
  });

  it('serves all of many clients that come at once', async () => {
    const rig = await open({ allowUsers: [own] });
    const clients = Array.from({ length: 50 }, () => rig.client());
    await Promise.all(clients.map((client) => client.hear('ready')));
    expect(rig.ends).toEqual([]);
  });

  it('is refused at the start for a socket file, whose users nobody can tell', async () => {
    const path = join(directory, 'imap.sock');
    const route = { listen: [{ kind: 'unix', path, mode: 0o600, group: null }] } as const;
    await expect(open({ ...route, allowUsers: [own] })).rejects.toMatchObject({
      exit: 'config',
      message: expect.stringContaining('cannot tell the users apart'),
    });
    await (await open(route)).client({ path }).hear('ready');
  });
});

const from = (remoteAddress: string | undefined): Socket =>
  Object.defineProperties(new Socket(), {
    remoteAddress: { value: remoteAddress },
    remotePort: { value: 40_000 },
    localAddress: { value: remoteAddress },
    localPort: { value: 1143 },
  });

/** From an address to itself. */
const line = (address: string): string =>
  `   0: ${address}:9C40 ${address}:0477 01 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0\n`;

/** A row that shows at the `count`th look only. */
function seenAt(count: number): PeerTable {
  let looks = 0;
  return new PeerTable(async function* read(path) {
    if (path.endsWith('tcp6')) return;
    looks += 1;
    if (looks >= count) yield Buffer.from(line('0100007F') + line('010200C0'));
  });
}

// The rows are written as a little-endian machine has them.
describe.skipIf(endianness() !== 'LE')('a stranger', () => {
  const route = { allowUsers: [1000] };
  const signal = new AbortController().signal;

  it('is not who is seen at a later look only', async () => {
    await expect(
      refuseStrangers(from('127.0.0.1'), { route, peers: seenAt(4), signal }),
    ).resolves.toBeUndefined();
  });

  it('is who is not seen at the last one', async () => {
    await expect(
      refuseStrangers(from('127.0.0.1'), { route, peers: seenAt(5), signal }),
    ).rejects.toMatchObject({ rejection: 'peer-uid' });
  });

  it.each([['192.0.2.1'], ['fd00::1'], [undefined]])('is whoever comes from %s', async (address) => {
    await expect(refuseStrangers(from(address), { route, peers: seenAt(1), signal })).rejects.toMatchObject({
      rejection: 'peer-uid',
    });
  });

  it('is not waited for when he has gone', async () => {
    const stop = new AbortController();
    const waiting = refuseStrangers(from('127.0.0.1'), { route, peers: seenAt(99), signal: stop.signal });
    stop.abort(new Failure('client'));
    await expect(waiting).rejects.toMatchObject({ code: 'client' });
  });
});
