// Delivers to a webhook: signed, tried again while that may help, and given up after a bounded number of attempts and time.
// The id stays the same in all of them, so that a receiver can tell a second attempt from a second notice.

import { setTimeout as pause } from 'node:timers/promises';
import type { Delivered, Deliver } from './delivery.ts';
import type { WebhookHook } from './hook.ts';
import { post, PostFailure, type Answer, type Receiver } from './post.ts';
import { signatureHeaders } from './signature.ts';

export interface Pace {
  /** Before the second attempt; doubles with each. */
  readonly firstMs: number;
  readonly longestMs: number;
  /** What a receiver may ask to wait at most. */
  readonly longestAskedMs: number;
  /** No attempt begins later. */
  readonly totalMs: number;
}

const usualPace: Pace = { firstMs: 1000, longestMs: 60_000, longestAskedMs: 120_000, totalMs: 300_000 };

export interface WebhookOptions {
  readonly now: () => number;
  readonly version: string;
  /** From 0 to below 1. */
  readonly random?: () => number;
  readonly pace?: Pace;
}

/** What an attempt came to: an end, or a reason to try again, perhaps not before some time. */
type Attempt =
  | Pick<Delivered, 'result' | 'detail' | 'gone'>
  | { readonly result: 'again'; readonly detail: string; readonly waitMs: number };

export function webhookDelivery(
  hook: WebhookHook,
  receiver: Receiver,
  { now, version, random = Math.random, pace = usualPace }: WebhookOptions,
): Deliver {
  const attempt = async (body: string, id: string, signal: AbortSignal): Promise<Attempt> => {
    const seconds = Math.floor(now() / 1000);
    const headers = {
      'content-type': 'application/json',
      'user-agent': `letterlock/${version}`,
      ...signatureHeaders({ id, seconds, body }, hook.secret),
    };
    try {
      return judged(await post(receiver, { headers, body, deadlineMs: hook.timeoutMs, signal, now }), now());
    } catch (error) {
      if (!(error instanceof PostFailure)) throw error;
      const { kind, message } = error;
      return kind === 'impostor'
        ? { result: 'failed', detail: message }
        : { result: 'again', detail: message, waitMs: 0 };
    }
  };
  return async (payload, signal) => {
    const body = JSON.stringify(payload);
    const started = performance.now();
    for (let attempts = 1; ; attempts++) {
      const came = await attempt(body, payload.data.id, signal);
      if (came.result !== 'again') return { ...came, attempts };
      const wait = Math.max(backoff(attempts, pace, random), Math.min(came.waitMs, pace.longestAskedMs));
      const late = performance.now() - started + wait > pace.totalMs;
      if (attempts > hook.retries || late || signal.aborted)
        return { result: 'failed', detail: came.detail, attempts };
      await pause(wait, null, { signal }).catch(() => undefined);
      if (signal.aborted) return { result: 'failed', detail: came.detail, attempts };
    }
  };
}

/** Half of it by chance: many that failed together must not come again together. */
const backoff = (attempts: number, { firstMs, longestMs }: Pace, random: () => number): number =>
  Math.min(firstMs * 2 ** (attempts - 1), longestMs) * (0.5 + random() / 2);

function judged({ status, retryAfter }: Answer, now: number): Attempt {
  const detail = `HTTP ${status}`;
  if (status >= 200 && status <= 299) return { result: 'delivered', detail: null };
  if (status === 410) return { result: 'failed', detail: `${detail}: the receiver is gone`, gone: true };
  if (status >= 300 && status <= 399)
    return { result: 'failed', detail: `${detail}: redirects are not followed` };
  if (status === 408 || status === 425 || status === 429 || status >= 500)
    return { result: 'again', detail, waitMs: askedMs(retryAfter, now) };
  return { result: 'failed', detail };
}

/** Retry-After, seconds or a date (RFC 9110 section 10.2.3); 0 where there is none that can be read. */
function askedMs(retryAfter: string | null, now: number): number {
  if (retryAfter === null) return 0;
  const ms = /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - now;
  return Number.isNaN(ms) ? 0 : Math.max(0, ms);
}
