import { connect, Server, Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { OwnReads } from '../../src/net/own-reads.ts';
import { ReadBuffers } from '../../src/net/read-buffers.ts';
import { readInto } from '../../src/net/read-into.ts';
import { tryReadInto } from '../../src/net/read-trial.ts';
import { socketPair } from './peers.ts';

const never = new AbortController().signal;
const patient = { deadlineMs: 30_000, signal: never };

afterEach(() => vi.restoreAllMocks());

/** Node changes something of it, as a version to come may. */
function changed(change: (socket: Socket) => void): ReadBuffers {
  const resume: unknown = Reflect.get(Socket.prototype, 'resume');
  vi.spyOn(Socket.prototype, 'resume').mockImplementation(function changedResume(this: Socket) {
    change(this);
    if (typeof resume === 'function') Reflect.apply(resume, this, []);
    return this;
  });
  return new ReadBuffers();
}

const landed = (): boolean => true;

/** Somebody of this machine connects wherever a port opens, before anybody else, and resets one connection of two. */
function strangers(): Set<Socket> {
  const came = new Set<Socket>();
  const listen: unknown = Reflect.get(Server.prototype, 'listen');
  vi.spyOn(Server.prototype, 'listen').mockImplementation(function watchedListen(
    this: Server,
    ...given: unknown[]
  ) {
    this.once('listening', () => {
      const address = this.address();
      if (typeof address !== 'object' || address === null) return;
      for (let at = 0; at < 4; at += 1) {
        const socket = connect(address.port, '127.0.0.1');
        socket.on('error', () => undefined);
        if (at % 2 === 0) socket.on('connect', () => setImmediate(() => socket.resetAndDestroy()));
        came.add(socket);
      }
    });
    if (typeof listen === 'function') Reflect.apply(listen, this, given);
    return this;
  });
  return came;
}

const symbolOf = (socket: Socket, name: string): symbol => {
  const found = Object.getOwnPropertySymbols(socket).find(({ description }) => description === name);
  if (found === undefined) throw new TypeError(`no ${name}`);
  return found;
};

describe('the trial of reads into a buffer of ours', () => {
  it('finds that they work on this Node', async () => {
    expect(await tryReadInto(new ReadBuffers(), patient)).toBe(true);
  });

  it('finds that they do not where the places of the buffer are missing', async () => {
    const buffers = changed((socket) => Reflect.deleteProperty(socket, symbolOf(socket, 'kBufferGen')));
    expect(await tryReadInto(buffers, patient)).toBe(false);
  });

  it('finds that they do not where Node keeps its own buffer all the same', async () => {
    const buffers = changed((socket) => {
      const handle: unknown = Reflect.get(socket, '_handle');
      if (handle instanceof Object) Reflect.set(handle, 'useUserBuffer', () => undefined);
    });
    expect(await tryReadInto(buffers, patient)).toBe(false);
  });

  it('finds that they do not where something else lands in the buffer', async () => {
    const buffers = new ReadBuffers();
    const land = buffers.landing.subarray.bind(buffers.landing);
    vi.spyOn(buffers.landing, 'subarray').mockImplementation((...range) => {
      buffers.landing[0] = 1;
      return land(...range);
    });
    expect(await tryReadInto(buffers, patient)).toBe(false);
  });

  it('finds that they do not when it takes too long, or is given up', async () => {
    expect(await tryReadInto(new ReadBuffers(), { deadlineMs: 0, signal: never })).toBe(false);
    expect(await tryReadInto(new ReadBuffers(), { deadlineMs: 30_000, signal: AbortSignal.abort() })).toBe(
      false,
    );
  });

  it('is spoilt by nobody else who connects meanwhile, and keeps no connection of his', async () => {
    const came = strangers();
    expect(await tryReadInto(new ReadBuffers(), patient)).toBe(true);
    expect(came.size).toBe(4);
    await expect.poll(() => [...came].every(({ destroyed }) => destroyed)).toBe(true);
  });

  it('is made once, when the first session carries much', async () => {
    const failed = vi.fn();
    const reads = new OwnReads(failed);
    expect([reads.buffers('bulk'), reads.buffers('bulk')]).toEqual([null, null]);
    await expect.poll(() => reads.buffers('bulk')).toBeInstanceOf(ReadBuffers);
    expect(reads.buffers('bulk')).toBe(reads.buffers('bulk'));
    expect(failed).not.toHaveBeenCalled();
  });

  it('is made for sessions that carry little once there were some', async () => {
    const reads = new OwnReads();
    const few = Array.from({ length: 31 }, () => reads.buffers('session'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([...few, reads.buffers('session')]).toEqual(Array.from({ length: 32 }, () => null));
    await expect.poll(() => reads.buffers('session')).toBeInstanceOf(ReadBuffers);
  });

  it('leaves everything as it is where it cannot be loaded any more', async () => {
    const failed = vi.fn();
    const reads = new OwnReads(failed, () => Promise.reject(new TypeError('ERR_MODULE_NOT_FOUND')));
    reads.buffers('bulk');
    await expect.poll(() => failed.mock.calls.length).toBe(1);
    expect(reads.buffers('bulk')).toBeNull();
  });

  it('tells once that they do not work, and nothing when the process ends meanwhile', async () => {
    changed((socket) => Reflect.deleteProperty(socket, symbolOf(socket, 'kBuffer')));
    const [failed, closed] = [vi.fn(), vi.fn()];
    const reads = new OwnReads(failed);
    const ending = new OwnReads(closed);
    ending.buffers('bulk');
    ending.close();
    reads.buffers('bulk');
    await expect.poll(() => failed.mock.calls.length).toBe(1);
    expect([reads.buffers('bulk'), failed.mock.calls.length, closed.mock.calls.length]).toEqual([null, 1, 0]);
  });
});

describe('reading into a buffer', () => {
  it('is refused for a socket that holds what it read, has ended, is destroyed or not connected, or reads so already', async () => {
    const { near, far } = await socketPair();
    const buffer = Buffer.alloc(10);
    near.write('x');
    await expect.poll(() => far.readableLength || (far.read(0), 0)).toBe(1);
    expect(readInto(far, buffer, landed)).toBe(false);
    far.read();
    expect([readInto(far, buffer, landed), readInto(far, buffer, landed)]).toEqual([true, false]);
    far.destroy();
    near.destroy();
    expect(readInto(near, buffer, landed)).toBe(false);
    expect(readInto(new Socket(), buffer, landed)).toBe(false);
  });
});
