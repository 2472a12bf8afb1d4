// A mail server that shows whatever certificate it is told to, in any state a server can be in, and writes down every byte
// that came to it through TLS and in clear: what stands there for a key that is not trusted was lost to an impostor.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { TLSSocket } from 'node:tls';

const greeting = '* OK [CAPABILITY IMAP4rev1] ready\r\n';
const filler = Buffer.alloc(64 * 1024, 'abcdefghijklmnopqrstuvwxyz');

/**
 * `plan` says for each connection what to do: `({name}) => ({act, identity})`; `name` is null before TLS. Acts:
 *   serve       TLS with `identity`, a greeting, then IMAP
 *   reset, close        before a word
 *   silent      nothing is ever said
 *   torn        ends in the middle of the handshake
 *   mute        TLS, and no greeting
 *   bye         TLS, and a refusal as greeting
 *   starttls    IMAP in clear, and STARTTLS that is never answered
 */
export class MailServer {
  heard = [];
  connections = 0;
  plan;
  #server;
  #sockets = new Set();

  constructor(plan) {
    this.plan = plan;
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#meet(socket));
  }

  async listen(host = '127.0.0.1', port = 0) {
    this.#server.listen({ host, port, backlog: 4096 });
    await once(this.#server, 'listening');
    this.port = this.#server.address().port;
    return this;
  }

  #meet(socket) {
    this.connections += 1;
    this.#sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket));
    const { act } = this.plan({ name: null });
    if (act === 'reset') socket.resetAndDestroy();
    else if (act === 'close') socket.destroy();
    else if (act === 'torn') socket.once('data', () => socket.destroy());
    else if (act === 'starttls') this.#inClear(socket);
    else if (act === 'silent') this.#note(socket, { name: null, spki: null, asked: true });
    else this.#secure(socket, act);
  }

  #note(socket, about) {
    const entry = { ...about, text: '' };
    this.heard.push(entry);
    socket.on('data', (bytes) => {
      // A handshake is said in any case.
      if (!about.asked) entry.text += bytes.toString('latin1');
    });
    return entry;
  }

  #inClear(socket) {
    this.#note(socket, { name: null, spki: null, asked: false });
    socket.write('* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n');
  }

  #secure(raw, act) {
    const shown = { name: null, spki: null };
    const secure = new TLSSocket(raw, {
      isServer: true,
      ALPNProtocols: ['imap'],
      SNICallback: (name, done) => {
        const { identity } = this.plan({ name });
        Object.assign(shown, { name, spki: identity.spki });
        done(null, identity.context);
      },
    });
    secure.on('error', () => raw.destroy());
    secure.once('secure', () => {
      const entry = this.#note(secure, shown);
      if (act === 'bye') secure.end('* BYE not now\r\n');
      else if (act !== 'mute') this.#serve(secure, entry);
    });
  }

  #serve(socket, entry) {
    let read = 0;
    socket.write(greeting);
    socket.on('data', () => {
      for (;;) {
        const end = entry.text.indexOf('\r\n', read);
        if (end < 0) return;
        this.#answer(socket, entry.text.slice(read, end).split(' '));
        read = end + 2;
      }
    });
    socket.on('end', () => socket.end());
  }

  #answer(socket, [tag, command = '', count]) {
    if (command === 'XDOWN') void send(socket, Number(count), `${tag} OK sent\r\n`);
    else if (command === 'LOGOUT') socket.end(`* BYE bye\r\n${tag} OK\r\n`);
    else socket.write(`${tag} OK done\r\n`);
  }

  /** Of these keys, or all but these. */
  heardBy(isOf) {
    return this.heard.filter(({ spki, text }) => text !== '' && isOf(spki));
  }

  /** Connections that are open now end without a word. */
  drop() {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close() {
    this.drop();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

async function send(socket, bytes, last) {
  for (let left = bytes; left > 0 && !socket.destroyed; left -= filler.length)
    if (!socket.write(left < filler.length ? filler.subarray(0, left) : filler)) await drained(socket);
  if (!socket.destroyed) socket.write(last);
}

function drained(socket) {
  return new Promise((resolve) => {
    const over = () => {
      socket.off('drain', over).off('close', over);
      resolve();
    };
    socket.once('drain', over).once('close', over);
  });
}
