// Serves a built page with a made-up daemon behind it, under the headers of the real door: for looking at the page in
// many states, quickly. What the real door and the real daemon do is tested with those.

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { loadAssets, type Assets } from '../../src/admin/web/assets.ts';
import { securityHeaders } from '../../src/admin/web/headers.ts';
import type { FeedEntry } from '../../src/admin/live-shapes.ts';
import { explainEndpoint, explainKey } from '../../src/trust/explain.ts';
import { changedSituation, type PageWorld } from './page-world.ts';
import { portOf } from './port.ts';

export interface PageServer {
  /** Opens the page with the scope the server was started with. */
  readonly url: string;
  /** What was ordered so far. */
  readonly orders: readonly unknown[];
  /** From now on every question is answered with this error, as a door with nobody behind it does; null: as before. */
  trouble(error: Trouble | null): void;
  /** From now on an event of a session's end comes every 100 ms, and the list of endpoints takes a second. */
  hurry(): void;
  stop(): Promise<void>;
}

export interface Trouble {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
}

interface PageOptions {
  /** Folder of `index.html` and `assets/`. */
  readonly folder: string;
  readonly world: PageWorld;
  readonly scope: 'read' | 'admin';
}

export async function servePage(options: PageOptions): Promise<PageServer> {
  const assets = await loadAssets(options.folder);
  if (assets === null) throw new Error('the page is not built');
  const orders: unknown[] = [];
  const listeners = new Set<ServerResponse>();
  const behind: Behind = { ...options, assets, orders, asked: 0, trouble: null, hurried: null, listeners };
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
    void answer(request, response, behind);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${portOf(server)}/#code=abcdefghijkl`,
    orders,
    trouble: (error) => {
      behind.trouble = error;
    },
    hurry: () => {
      const [entry] = options.world.entries;
      let id = Date.now();
      behind.hurried = setInterval(() => {
        id += 1;
        for (const response of listeners) tellEntry(response, { ...entry, id, event: 'session-ended' });
      }, 100);
    },
    stop: async () => {
      clearInterval(behind.hurried ?? undefined);
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}

interface Behind extends PageOptions {
  readonly assets: Assets;
  readonly orders: unknown[];
  /** How often sessions were asked for. */
  asked: number;
  trouble: Trouble | null;
  hurried: ReturnType<typeof setInterval> | null;
  readonly listeners: Set<ServerResponse>;
}

async function answer(request: IncomingMessage, response: ServerResponse, behind: Behind): Promise<void> {
  const { pathname: path, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const asset = behind.assets.get(path);
  if (asset !== undefined) {
    response.setHeader('content-type', asset.type);
    response.end(asset.bytes);
    return;
  }
  if (behind.trouble !== null && path.startsWith('/v1/'))
    return json(response, 503, { error: behind.trouble });
  if (path === '/v1/events') return tellEvents(response, behind);
  if (behind.hurried !== null && path === '/v1/endpoints') await sleep(1000);
  const body = request.method === 'POST' ? await bodyOf(request) : null;
  if (path === '/session') return json(response, 200, grantFor(behind));
  const found = request.method === 'POST' ? order(path, body, behind) : question(path, searchParams, behind);
  if (found === undefined) {
    const error = { code: 'not-found', message: 'nothing is known of this', hint: null };
    return json(response, 404, { error });
  }
  json(response, 200, found);
}

const grantFor = ({ scope }: Behind): unknown => ({
  token: 'T'.repeat(43),
  scope,
  expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
});

function question(path: string, query: URLSearchParams, behind: Behind): unknown {
  const { world } = behind;
  const [, , name = '', argument = ''] = path.split('/');
  const target = decodeURIComponent(argument);
  switch (name) {
    case 'status':
      return world.status;
    case 'endpoints':
      return world.endpoints;
    case 'sessions':
      behind.asked += 1;
      return movedOn(world, behind.asked);
    case 'history':
      return world.history.filter(({ endpoint }) => [null, endpoint].includes(query.get('endpoint')));
    case 'pins':
      return world.pins(target) ?? undefined;
    case 'candidates':
      return target === world.comparison.ref ? world.comparison : undefined;
    case 'explain':
      return explanationOf(target, world);
    default:
      return undefined;
  }
}

/** The same sessions, with more carried each time they are asked for: busy and quiet by turns. */
function movedOn({ sessions }: PageWorld, asked: number): unknown {
  const carried =
    asked * 18_000 +
    9000 * Math.sin(asked / 3) +
    4000 * Math.sin(asked * 1.7) +
    60_000 * Math.sin(asked / 25);
  return sessions.map((row, at) => ({
    ...row,
    bytesDown: row.bytesDown + Math.max(0, Math.round(carried * (at + 1))),
  }));
}

/** By the judge itself, of the server whose key changed. */
function explanationOf(target: string, { comparison }: PageWorld): unknown {
  const situation = changedSituation(comparison);
  return target === comparison.ref
    ? explainKey(target, comparison.presented.spki, situation)
    : { ...explainEndpoint(situation), target };
}

function order(path: string, body: unknown, { orders, world, scope }: Behind): unknown {
  if (scope === 'read')
    return { error: { code: 'read-only', message: 'this page was opened for reading only', hint: null } };
  orders.push({ path, body });
  if (path === '/v1/commands')
    return {
      endpoint: world.comparison.endpoint,
      lines: ['Done.', 'Trusted from now on:', '  the key that was named, without an end'],
      pins: null,
    };
  if (path === '/v1/reload') return { reloaded: true, problems: [] };
  if (path === '/v1/verify')
    return { ok: true, store: world.status.store, auditEntries: world.history.length, problems: [] };
  if (path === '/v1/probes')
    return {
      endpoint: '',
      at: new Date().toISOString(),
      seconds: 0.08,
      result: 'accepted',
      verdict: 'ca',
      reason: null,
      spki: null,
      faults: [],
      ref: null,
      certificate: null,
    };
  return undefined;
}

function tellEvents(response: ServerResponse, { world, listeners }: Behind): void {
  listeners.add(response);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const latest = world.entries.at(-1)?.id ?? 0;
  response.write(`event: hello\ndata: ${JSON.stringify({ id: latest, dropped: false })}\n\n`);
  for (const entry of world.entries) tellEntry(response, entry);
}

const tellEntry = (response: ServerResponse, entry: Pick<FeedEntry, 'id' | 'event'>): void =>
  void response.write(`id: ${entry.id}\nevent: ${entry.event}\ndata: ${JSON.stringify(entry)}\n\n`);

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  const stream: AsyncIterable<Buffer> = request;
  for await (const chunk of stream) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? null : JSON.parse(text);
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
