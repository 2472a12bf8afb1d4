// How a socket file comes and goes. It is never open wider than its mode, not for a moment: it is bound closed and
// under another name, gets its group and mode there, and then its name. Nothing but a dead socket of our own is ever
// removed.

import { randomBytes } from 'node:crypto';
import { lstatSync, unlinkSync, type BigIntStats } from 'node:fs';
import { chmod, chown, link, lstat, unlink } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { CommandError } from '../errors.ts';
import { codeOf } from '../net/failure.ts';
import { probe } from '../net/probe.ts';
import { backlog } from './door.ts';

/** What the kernel takes, without the final NUL and the letter of the name it is bound under. */
export const maxPathBytes = (process.platform === 'linux' ? 107 : 103) - 1;

/** A socket file by its inode: what took its place since is not it. */
export interface SocketFile {
  readonly path: string;
  readonly facts: Pick<BigIntStats, 'dev' | 'ino' | 'gid'>;
}

/** Under `path~` stands whoever is making the file: a second letterlock does not do the same at once. */
export async function appear(server: Server, path: string, own: Ownership): Promise<SocketFile> {
  const mark = `${path}~`;
  await clear(mark);
  const maker = createServer((socket) => void socket.on('error', () => undefined).destroy());
  await bind(maker, mark);
  try {
    return await make(server, path, own);
  } finally {
    maker.close();
  }
}

/** Binds closed under a name that nobody can know, and then links. */
async function make(server: Server, path: string, own: Ownership): Promise<SocketFile> {
  const hidden = hiddenName(path);
  await bind(server, hidden);
  const facts = await lstat(hidden, { bigint: true });
  await give(hidden, own);
  await clear(path);
  // Unlike a rename, a link never replaces what came there meanwhile.
  await link(hidden, path);
  await unlink(hidden);
  const file = { path, facts };
  if (!stands(file)) throw busy(path, 'it was replaced at once');
  return file;
}

/** libuv removes, when the server closes, whatever stands under the name it was bound to: that must never be another's. */
function hiddenName(path: string): string {
  const folder = dirname(path);
  const room = maxPathBytes - Buffer.byteLength(folder);
  return join(
    folder,
    `~${randomBytes(8)
      .toString('hex')
      .slice(0, room - 1)}`,
  );
}

/** Takes a dead socket of ours out of the way; throws for all else that stands there. */
async function clear(path: string): Promise<void> {
  const facts = await lstat(path, { bigint: true }).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  });
  if (facts === null) return;
  if (!facts.isSocket()) throw inTheWay(path, facts.isSymbolicLink() ? 'a symbolic link' : 'not a socket');
  const found = await probe(path);
  if (found === 'absent') return;
  if (found !== 'refused') throw busy(path, `a program of uid ${facts.uid} listens there`);
  if (facts.uid !== BigInt(process.geteuid?.() ?? -1)) throw inTheWay(path, `a socket of uid ${facts.uid}`);
  if (stands({ path, facts })) await unlink(path);
}

const busy = (path: string, why: string): CommandError =>
  new CommandError('network', `cannot listen on unix:${path}: ${why}`, {
    code: 'listen-busy',
    hint: 'Stop that program, or choose another path.',
  });

const inTheWay = (path: string, what: string): CommandError =>
  new CommandError('config', `cannot listen on unix:${path}: what stands there is ${what}`, {
    code: 'listen-failed',
    hint: `letterlock removes only dead sockets of its own: look at it (ls -l ${path}), or choose another path.`,
  });

/** Binding happens inside listen(): the umask is narrow for exactly that long. */
function bind(server: Server, path: string): Promise<void> {
  return new Promise((done, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.removeListener('error', reject);
      done();
    });
    const before = process.umask(0o177);
    try {
      server.listen({ path, backlog });
    } finally {
      process.umask(before);
    }
  });
}

export interface Ownership {
  readonly mode: number;
  /** Null: as it came. */
  readonly gid: number | null;
}

export async function give(path: string, { mode, gid }: Ownership): Promise<void> {
  if (gid !== null) {
    // No group may have what is meant for another one.
    await chmod(path, mode & 0o700);
    await chown(path, -1, gid);
  }
  await chmod(path, mode);
}

export function stands({ path, facts }: SocketFile): boolean {
  try {
    const now = lstatSync(path, { bigint: true });
    return now.ino === facts.ino && now.dev === facts.dev;
  } catch {
    return false;
  }
}

/** Looked at and removed in one tick: what took its place since stays. */
export function remove(file: SocketFile): void {
  try {
    if (stands(file)) unlinkSync(file.path);
  } catch {
    // It stays as a dead socket, which the next start removes.
  }
}
