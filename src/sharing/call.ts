// Calls whoever serves pins at a socket and says what came of it. Nothing but the answer's first line is read
// here; what is said after it is not believed before it was checked.

import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { protocol } from './line-of.ts';
import { storePath } from './upgrade.ts';

export type Call =
  | { readonly state: 'open'; readonly socket: Socket; readonly head: Uint8Array }
  /** Nobody is there, or nobody any more. */
  | { readonly state: 'nobody' }
  | { readonly state: 'denied' }
  /** A letterlock that does not give its pins at this socket. */
  | { readonly state: 'not-given' }
  | { readonly state: 'other-version'; readonly speaks: string | null }
  /** No answer in time, or none that makes sense. */
  | { readonly state: 'odd'; readonly detail: string };

/** Never rejects. Whoever gets a socket closes it. */
export function call(path: string, { deadlineMs }: { readonly deadlineMs: number }): Promise<Call> {
  return new Promise((resolve) => {
    const outgoing = request({
      socketPath: path,
      path: storePath,
      agent: false,
      maxHeaderSize: 8192,
      headers: { Host: 'letterlock', Connection: 'Upgrade', Upgrade: protocol },
    });
    const deadline = setTimeout(
      () => done({ state: 'odd', detail: `no answer in ${deadlineMs / 1000} s` }),
      deadlineMs,
    );
    const done = (result: Call): void => {
      clearTimeout(deadline);
      if (result.state !== 'open') outgoing.destroy();
      resolve(result);
    };
    listen(outgoing, done);
    outgoing.end();
  });
}

function listen(outgoing: ClientRequest, done: (result: Call) => void): void {
  outgoing.on('error', (error) => done(failed(error)));
  outgoing.once('response', (response) => done(refused(response)));
  outgoing.once('upgrade', (response, socket, head) => {
    socket.on('error', () => undefined);
    if (response.headers.upgrade === protocol) return done({ state: 'open', socket, head });
    socket.destroy();
    done({ state: 'other-version', speaks: spoken(response) });
  });
}

function refused(response: IncomingMessage): Call {
  const status = response.statusCode ?? 0;
  switch (status) {
    case 403:
      return { state: 'not-given' };
    case 503:
      return { state: 'odd', detail: 'it serves too many processes already' };
    // One from before pins were shared knows no such path.
    case 404:
    case 426:
      return { state: 'other-version', speaks: spoken(response) };
    default:
      return { state: 'odd', detail: `it answers with HTTP status ${status}` };
  }
}

/** Only what looks like one of our own names is repeated to people. */
function spoken({ headers }: IncomingMessage): string | null {
  const { upgrade } = headers;
  return typeof upgrade === 'string' && /^letterlock-store\/\d{1,9}$/.test(upgrade) ? upgrade : null;
}

function failed(error: Error): Call {
  switch ('code' in error ? error.code : null) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ECONNREFUSED':
    // It went away while we asked.
    case 'ECONNRESET':
    case 'EPIPE':
      return { state: 'nobody' };
    case 'EACCES':
    case 'EPERM':
      return { state: 'denied' };
    default:
      return { state: 'odd', detail: error.message };
  }
}
