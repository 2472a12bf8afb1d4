// Binds a listening address on every family it has, or on none: a port held on one family only would let
// another local user catch the clients that try the other family first. Loopback only, unless the route
// says unsafeListen.

import { lookup } from 'node:dns/promises';
import { createServer, isIP, isIPv6, type Server, type Socket } from 'node:net';
import { CommandError } from '../errors.ts';
import { findPortOwner } from './port-owner.ts';
import type { ListenPlace } from './route.ts';

type ListenAddress = Pick<Extract<ListenPlace, { kind: 'tcp' }>, 'host' | 'port'>;

export interface ListenOptions {
  readonly unsafeListen: boolean;
  /** Doors that are open already and may be kept; looked up by key. */
  readonly open: ReadonlyMap<string, Door>;
  /** Addresses of a name; the system's look-up unless a test has its own. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
}

export interface Listening {
  /** Every door of this address, kept ones and new ones. */
  readonly doors: readonly Door[];
  /** The new ones among them; whoever called closes them when the rest of the plan fails. */
  readonly opened: readonly Door[];
  /** What could not be bound because this machine has no such address or family. */
  readonly skipped: readonly { readonly address: string; readonly cause: string }[];
}

/** One bound address. It accepts at once, and resets who comes before `serve` is set. */
export class Door {
  /** Two doors with one key cannot be open together. */
  readonly key: string;
  readonly address: string;
  readonly port: number;
  /** Must not throw. The socket is the receiver's. */
  serve: ((socket: Socket) => void) | null = null;
  /** The listening socket failed after it was bound (out of descriptors); it goes on listening. */
  failed: ((error: Error) => void) | null = null;
  readonly #server: Server;

  constructor(key: string, server: Server) {
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new TypeError('not a listening TCP server');
    this.key = key;
    this.address = bound.address;
    this.port = bound.port;
    this.#server = server;
    server.on('error', (error) => this.failed?.(error));
    server.on('connection', (socket) => {
      // For the rest of the socket's life: an error between two phases must not end the process.
      socket.on('error', () => undefined);
      if (this.serve === null) socket.resetAndDestroy();
      else this.serve(socket);
    });
  }

  /** `127.0.0.1:1143`, `[::1]:1143`. */
  get text(): string {
    return addressText(this);
  }

  /** Stops accepting, at once; connections made already go on. */
  close(): void {
    this.serve = null;
    this.#server.close();
  }
}

/** For port 0 on two families: the second may find the first one's ephemeral port taken. */
const attempts = 8;
const absent: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT']);

/** Throws CommandError: code `listen-busy`, `listen-denied`, `listen-unsafe` or `listen-failed`; then nothing new is bound. */
export async function listen(
  where: ListenAddress & { readonly name: string },
  options: ListenOptions,
): Promise<Listening> {
  const hosts = await resolveHost(where, options.resolve ?? resolveWithSystem);
  if (!options.unsafeListen) refuseOpenHosts(hosts, where.port);
  for (let attempt = 1; ; attempt += 1) {
    try {
      const listening = await openDoors(hosts, where, options.open);
      if (listening.doors.length === 0) throw nothingBound(where, listening.skipped);
      return listening;
    } catch (error) {
      const again =
        where.port === 0 && hosts.length > 1 && attempt < attempts && codeOf(error) === 'listen-busy';
      if (!again) throw error;
    }
  }
}

function refuseOpenHosts(hosts: readonly string[], port: number): void {
  const open = hosts.find((host) => !isLoopback(host));
  if (open === undefined) return;
  throw new CommandError('config', `${addressText({ address: open, port })} is not a loopback address`, {
    code: 'listen-unsafe',
    hint: 'Clients talk in clear to a plaintext listener: listen on 127.0.0.1, or set unsafeListen: true.',
  });
}

