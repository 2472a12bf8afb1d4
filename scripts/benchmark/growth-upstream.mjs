// Run as a process of its own: a TLS server that greets as IMAP does and sends back what it gets. Says its port, then how
// many connections it has when asked; `tick NUMBER` makes it write one byte to a connection chosen by that number.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:tls';

const [key, cert] = process.argv.slice(2).map((file) => readFileSync(file));
const open = [];
const server = createServer({ key, cert }, (socket) => {
  open.push(socket);
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => socket.write(chunk));
  socket.once('close', () => open.splice(open.indexOf(socket), 1));
  socket.write('* OK ready\r\n');
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
  process.send?.({ port: server.address().port }),
);
process.on('message', (word) => {
  if (word === 'count') process.send?.({ count: open.length });
});
process.on('disconnect', () => process.exit(0));
