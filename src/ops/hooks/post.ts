// One HTTP POST to a receiver that is verified first: by CA and name, by its key, or, on this machine, not at all. Nothing is
// sent before the verdict, no redirect is followed, no answer is read beyond a bound, and no connection is kept.

import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { bracketed, endpointOf } from '../../endpoint.ts';
import { LetterlockError } from '../../errors.ts';
import type { AnchorSet } from '../../net/anchors.ts';
import { dial, DialFailure } from '../../net/dial.ts';
import { unexpected } from '../../net/expected-server.ts';
import { codeOf } from '../../net/failure.ts';
import { handshake } from '../../net/handshake.ts';
import type { WebhookUrl } from './hook.ts';

export interface Receiver {
  readonly url: WebhookUrl;
  readonly anchors: AnchorSet;
  /** False where its key alone says who it is. */
  readonly named: boolean;
  readonly pins: readonly string[];
}

export interface Posting {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** For look-up, connection, handshake and answer together. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface Answer {
  readonly status: number;
  /** As the receiver wrote it. */
  readonly retryAfter: string | null;
}

/** No answer. `impostor`: whoever was there is not who was meant. The message says why, in our words. */
export class PostFailure extends Error {
  override readonly name = 'PostFailure';
  readonly kind: 'world' | 'impostor';
  constructor(kind: PostFailure['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** @throws PostFailure */
export async function post(receiver: Receiver, posting: Posting): Promise<Answer> {
  const deadline = new AbortController();
  const end = (): void => deadline.abort(new Error('ended'));
  const timer = setTimeout(end, posting.deadlineMs);
  posting.signal.addEventListener('abort', end, { once: true });
  if (posting.signal.aborted) end();
  try {
    const socket = await reach(receiver, posting, deadline.signal);
    try {
      return await exchange(socket, { receiver, posting, signal: deadline.signal });
    } finally {
      socket.destroy();
    }
  } catch (error) {
    if (error instanceof PostFailure) throw error;
    if (posting.signal.aborted) throw new PostFailure('world', 'broken off');
    if (deadline.signal.aborted)
      throw new PostFailure('world', `no answer within ${posting.deadlineMs / 1000} s`);
    throw new PostFailure('world', reasonOf(error));
  } finally {
    clearTimeout(timer);
    posting.signal.removeEventListener('abort', end);
  }
}

async function reach(
  { url, anchors, named, pins }: Receiver,
  { deadlineMs, now }: Posting,
  signal: AbortSignal,
): Promise<Socket> {
  const { host, port } = url;
  const raw = await dial({ host, port }, { deadlineMs, signal });
  if (url.scheme === 'http') return raw;
  const endpoint = endpointOf(host, port);
  const { socket, peer } = await handshake(raw, { endpoint, anchors, deadlineMs, signal });
  const wrong = unexpected(peer, { host, port, name: named ? host : null, pins, anchors }, now());
  if (wrong === null) return socket;
  socket.destroy();
  throw new PostFailure('impostor', wrong);
}

interface Exchange {
  readonly receiver: Receiver;
  readonly posting: Posting;
  readonly signal: AbortSignal;
}

/** Read, so that the receiver is not cut off in its answer, and thrown away. */
const maxAnswerBytes = 65_536;
const maxHeaderBytes = 16_384;

function exchange(socket: Socket, { receiver, posting, signal }: Exchange): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = requestOver(socket, receiver.url, posting);
    const aborted = (): void => void asked.destroy(new Error('ended'));
    signal.addEventListener('abort', aborted, { once: true });
    const settle = (act: () => void): void => {
      signal.removeEventListener('abort', aborted);
      act();
    };
    asked.on('error', (error) => settle(() => reject(error)));
    asked.on('response', (response) => {
      const answer = {
        status: response.statusCode ?? 0,
        retryAfter: response.headers['retry-after'] ?? null,
      };
      readOut(response, () => settle(() => resolve(answer)));
    });
    asked.end(posting.body);
    // It comes paused out of dial and handshake.
    socket.resume();
  });
}

function requestOver(socket: Socket, url: WebhookUrl, { headers, body }: Posting): ClientRequest {
  const usual = url.scheme === 'https' ? 443 : 80;
  const host = `${bracketed(url.host)}${url.port === usual ? '' : `:${url.port}`}`;
  return request({
    method: 'POST',
    path: url.path,
    setHost: false,
    maxHeaderSize: maxHeaderBytes,
    headers: { host, 'content-length': Buffer.byteLength(body), connection: 'close', ...headers },
    createConnection: () => socket,
  });
}

/** The status stands, however the rest of the answer ends. */
function readOut(response: IncomingMessage, done: () => void): void {
  let bytes = 0;
  response.on('error', () => undefined);
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) response.destroy();
  });
  response.on('close', done);
}

function reasonOf(error: unknown): string {
  if (error instanceof DialFailure) return `${error.message} (${error.detail})`;
  return error instanceof LetterlockError ? error.message : `the connection broke (${codeOf(error)})`;
}
