// The mail server behind all that is measured, in a process of its own. It greets and answers as IMAP does, and
// knows three commands more: XDOWN BYTES RECORD sends so many bytes in TLS records of that size, XUP BYTES takes so
// many and answers then, XECHO sends everything back from then on. Ends when its standard input does.
// Usage: node upstream.mjs FOLDER, which has the certificates; prints its ports as one line of JSON.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer, createSecureContext, TLSSocket } from 'node:tls';

const greeting = '* OK [CAPABILITY IMAP4rev1] ready\r\n';
const filler = Buffer.alloc(256 * 1024, 'abcdefghijklmnopqrstuvwxyz');
// What is written at once; a multiple of no record size, as a server that sends a file.
const turnBytes = filler.length;

function identity(folder, kind) {
  return { cert: readFileSync(join(folder, `${kind}.pem`)), key: readFileSync(join(folder, `${kind}.key`)) };
}

/** Serves one connection from after its greeting. `upgrade` is what STARTTLS does, where it is offered. */
function serve(socket, upgrade) {
  let take = lines;
  let text = '';
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => take(chunk));

  function lines(chunk) {
    text += chunk.toString('latin1');
    for (let end = text.indexOf('\r\n'); end >= 0 && take === lines; end = text.indexOf('\r\n')) {
      const [tag, command, ...words] = text.slice(0, end).split(' ');
      text = text.slice(end + 2);
      answer(tag, command.toUpperCase(), words.map(Number));
    }
  }

  function answer(tag, command, [bytes, record]) {
    const ok = `${tag} OK done\r\n`;
    if (command === 'XDOWN') void send(socket, bytes, record);
    else if (command === 'XUP') swallow(bytes, ok);
    else if (command === 'XECHO') {
      take = (chunk) => socket.write(chunk);
      socket.write(ok);
    } else if (command === 'STARTTLS') {
      take = () => socket.destroy();
      socket.write(ok, () => upgrade());
    } else if (command === 'CAPABILITY')
      socket.write(`* CAPABILITY IMAP4rev1${upgrade === null ? '' : ' STARTTLS'}\r\n${ok}`);
    else if (command === 'LOGOUT') socket.end(`* BYE\r\n${ok}`);
    else socket.write(ok);
  }

  function swallow(bytes, ok) {
    let left = bytes - text.length;
    text = '';
    take = (chunk) => {
      left -= chunk.length;
      if (left > 0) return;
      take = lines;
      socket.write(ok);
    };
  }
}

async function send(socket, bytes, record) {
  if (socket.setMaxSendFragment !== undefined) socket.setMaxSendFragment(record);
  for (let left = bytes; left > 0 && !socket.destroyed; left -= turnBytes) {
    if (socket.write(left < turnBytes ? filler.subarray(0, left) : filler)) continue;
    await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => undefined);
  }
}

function greet(socket) {
  serve(socket, null);
  socket.write(greeting);
}

/** In clear until STARTTLS. */
function greetInClear(socket, secureContext) {
  serve(socket, () => {
    serve(new TLSSocket(socket, { isServer: true, secureContext }), null);
  });
  socket.write(greeting);
}

async function portOf(server) {
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(server, 'listening');
  return server.address().port;
}

const folder = process.argv[2];
const context = createSecureContext(identity(folder, 'ec'));
const tlsServer = (kind) =>
  createTlsServer(identity(folder, kind), greet).on('tlsClientError', () => undefined);
const ports = {
  ec: await portOf(tlsServer('ec')),
  rsa: await portOf(tlsServer('rsa')),
  starttls: await portOf(createServer({ noDelay: true }, (socket) => greetInClear(socket, context))),
  plain: await portOf(createServer({ noDelay: true }, greet)),
};
process.stdout.write(`${JSON.stringify(ports)}\n`);
process.stdin.on('end', () => process.exit(0)).resume();
