// A link of some length, in a process of its own: holds every byte for half a round trip, and the first ones for a
// whole one more, as a TCP connection over it would take. Ends when its standard input does.
// Usage: node link.mjs PORT ROUND_TRIP_MS; prints its own port.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const [port, roundTripMs] = process.argv.slice(2).map(Number);

const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
  const openAt = performance.now() + roundTripMs;
  const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  carry(near, far, openAt);
  carry(far, near, openAt);
});

function carry(from, to, openAt) {
  const laterMs = () => Math.max(openAt - performance.now(), 0) + roundTripMs / 2;
  from.on('data', (chunk) => setTimeout(() => to.write(chunk), laterMs()));
  from.on('end', () => setTimeout(() => to.end(), laterMs()));
  from.on('error', () => to.destroy());
}

server.listen(0, '127.0.0.1');
await once(server, 'listening');
process.stdout.write(`${server.address().port}\n`);
process.stdin.on('end', () => process.exit(0)).resume();
