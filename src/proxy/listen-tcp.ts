// A TCP place is bound on every family it has, or on none: a port held on one family only would let another
// local user catch the clients that try the other family first. Loopback only, unless the route may be open.

import { lookup } from 'node:dns/promises';
import { isIP, isIPv6, type Server } from 'node:net';
import { CommandError } from '../errors.ts';
import { codeOf } from '../net/failure.ts';
import { addressText, isLoopback, type Address } from './address.ts';
import { backlog, Door, doorServer, listeningAt, type Listening } from './door.ts';
import { findPortOwner } from './port-owner.ts';
import type { ListenPlace } from './route.ts';

type TcpPlace = Extract<ListenPlace, { kind: 'tcp' }>;

export interface ListenTcpOptions {
  /** The route's name: "any port" is one of its own. */
  readonly name: string;
  /** Who may reach it. */
  readonly reach: 'loopback' | 'anywhere';
  /** Doors that are open already and may be kept; looked up by key. */
  readonly open: ReadonlyMap<string, Door>;
  /** Addresses of a name; the system's look-up unless a test has its own. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
}

/** For port 0 on two families: the second may find the first one's ephemeral port taken. */
const attempts = 8;
const absent: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT']);

/** Throws CommandError: code `listen-busy`, `listen-denied`, `listen-unsafe` or `listen-failed`; then nothing new is bound. */
export async function listenTcp(place: TcpPlace, options: ListenTcpOptions): Promise<Listening> {
  const hosts = await resolveHost(place, options.resolve ?? resolveWithSystem);
  if (options.reach === 'loopback') for (const host of hosts) refuseOpen({ address: host, port: place.port });
  for (let attempt = 1; ; attempt += 1) {
    try {
      const listening = await openDoors(hosts, { place, options });
      if (listening.doors.length === 0) throw nothingBound(place, listening.skipped);
      return listening;
    } catch (error) {
      const again =
        place.port === 0 && hosts.length > 1 && attempt < attempts && codeOf(error) === 'listen-busy';
      if (!again) throw error;
    }
  }
}

/** Throws CommandError `listen-unsafe` for an address that other machines can reach. */
export function refuseOpen(at: Address): void {
  if (isLoopback(at.address)) return;
  throw new CommandError('config', `${addressText(at)} is not a loopback address`, {
    code: 'listen-unsafe',
    hint: 'Clients talk in clear to a plaintext listener: listen on 127.0.0.1, or set unsafeListen: true.',
  });
}

async function resolveHost(
  { host }: TcpPlace,
  resolve: (host: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  // Both, whatever /etc/hosts says: clients know localhost by themselves and may try either.
  if (host.toLowerCase() === 'localhost') return ['127.0.0.1', '::1'];
  try {
    const found = await resolve(host);
    if (found.length > 0) return [...new Set(found)];
  } catch (cause) {
    throw new CommandError('config', `cannot look up the listening address ${host}`, {
      code: 'listen-failed',
      cause,
    });
  }
  throw new CommandError('config', `the listening address ${host} has no address`, { code: 'listen-failed' });
}

const resolveWithSystem = async (host: string): Promise<readonly string[]> =>
  (await lookup(host, { all: true })).map(({ address }) => address);

async function openDoors(
  hosts: readonly string[],
  { place, options }: { readonly place: TcpPlace; readonly options: ListenTcpOptions },
): Promise<Listening> {
  const doors: Door[] = [];
  const opened: Door[] = [];
  const skipped: { readonly address: string; readonly cause: string }[] = [];
  let { port } = place;
  for (const host of hosts) {
    const text = addressText({ address: host, port });
    const key = place.port === 0 ? `${host} any port of ${options.name}` : text;
    try {
      const kept = options.open.get(key);
      const door = kept ?? (await open(key, { address: host, port }));
      if (kept === undefined) opened.push(door);
      doors.push(door);
      port = door.address?.port ?? port;
    } catch (error) {
      const cause = codeOf(error);
      if (!absent.has(cause)) {
        for (const door of opened) door.close();
        throw await translate(error, { at: { address: host, port }, open: options.open });
      }
      skipped.push({ address: text, cause });
    }
  }
  return listeningAt(doors, { opened, skipped });
}

async function open(key: string, { address, port }: Address): Promise<Door> {
  const server = await bind(address, port);
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new TypeError('not a listening TCP server');
  return new Door({ key, text: addressText(bound), server });
}

function bind(host: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = doorServer();
    server.once('error', reject);
    server.listen({ host, port, ipv6Only: isIPv6(host), backlog }, () => {
      server.removeListener('error', reject);
      resolve(server);
    });
  });
}

async function translate(
  error: unknown,
  { at, open: doors }: { readonly at: Address; readonly open: ReadonlyMap<string, Door> },
): Promise<CommandError> {
  const address = addressText(at);
  const code = codeOf(error);
  if (code === 'EADDRINUSE') {
    const own = [...doors.values()].find((door) => door.address?.port === at.port);
    return own === undefined ? busy(address, at.port) : ownBusy(address, own);
  }
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

/** New doors open before old ones close, so that a reload that fails leaves everything as it was. */
const ownBusy = (address: string, own: Door): CommandError =>
  new CommandError('network', `cannot listen on ${address}: letterlock itself listens on ${own.text}`, {
    code: 'listen-busy',
    hint: 'One port cannot be both. If only the address of a route changed: restart letterlock, a reload cannot do it.',
  });

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

const nothingBound = (place: TcpPlace, skipped: Listening['skipped']): CommandError =>
  new CommandError(
    'network',
    `cannot listen on ${addressText({ address: place.host, port: place.port })}: this machine has no such address`,
    {
      code: 'listen-failed',
      hint: skipped.map(({ address, cause }) => `${address}: ${cause}`).join(', '),
    },
  );
