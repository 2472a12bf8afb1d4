// A proxy as people write it in an afternoon: it connects to the server when a client comes, passes on whatever either side
// says from the first byte, asks for STARTTLS where it can and goes on without where it cannot, and takes any certificate.
// It is here to be caught. Usage: node naive-proxy.mjs FILE, a list of `{name, port, protocol, mode}`; prints the ports it
// listens on as one line of JSON. Ends when its standard input does.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** What it says to get TLS, one after the other, each when a line came. */
const requests = {
  imap: ['n1 CAPABILITY\r\n', 'n2 STARTTLS\r\n'],
  pop3: ['CAPA\r\n', 'STLS\r\n'],
  smtp: ['EHLO proxy\r\n', 'STARTTLS\r\n'],
  lmtp: ['LHLO proxy\r\n', 'STARTTLS\r\n'],
  sieve: ['STARTTLS\r\n'],
};
const offers = /STARTTLS|STLS/i;
const goAhead = /^(?:n2 OK|\+OK|220|OK)/im;
/** It gives up waiting for an answer that it knows, and goes on in clear. */
const patienceMs = 1000;

/** The answer so far, until it looks whole or nothing more comes. */
function answer(socket) {
  return new Promise((resolve) => {
    let text = '';
    const over = () => {
      clearTimeout(timer);
      socket.removeListener('data', take);
      socket.pause();
      resolve(text);
    };
    const take = (chunk) => {
      text += chunk.toString('latin1');
      if (text.endsWith('\n')) over();
    };
    const timer = setTimeout(over, patienceMs);
    socket.on('data', take);
    socket.once('close', over);
    socket.resume();
  });
}

async function startTls(server, client, protocol) {
  let said = await answer(server);
  client.write(said, 'latin1');
  for (const request of requests[protocol]) {
    server.write(request);
    said = await answer(server);
    if (!offers.test(said) && !goAhead.test(said)) return server;
  }
  return goAhead.test(said) ? secured({ socket: server }) : server;
}

/** The mistake that the campaign has to see: any certificate will do. */
function secured(options) {
  return connectTls({ ...options, rejectUnauthorized: false });
}

async function serve(client, { port, protocol, mode }) {
  const place = { port, host: '127.0.0.1' };
  client.on('error', () => client.destroy());
  const raw = connect(place);
  raw.on('error', () => client.destroy());
  const server = mode === 'implicit' ? secured({ socket: raw }) : await startTls(raw, client, protocol);
  server.on('error', () => client.destroy());
  server.on('close', () => client.destroy());
  client.on('close', () => server.destroy());
  client.pipe(server);
  server.pipe(client);
}

async function listen(route) {
  const server = createServer((client) => {
    serve(client, route).catch(() => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}

const routes = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const ports = {};
for (const route of routes) ports[route.name] = await listen(route);
process.stdout.write(`${JSON.stringify(ports)}\n`);
process.stdin.on('end', () => process.exit(0)).resume();
