// A TCP port on localhost that leads to a server on another loopback address and changes nothing: clients that
// match names against a certificate, and no addresses, reach the server as `localhost` through it.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { portOf } from './port.ts';

export interface Forward {
  readonly port: number;
  close(): Promise<void>;
}

export async function openForward(to: { readonly host: string; readonly port: number }): Promise<Forward> {
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ ...to, allowHalfOpen: true });
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
