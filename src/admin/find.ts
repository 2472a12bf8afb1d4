// Where a command looks for the daemon. A socket somebody named is the only one tried: an order meant for one
// daemon must never reach another one. A socket another local user could have put there is not used, because
// whoever answers decides what fingerprints a person is shown.

import { lstat, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { CommandError } from '../errors.ts';
import { probe } from '../net/probe.ts';
import { maxSocketPathBytes } from './socket-path.ts';

export interface Lookup {
  /** --socket. */
  readonly flag: string | null;
  /** The admin socket of the configuration given with -c; null without one. */
  readonly config: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The socket of the default state directory, tried last; it is elsewhere where there is no runtime directory. */
  readonly stateSocket: string | null;
  /** Well-known sockets, when nobody named one; a test has its own. */
  readonly wellKnown?: readonly string[];
}

export type Trouble = 'absent' | 'nobody answers' | 'permission denied' | 'not trustworthy' | 'path too long';

export interface Tried {
  readonly path: string;
  readonly trouble: Trouble;
  /** More about it, for people; null when the trouble says it all. */
  readonly detail: string | null;
}

export interface Found {
  /** The socket of a daemon that answers; null when there is none. */
  readonly path: string | null;
  /** Every other socket that was tried, in order. */
  readonly tried: readonly Tried[];
}

/** Looks in order and takes the first that answers. Never rejects. */
export async function findDaemon(lookup: Lookup): Promise<Found> {
  const tried: Tried[] = [];
  for (const path of socketsToTry(lookup)) {
    const trouble = await examine(path);
    if (trouble === null) return { path, tried };
    tried.push({ path, ...trouble });
  }
  return { path: null, tried };
}

/** `--socket`, the state of `-c FILE`, $LETTERLOCK_SOCKET: the first one given stands alone. */
export function socketsToTry(lookup: Lookup): readonly string[] {
  const { flag, config, env, stateSocket } = lookup;
  const named = flag ?? config ?? (env['LETTERLOCK_SOCKET'] || null);
  if (named !== null) return [named];
  const paths = [
    ...(lookup.wellKnown ?? wellKnownSockets(env)),
    ...(stateSocket === null ? [] : [stateSocket]),
  ];
  return [...new Set(paths)];
}

function wellKnownSockets(env: Lookup['env']): readonly string[] {
  const runtime = env['XDG_RUNTIME_DIR'];
  const own = runtime !== undefined && isAbsolute(runtime) ? [join(runtime, 'letterlock', 'admin.sock')] : [];
  return ['/run/letterlock/admin.sock', ...own];
}

async function examine(path: string): Promise<Omit<Tried, 'path'> | null> {
  if (Buffer.byteLength(path) > maxSocketPathBytes) {
    return { trouble: 'path too long', detail: `at most ${maxSocketPathBytes} bytes` };
  }
  try {
    const doubt = await doubtOf(path);
    if (doubt !== null) return { trouble: 'not trustworthy', detail: doubt };
  } catch (error) {
    return { trouble: isDenied(error) ? 'permission denied' : 'absent', detail: null };
  }
  switch (await probe(path)) {
    case 'answers':
      return null;
    case 'denied':
      return { trouble: 'permission denied', detail: null };
    case 'absent':
      return { trouble: 'absent', detail: null };
    case 'refused':
    case 'failed':
      return { trouble: 'nobody answers', detail: null };
  }
}

/** Ours and root's are beyond doubt; another user's only where nobody else could have put it. */
export async function doubtOf(path: string): Promise<string | null> {
  const facts = await lstat(path);
  if (facts.isSymbolicLink()) return 'it is a symbolic link';
  if (!facts.isSocket()) return 'it is not a socket';
  if (facts.uid === 0 || facts.uid === process.geteuid?.()) return null;
  const folder = await stat(dirname(path));
  const closed = (folder.mode & 0o002) === 0;
  const vouching = folder.uid === 0 || folder.uid === process.geteuid?.() || folder.uid === facts.uid;
  return closed && vouching ? null : `it belongs to uid ${facts.uid}, in a folder others may write to`;
}

const isDenied = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM');

/** The error that lists what was tried; `command` is what the user typed after `letterlock`. */
export function noDaemon(tried: readonly Tried[], command: readonly string[]): CommandError {
  const list = tried.map(
    ({ path, trouble, detail }) => `  ${path}: ${trouble}${detail === null ? '' : ` (${detail})`}`,
  );
  const denied = tried.find(({ trouble }) => trouble === 'permission denied');
  const message =
    denied === undefined
      ? 'no letterlock daemon is running'
      : 'permission to talk to the letterlock daemon was denied';
  return new CommandError('no-daemon', [`${message}; tried`, ...list].join('\n'), {
    code: denied === undefined ? 'no-daemon' : 'socket-denied',
    hint:
      denied === undefined
        ? 'Start one: letterlock run. Or say how it was started: -c FILE, --state DIR, or --socket PATH.'
        : sudoLine(denied.path, command),
  });
}

function sudoLine(path: string, command: readonly string[]): string {
  const named = command.some((word) => word === '--socket' || word.startsWith('--socket='));
  const words = named ? command : [...command, '--socket', path];
  return `Run: sudo letterlock ${words.map(quoted).join(' ')}`;
}

/** For a POSIX shell. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
