// How a guest comes in: HTTP over a UNIX socket, upgraded to our lines. The admin socket is HTTP as well, so that
// both are asked in the same way, and a browser or an older letterlock gets an answer it understands.

import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Sharing } from './holder.ts';
import { lineOf, protocol } from './line-of.ts';

export const storePath = '/v1/store';

const maxGuests = 256;

/** What an HTTP server on a UNIX socket gives to guests. */
export class Reception {
  readonly #sharing: () => Sharing | null;
  readonly #guests = new Set<Duplex>();
  readonly #refs: 'ref' | 'unref';

  /** `sharing` answers null where the pins are not given here. `unref`: no guest keeps this process alive. */
  constructor(sharing: () => Sharing | null, options: { readonly refs: 'ref' | 'unref' }) {
    this.#sharing = sharing;
    this.#refs = options.refs;
  }

  receiveAt(server: Server): void {
    server.on('upgrade', (request, socket, head) => this.#receive(request, { socket, head }));
  }

  /** Ends every connection. `bye`: tells the guests to leave the store to somebody else for a while. */
  close(why: 'closed' | 'bye' = 'closed'): void {
    for (const socket of this.#guests) {
      if (why === 'bye') socket.end(lineOf('holder', { tell: 'bye' }), () => socket.destroy());
      else socket.destroy();
    }
  }

  #receive(request: IncomingMessage, { socket, head }: Guest): void {
    socket.on('error', () => undefined);
    const sharing = this.#sharing();
    const refusal = this.#refusalOf(request, sharing);
    if (refusal !== null || sharing === null) {
      socket.end(`HTTP/1.1 ${refusal ?? '403 Forbidden'}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`);
    this.#guests.add(socket);
    socket.once('close', () => this.#guests.delete(socket));
    if (this.#refs === 'unref' && 'unref' in socket && typeof socket.unref === 'function') socket.unref();
    void serve({ socket, head }, sharing);
  }

  #refusalOf({ method, url, headers }: IncomingMessage, sharing: Sharing | null): string | null {
    const browser = ['origin', 'referer', 'cookie', 'sec-fetch-site', 'sec-fetch-mode'];
    if (headers.host !== 'letterlock' || browser.some((name) => name in headers)) return '403 Forbidden';
    if (method !== 'GET' || url !== storePath) return '404 Not Found';
    if (headers.upgrade !== protocol) return `426 Upgrade Required\r\nUpgrade: ${protocol}`;
    if (sharing === null) return '403 Forbidden';
    return this.#guests.size >= maxGuests ? '503 Service Unavailable' : null;
  }
}

interface Guest {
  readonly socket: Duplex;
  readonly head: Uint8Array;
}

/** What serves guests loads with the first of them; what he says meanwhile waits in his socket. Never rejects. */
async function serve(guest: Guest, sharing: Sharing): Promise<void> {
  try {
    const { serveGuest } = await import('./holder.ts');
    if (!guest.socket.destroyed) await serveGuest(guest, sharing);
  } catch {
    guest.socket.destroy();
  }
}
