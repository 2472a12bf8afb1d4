// Talks to the admin API: the bearer token in a header, never a cookie, never in an address. Every wait has a
// deadline; every error comes out as an ApiError with what the daemon said and what to do.

import type { Command } from '../../../trust/command.ts';

/** `code` is the daemon's; `offline` when it could not be asked, `expired` when the token counts no more. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: string;
  readonly hint: string | null;

  constructor(code: string, message: string, hint: string | null) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

export interface Api {
  /** `path` under `/v1/`. @throws ApiError */
  ask<T>(path: string, signal?: AbortSignal): Promise<T>;
  /** @throws ApiError */
  tell<T>(path: string, body: unknown): Promise<T>;
  /** The event stream after entry `after`; the caller reads its body and ends it. @throws ApiError */
  follow(after: number, signal: AbortSignal): Promise<Response>;
}

const deadlineMs = 20_000;
/** Probes wait for a server, commands for a disk. */
const tellDeadlineMs = 90_000;

export function openApi(token: string, expired: () => void): Api {
  const send = async (path: string, init: Init): Promise<Response> => {
    const headers = { accept: 'application/json', authorization: `Bearer ${token}`, ...init.headers };
    const response = await reach(`/v1/${path}`, { ...init, headers });
    if (response.ok) return response;
    const error = await errorOf(response);
    if (error.code === 'expired') expired();
    throw error;
  };
  return {
    ask: async <T>(path: string, signal?: AbortSignal) => {
      const limit = AbortSignal.timeout(deadlineMs);
      return bodyOf<T>(
        await send(path, { signal: signal === undefined ? limit : AbortSignal.any([signal, limit]) }),
      );
    },
    tell: async <T>(path: string, body: unknown) =>
      bodyOf<T>(
        await send(path, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
          signal: AbortSignal.timeout(tellDeadlineMs),
        }),
      ),
    follow: (after, signal) =>
      send('events', { headers: { accept: 'text/event-stream', 'last-event-id': String(after) }, signal }),
  };
}

/** `headers` as a plain object: the other forms of it would not survive being spread. */
interface Init extends Omit<RequestInit, 'headers'> {
  readonly headers?: Readonly<Record<string, string>>;
}

export const orderCommand = <T>(api: Api, command: Command): Promise<T> => api.tell<T>('commands', command);

/** `fetch`, with failures told as what they mean here. @throws ApiError */
export async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, {
      ...init,
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    if (error instanceof DOMException && error.name === 'TimeoutError')
      throw new ApiError(
        'offline',
        'letterlock did not answer in time',
        'See whether it still runs: letterlock status.',
      );
    throw new ApiError(
      'offline',
      'letterlock cannot be reached',
      'See whether it still runs: letterlock status.',
    );
  }
}

async function bodyOf<T>(response: Response): Promise<T> {
  try {
    // The daemon is the other half of this program; its shapes are checked against their schemas in its tests.
    const body: T = await response.json();
    return body;
  } catch {
    throw new ApiError(
      'offline',
      'the answer of letterlock broke off',
      'See whether it still runs: letterlock status.',
    );
  }
}

export async function errorOf(response: Response): Promise<ApiError> {
  const told = await response.json().catch((): unknown => null);
  const error = isObject(told) && isObject(told['error']) ? told['error'] : {};
  const message = textOf(error['message']) ?? `letterlock answered with status ${response.status}`;
  const code = response.status === 401 ? 'expired' : (textOf(error['code']) ?? 'internal');
  return new ApiError(code, message, textOf(error['hint']));
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
