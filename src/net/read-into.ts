// Makes a socket read into a buffer of ours instead of a fresh one at each read, which is what costs a relay most.
// Node offers that for a connection yet to be made (`onread` of net.connect). Ours carried a greeting, STARTTLS or a
// handshake before, and is accepted or wrapped: for them the same machinery is reached by what `onread` sets. That is
// private to Node, so it stands in this file alone, it is tried on this very Node before any session relies on it
// (read-trial.ts), and where anything of it is missing, nothing is changed and the socket goes on as a stream.

import type { Socket } from 'node:net';

/** Called with the number of bytes at the beginning of the buffer, which the next read overwrites; false stops reading, as `pause` does. */
export type Landed = (bytes: number) => boolean;

interface Slots {
  readonly buffer: symbol;
  readonly landed: symbol;
  readonly next: symbol;
}

/**
 * From now on what comes on `socket` lands in `buffer`, for the rest of its life; `end`, `pause` and `resume` stay as they are. For a
 * socket of which nothing waits to be read. False, and nothing is changed, where that cannot be.
 */
export function readInto(socket: Socket, buffer: Uint8Array, landed: Landed): boolean {
  const handle: unknown = Reflect.get(socket, '_handle');
  const slots = slotsOf(socket);
  if (!isHandle(handle) || slots === null || !isReadable(socket)) return false;
  if (typeof Reflect.get(socket, slots.buffer) === 'object' && Reflect.get(socket, slots.buffer) !== null)
    return false;
  Reflect.set(socket, slots.buffer, buffer);
  Reflect.set(socket, slots.landed, landed);
  Reflect.set(socket, slots.next, null);
  handle.useUserBuffer(buffer);
  return true;
}

const isReadable = (socket: Socket): boolean =>
  !socket.destroyed && !socket.connecting && !socket.readableEnded && socket.readableLength === 0;

interface Handle {
  useUserBuffer(buffer: Uint8Array): void;
}

const isHandle = (handle: unknown): handle is Handle =>
  typeof handle === 'object' && handle !== null && typeof Reflect.get(handle, 'useUserBuffer') === 'function';

/** The places that `onread` sets, which every socket has from its making. */
function slotsOf(socket: Socket): Slots | null {
  const found = new Map(Object.getOwnPropertySymbols(socket).map((key) => [key.description, key]));
  const [buffer, landed, next] = ['kBuffer', 'kBufferCb', 'kBufferGen'].map((name) => found.get(name));
  if (buffer === undefined || landed === undefined || next === undefined) return null;
  return { buffer, landed, next };
}
