// Whose process is at the other end of a loopback connection, from the kernel's tables (Linux: /proc/net/tcp
// and tcp6). A table may have tens of thousands of lines, so one reading answers everybody who asked before it
// began, and it is read in small pieces with the event loop running in between.

import { open } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import { endianness } from 'node:os';

/** A connection as this side sees it. */
export interface Ends {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
}

/** A table's text in pieces, in order. */
export type ReadTable = (path: string) => AsyncIterable<Uint8Array>;

const tables = ['/proc/net/tcp', '/proc/net/tcp6'] as const;
const pieceBytes = 65_536;
/** Long lines of tcp6 have some 170 bytes: whatever is longer is no such table. */
const maxLineBytes = 4096;

interface Question {
  readonly keys: readonly string[];
  readonly answer: (uid: number | null) => void;
}

export class PeerTable {
  readonly #read: ReadTable;
  #waiting: Question[] = [];
  #reading = false;

  /** The system's tables unless a test has its own. */
  constructor(read: ReadTable = readPieces) {
    this.#read = read;
  }

  /**
   * The uid of the socket at the other end, as a reading that began after this call shows it; null when it shows none:
   * not on Linux, not there, not established, or its process let go of it. Never rejects.
   */
  uidOf(ends: Ends): Promise<number | null> {
    const keys = keysOf(ends);
    if (keys.length === 0) return Promise.resolve(null);
    return new Promise((answer) => {
      this.#waiting.push({ keys, answer });
      if (!this.#reading) void this.#answerAll();
    });
  }

  async #answerAll(): Promise<void> {
    this.#reading = true;
    while (this.#waiting.length > 0) {
      const questions = this.#waiting;
      this.#waiting = [];
      const uids = await this.#uidsOf(new Set(questions.flatMap(({ keys }) => keys)));
      for (const { keys, answer } of questions)
        answer(keys.map((key) => uids.get(key)).find((uid) => uid !== undefined) ?? null);
    }
    this.#reading = false;
  }

  async #uidsOf(wanted: ReadonlySet<string>): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    for (const table of tables) {
      try {
        for await (const lines of linesOf(this.#read(table)))
          for (const { key, uid } of lines.flatMap(rowOf)) if (wanted.has(key)) found.set(key, uid);
      } catch {
        // A kernel without IPv6 has no second table; without any, nobody is found.
      }
    }
    return found;
  }
}

async function* readPieces(path: string): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const piece = Buffer.allocUnsafe(pieceBytes);
    for (;;) {
      const { bytesRead } = await file.read(piece, 0, pieceBytes, null);
      if (bytesRead === 0) return;
      yield piece.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** The whole lines that each piece completes. */
async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<readonly string[]> {
  let rest = '';
  for await (const piece of pieces) {
    const lines = (rest + Buffer.from(piece).toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > maxLineBytes) return;
    yield lines;
  }
}

/** `  12: LOCAL:PORT REMOTE:PORT STATE queues timer retransmits UID timeout INODE …` */
const rowPattern =
  /^ *\d+: ([0-9A-F]+:[0-9A-F]{4} [0-9A-F]+:[0-9A-F]{4}) 01 \S+ \S+ \S+ +(\d+) +\d+ ([1-9]\d*) /;

/** An established connection that a process holds: one that is going away has inode 0, and its uid may read 0. */
function rowOf(line: string): readonly { readonly key: string; readonly uid: number }[] {
  const [, key, uid] = rowPattern.exec(line) ?? [];
  return key === undefined ? [] : [{ key, uid: Number(uid) }];
}

/** The row of the other end, as the tables write it: an IPv4 connection may belong to an IPv6 socket. */
function keysOf({ remoteAddress, remotePort, localAddress, localPort }: Ends): readonly string[] {
  if (remoteAddress === undefined || localAddress === undefined) return [];
  const remote = hexOf(remoteAddress);
  const local = hexOf(localAddress);
  if (remote === null || local === null || remote.length !== local.length) return [];
  const key = (prefix: string): string =>
    `${prefix}${remote}:${hexPort(remotePort)} ${prefix}${local}:${hexPort(localPort)}`;
  return remote.length === 8 ? [key(''), key(mappedPrefix)] : [key('')];
}

const word = (bytes: readonly number[]): string =>
  (endianness() === 'LE' ? bytes.toReversed() : bytes)
    .map((byte) => byte.toString(16).toUpperCase().padStart(2, '0'))
    .join('');

const mappedPrefix = '0'.repeat(16) + word([0, 0, 0xff, 0xff]);

/** The kernel writes each 32-bit word as its machine has it. Null for an IPv6 address other than ::1. */
function hexOf(address: string): string | null {
  const v4 = address.replace(/^::ffff:/i, '');
  if (isIPv4(v4)) return word(v4.split('.').map(Number));
  return address === '::1' ? '0'.repeat(24) + word([0, 0, 0, 1]) : null;
}

const hexPort = (port: number | undefined): string => (port ?? 0).toString(16).toUpperCase().padStart(4, '0');
