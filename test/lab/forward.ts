// Local ports that lead to a server and know no protocol. With TLS it is the plainest thing that could stand
// where letterlock stands; without, it only gives the server the name `localhost`, for clients that match
// names against a certificate and no addresses.

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { labHost } from './certificates.ts';
import { portOf } from './port.ts';

export interface Forward {
  readonly port: number;
  close(): Promise<void>;
}

interface Target {
  readonly host: string;
  readonly port: number;
}

/** Carries bytes as they are. */
export const openForward = (to: Target): Promise<Forward> =>
  listen(() => connect({ ...to, allowHalfOpen: true }));

/** Carries what a client says in clear to a server with TLS, verified against one CA. */
export async function openTunnel(to: Target, caFile: string): Promise<Forward> {
  const ca = await readFile(caFile);
  return listen(() => connectTls({ ...to, ca, servername: labHost }));
}

async function listen(dial: () => Socket): Promise<Forward> {
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = dial();
    for (const [from, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('error', () => other.destroy());
      from.on('close', () => other.destroy());
    }
    client.pipe(upstream);
    upstream.pipe(client);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: portOf(server),
    close: async () => {
      await once(server.close(), 'close');
    },
  };
}