async function resolveHost(
  where: ListenAddress,
  resolve: (host: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  if (isIP(where.host) !== 0) return [where.host];
  // Both, whatever /etc/hosts says: clients know localhost by themselves and may try either.
  if (where.host.toLowerCase() === 'localhost') return ['127.0.0.1', '::1'];
  try {
    const found = await resolve(where.host);
    if (found.length > 0) return [...new Set(found)];
  } catch (cause) {
    throw new CommandError('config', `cannot look up the listening address ${where.host}`, {
      code: 'listen-failed',
      cause,
    });
  }
  throw new CommandError('config', `the listening address ${where.host} has no address`, {
    code: 'listen-failed',
  });
}

const resolveWithSystem = async (host: string): Promise<readonly string[]> =>
  (await lookup(host, { all: true })).map(({ address }) => address);

async function openDoors(
  hosts: readonly string[],
  where: ListenAddress & { readonly name: string },
  open: ReadonlyMap<string, Door>,
): Promise<Listening> {
  const doors: Door[] = [];
  const opened: Door[] = [];
  const skipped: { readonly address: string; readonly cause: string }[] = [];
  let { port } = where;
  for (const host of hosts) {
    const key = where.port === 0 ? `${host} any port of ${where.name}` : addressText({ address: host, port });
    try {
      const kept = open.get(key);
      const door = kept ?? new Door(key, await bind(host, port));
      if (kept === undefined) opened.push(door);
      doors.push(door);
      port = door.port;
    } catch (error) {
      const cause = codeOf(error);
      if (!absent.has(cause)) {
        for (const door of opened) door.close();
        throw await translate(error, { address: host, port });
      }
      skipped.push({ address: addressText({ address: host, port }), cause });
    }
  }
  return { doors, opened, skipped };
}

function bind(host: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
    });
    server.once('error', reject);
    server.listen({ host, port, ipv6Only: isIPv6(host), backlog: 511 }, () => {
      server.removeListener('error', reject);
      resolve(server);
    });
  });
}

async function translate(
  error: unknown,
  at: { readonly address: string; readonly port: number },
): Promise<CommandError> {
  const address = addressText(at);
  const code = codeOf(error);
  if (code === 'EADDRINUSE') return busy(address, at.port);
  if (code === 'EACCES' || code === 'EPERM') {
    return new CommandError('network', `cannot listen on ${address}: not permitted`, {
      code: 'listen-denied',
      cause: error,
      hint: `Ports below 1024 need a privilege: choose one above 1023, or allow it with sysctl net.ipv4.ip_unprivileged_port_start=${at.port}.`,
    });
  }
  return new CommandError('network', `cannot listen on ${address}: ${code}`, {
    code: 'listen-failed',
    cause: error,
  });
}

async function busy(address: string, port: number): Promise<CommandError> {
  const owner = await findPortOwner(port);
  const who =
    owner === null
      ? 'by another program'
      : `by a program of uid ${owner.uid}${owner.user === null ? '' : ` (${owner.user})`}`;
  return new CommandError('network', `cannot listen on ${address}: port ${port} is in use ${who}`, {
    code: 'listen-busy',
    hint: `Stop that program (ss -ltnp 'sport = :${port}' shows it), or choose another port: PORT=URL, or listen: in the configuration.`,
  });
}

const nothingBound = (where: ListenAddress, skipped: Listening['skipped']): CommandError =>
  new CommandError(
    'network',
    `cannot listen on ${addressText({ address: where.host, port: where.port })}: this machine has no such address`,
    {
      code: 'listen-failed',
      hint: skipped.map(({ address, cause }) => `${address}: ${cause}`).join(', '),
    },
  );

/** `127.0.0.1:1143`, `[::1]:1143`. */
const addressText = ({ address, port }: { readonly address: string; readonly port: number }): string =>
  isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;

/** 127.0.0.0/8, ::1, and IPv4 loopback in IPv6 clothing. */
export const isLoopback = (address: string): boolean =>
  /^(?:127\.|::ffff:127\.)/i.test(address) || address === '::1';

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
