// Sockets passed by a service manager, in a daemon that really got them.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { remoteOperator } from '../../src/admin/client.ts';
import type { ListenPlace } from '../../src/proxy/route.ts';
import { selfSigned } from '../net/peers.ts';
import { FakeClient, FakeServer } from '../proxy/world.ts';
import { activated, type Passed } from './activation.ts';
import { compiledRunner, type RunningDaemon } from './process.ts';
import { echoing } from './world.ts';

let compiled: string;
let script: string;
let server: FakeServer;
let folder: string;
let daemon: RunningDaemon | null;
let clients: FakeClient[];

beforeAll(async () => {
  compiled = mkdtempSync(join(tmpdir(), 'letterlock-runner-'));
  script = compiledRunner(compiled);
  server = await new FakeServer(await selfSigned(), echoing).listen();
});
afterAll(() => {
  server.close();
  rmSync(compiled, { recursive: true });
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'letterlock-fd-'));
  [daemon, clients] = [null, []];
});
afterEach(async () => {
  for (const { socket } of clients) socket.destroy();
  await daemon?.kill();
  rmSync(folder, { recursive: true });
});

const ipv6 = await new Promise<boolean>((resolve) => {
  const probe = createServer();
  probe.once('error', () => resolve(false));
  probe.listen(0, '::1', () => probe.close(() => resolve(true)));
});

const listenOn = (...places: readonly ListenPlace[]): void =>
  writeFileSync(join(folder, 'listen.json'), JSON.stringify(places));

function run(passed: readonly Passed[], pid: 'own' | 'other' = 'own'): RunningDaemon {
  daemon = activated(passed, { pid, args: [script, folder, String(server.port)] });
  return daemon;
}

async function portsOf(running: RunningDaemon): Promise<readonly number[]> {
  const { ports } = await running.entry('passed');
  return Array.isArray(ports) ? ports.map(Number) : [];
}

function client(
  at: number | { readonly host: string; readonly port: number } | { readonly path: string },
): FakeClient {
  const made = new FakeClient(at);
  clients.push(made);
  return made;
}

const imap: ListenPlace = { kind: 'fd', name: 'imap' };
const anyPort: ListenPlace = { kind: 'tcp', host: '127.0.0.1', port: 0 };

describe('a socket passed by name', () => {
  it('is served, with all others of its name', async () => {
    listenOn(imap);
    const path = join(folder, 'passed.sock');
    const running = run([
      { name: 'imap', kind: 'tcp' },
      { name: 'other', kind: 'tcp' },
      ...(ipv6 ? ([{ name: 'imap', kind: 'tcp', at: '::1' }] as const) : []),
      { name: 'imap', kind: 'unix', at: path },
    ]);
    const [first = 0, , third = 0] = await portsOf(running);
    await running.entry('ready');
    await client(first).hear('* OK ready');
    if (ipv6) await client({ host: '::1', port: third }).hear('* OK ready');
    await client({ path }).say('a1 NOOP\r\n').hear('a1 NOOP');
    expect(
      running.entries.filter(({ event }) => event === 'listening').map(({ address }) => address),
    ).toEqual([`fd:imap 127.0.0.1:${first}`, ...(ipv6 ? [`fd:imap [::1]:${third}`] : []), 'fd:imap']);
    expect(running.entries.find(({ code }) => code === 'unused-socket')?.['msg']).toMatch(/: fd:other$/);
  });

  it('is given up and taken again by reloads, and resets who comes between', async () => {
    listenOn(imap);
    const running = run([{ name: 'imap', kind: 'tcp' }]);
    const [port = 0] = await portsOf(running);
    await running.entry('ready');
    const operator = remoteOperator(join(folder, 'admin.sock'));
    writeFileSync(join(folder, 'next.json'), '"next"');
    const live = await client(port).hear('* OK ready');
    listenOn(anyPort);
    expect(await operator.reload()).toMatchObject({ reloaded: true });
    expect((await client(port).over()).error).toBe('ECONNRESET');
    await live.say('a1 STILL\r\n').hear('a1 STILL');
    listenOn(anyPort, imap);
    expect(await operator.reload()).toMatchObject({ reloaded: true });
    await client(port).hear('* OK ready');
    await operator.close();
  });

  it('is let go of at the end, and does not keep the process from it', async () => {
    listenOn(imap);
    const running = run([{ name: 'imap', kind: 'tcp' }]);
    const [port = 0] = await portsOf(running);
    const live = await client(port).hear('* OK ready');
    running.signal('SIGTERM');
    await running.entry('stopping');
    // Not reset: a service manager holds the socket as well, and its next process serves this client.
    await expect.poll(async () => (await client(port).over()).error).toBe('ECONNREFUSED');
    live.socket.end();
    expect(await running.exit()).toBe(0);
  });
});

describe('a socket passed by name is refused', () => {
  it.each([
    ['that was never bound', 'unbound'],
    ['that is bound and does not listen', 'deaf'],
    ['that is a connection', 'connected'],
    ['of datagrams', 'datagram'],
    ['that is a file', 'file'],
  ] as const)('when it is one %s', async (_, kind) => {
    listenOn(imap);
    const running = run([{ name: 'imap', kind, at: join(folder, 'passed.sock') }]);
    expect(await running.exit()).not.toBe(0);
    expect(running.text.join('\n')).toContain('fd:imap: descriptor 3 is no listening socket');
  });

  it('when other machines can reach it', async () => {
    listenOn(imap);
    const running = run([{ name: 'imap', kind: 'tcp', at: '0.0.0.0' }]);
    expect(await running.exit()).not.toBe(0);
    expect(running.text.join('\n')).toContain('is not a loopback address');
  });

  it('when none of its name was passed, with the unit that passes it', async () => {
    listenOn(imap);
    const running = run([{ name: 'sieve', kind: 'tcp' }]);
    expect(await running.exit()).not.toBe(0);
    expect(running.text.join('\n')).toContain('Passed: sieve.');
    expect(running.text.join('\n')).toContain('FileDescriptorName=imap');
  });

  it('when it was meant for another process', async () => {
    listenOn(imap);
    const running = run([{ name: 'imap', kind: 'tcp' }], 'other');
    expect(await running.exit()).not.toBe(0);
    expect(running.text.join('\n')).toContain('None was passed at all.');
  });
});
