// The page a scraper reads: /metrics, /healthz and /readyz over plain HTTP, read-only. It never answers more
// than these three, takes no body, and on loopback answers only to a loopback Host, so that a web page whose
// name is bound to 127.0.0.1 learns nothing. However many connect or ask at once, a scraper is answered, and one page
// is written at a time.

import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isIPv6 } from 'node:net';
import { alone } from '../net/alone.ts';
import { Crowd } from '../net/crowd.ts';
import { sharedPages } from './shared-pages.ts';

export interface MetricsPage {
  readonly contentType: string;
  text(): Promise<string>;
  /** Listeners bound and store usable. */
  ready(): boolean;
}

export interface MetricsServer {
  /** `127.0.0.1:9465`, with the port really bound. */
  readonly address: string;
  close(): Promise<void>;
}

const limits = {
  maxHeaderSize: 8192,
  requestTimeout: 10_000,
  headersTimeout: 5000,
  keepAliveTimeout: 30_000,
  /** How often these are looked at; Node's own half a minute would be their real length. */
  connectionsCheckingInterval: 1000,
};
const maxConnections = 32;

/** Binds and serves; rejects with the system's error when it cannot bind. Whoever opened it closes it. */
export async function serveMetrics(
  listen: { readonly host: string; readonly port: number },
  page: MetricsPage,
): Promise<MetricsServer> {
  const guarded = isLoopback(listen.host);
  const server = createServer(limits);
  const crowd = new Crowd(server, { most: maxConnections, whenAllKnown: 'oldest' });
  const serving: Serving = {
    contentType: page.contentType,
    text: sharedPages(() => page.text()),
    ready: () => page.ready(),
    guarded,
  };
  const serve = alone((request, response) => {
    crowd.know(request.socket);
    response.once('close', () => crowd.forget(request.socket));
    answer(request, response, serving).catch(() => response.destroy());
  });
  server.on('request', serve);
  server.on('checkExpectation', serve);
  await bind(server, listen);
  return { address: boundAddress(server.address()), close: () => shut(server) };
}

function boundAddress(bound: AddressInfo | string | null): string {
  if (bound === null || typeof bound === 'string') return bound ?? '';
  return `${isIPv6(bound.address) ? `[${bound.address}]` : bound.address}:${bound.port}`;
}

function bind(server: Server, listen: { readonly host: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.host, () => {
      server.off('error', reject);
      server.on('error', () => undefined);
      resolve();
    });
  });
}

function shut(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

interface Serving extends MetricsPage {
  readonly guarded: boolean;
}

async function answer(request: IncomingMessage, response: ServerResponse, serving: Serving): Promise<void> {
  request.resume();
  const isBodied = hasBody(request);
  // What comes of it is not waited for.
  if (isBodied) response.setHeader('Connection', 'close');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return send(response, 405, 'only GET and HEAD\n');
  }
  if (isBodied) return send(response, 413, 'no body is taken\n');
  if (serving.guarded && !isLoopbackName(request.headers.host)) return send(response, 403, 'unknown Host\n');
  const path = (request.url ?? '').split('?', 1)[0];
  if (path === '/healthz') return send(response, 200, 'ok\n');
  if (path === '/readyz')
    return serving.ready() ? send(response, 200, 'ready\n') : send(response, 503, 'not ready\n');
  if (path !== '/metrics') return send(response, 404, 'not found\n');
  response.setHeader('Content-Type', serving.contentType);
  send(response, 200, await serving.text());
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  'transfer-encoding' in headers || !/^0*$/.test(headers['content-length'] ?? '');

function send(response: ServerResponse, status: number, body: string): void {
  response.statusCode = status;
  if (!response.hasHeader('Content-Type')) response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Cache-Control', 'no-store');
  response.end(body);
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host.startsWith('127.');

/** HTTP/1.0 without a Host is no browser. */
const isLoopbackName = (host: string | undefined): boolean =>
  host === undefined || /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i.test(host);
