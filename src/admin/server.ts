// The admin API over HTTP on a UNIX socket: bounded, JSON only, for local programs and never for a browser.
// Who may connect is what the mode of the socket says; it never listens on TCP.

import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { CommandError } from '../errors.ts';
import { answerRequest, errorShape } from './api.ts';
import type { ApiAnswer } from './api.ts';
import type { Operator } from './operator.ts';
import { bindSocket } from './socket-path.ts';
import type { SocketPlace } from './socket-path.ts';

export interface AdminServerOptions {
  readonly socket: SocketPlace;
  readonly operator: Operator;
  /** Told of every request that reached a route, and of every one turned away before. */
  readonly served: (route: string, status: number) => void;
  readonly rejected: (reason: 'bad-host' | 'bad-origin') => void;
  /** Takes the requests that want another protocol on their connection; it is closed with the server. */
  readonly upgrades?: { receiveAt(server: Server): void; close(): void };
}

export interface AdminServer {
  readonly path: string;
  /** Removes the socket and ends every connection; never rejects. The operator stays open. */
  close(): Promise<void>;
}

const limits = { maxHeaderSize: 8192, headersTimeout: 5000, requestTimeout: 15_000, keepAliveTimeout: 1000 };
const maxConnections = 64;
const maxBodyBytes = 65_536;
/** A backup of many endpoints, with the certificate of every key. */
const maxImportBytes = 16 * 1024 * 1024;
/** `curl --unix-socket PATH http://localhost/v1/status` works too. */
const hosts: ReadonlySet<string> = new Set(['letterlock', 'localhost']);

/** @throws CommandError when the socket cannot be had */
export async function serveAdmin(options: AdminServerOptions): Promise<AdminServer> {
  const server = createServer(limits, (request, response) => {
    serve(request, response, options).catch(() => response.destroy());
  });
  server.maxConnections = maxConnections;
  options.upgrades?.receiveAt(server);
  await bindSocket(server, options.socket);
  server.on('error', () => undefined);
  return {
    path: options.socket.path,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        options.upgrades?.close();
      }),
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
    return send(response, refusal(403, 'this is not for browsers'));
  }
  const body = await readBody(request);
  if ('status' in body) return send(response, body);
  const answer = await answerRequest(options.operator, {
    method: request.method ?? '',
    url: request.url ?? '',
    body: body.value,
  });
  options.served(answer.route, answer.status);
  send(response, answer);
}

/** What only a browser would send, or a proxy that was pointed at the socket. */
function strangeness({ headers }: IncomingMessage): 'bad-host' | 'bad-origin' | null {
  if (!hosts.has(headers.host ?? '')) return 'bad-host';
  const browser = ['origin', 'referer', 'cookie', 'sec-fetch-site', 'sec-fetch-mode'].some(
    (name) => name in headers,
  );
  return browser ? 'bad-origin' : null;
}

async function readBody(request: IncomingMessage): Promise<{ readonly value: unknown } | ApiAnswer> {
  const most = request.url === '/v1/import' ? maxImportBytes : maxBodyBytes;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Not destroyed when we stop reading: the refusal still has to be said on this connection.
  const stream: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > most) return refusal(413, `a request body has at most ${most} bytes`);
    chunks.push(chunk);
  }
  if (bytes === 0) return { value: null };
  if (!/^application\/json(?:\s*;|$)/i.test(request.headers['content-type'] ?? ''))
    return refusal(415, 'a body is application/json');
  try {
    const value: unknown = JSON.parse(
      new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)),
    );
    return { value };
  } catch {
    return refusal(400, 'the body is not JSON');
  }
}

const refusal = (status: number, message: string): ApiAnswer => ({
  status,
  body: errorShape(new CommandError('usage', message)),
  route: 'none',
});

function send(response: ServerResponse, answer: ApiAnswer): void {
  const text = JSON.stringify(answer.body);
  response.writeHead(answer.status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
    // A body cut off in the middle leaves the connection in no state to go on.
    ...(answer.status === 413 ? { Connection: 'close' } : {}),
  });
  response.end(text);
}
