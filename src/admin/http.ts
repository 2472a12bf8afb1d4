// One request to the admin API over HTTP, whatever it came over: bounded, JSON only. Who may ask was decided before.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { CommandError } from '../errors.ts';
import { answerRequest, errorShape, failedAnswer } from './api.ts';
import type { ApiAnswer } from './api.ts';
import { streamEvents } from './event-stream.ts';
import type { StreamOptions } from './event-stream.ts';
import { jsonPieces } from './json-pieces.ts';
import type { Operator } from './operator.ts';
import { taken, whenOver } from './over.ts';
import { commandErrorOf } from './tofu-operator.ts';

export interface ApiOptions extends Pick<StreamOptions, 'heartbeatMs' | 'drainMs'> {
  readonly operator: Operator;
  /** Told of every request that reached a route, or found none. */
  readonly served: (route: string, status: number) => void;
}

const maxBodyBytes = 65_536;
/** A backup of many endpoints, with the certificate of every key. */
const maxImportBytes = 16 * 1024 * 1024;

/** Reads the body, asks, answers. Rejects only where the connection is to be destroyed. */
export async function serveApi(
  request: IncomingMessage,
  response: ServerResponse,
  options: ApiOptions,
): Promise<void> {
  const body = await readBody(request);
  if ('status' in body) return sendJson(response, body);
  const answer = await answerRequest(options.operator, {
    method: request.method ?? '',
    url: request.url ?? '',
    body: body.value,
    lastEventId: headerOf(request, 'last-event-id'),
  });
  if ('status' in answer) {
    options.served(answer.route, answer.status);
    return sendLong(response, answer, options);
  }
  if (request.method === 'HEAD') return sendTold(response, { ...answer, status: 200, body: null }, options);
  const { heartbeatMs, drainMs } = options;
  try {
    await streamEvents(options.operator, response, {
      after: answer.after,
      began: () => options.served(answer.route, 200),
      ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
      ...(drainMs === undefined ? {} : { drainMs }),
    });
  } catch (error) {
    sendTold(response, failedAnswer(commandErrorOf(error), answer.route), options);
  }
}

const headerOf = ({ headers }: IncomingMessage, name: string): string | null => {
  const value = headers[name];
  return typeof value === 'string' ? value : null;
};

function sendTold(response: ServerResponse, answer: ApiAnswer, { served }: ApiOptions): void {
  served(answer.route, answer.status);
  sendJson(response, answer);
}

/** The value of its body, null for none; or the answer to one that cannot be read. */
export async function readBody(request: IncomingMessage): Promise<{ readonly value: unknown } | ApiAnswer> {
  const most = request.url === '/v1/import' ? maxImportBytes : maxBodyBytes;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Not destroyed when we stop reading: the refusal still has to be said on this connection.
  const stream: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > most) return turnedAway(413, `a request body has at most ${most} bytes`);
    chunks.push(chunk);
  }
  if (bytes === 0) return { value: null };
  if (!/^application\/json(?:\s*;|$)/i.test(request.headers['content-type'] ?? ''))
    return turnedAway(415, 'a body is application/json');
  try {
    const value: unknown = JSON.parse(
      new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)),
    );
    return { value };
  } catch {
    return turnedAway(400, 'the body is not JSON');
  }
}

/** An answer to a request that reached no route. */
export const turnedAway = (status: number, message: string): ApiAnswer => ({
  status,
  body: errorShape(new CommandError('usage', message)),
  route: 'none',
});

export const sendJson = (response: ServerResponse, answer: ApiAnswer): void =>
  sendText(response, answer, JSON.stringify(answer.body));

function sendText(response: ServerResponse, answer: ApiAnswer, text: string): void {
  response.setHeader('Content-Length', Buffer.byteLength(text));
  begin(response, answer).end(text);
}

/** Without a length it is sent in chunks. */
const begin = (response: ServerResponse, answer: ApiAnswer): ServerResponse =>
  response.writeHead(answer.status, {
    'Content-Type': 'application/json',
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
    ...(answer.allow === undefined ? {} : { Allow: answer.allow }),
    // A body cut off in the middle leaves the connection in no state to go on.
    ...(answer.status === 413 ? { Connection: 'close' } : {}),
  });

/** An answer of any length, no more of it at once than the reader takes. Rejects where the reader is too slow, or gone. */
async function sendLong(
  response: ServerResponse,
  answer: ApiAnswer,
  { drainMs = 30_000 }: Pick<StreamOptions, 'drainMs'>,
): Promise<void> {
  const pieces = jsonPieces(answer.body);
  let piece = await pieces.next();
  let coming = await pieces.next();
  if (coming.done === true) return sendText(response, answer, piece.value ?? '');
  const left = new AbortController();
  whenOver(response, () => left.abort());
  begin(response, answer);
  while (coming.done !== true) {
    if (!response.write(piece.value)) await taken(response, { drainMs, signal: left.signal });
    piece = coming;
    coming = await pieces.next();
    if (left.signal.aborted) return;
  }
  response.end(piece.value);
}
