// TLS sockets that a program makes by itself and has judged before it uses them. Their handshake has to be made with
// options that verify nothing and gather what a judgement needs; nothing may have gone through them before it.

import type { ConnectionOptions, TLSSocket } from 'node:tls';
import type { Endpoint } from '../endpoint.ts';
import { MisuseError } from '../errors.ts';
import type { AnchorSet } from '../net/anchors.ts';
import { peerOf, unverified } from '../net/handshake.ts';
import type { Vouched } from '../trust/vouched.ts';
import type { ConnectParts } from './connect.ts';
import type { Terms } from './settings.ts';

export function foreignOptions(endpoint: Endpoint, { contexts }: AnchorSet): ConnectionOptions {
  // An answer that came stapled could not be told to `vouchForeign`: it is not asked for.
  const { requestOCSP: _, ...options } = unverified(endpoint, contexts.of('modern', null));
  return options;
}

/** Throws TrustError, MisuseError `vouch-too-late`; the socket is the caller's to destroy then. */
export async function vouchForeign(
  socket: TLSSocket,
  { endpoint, terms }: { readonly endpoint: Endpoint; readonly terms: Terms },
  { vouching, live }: ConnectParts,
): Promise<Vouched> {
  checkUntouched(socket);
  const peer = peerOf(socket, 'modern');
  return vouching.vouch({ endpoint, terms, peer }, ({ spki }) => {
    checkUntouched(socket);
    live.add(socket, { endpoint: endpoint.name, spki });
  });
}

/** A byte that left, or one that was taken for the server's, cannot be made good by a verdict. */
function checkUntouched(socket: TLSSocket): void {
  if (Reflect.get(socket, 'secureConnecting') === true)
    throw new MisuseError(
      'vouch-too-late',
      'this socket has not finished its handshake: call vouch in its secureConnect',
    );
  if (socket.bytesWritten === 0 && !socket.readableDidRead) return;
  throw new MisuseError('vouch-too-late');
}
