// Listening addresses: every family or none, loopback only, and messages a person can act on.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { isLoopback } from '../../src/proxy/address.ts';
import { mostWaiting, type Door } from '../../src/proxy/door.ts';
import { listenTcp, type ListenTcpOptions } from '../../src/proxy/listen-tcp.ts';
import { findPortOwner, uidOfListener } from '../../src/proxy/port-owner.ts';

const closing: { close(): unknown }[] = [];
afterEach(() => {
  for (const one of closing.splice(0)) one.close();
});

const twoAddresses = (): Promise<readonly string[]> => Promise.resolve(['127.0.0.1', '192.0.2.1']);
const absentAddress = (): Promise<readonly string[]> => Promise.resolve(['192.0.2.1']);

const options: ListenTcpOptions = { name: 'imaps-0', reach: 'loopback', open: new Map() };

const at = (host: string, port = 0) => ({ kind: 'tcp', host, port }) as const;

async function opened(
  host: string,
  more: Partial<ListenTcpOptions> & { readonly port?: number } = {},
): Promise<readonly Door[]> {
  const { doors } = await listenTcp(at(host, more.port), { ...options, ...more });
  closing.push(...doors);
  return doors;
}

async function squatter(host: string): Promise<number> {
  const server: Server = createServer().listen(0, host);
  closing.push(server);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('no port');
  return address.port;
}

async function clientOf(door: Door | undefined): Promise<Socket> {
  const client = connect(door?.address?.port ?? 0, '127.0.0.1');
  closing.push({ close: () => client.destroy() });
  await once(client, 'connect');
  return client;
}

const ipv6 = await new Promise<boolean>((resolve) => {
  const probe = createServer();
  probe.once('error', () => resolve(false));
  probe.listen(0, '::1', () => probe.close(() => resolve(true)));
});

