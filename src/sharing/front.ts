// The socket beside the pins: whoever holds the lock of the database serves the other processes of its user
// here. The socket is for its owner alone and lies in a directory for its owner alone.

import { createServer } from 'node:http';
import { bindSocket } from '../admin/socket-path.ts';
import type { Sharing } from './holder.ts';
import { Reception } from './upgrade.ts';

export interface Front {
  /** `bye` tells the guests to leave the store to somebody else for a while. Never rejects. */
  close(why?: 'closed' | 'bye'): Promise<void>;
}

const limits = { maxHeaderSize: 8192, headersTimeout: 5000, requestTimeout: 15_000, keepAliveTimeout: 1000 };

/** `unref`: it keeps no process alive. @throws CommandError when the socket cannot be had */
export async function openFront(
  path: string,
  sharing: Sharing,
  options: { readonly refs: 'ref' | 'unref' },
): Promise<Front> {
  const server = createServer(limits, (_request, response) => {
    response.writeHead(404, { Connection: 'close' }).end();
  });
  const reception = new Reception(() => sharing, options);
  reception.receiveAt(server);
  if (options.refs === 'unref') server.on('connection', (socket) => socket.unref());
  await bindSocket(server, { path, mode: 0o600, group: null });
  if (options.refs === 'unref') server.unref();
  server.on('error', () => undefined);
  return {
    close: (why) =>
      new Promise((resolve) => {
        server.close(() => resolve());
        reception.close(why);
        server.closeAllConnections();
      }),
  };
}
