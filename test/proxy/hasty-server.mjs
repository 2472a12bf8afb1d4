// Mail servers in a thread of their own that give up connections nobody has logged in on when they are told to,
// in one of the ways real servers do. Their greetings and answers carry the number of the connection and when it
// was greeted, so that a client knows who served it.
// workerData: { identity, protocols }; posts the ports it listens on, then takes { port, before } orders.

import { once } from 'node:events';
import { createServer } from 'node:tls';
import { parentPort, workerData } from 'node:worker_threads';

const now = () => performance.timeOrigin + performance.now();
const connections = { made: 0 };

function giveUp(socket, goodbye) {
  const way = Math.random();
  if (way < 0.4) socket.end();
  else if (way < 0.7) socket.end(goodbye);
  else socket.destroy();
}

async function serve(protocol) {
  const smtp = protocol === 'smtp';
  const goodbye = smtp ? '421 4.4.2 idle too long\r\n' : '* BYE idle too long\r\n';
  /** Those that had no command yet, and when they were greeted. */
  const idle = new Map();
  const server = createServer({ ...workerData.identity, allowHalfOpen: true }, (socket) => {
    const greetedAt = now();
    const about = `#${(connections.made += 1)} @${greetedAt.toFixed(3)}`;
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('end', () => socket.end());
    socket.on('close', () => idle.delete(socket));
    socket.on('data', (chunk) => {
      idle.delete(socket);
      if (socket.writableEnded) return;
      const tag = chunk.toString('latin1').split(' ')[0];
      socket.write(smtp ? `250 ${tag} ${about}\r\n` : `${tag} OK ${about}\r\n`);
    });
    socket.write(smtp ? `220 mail.test ESMTP ${about}\r\n` : `* OK [CAPABILITY IMAP4rev1] ${about}\r\n`);
    idle.set(socket, greetedAt);
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const giveUpBefore = (before) => {
    for (const [socket, greetedAt] of idle) {
      if (greetedAt >= before) continue;
      idle.delete(socket);
      giveUp(socket, goodbye);
    }
  };
  return { port: server.address().port, giveUpBefore };
}

const servers = await Promise.all(workerData.protocols.map(serve));
parentPort.on('message', ({ port, before }) =>
  servers.find((server) => server.port === port).giveUpBefore(before),
);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort.postMessage(servers.map(({ port }) => port));
