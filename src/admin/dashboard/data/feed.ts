// Follows the event stream for as long as the page is open: reads, reconnects where it broke off, and says when
// entries are missing. Waits longer after each failure, never longer than half a minute.

import type { FeedEntry } from '../wire.ts';
import { ApiError, type Api } from './api.ts';
import { messageReader, type Message } from './sse.ts';

export interface FeedListener {
  readonly entries: (entries: readonly FeedEntry[]) => void;
  /** Entries went by that cannot be had any more. */
  readonly missed: () => void;
  readonly connected: (isConnected: boolean) => void;
}

/** The daemon sends a comment every 15 seconds; silence for longer means that nobody is there. */
const silenceMs = 45_000;

/** Resolves when `signal` is aborted. */
export async function followFeed(api: Api, listener: FeedListener, signal: AbortSignal): Promise<void> {
  let after = 0;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const response = await api.follow(after, signal);
      failures = 0;
      listener.connected(true);
      for await (const message of messagesOf(response, signal)) after = take(message, { after, listener });
    } catch (error) {
      if (signal.aborted || (error instanceof ApiError && error.code === 'expired')) return;
      failures += 1;
    }
    listener.connected(false);
    await pause(Math.min(30_000, 1000 * 2 ** Math.min(failures, 5)), signal);
  }
}

/** The number to go on after. A smaller one than before means that the daemon began anew. */
function take(
  message: Message,
  { after, listener }: { readonly after: number; readonly listener: FeedListener },
): number {
  const body: unknown = JSON.parse(message.data);
  if (message.event === 'hello') {
    if (isHello(body) && body.dropped && after > 0) listener.missed();
    return isHello(body) && body.id < after ? 0 : after;
  }
  if (!isEntry(body)) return after;
  listener.entries([body]);
  return body.id;
}

async function* messagesOf(response: Response, signal: AbortSignal): AsyncGenerator<Message> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  const decoder = new TextDecoder();
  const read = messageReader();
  try {
    for (;;) {
      const { done, value } = await inTime(reader, signal);
      if (done) return;
      yield* read(decoder.decode(value, { stream: true }));
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function inTime(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  signal: AbortSignal,
): Promise<ReadableStreamReadResult<Uint8Array>> {
  const timer = setTimeout(() => void reader.cancel().catch(() => undefined), silenceMs);
  const result = await reader.read();
  clearTimeout(timer);
  return signal.aborted ? { done: true, value: undefined } : result;
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });

const isHello = (value: unknown): value is { readonly id: number; readonly dropped: boolean } =>
  typeof value === 'object' &&
  value !== null &&
  'id' in value &&
  'dropped' in value &&
  typeof value.id === 'number';

const isEntry = (value: unknown): value is FeedEntry =>
  typeof value === 'object' &&
  value !== null &&
  'id' in value &&
  'message' in value &&
  typeof value.id === 'number';