describe('a TCP place', () => {
  it('hands each connection to whoever serves the door', async () => {
    const [door] = await opened('127.0.0.1');
    const served = new Promise<Socket>((resolve) => {
      if (door) door.serve = resolve;
    });
    const client = connect(door?.address?.port ?? 0, '127.0.0.1');
    closing.push({ close: () => client.destroy() });
    const socket = await served;
    closing.push({ close: () => socket.destroy() });
    expect(socket.remotePort).toBe(client.localPort);
    expect(socket.allowHalfOpen).toBe(true);
  });

  it('binds both families of localhost on one port', async () => {
    const { doors, skipped } = await listenTcp(at('localhost'), options);
    closing.push(...doors);
    expect(doors.map(({ address }) => address?.address)).toEqual(ipv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1']);
    expect(new Set(doors.map(({ address }) => address?.port)).size).toBe(1);
    expect(skipped).toHaveLength(ipv6 ? 0 : 1);
  });

  it('refuses a port that is taken, naming address, port, owner and the way out, and binds nothing', async () => {
    const port = await squatter('127.0.0.1');
    const failure = await opened('127.0.0.1', { port }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'listen-busy', exit: 'network' });
    expect(String(failure)).toContain(`127.0.0.1:${port}`);
    expect(String(failure)).toContain(`uid ${process.getuid?.()}`);
    expect(failure).toHaveProperty('hint', expect.stringContaining('another port'));
  });

  it.skipIf(!ipv6)(
    'refuses localhost when one family of it is taken, and gives the other family back',
    async () => {
      const port = await squatter('::1');
      await expect(opened('localhost', { port })).rejects.toMatchObject({ code: 'listen-busy' });
      await expect(opened('127.0.0.1', { port })).resolves.toHaveLength(1);
    },
  );

  it('binds the addresses of a name that this machine has, and reports the others', async () => {
    const resolve = twoAddresses;
    const listening = await listenTcp(at('mail.test'), { ...options, reach: 'anywhere', resolve });
    closing.push(...listening.doors);
    expect(listening.doors.map(({ address }) => address?.address)).toEqual(['127.0.0.1']);
    expect(listening.skipped).toEqual([
      { address: `192.0.2.1:${listening.doors[0]?.address?.port}`, cause: 'EADDRNOTAVAIL' },
    ]);
  });

  it('refuses when this machine has none of the addresses', async () => {
    const resolve = absentAddress;
    await expect(opened('mail.test', { resolve, reach: 'anywhere' })).rejects.toMatchObject({
      code: 'listen-failed',
    });
  });

  it.each([['0.0.0.0'], ['::'], ['192.0.2.1'], ['fe80::1']])(
    'refuses %s where only loopback may reach it',
    async (host) => {
      await expect(opened(host)).rejects.toMatchObject({ code: 'listen-unsafe', exit: 'config' });
    },
  );

  it('refuses a name of which one address is not loopback', async () => {
    const resolve = twoAddresses;
    await expect(opened('mail.test', { resolve })).rejects.toMatchObject({ code: 'listen-unsafe' });
  });

  it('listens off loopback where anybody may reach it', async () => {
    await expect(opened('0.0.0.0', { reach: 'anywhere' })).resolves.toHaveLength(1);
  });

  it('keeps a door that is open already', async () => {
    const [door] = await opened('127.0.0.1');
    if (!door) throw new TypeError('no door');
    const again = await listenTcp(at('127.0.0.1'), { ...options, open: new Map([[door.key, door]]) });
    expect(again.doors).toEqual([door]);
    expect(again.opened).toEqual([]);
  });

  it('says that letterlock itself is in the way where it is', async () => {
    const [door] = await opened('127.0.0.1');
    if (!door) throw new TypeError('no door');
    const open = new Map([[door.key, door]]);
    const port = door.address?.port ?? 0;
    await expect(opened('0.0.0.0', { open, port, reach: 'anywhere' })).rejects.toMatchObject({
      code: 'listen-busy',
      message: expect.stringContaining(`letterlock itself listens on ${door.text}`),
      hint: expect.stringContaining('restart'),
    });
  });

  it('lets who connects before the door is served wait, and hands them over in their order', async () => {
    const [door] = await opened('127.0.0.1');
    const [first, second] = [await clientOf(door), await clientOf(door)];
    first.write('first');
    second.write('second');
    const heard: string[] = [];
    const served = new Promise<void>((resolve) => {
      if (!door) throw new TypeError('no door');
      door.serve = (socket) =>
        void socket.once('data', (bytes) => {
          heard.push(String(bytes));
          socket.end(`to ${String(bytes)}`);
          if (heard.length === 2) resolve();
        });
    });
    await served;
    expect(heard).toEqual(['first', 'second']);
    expect(String(await once(second, 'data'))).toBe('to second');
  });

  it('hands over nobody who left before the door was served', async () => {
    const [door] = await opened('127.0.0.1');
    const gone = await clientOf(door);
    await clientOf(door);
    await expect.poll(() => door?.waiting).toBe(2);
    gone.resetAndDestroy();
    await expect.poll(() => door?.waiting).toBe(1);
    let count = 0;
    if (!door) throw new TypeError('no door');
    door.serve = () => {
      count += 1;
    };
    expect(count).toBe(1);
  });

  it('keeps no place for those who left', async () => {
    const [door] = await opened('127.0.0.1');
    for (let count = 0; count < mostWaiting; count += 1) (await clientOf(door)).resetAndDestroy();
    await expect.poll(() => door?.waiting).toBe(0);
    await clientOf(door);
    await expect.poll(() => door?.waiting).toBe(1);
  });

  it.runIf(process.platform === 'linux')('keeps a crowd while the process is busy', async () => {
    const [door] = await opened('127.0.0.1');
    const granted = Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));
    const crowd = Math.min(granted, 1500);
    const program = `
      const { connect } = require('node:net');
      let here = 0;
      const tell = () => { console.log(here); process.exit(); };
      setTimeout(tell, 3000);
      for (let count = 0; count < ${crowd}; count += 1)
        connect(${door?.address?.port}, '127.0.0.1').on('connect', () => (here += 1) === ${crowd} && tell());`;
    // Nobody accepts meanwhile: this process does nothing but wait for that one.
    const here = execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' });
    expect(Number(here)).toBe(crowd);
  });

  it('resets who waits when the door closes, without a byte', async () => {
    const [door] = await opened('127.0.0.1');
    const client = await clientOf(door);
    const heard: unknown[] = [];
    client.on('data', (bytes) => heard.push(bytes));
    const failed = once(client, 'error');
    await expect.poll(() => door?.waiting).toBe(1);
    door?.close();
    expect(await failed).toMatchObject([{ code: 'ECONNRESET' }]);
    expect(heard).toEqual([]);
  });
});

describe('port owner', () => {
  it('finds who listens on a port', async () => {
    const port = await squatter('127.0.0.1');
    expect(await findPortOwner(port)).toMatchObject({ uid: process.getuid?.() });
  });

  it.each([
    [
      'listens there',
      '0100007F:0477 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0',
      1000,
    ],
    [
      'is only connected there',
      '0100007F:0477 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0',
      null,
    ],
    [
      'is going away',
      '0100007F:0477 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 0 1 0',
      null,
    ],
    [
      'listens on another port',
      '0100007F:0478 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0',
      null,
    ],
  ])('reads the kernel table where a program %s', (_, row, uid) => {
    expect(uidOfListener(`  sl  local_address\n   0: ${row}\n`, 1143)).toBe(uid);
  });
});

it.each([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['0.0.0.0', false],
  ['::', false],
  ['10.0.0.1', false],
  ['1.127.0.0', false],
])('%s is loopback: %s', (address, expected) => {
  expect(isLoopback(address)).toBe(expected);
});
