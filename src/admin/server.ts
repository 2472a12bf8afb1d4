// The admin API over HTTP on a UNIX socket: bounded, JSON only, for local programs and never for a browser.
// Who may connect is what the mode of the socket says; it never listens on TCP.

import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { alone } from '../net/alone.ts';
import { sendJson, serveApi, turnedAway } from './http.ts';
import type { ApiOptions } from './http.ts';
import type { Operator } from './operator.ts';
import { endUnread } from './over.ts';
import { bindSocket } from './socket-path.ts';
import type { SocketPlace } from './socket-path.ts';

export interface AdminServerOptions extends ApiOptions {
  /** Takes the orders given on the page of `letterlock dashboard`, which come over the socket too; default `operator`. */
  readonly pageOperator?: Operator;
  readonly socket: SocketPlace;
  /** Told of every request turned away before it reached a route. */
  readonly rejected: (reason: 'bad-host' | 'bad-origin') => void;
  /** Takes the requests that want another protocol on their connection; it is closed with the server. */
  readonly upgrades?: { receiveAt(server: Server): void; close(): void };
}

export interface AdminServer {
  readonly path: string;
  /** Removes the socket and ends every connection; never rejects. The operator stays open. */
  close(): Promise<void>;
}

const limits = {
  maxHeaderSize: 8192,
  headersTimeout: 5000,
  requestTimeout: 15_000,
  keepAliveTimeout: 1000,
  /** How often the two before are looked at. */
  connectionsCheckingInterval: 1000,
} as const;
const maxConnections = 64;
/** `curl --unix-socket PATH http://localhost/v1/status` works too. */
const hosts: ReadonlySet<string> = new Set(['letterlock', 'localhost']);

/** @throws CommandError when the socket cannot be had */
export async function serveAdmin(options: AdminServerOptions): Promise<AdminServer> {
  const answer = alone((request, response) => {
    serve(request, response, options).catch(() => response.destroy());
  });
  const server = createServer(limits);
  server.maxConnections = maxConnections;
  // First: an answer that is given at once would be over before it is listened to.
  endUnread(server);
  server.on('request', answer);
  options.upgrades?.receiveAt(server);
  await bindSocket(server, options.socket);
  server.on('error', () => undefined);
  return {
    path: options.socket.path,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // A stream that just came to its end says so before it is cut off.
      await turn();
      server.closeAllConnections();
      options.upgrades?.close();
      await closed;
    },
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  options: AdminServerOptions,
): Promise<void> {
  const strange = strangeness(request);
  if (strange !== null) {
    options.rejected(strange);
    return sendJson(response, turnedAway(403, 'this is not for browsers'));
  }
  const origin = request.headers['letterlock-origin'] ?? 'cli';
  if (origin !== 'cli' && origin !== 'admin')
    return sendJson(response, turnedAway(400, 'Letterlock-Origin is cli or admin'));
  const operator = origin === 'admin' ? (options.pageOperator ?? options.operator) : options.operator;
  await serveApi(request, response, { ...options, operator });
}

/** What only a browser would send, or a proxy that was pointed at the socket. */
function strangeness({ headers }: IncomingMessage): 'bad-host' | 'bad-origin' | null {
  if (!hosts.has(headers.host ?? '')) return 'bad-host';
  const browser = ['origin', 'referer', 'cookie', 'sec-fetch-site', 'sec-fetch-mode'].some(
    (name) => name in headers,
  );
  return browser ? 'bad-origin' : null;
}
