// The door through which a browser reaches the page and the admin API: HTTP on one loopback address, nothing
// without a one-time code that only whoever may use the admin socket can make. The daemon opens it where the
// configuration says so, `letterlock dashboard` opens one for itself.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { setImmediate as oneTurn } from 'node:timers/promises';
import { CommandError } from '../../errors.ts';
import { codeOf } from '../../net/failure.ts';
import { addressText } from '../../proxy/address.ts';
import type { Address } from '../../proxy/address.ts';
import { PeerTable } from '../../proxy/peer-table.ts';
import { findPortOwner } from '../../proxy/port-owner.ts';
import { overflowUid, peerUid } from '../../proxy/strangers.ts';
import { endUnread } from '../over.ts';
import { isoDate } from '../rows.ts';
import type { DashboardRequest, DashboardShape } from '../shapes.ts';
import { alone } from '../../net/alone.ts';
import { Crowd } from '../../net/crowd.ts';
import type { Desk } from './desk.ts';
import { Failures } from './failures.ts';
import { codeMs, Grants } from './grants.ts';
import { ownHosts } from './guard.ts';
import { receive } from './receive.ts';

export interface DoorOptions extends Pick<
  Desk,
  'assets' | 'operator' | 'now' | 'served' | 'rejected' | 'opened'
> {
  /** Loopback; port 0 for any. */
  readonly listen: { readonly host: string; readonly port: number };
  /** The system's unless a test has its own. */
  readonly peers?: PeerTable;
}

export interface WebDoor {
  /** `127.0.0.1:9466`, with the port really bound. */
  readonly address: string;
  /** An address that opens the page, once, within a minute. */
  link(wanted: DashboardRequest): DashboardShape;
  /** Ends every token and connection; never rejects. */
  close(): Promise<void>;
}

/** A request is small, but for an import; answers may stream. */
const limits = {
  maxHeaderSize: 8192,
  headersTimeout: 5000,
  requestTimeout: 15_000,
  keepAliveTimeout: 5000,
  /** How often the two before are looked at. */
  connectionsCheckingInterval: 1000,
  /** One without is turned away like any other wrong one, and counted. */
  requireHostHeader: false,
  insecureHTTPParser: false,
} as const;
const maxConnections = 64;
const uidMs = 2000;

/** @throws CommandError when the address cannot be had */
export async function openDoor(options: DoorOptions): Promise<WebDoor> {
  const { now, operator, assets, served, rejected, opened, peers = new PeerTable() } = options;
  const grants = new Grants(now);
  const server = createServer(limits);
  endUnread(server);
  const crowd = new Crowd(server, { most: maxConnections });
  const bound = await bind(server, options.listen);
  const desk: Desk = {
    assets,
    operator,
    now,
    served,
    rejected,
    opened,
    grants,
    crowd,
    failures: new Failures(now),
    hosts: ownHosts(bound),
    uidOf: (request) => uidOf(request, peers),
  };
  const answer = alone((request, response) => {
    receive(request, response, desk).catch(() => response.destroy());
  });
  server.on('request', answer);
  // Else Node answers by itself, without a word of what protects.
  server.on('checkExpectation', answer);
  const address = addressText(bound);
  return {
    address,
    link: (wanted) => ({
      url: `http://${address}/#code=${grants.offer(wanted)}`,
      scope: wanted.scope,
      expiresAt: isoDate(now() + codeMs),
    }),
    close: () => shut(server, grants),
  };
}

async function uidOf({ socket }: IncomingMessage, peers: PeerTable): Promise<number | null> {
  const uid = await peerUid(socket, { peers, signal: AbortSignal.timeout(uidMs) }).catch(() => null);
  // Of users that a container has no number for, all look like this one.
  return uid === overflowUid ? null : uid;
}

/** `localhost` is the one address: with two of them the other could be somebody else's. */
async function bind(server: Server, { host, port }: DoorOptions['listen']): Promise<Address> {
  const address = host === 'localhost' ? '127.0.0.1' : host;
  try {
    server.listen({ host: address, port });
    await once(server, 'listening');
  } catch (error) {
    throw await unbound(error, { address, port });
  }
  server.on('error', () => undefined);
  const bound = server.address();
  return { address, port: typeof bound === 'object' && bound !== null ? bound.port : port };
}

async function unbound(cause: unknown, at: Address): Promise<CommandError> {
  const code = codeOf(cause);
  const owner = code === 'EADDRINUSE' ? await findPortOwner(at.port) : null;
  const who = owner === null ? '' : ` by a program of ${owner.user ?? `uid ${owner.uid}`}`;
  const why = code === 'EADDRINUSE' ? `the port is in use${who}` : code;
  return new CommandError('network', `cannot serve the page on ${addressText(at)}: ${why}`, {
    code: code === 'EADDRINUSE' ? 'listen-busy' : 'listen-failed',
    cause,
    hint: 'Name another address: admin: {listen: 127.0.0.1:PORT}, or letterlock dashboard --port PORT.',
  });
}

/** A stream of events whose source was closed just now has a turn to end in good order. */
async function shut(server: Server, grants: Grants): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  await oneTurn();
  grants.end();
  server.closeAllConnections();
  await closed;
}
