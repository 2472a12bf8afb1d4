// A TLS server that presents the chain of a case exactly as the corpus gives it, by the key the corpus gives for it.

import { once } from 'node:events';
import { connect as dial, type Socket } from 'node:net';
import { createServer, type Server } from 'node:tls';
import { portOf } from '../net/peers.ts';
import type { Case } from './corpus.ts';

/** Level 0: the server shows what it is given, however weak; whether to take that is for the client to say. */
const ciphers = 'DEFAULT:@SECLEVEL=0';

export async function presenting({ leaf, intermediates, key }: Case): Promise<Server> {
  const server = createServer({ cert: [leaf, ...intermediates].join('\n'), key: key ?? '', ciphers });
  server.on('secureConnection', (socket) => socket.on('error', () => undefined));
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

export async function dialled(server: Server): Promise<Socket> {
  const raw = dial({ port: portOf(server), host: '127.0.0.1' });
  raw.on('error', () => undefined);
  await once(raw, 'connect');
  return raw;
}
