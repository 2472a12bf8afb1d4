// The admin socket as a file: who may open it, what may stand in its place, and how it gets there without
// ever being open wider than asked. The mode of this file is the whole access control of the admin API.

import { chmod, chown, lstat, mkdir, unlink } from 'node:fs/promises';
import type { Server } from 'node:net';
import { dirname, resolve as absolute } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { CommandError } from '../errors.ts';
import { probe } from '../net/probe.ts';
import { groupId } from '../proxy/group.ts';
import { weakStep, type WeakStep } from '../store/weak-step.ts';

export interface SocketPlace {
  readonly path: string;
  /** Such as 0o600; never open to others. */
  readonly mode: number;
  /** Name or number of the group it belongs to; null leaves it. */
  readonly group: string | null;
}

/** The kernel's limit for a socket address, without its final NUL, on every system we know. */
export const maxSocketPathBytes = 103;

/** Binds `server`; a socket nobody answers at any more is replaced. @throws CommandError */
export async function bindSocket(server: Server, place: SocketPlace): Promise<void> {
  checkPlace(place);
  const gid = place.group === null ? null : await groupId(place.group);
  await prepareFolder(dirname(place.path));
  await clearStale(place.path);
  await listen(server, place.path);
  try {
    if (gid !== null) await chown(place.path, -1, gid);
    if (place.mode !== 0o600 || !isMainThread) await chmod(place.path, place.mode);
  } catch (cause) {
    server.close();
    throw new CommandError('config', `cannot give ${place.path} its group and mode`, { cause });
  }
}

function checkPlace({ path, mode }: SocketPlace): void {
  if (Buffer.byteLength(path) > maxSocketPathBytes) {
    throw new CommandError('config', `the socket path ${path} is longer than ${maxSocketPathBytes} bytes`, {
      hint: 'Name a shorter one: admin: {socket: {path: …}}.',
    });
  }
  if ((mode & 0o007) !== 0) {
    throw new CommandError('config', 'the admin socket must not be open to everybody', {
      hint: 'Whoever may write to it may approve keys: use mode 0600, or 0660 with a group.',
    });
  }
}

/** Who may replace the socket is asked for fingerprints in its place; and what is given a mode and a group must be ours. */
async function prepareFolder(folder: string): Promise<void> {
  const groups = [process.getegid?.() ?? -1, ...(process.getgroups?.() ?? [])];
  let weak: WeakStep | null;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    weak = process.getuid === undefined ? null : await weakStep(absolute(folder), { groups });
  } catch (cause) {
    throw new CommandError('config', `cannot make the folder ${folder} for the admin socket`, { cause });
  }
  if (weak === null) return;
  throw new CommandError('config', whyWeak(weak), {
    hint: `${mending(weak)}, or name another path: admin: {socket: {path: …}}.`,
  });
}

function whyWeak(weak: WeakStep): string {
  const { here } = weak;
  switch (weak.kind) {
    case 'foreign':
      return `the ${weak.what} ${here} belongs to uid ${weak.uid}, who may replace the admin socket`;
    case 'everybody':
      return `everybody may replace files in ${here}, the admin socket too`;
    case 'group':
      return `group ${weak.gid} may replace files in ${here}, the admin socket too`;
    case 'absent':
    case 'no-folder':
      return `${here} is not a folder the admin socket could be in`;
  }
}

function mending(weak: WeakStep): string {
  const { here } = weak;
  switch (weak.kind) {
    case 'foreign':
      return `chown${weak.what === 'link' ? ' -h' : ''} ${process.geteuid?.() ?? 0} ${here}`;
    case 'everybody':
      return `chmod o-w ${here}`;
    case 'group':
      return `chmod g-w ${here}`;
    case 'absent':
    case 'no-folder':
      return `See what stands there (ls -ld ${here})`;
  }
}

/** Removes a socket left behind by a crash; anything else that stands there stays. */
async function clearStale(path: string): Promise<void> {
  const facts = await lstat(path).catch(() => null);
  if (facts === null) return;
  if (!facts.isSocket()) throw new CommandError('config', `${path} exists and is not a socket`);
  if ((await probe(path)) !== 'refused') {
    throw new CommandError('config', `another program answers at ${path}`, {
      code: 'socket-busy',
      hint: 'letterlock status --socket PATH shows which. Stop it, or give this one another admin socket.',
    });
  }
  await unlink(path).catch(() => undefined);
}

/**
 * Binding a path happens inside listen(): the umask is narrow for exactly that long. A worker has none of its own to
 * change; what it binds lies in a folder that is for its user alone.
 */
function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error): void => {
      reject(new CommandError('config', `cannot listen on ${path}`, { cause }));
    };
    server.once('error', failed);
    server.once('listening', () => {
      server.off('error', failed);
      resolve();
    });
    const before = isMainThread ? process.umask(0o177) : null;
    try {
      server.listen(path);
    } finally {
      if (before !== null) process.umask(before);
    }
  });
}
