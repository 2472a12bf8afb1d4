// /session: a one-time code becomes a bearer token (POST), a token is asked what it stands for (GET) or ends
// (DELETE). A token is told once, here, and nowhere else.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { CommandError } from '../../errors.ts';
import { errorShape } from '../api.ts';
import { readBody, sendJson } from '../http.ts';
import { admit, bearerOf, refuseUnknown } from './bearer.ts';
import type { Desk } from './desk.ts';

export async function serveSession(
  request: IncomingMessage,
  response: ServerResponse,
  desk: Desk,
): Promise<void> {
  if (request.method === 'POST') return exchange(request, response, desk);
  const grant = admit(request, response, desk);
  if (grant === null) return;
  if (request.method === 'DELETE') desk.grants.revoke(bearerOf(request) ?? '');
  const { scope, expiresAt } = grant;
  const body =
    request.method === 'DELETE' ? { ended: true } : { scope, expiresAt: new Date(expiresAt).toISOString() };
  answer(response, desk, { status: 200, body });
}

async function exchange(request: IncomingMessage, response: ServerResponse, desk: Desk): Promise<void> {
  const read = await readBody(request);
  if ('status' in read) {
    response.setHeader('Connection', 'close');
    return answer(response, desk, read);
  }
  const code = codeIn(read.value);
  if (code === null) return answer(response, desk, { status: 400, body: errorShape(noCode()) });
  const redeemed = (await mayRedeem(request, code, desk)) ? desk.grants.redeem(code) : null;
  if (redeemed === null) return refuseUnknown(response, desk, desk.failures.admit() ? 'bad-token' : 'rate');
  const { token, grant } = redeemed;
  desk.opened(grant.scope, grant.expiresAt);
  desk.crowd.know(request.socket);
  const body = { token, scope: grant.scope, expiresAt: new Date(grant.expiresAt).toISOString() };
  answer(response, desk, { status: 200, body });
}

/**
 * A code that was handed to a browser stands in the arguments of a process, where every local user can read it: it is
 * good for that user's programs alone. Looked up before the code is used up, so that nobody can use it up for another.
 */
async function mayRedeem(request: IncomingMessage, code: string, desk: Desk): Promise<boolean> {
  const offer = desk.grants.examine(code);
  if (offer === null) return false;
  return offer.uid === null || offer.uid === (await desk.uidOf(request));
}

function codeIn(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || !('code' in value)) return null;
  return typeof value.code === 'string' && value.code.length <= 100 ? value.code : null;
}

const noCode = (): CommandError =>
  new CommandError('usage', 'the body is {"code": "…"}', {
    hint: 'Open the page with: letterlock dashboard',
  });

function answer(
  response: ServerResponse,
  desk: Desk,
  { status, body }: { readonly status: number; readonly body: unknown },
): void {
  desk.served('session', status);
  sendJson(response, { status, body, route: 'session' });
}
