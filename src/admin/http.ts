// One request to the admin API over HTTP, whatever it came over: bounded, JSON only. Who may ask was decided before.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { CommandError } from '../errors.ts';
import { answerRequest, errorShape, failedAnswer } from './api.ts';
import type { ApiAnswer } from './api.ts';
import { streamEvents } from './event-stream.ts';
import type { StreamOptions } from './event-stream.ts';
import type { Operator } from './operator.ts';
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
  if ('status' in answer) return sendTold(response, answer, options);
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

async function readBody(request: IncomingMessage): Promise<{ readonly value: unknown } | ApiAnswer> {
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

export function sendJson(response: ServerResponse, answer: ApiAnswer): void {
  const text = JSON.stringify(answer.body);
  response.writeHead(answer.status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
    ...(answer.allow === undefined ? {} : { Allow: answer.allow }),
    // A body cut off in the middle leaves the connection in no state to go on.
    ...(answer.status === 413 ? { Connection: 'close' } : {}),
  });
  response.end(text);
}
