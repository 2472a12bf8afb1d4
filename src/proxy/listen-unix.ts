// A socket file that is never open wider than its mode, not for a moment: it is bound closed and under another
// name, gets its group and mode there, and then its name. Whoever could replace it could catch passwords, so
// the folder must be safe; and nothing but a dead socket of our own is ever removed.

import { lstatSync, unlinkSync, type BigIntStats } from 'node:fs';
import { chmod, chown, link, lstat, stat, unlink } from 'node:fs/promises';
import type { Server } from 'node:net';
import { dirname, isAbsolute, resolve } from 'node:path';
import { CommandError } from '../errors.ts';
import { codeOf } from '../net/failure.ts';
import { probe } from '../net/probe.ts';
import { backlog, Door, doorServer, listeningAt, type Listening } from './door.ts';
import { groupId } from './group.ts';
import type { ListenPlace } from './route.ts';

type UnixPlace = Extract<ListenPlace, { kind: 'unix' }>;

/** What the kernel takes, without the final NUL and the letter of the name it is bound under. */
const maxPathBytes = (process.platform === 'linux' ? 107 : 103) - 1;

/** A socket file by its inode: what took its place since is not it. */
interface SocketFile {
  readonly path: string;
  readonly facts: Pick<BigIntStats, 'dev' | 'ino' | 'gid'>;
}

class UnixDoor extends Door {
  readonly file: SocketFile;

  constructor(key: string, server: Server, file: SocketFile) {
    super({
      key,
      text: key,
      server,
      leave: () => {
        remove(file);
        server.close();
      },
    });
    this.file = file;
  }
}

/** Throws CommandError: `config` for an unknown group, else code `listen-busy`, `listen-denied`, `listen-unsafe` or `listen-failed`. */
export async function listenUnix(
  { path: asked, mode, group }: UnixPlace,
  { open }: { readonly open: ReadonlyMap<string, Door> },
): Promise<Listening> {
  const path = checkedPath(asked);
  const gid = group === null ? null : await groupId(group);
  const key = `unix:${path}`;
  const kept = open.get(key);
  if (kept instanceof UnixDoor && stands(kept.file)) return keep(kept, { mode, gid });
  await refuseUnsafeFolder(path);
  const server = doorServer();
  try {
    const file = await appear(server, path, { mode, gid });
    const door = new UnixDoor(key, server, file);
    return listeningAt([door], { opened: [door] });
  } catch (error) {
    server.close();
    throw error instanceof CommandError ? error : translate(error, key);
  }
}

function checkedPath(path: string): string {
  if (!isAbsolute(path) || path.includes('\0'))
    throw new CommandError('config', `the socket path ${JSON.stringify(path)} is not an absolute path`, {
      code: 'listen-failed',
    });
  const bytes = Buffer.byteLength(path);
  if (bytes <= maxPathBytes) return resolve(path);
  throw new CommandError('config', `the socket path ${path} has ${bytes} bytes`, {
    code: 'listen-failed',
    hint: `A socket path has at most ${maxPathBytes} bytes here: choose a shorter one.`,
  });
}

async function refuseUnsafeFolder(path: string): Promise<void> {
  const folder = dirname(path);
  const facts = await stat(folder).catch((error: unknown) => {
    throw codeOf(error) === 'ENOENT' ? missing(folder, path) : translate(error, `unix:${path}`);
  });
  const uid = process.geteuid?.() ?? -1;
  if (!facts.isDirectory())
    throw new CommandError('config', `cannot listen on unix:${path}: ${folder} is not a folder`, {
      code: 'listen-failed',
    });
  if (facts.uid !== 0 && facts.uid !== uid)
    throw unsafe(path, `the folder ${folder} belongs to uid ${facts.uid}`, `chown ${uid} ${folder}`);
  const sticky = (facts.mode & 0o1000) !== 0;
  if ((facts.mode & 0o002) !== 0 && !sticky)
    throw unsafe(path, `everybody may replace files in ${folder}`, `chmod o-w ${folder}`);
  if ((facts.mode & 0o020) !== 0 && facts.gid !== 0 && !sticky)
    throw unsafe(path, `group ${facts.gid} may replace files in ${folder}`, `chmod g-w ${folder}`);
}

const missing = (folder: string, path: string): CommandError =>
  new CommandError('config', `cannot listen on unix:${path}: the folder ${folder} does not exist`, {
    code: 'listen-failed',
    hint: `mkdir -p -m 0755 ${folder} (as the user letterlock runs as), or RuntimeDirectory= in its service unit.`,
  });

const unsafe = (path: string, why: string, mend: string): CommandError =>
  new CommandError('config', `cannot listen on unix:${path}: ${why}`, {
    code: 'listen-unsafe',
    hint: `Somebody else could put a socket of their own there and read passwords: ${mend}, or name a folder of letterlock's own inside it.`,
  });

/** Binds closed under `path~`, which also keeps a second letterlock from doing the same at once, and then links. */
async function appear(server: Server, path: string, own: Ownership): Promise<SocketFile> {
  const hidden = `${path}~`;
  await clear(hidden);
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

interface Ownership {
  readonly mode: number;
  /** Null: as it came. */
  readonly gid: number | null;
}

async function give(path: string, { mode, gid }: Ownership): Promise<void> {
  if (gid !== null) {
    // No group may have what is meant for another one.
    await chmod(path, mode & 0o700);
    await chown(path, -1, gid);
  }
  await chmod(path, mode);
}

async function keep(door: UnixDoor, { mode, gid }: Ownership): Promise<Listening> {
  const { path, facts } = door.file;
  const before = await lstat(path);
  const wanted = { mode, gid: gid ?? Number(facts.gid) };
  const had = { mode: before.mode & 0o777, gid: before.gid };
  const listening = listeningAt([door], { opened: [] });
  if (wanted.mode === had.mode && wanted.gid === had.gid) return listening;
  try {
    await give(path, wanted);
  } catch (error) {
    await give(path, had).catch(() => undefined);
    throw translate(error, door.text);
  }
  return { ...listening, undo: () => give(path, had).catch(() => undefined) };
}

function stands({ path, facts }: SocketFile): boolean {
  try {
    const now = lstatSync(path, { bigint: true });
    return now.ino === facts.ino && now.dev === facts.dev;
  } catch {
    return false;
  }
}

/** Looked at and removed in one tick: what took its place since stays. */
function remove(file: SocketFile): void {
  try {
    if (stands(file)) unlinkSync(file.path);
  } catch {
    // It stays as a dead socket, which the next start removes.
  }
}

function translate(error: unknown, text: string): CommandError {
  const code = codeOf(error);
  if (code === 'EACCES' || code === 'EPERM')
    return new CommandError('network', `cannot listen on ${text}: not permitted`, {
      code: 'listen-denied',
      cause: error,
      hint: 'letterlock must be able to write to the folder, and to be a member of the group the socket is given to.',
    });
  return new CommandError('network', `cannot listen on ${text}: ${code}`, {
    code: 'listen-failed',
    cause: error,
  });
}
