// Who has a right token, and how the others are told. A right one is looked for first, and nothing that others
// did wrong is in its way.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { CommandError } from '../../errors.ts';
import { errorShape } from '../api.ts';
import { sendJson } from '../http.ts';
import type { Desk } from './desk.ts';
import type { Grant } from './grants.ts';

/** The grant of its token; null after it was answered because it has none. */
export function admit(request: IncomingMessage, response: ServerResponse, desk: Desk): Grant | null {
  const token = bearerOf(request);
  const grant = token === null ? null : desk.grants.find(token);
  if (grant !== null) {
    desk.crowd.know(request.socket);
    return grant;
  }
  if (token === null) refuseUnknown(response, desk, 'no-token');
  else refuseUnknown(response, desk, desk.failures.admit() ? 'bad-token' : 'rate');
  return null;
}

/** Its token, for the one that revokes itself; null for none, or more than one. */
export function bearerOf({ headersDistinct }: IncomingMessage): string | null {
  const values = headersDistinct['authorization'];
  return values?.length === 1 ? (/^Bearer ([\w-]{1,100})$/.exec(values[0] ?? '')?.[1] ?? null) : null;
}

const sentences = {
  'no-token': 'this needs a token',
  'bad-token': 'this code or token is not good, or not any more',
  rate: 'too many wrong codes or tokens; try again later',
} as const;

/** Answers who has no right token or code, and counts it. */
export function refuseUnknown(response: ServerResponse, desk: Desk, reason: keyof typeof sentences): void {
  desk.rejected(reason);
  response.setHeader('Connection', 'close');
  if (reason === 'rate') response.setHeader('Retry-After', desk.failures.retrySeconds);
  else response.setHeader('WWW-Authenticate', 'Bearer realm="letterlock"');
  const hint = 'Open the page with: letterlock dashboard';
  sendJson(response, {
    status: reason === 'rate' ? 429 : 401,
    body: errorShape(new CommandError('refused', sentences[reason], { code: reason, hint })),
    route: 'none',
  });
}
