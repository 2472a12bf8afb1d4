// What happens to one request at the door: is it from our own page, does it carry a right token, what does it
// get. The order of the checks is the order of the file; whatever fails one is answered at once, counted, and
// its connection closed.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { CommandError } from '../../errors.ts';
import { errorShape } from '../api.ts';
import { sendJson, serveApi } from '../http.ts';
import { whenOver } from '../over.ts';
import { matchRoute } from '../routes.ts';
import { admit } from './bearer.ts';
import type { Desk } from './desk.ts';
import type { Grant } from './grants.ts';
import { objectionTo } from './guard.ts';
import type { Kind } from './guard.ts';
import { securityHeaders } from './headers.ts';
import { serveSession } from './session-route.ts';
import { sendAsset, sendText } from './static.ts';

const methods: readonly string[] = ['GET', 'HEAD', 'POST', 'DELETE'];

/** Rejects only where the connection is to be destroyed. */
export async function receive(request: IncomingMessage, response: ServerResponse, desk: Desk): Promise<void> {
  for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
  const { method = '', url = '' } = request;
  const [path = ''] = url.split('?', 1);
  const kind = kindOf(path);
  const objection = objectionTo({ method, kind, headers: request.headersDistinct, hosts: desk.hosts });
  if (objection !== null) {
    desk.rejected(objection);
    return turnAway(response, kind, objection);
  }
  if (!methods.includes(method)) return refuseMethod(response, desk, kind);
  switch (kind) {
    case 'page':
    case 'file':
      return serveFile(request, response, { desk, path });
    case 'session':
      return serveSession(request, response, desk);
    case 'api':
      return serveOperator(request, response, desk);
  }
}

function kindOf(path: string): Kind {
  if (path === '/') return 'page';
  if (path === '/session') return 'session';
  return path === '/v1' || path.startsWith('/v1/') ? 'api' : 'file';
}

/** Nothing of the request is repeated: whoever reads this may be its author. */
function turnAway(response: ServerResponse, kind: Kind, reason: 'bad-host' | 'bad-origin'): void {
  response.setHeader('Connection', 'close');
  const message = 'this is for the page of letterlock alone';
  const hint = 'Open it with: letterlock dashboard';
  if (kind === 'page' || kind === 'file') return sendText(response, 403, `${message}. ${hint}`);
  sendJson(response, {
    status: 403,
    body: errorShape(new CommandError('refused', message, { code: reason, hint })),
    route: 'none',
  });
}

function refuseMethod(response: ServerResponse, desk: Desk, kind: Kind): void {
  desk.served(kind === 'session' ? 'session' : kind === 'api' ? 'none' : 'page', 405);
  response.setHeader('Allow', methods.join(', '));
  response.setHeader('Connection', 'close');
  sendText(response, 405, 'this method means nothing here');
}

function serveFile(
  request: IncomingMessage,
  response: ServerResponse,
  { desk, path }: { readonly desk: Desk; readonly path: string },
): void {
  const status = sendAsset(request, response, { assets: desk.assets, path });
  desk.served('page', status);
}

async function serveOperator(request: IncomingMessage, response: ServerResponse, desk: Desk): Promise<void> {
  const grant = admit(request, response, desk);
  if (grant === null) return;
  const { method = '', url = '' } = request;
  const route = matchRoute(url)?.route ?? 'none';
  if (grant.scope === 'read' && method !== 'GET' && method !== 'HEAD') {
    desk.served(route, 403);
    response.setHeader('Connection', 'close');
    return sendJson(response, readOnly(route));
  }
  if (route === 'dashboard') {
    desk.served(route, 404);
    return sendJson(response, notHere(route));
  }
  cutAtItsEnd(response, grant, desk.now());
  await serveApi(request, response, { operator: desk.operator, served: desk.served });
}

/** Addresses that open the page are for whoever may use the socket: a token must not outlive itself by them. */
const notHere = (route: string): Parameters<typeof sendJson>[1] => ({
  status: 404,
  body: errorShape(new CommandError('not-found', 'the page makes no addresses that open it')),
  route,
});

const readOnly = (route: string): Parameters<typeof sendJson>[1] => ({
  status: 403,
  body: errorShape(
    new CommandError('refused', 'this page was opened for reading only', {
      code: 'read-only',
      hint: 'To decide on keys, open it with: letterlock dashboard --admin',
    }),
  ),
  route,
});

/** What is still being answered when a grant ends, such as a stream of events, ends with it. */
function cutAtItsEnd(response: ServerResponse, grant: Grant, now: number): void {
  const cut = (): void => {
    response.req.socket.destroy();
  };
  const release = grant.use();
  const timer = setTimeout(cut, grant.expiresAt - now).unref();
  grant.ended.addEventListener('abort', cut);
  whenOver(response, () => {
    clearTimeout(timer);
    grant.ended.removeEventListener('abort', cut);
    release();
  });
}
