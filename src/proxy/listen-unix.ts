// A listening socket file. Whoever could replace it could catch passwords, so its folder must be safe. One that is
// listened on already is kept through a reload, with another mode and group if need be.

import { lstat } from 'node:fs/promises';
import type { Server } from 'node:net';
import { isAbsolute, resolve } from 'node:path';
import { CommandError } from '../errors.ts';
import { codeOf } from '../net/failure.ts';
import { Door, doorServer, listeningAt, type Listening } from './door.ts';
import { groupId } from './group.ts';
import type { ListenPlace } from './route.ts';
import { refuseUnsafeFolder } from './safe-folder.ts';
import {
  appear,
  give,
  maxPathBytes,
  remove,
  stands,
  type Ownership,
  type SocketFile,
} from './socket-file.ts';

type UnixPlace = Extract<ListenPlace, { kind: 'unix' }>;

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
  const server = doorServer();
  try {
    await refuseUnsafeFolder(path);
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
