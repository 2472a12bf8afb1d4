import { createHash, randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import type { Server, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { endpointOf } from '../../src/endpoint.ts';
import { loadAnchors, type AnchorSet } from '../../src/net/anchors.ts';
import { dial } from '../../src/net/dial.ts';
import { handshake } from '../../src/net/handshake.ts';
import { ReadBuffers } from '../../src/net/read-buffers.ts';
import type { RelayEnd, RelayOptions } from '../../src/net/relay-options.ts';
import { relay } from '../../src/net/relay.ts';
import { Suspicion } from '../../src/net/suspicion.ts';
import { mint, type Vouched } from '../../src/trust/vouched.ts';
import { FakeMachine } from './machine.ts';
import { drink, portOf, selfSigned, socketPair, tlsServer, type Identity } from './peers.ts';

const never = new AbortController().signal;
const nothing = new Uint8Array(0);
const buffers = new ReadBuffers();
let identity: Identity;
let anchors: AnchorSet;
const vouched = mint({ endpoint: 'mail.test:993', spki: 'sha256//x', basis: 'pin', epoch: 7 });

beforeAll(async () => {
  identity = await selfSigned();
  anchors = await loadAnchors([]);
});

interface Scene {
  /** The mail client's end of the local connection. */
  readonly user: Socket;
  readonly client: Socket;
  readonly upstream: TLSSocket;
  readonly raw: Socket;
  /** The mail server's end of the TLS connection. */
  readonly host: TLSSocket;
  readonly hostRaw: Socket;
  readonly server: Server;
}

const scenes: Scene[] = [];
afterEach(() => {
  for (const { user, client, raw, host, server } of scenes.splice(0)) {
    for (const socket of [user, client, raw, host]) socket.destroy();
    server.close();
  }
});

async function scene(): Promise<Scene> {
  const arrivals = new EventEmitter();
  const hosted = new Promise<TLSSocket>((resolve) => arrivals.once('secured', resolve));
  const server = await tlsServer(identity, {}, (socket) => arrivals.emit('secured', socket));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const port = portOf(server);
  const raw = await dial({ host: '127.0.0.1', port }, { deadlineMs: 5000, signal: never });
  const { socket: upstream } = await handshake(raw, {
    endpoint: endpointOf('mail.test', port),
    anchors,
    deadlineMs: 5000,
    signal: never,
  });
  const { near: user, far: client } = await socketPair();
  const made = { user, client, upstream, raw, host: await hosted, hostRaw: await accepted, server };
  scenes.push(made);
  return made;
}

function start(
  made: Scene,
  changes: Partial<RelayOptions> = {},
): { ended: Promise<RelayEnd>; counts: { up: number; down: number } } {
  const counts = { up: 0, down: 0 };
  const ended = relay({
    vouched,
    epoch: 7,
    client: made.client,
    clientRaw: made.client,
    upstream: made.upstream,
    raw: made.raw,
    toClient: nothing,
    toUpstream: nothing,
    filter: null,
    firstBytes: null,
    idleMs: 60_000,
    drainMs: 60_000,
    signal: never,
    buffers: () => buffers,
    counted: (direction, bytes) => (counts[direction] += bytes),
    ...changes,
  });
  return { ended, counts };
}

/** Sends in pieces of every size from 1 byte to 64 KiB. */
function sendInPieces(socket: Socket, bytes: Buffer): void {
  for (let at = 0, size = 1; at < bytes.length; at += size, size = size > 60_000 ? 1 : size * 3) {
    socket.write(bytes.subarray(at, Math.min(at + size, bytes.length)));
  }
  socket.end();
}

/** Writes blocks, as fast as they are taken, until `most` bytes are written. */
function pour(socket: Socket, most: number): void {
  const block = Buffer.alloc(65_536);
  let sent = 0;
  const more = (): void => {
    while (sent < most && socket.writable) {
      sent += block.length;
      if (!socket.write(block)) return;
    }
  };
  socket.on('drain', more);
  more();
}

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('relay', () => {
  it('carries five megabytes each way at once, byte for byte, and ends when both sides ended', async () => {
    const made = await scene();
    const [up, down] = [randomBytes(5_000_000), randomBytes(5_000_000)];
    const { ended, counts } = start(made);
    const [atHost, atUser] = [drink(made.host), drink(made.user)];
    sendInPieces(made.user, up);
    sendInPieces(made.host, down);
    expect(await ended).toEqual({ state: 'ended' });
    expect([hash((await atHost).bytes), hash((await atUser).bytes)]).toEqual([hash(up), hash(down)]);
    expect(counts).toEqual({ up: 5_000_000, down: 5_000_000 });
  });

  it('takes no look-alike of a Vouched', async () => {
    const made = await scene();
    const copy: Vouched = Object.assign({}, vouched);
    expect(() => start(made, { vouched: copy })).toThrow(TypeError);
  });

  it('writes nothing and closes nothing when the trust epoch moved on', async () => {
    const made = await scene();
    const { ended } = start(made, { epoch: 8, toClient: Buffer.from('* OK\r\n') });
    expect(await ended).toEqual({ state: 'stale' });
    const again = start(made);
    const seen = drink(made.user);
    made.host.end('later');
    made.user.end();
    await again.ended;
    expect((await seen).bytes.toString()).toBe('later');
  });

  it('sends what was held first, then what comes', async () => {
    const made = await scene();
    const { ended } = start(made, {
      toClient: Buffer.from('* OK hi\r\n'),
      toUpstream: Buffer.from('a NOOP\r\n'),
    });
    const [atHost, atUser] = [drink(made.host), drink(made.user)];
    made.user.end('b LOGOUT\r\n');
    made.host.end('* BYE\r\n');
    await ended;
    expect((await atHost).bytes.toString()).toBe('a NOOP\r\nb LOGOUT\r\n');
    expect((await atUser).bytes.toString()).toBe('* OK hi\r\n* BYE\r\n');
  });

  it('lets the server go on after the client ended its half', async () => {
    const made = await scene();
    const { ended } = start(made);
    const atUser = drink(made.user);
    const atHost = drink(made.host);
    made.user.end('QUIT\r\n');
    expect((await atHost).bytes.toString()).toBe('QUIT\r\n');
    made.host.end('+OK bye\r\n');
    expect(await ended).toEqual({ state: 'ended' });
    expect(await atUser).toMatchObject({ ended: true });
    expect((await atUser).bytes.toString()).toBe('+OK bye\r\n');
  });

  it('passes a reset of the server on as a reset, never as an end', async () => {
    const made = await scene();
    const { ended } = start(made);
    const atUser = drink(made.user);
    made.host.write('+OK 1000 octets\r\nhalf a mail');
    await once(made.user, 'data');
    made.hostRaw.resetAndDestroy();
    expect(await ended).toMatchObject({ state: 'broken', side: 'upstream' });
    expect(await atUser).toMatchObject({ ended: false, error: 'ECONNRESET' });
  });

  it('takes TLS that broke for a break, also when an end comes behind it', async () => {
    const made = await scene();
    const { ended } = start(made);
    const atUser = drink(made.user);
    made.host.write('+OK 1000 octets\r\nhalf a mail');
    await once(made.user, 'data');
    // A record that fits no key.
    made.hostRaw.end(Buffer.concat([Buffer.from('1703030020', 'hex'), Buffer.alloc(32, 7)]));
    expect(await ended).toMatchObject({
      state: 'broken',
      side: 'upstream',
      detail: expect.stringMatching(/^ERR_SSL_/),
    });
    expect(await atUser).toMatchObject({ ended: false, error: 'ECONNRESET' });
  });

  it('passes a reset of the client on as a reset without close_notify', async () => {
    const made = await scene();
    const { ended } = start(made);
    const atHost = drink(made.host);
    made.user.write('DATA\r\nhalf a mail');
    await once(made.host, 'data');
    made.user.resetAndDestroy();
    expect(await ended).toMatchObject({ state: 'broken', side: 'client' });
    expect(await atHost).toMatchObject({ ended: false, error: 'ECONNRESET' });
  });

  it('resets both sides when aborted', async () => {
    const made = await scene();
    const control = new AbortController();
    const { ended } = start(made, { signal: control.signal });
    const [atHost, atUser] = [drink(made.host), drink(made.user)];
    control.abort();
    expect(await ended).toEqual({ state: 'aborted' });
    expect([(await atHost).ended, (await atUser).ended]).toEqual([false, false]);
  });

  it('writes nothing more when it ends while it tells of what it is about to write', async () => {
    const made = await scene();
    const control = new AbortController();
    const write = vi.spyOn(made.upstream, 'write');
    let written = Number.POSITIVE_INFINITY;
    let carried = 0;
    const { ended } = start(made, {
      signal: control.signal,
      counted: (_, bytes) => {
        carried += bytes;
        if (carried < 2_000_000 || control.signal.aborted) return;
        control.abort();
        written = write.mock.calls.length;
      },
    });
    made.host.resume();
    pour(made.user, 5_000_000);
    expect(await ended).toEqual({ state: 'aborted' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(write).toHaveBeenCalledTimes(written);
  });

  it('ends a session in which nobody says anything', async () => {
    const made = await scene();
    const { ended } = start(made, { idleMs: 20 });
    expect(await ended).toEqual({ state: 'idle' });
    expect(made.client.destroyed).toBe(true);
  });

  it.each([
    { reader: 'client', ended: 'nobody' },
    { reader: 'upstream', ended: 'nobody' },
    { reader: 'client', ended: 'the client' },
    { reader: 'upstream', ended: 'the server' },
  ] as const)(
    'stops reading for a $reader that does not read, and breaks when that lasts, where $ended has ended',
    async ({ reader, ended: who }) => {
      const made = await scene();
      const [source, target] = reader === 'client' ? [made.host, made.user] : [made.user, made.host];
      target.pause();
      if (who !== 'nobody') target.end();
      const { ended, counts } = start(made, { drainMs: 200 });
      pour(source, 64_000_000);
      expect(await ended).toMatchObject({ state: 'broken', side: reader, detail: 'not drained' });
      expect(counts.down + counts.up).toBeLessThan(32_000_000);
      expect([made.client.destroyed, made.raw.destroyed]).toEqual([true, true]);
    },
  );

  it('resets a client that does not take the rest after both sides ended', async () => {
    const made = await scene();
    made.user.pause();
    made.user.end('QUIT\r\n');
    const { ended } = start(made, { drainMs: 200 });
    // More than a socket buffer holds, less than makes the relay stop reading before the end comes.
    made.host.end(Buffer.alloc(3_000_000));
    expect((await ended).state).toMatch(/ended|broken/);
    await expect.poll(() => made.client.destroyed).toBe(true);
  });

  it('goes on with a reader that pauses for less than the time it has, again and again', async () => {
    const made = await scene();
    const { ended } = start(made, { drainMs: 400 });
    made.user.pause();
    made.host.end(Buffer.alloc(40_000_000));
    // More at a time than the system buffers, which tell of no smaller progress.
    for (let pause = 0; pause < 4; pause += 1) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      const reached = made.user.bytesRead + 9_000_000;
      made.user.resume();
      while (made.user.bytesRead < reached) await once(made.user, 'data');
      made.user.pause();
    }
    const atUser = drink(made.user);
    made.user.end();
    expect(await ended).toEqual({ state: 'ended' });
    expect((await atUser).ended).toBe(true);
  });

  it('does not take the time in which the process itself stood still for silence of the server', async () => {
    const made = await scene();
    let clock = 0;
    const suspicion = new Suspicion({ everyMs: 5, now: () => (clock += 1_000_000) });
    const { ended } = start(made, { suspicion, suspectMs: 40, idleMs: 100 });
    const atUser = drink(made.user);
    made.user.write('NOOP\r\n');
    await once(made.host, 'data');
    made.host.write('OK\r\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150);
    await once(made.user, 'data');
    made.host.end();
    made.user.end();
    expect(await ended).toEqual({ state: 'ended' });
    expect((await atUser).bytes.toString()).toBe('OK\r\n');
  });

  it('holds the first bytes until they are known, and sends none of a browser’s on', async () => {
    const made = await scene();
    const { ended } = start(made, { firstBytes: (held) => (held.length < 4 ? 'undecided' : 'http') });
    const atHost = drink(made.host);
    made.user.write('PO');
    await expect.poll(() => made.client.bytesRead).toBe(2);
    made.user.write('ST / HTTP/1.1\r\n');
    expect(await ended).toEqual({ state: 'rejected', found: 'http' });
    expect((await atHost).bytes.length).toBe(0);
  });

  it('sends held first bytes on once they are known to be mail, and when the client ends undecided', async () => {
    for (const rest of ['LO x\r\n', '']) {
      const made = await scene();
      const { ended } = start(made, { firstBytes: (held) => (held.length < 4 ? 'undecided' : 'mail') });
      const atHost = drink(made.host);
      made.user.write('EH');
      await expect.poll(() => made.client.bytesRead).toBe(2);
      made.user.end(rest);
      expect((await atHost).bytes.toString()).toBe(`EH${rest}`);
      made.host.end();
      await ended;
    }
  });

  it('gives the filter each direction until it is done, and flushes what it holds at the end', async () => {
    const made = await scene();
    const seen: string[] = [];
    const filter = {
      done: false,
      downstream: (chunk: Uint8Array) => Buffer.from(Buffer.from(chunk).toString().replace('PLUS', '')),
      upstream: (chunk: Uint8Array) => {
        seen.push(Buffer.from(chunk).toString());
        return chunk;
      },
      flush: () => Buffer.from('held'),
    };
    const { ended } = start(made, { filter });
    const atUser = drink(made.user);
    made.user.end('a\r\n');
    made.host.end('xPLUSy');
    await ended;
    expect(seen).toEqual(['a\r\n']);
    expect((await atUser).bytes.toString()).toBe('xyheld');
  });

  it('does not end a session that still moves because one side ended long ago', async () => {
    const made = await scene();
    const idleMs = 150;
    const { ended } = start(made, { idleMs });
    const atUser = drink(made.user);
    made.user.end('x1\r\n');
    const since = performance.now();
    // A word every few milliseconds, for longer than a session may be silent.
    while (performance.now() - since < 3 * idleMs) {
      made.host.write('* more\r\n');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    made.host.end();
    expect(await ended).toEqual({ state: 'ended' });
    expect((await atUser).ended).toBe(true);
  });

  it('does not take a server that read everything for one that reads nothing, when the client has ended', async () => {
    const made = await scene();
    const drainMs = 200;
    const { ended } = start(made, { drainMs });
    const atHost = drink(made.host);
    const atUser = drink(made.user);
    const mail = Buffer.alloc(3_000_000, 0x61);
    made.user.end(mail);
    expect((await atHost).bytes.length).toBe(mail.length);
    // The server takes its time over the mail.
    await new Promise((resolve) => setTimeout(resolve, 2 * drainMs));
    made.host.end('250 taken\r\n');
    expect(await ended).toEqual({ state: 'ended' });
    expect((await atUser).bytes.toString()).toBe('250 taken\r\n');
  });

  it('relays also where the addresses of the machine cannot be read, and suspects nobody for it', async () => {
    const made = await scene();
    const watch = new EventEmitter();
    const looked = once(watch, 'sixth look');
    let looks = 0;
    const suspicion = new Suspicion({
      everyMs: 1,
      now: () => 0,
      interfaces: () => {
        looks += 1;
        if (looks === 6) watch.emit('sixth look');
        if (looks % 2 === 1) throw new Error('no descriptor left');
        return {};
      },
    });
    const { ended } = start(made, { suspicion, suspectMs: 1 });
    await looked;
    const atHost = drink(made.host);
    made.user.end('NOOP\r\n');
    expect((await atHost).bytes.toString()).toBe('NOOP\r\n');
    await new Promise((resolve) => setTimeout(resolve, 20));
    made.host.end('OK\r\n');
    expect(await ended).toEqual({ state: 'ended' });
  });

  it('resets both sides of a connection whose own address went, and keeps one whose address stays', async () => {
    for (const stays of [false, true]) {
      const made = await scene();
      const machine = new FakeMachine();
      const suspicion = new Suspicion({ everyMs: 1, ...machine.options });
      const { ended } = start(made, { suspicion });
      const atUser = drink(made.user);
      const raised = new Promise((resolve) => suspicion.listen(resolve));
      machine.rows = stays ? [...(machine.rows ?? []), ['tun0', '', '10.8.0.2']] : [];
      await raised;
      if (stays) {
        await expect.poll(() => machine.looks).toBeGreaterThan(10);
        made.host.end();
        made.user.end();
      }
      expect((await ended).state).toBe(stays ? 'ended' : 'broken');
      expect((await atUser).ended).toBe(stays);
    }
  });

  it('waits for a suspect upstream that answers nothing while it takes a long message', async () => {
    const made = await scene();
    let clock = 0;
    const suspicion = new Suspicion({ everyMs: 5, now: () => (clock += 1_000_000) });
    const { ended } = start(made, { suspicion, suspectMs: 400 });
    await new Promise((resolve) => suspicion.listen(() => resolve(null)));
    made.user.end(Buffer.alloc(50_000_000));
    for (let pause = 0; pause < 5; pause += 1) {
      made.host.pause();
      await new Promise((resolve) => setTimeout(resolve, 200));
      const reached = made.host.bytesRead + 9_000_000;
      made.host.resume();
      while (made.host.bytesRead < reached) await once(made.host, 'data');
    }
    const taken = drink(made.host);
    const atUser = drink(made.user);
    await taken;
    made.host.end('250 taken\r\n');
    expect(await ended).toEqual({ state: 'ended' });
    expect((await atUser).bytes.toString()).toBe('250 taken\r\n');
  });

  it('resets a suspect upstream that does not answer the next bytes, and keeps one that does', async () => {
    for (const answers of [false, true]) {
      const made = await scene();
      let clock = 0;
      const suspicion = new Suspicion({ everyMs: 5, now: () => (clock += 1_000_000) });
      const { ended } = start(made, { suspicion, suspectMs: 40 });
      const atUser = drink(made.user);
      made.host.on('data', () => (answers ? made.host.end('* OK\r\n') : undefined));
      await new Promise((resolve) => suspicion.listen(() => resolve(null)));
      made.user.end('NOOP\r\n');
      expect((await ended).state).toBe(answers ? 'ended' : 'broken');
      expect((await atUser).ended).toBe(answers);
    }
  });
});
