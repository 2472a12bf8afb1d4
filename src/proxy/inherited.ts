// Listening sockets that the service manager passed (socket activation, sd_listen_fds(3)). They are opened
// once and stay open until the end, because a socket that was closed cannot be had again: one that no route
// uses any more resets who comes, and does not keep the process alive.

import type { Server } from 'node:net';
import { CommandError } from '../errors.ts';
import { codeOf } from '../net/failure.ts';
import { addressText } from './address.ts';
import { backlog, Door, doorServer } from './door.ts';
import { socketState } from './socket-state.ts';

export interface InheritedSocket {
  readonly fd: number;
  readonly name: string;
}

const firstFd = 3;
const mostFds = 1024;

/**
 * Reads the variables of socket activation and takes them out of `env`, so that no child takes them for its own.
 * Throws CommandError `listen-failed` when they are meant for this process and make no sense.
 */
export function takeInherited(env: NodeJS.ProcessEnv, pid: number): readonly InheritedSocket[] {
  const { LISTEN_PID: meant, LISTEN_FDS: fds, LISTEN_FDNAMES: names } = env;
  for (const key of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID']) delete env[key];
  if (meant !== String(pid)) return [];
  const count = /^\d{1,4}$/.test(fds ?? '') ? Number(fds) : Number.NaN;
  const list = names === undefined ? Array.from({ length: count || 0 }, () => 'unknown') : names.split(':');
  // Not a number is not at most anything.
  if (!(count <= mostFds) || (count !== list.length && !(count === 0 && names === '')))
    throw new CommandError('config', 'the sockets passed by the service manager cannot be told apart', {
      code: 'listen-failed',
      hint: `LISTEN_FDS=${JSON.stringify(fds ?? null)} and LISTEN_FDNAMES=${JSON.stringify(names ?? null)} do not fit each other.`,
    });
  return list.slice(0, count).map((name, index) => ({ fd: firstFd + index, name }));
}

export class Inherited {
  readonly #sockets: readonly InheritedSocket[];
  readonly #opened = new Map<number, Promise<Door>>();
  readonly #servers = new Set<Server>();
  #closed = false;

  constructor(sockets: readonly InheritedSocket[] = []) {
    this.#sockets = sockets;
  }

  get names(): ReadonlySet<string> {
    return new Set(this.#sockets.map(({ name }) => name));
  }

  /** Every socket passed under this name, at least one. Throws CommandError `listen-failed`. */
  async doors(name: string): Promise<readonly Door[]> {
    const sockets = this.#sockets.filter((socket) => socket.name === name);
    if (sockets.length === 0) throw notPassed(name, this.names);
    const doors: Door[] = [];
    for (const socket of sockets) {
      const opening = this.#opened.get(socket.fd) ?? this.#open(socket);
      this.#opened.set(socket.fd, opening);
      doors.push(await opening);
    }
    return doors;
  }

  async #open({ fd, name }: InheritedSocket): Promise<Door> {
    const before = await socketState(fd);
    if (before === 'no socket' || before === 'not listening') throw unusable({ fd, name }, before);
    const server = doorServer();
    this.#servers.add(server);
    server.unref();
    await listenOn(server, fd).catch((error: unknown) => {
      throw unusable({ fd, name }, codeOf(error));
    });
    // Known to this namespace only now: it did not listen when it was passed.
    const turned = before === 'absent' && (await socketState(fd)) !== 'absent';
    if (turned || this.#closed) server.close();
    if (turned) throw unusable({ fd, name }, 'not listening');
    if (this.#closed) throw new CommandError('internal', 'the proxy is shutting down');
    const bound = server.address();
    const at = bound === null || typeof bound === 'string' ? '' : ` ${addressText(bound)}`;
    return new Door({
      key: `fd:${name} ${fd}`,
      text: `fd:${name}${at}`,
      server,
      leave: () => void server.unref(),
    });
  }

  /** For good; whoever connects from now on waits for the next process the service manager starts. */
  close(): void {
    this.#closed = true;
    for (const server of this.#servers) server.close();
  }
}

function listenOn(server: Server, fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ fd, backlog }, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

const unusable = ({ fd, name }: InheritedSocket, why: string): CommandError =>
  new CommandError(
    'config',
    `cannot listen on fd:${name}: descriptor ${fd} is no listening socket (${why})`,
    {
      code: 'listen-failed',
      hint: 'Pass a stream socket that listens: ListenStream= in the .socket unit, without Accept=yes.',
    },
  );

const notPassed = (name: string, names: ReadonlySet<string>): CommandError =>
  new CommandError('config', `cannot listen on fd:${name}: no socket of that name was passed to letterlock`, {
    code: 'listen-failed',
    hint: `${names.size === 0 ? 'None was passed at all.' : `Passed: ${[...names].join(', ')}.`} A unit letterlock-${name}.socket passes it:

[Socket]
ListenStream=127.0.0.1:PORT
ListenStream=[::1]:PORT
FileDescriptorName=${name}
Service=letterlock.service

[Install]
WantedBy=sockets.target`,
  });
