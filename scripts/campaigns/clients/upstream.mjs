// The real, good mail server behind all routes, which writes down every byte that reaches it: in clear and inside TLS,
// for each connection. It answers line by line as its protocol does, until it is told to do something else:
// XECHO sends everything back from then on, XSEAL with a number is
// said back, XFLOOD sends without an end, XQUIET says nothing any more.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { dialects } from './dialects.mjs';

const flood = Buffer.alloc(65_536, 'flood of mail, a line of it after the other\r\n');

export class Upstream {
  /** `{clear, inside, said, ended}` each, in the order they came; `said` is what went out inside TLS. */
  connections = [];
  #server;
  #sockets = new Set();
  #dialect;
  #starttls;
  #context;
  #delayMs;

  /** `starttls`: in clear first. `delayMs`: before it says or answers anything in clear, or begins its TLS. */
  constructor(protocol, { cert, key, starttls, delayMs = 0 }) {
    this.#dialect = dialects[protocol];
    this.#starttls = starttls;
    this.#delayMs = delayMs;
    this.#context = createSecureContext({ cert, key });
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#serve(socket));
  }

  async open() {
    this.#server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
    await once(this.#server, 'listening');
    this.port = this.#server.address().port;
    return this;
  }

  /** Forgets the connections so far, and gives them. */
  take() {
    const taken = this.connections;
    this.connections = [];
    return taken;
  }

  #serve(socket) {
    const record = { clear: [], inside: [], said: [], ended: false };
    this.connections.push(record);
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    setTimeout(() => {
      if (socket.destroyed) return;
      if (this.#starttls) this.#inClear(socket, record);
      else this.#secured(socket, record);
    }, this.#delayMs);
  }

  #inClear(socket, record) {
    const { greeting, upstreamTls } = this.#dialect;
    let text = '';
    const take = (chunk) => {
      record.clear.push(chunk);
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
        const line = text.slice(0, end);
        text = text.slice(end + 2);
        const { say, secure } = upstreamTls(line);
        socket.write(say);
        if (!secure) continue;
        socket.removeListener('data', take);
        this.#secured(socket, record);
        return;
      }
    };
    socket.on('data', take);
    socket.write(greeting);
  }

  #secured(socket, record) {
    const { greeting, againInsideTls, answer } = this.#dialect;
    const inside = new TLSSocket(socket, { isServer: true, secureContext: this.#context });
    const say = (bytes) => {
      if (!inside.writable) return;
      record.said.push(Buffer.from(bytes));
      inside.write(bytes);
    };
    let take = lines;
    let text = '';
    inside.on('error', () => socket.destroy());
    inside.on('data', (chunk) => {
      record.inside.push(chunk);
      take(chunk);
    });
    inside.on('end', () => {
      record.ended = true;
      inside.end();
    });
    inside.on('secure', () => {
      if (!this.#starttls) say(greeting);
      else if (againInsideTls) say(greeting);
    });

    function lines(chunk) {
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
        const line = text.slice(0, end);
        text = text.slice(end + 2);
        say(/\bXSEAL\d+$/.test(line) ? `${line}\r\n` : answer(line));
        if (/\bXECHO$/.test(line)) {
          take = say;
          if (text !== '') say(Buffer.from(text, 'latin1'));
          text = '';
        }
        if (/\bXQUIET$/.test(line)) take = () => undefined;
        if (/\bXFLOOD$/.test(line)) {
          take = () => undefined;
          pour();
        }
        if (take !== lines) return;
      }
    }

    function pour() {
      if (!inside.writable) return;
      while (inside.writable && inside.write(flood));
      inside.once('drain', () => setImmediate(pour));
    }
  }

  async close() {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((closed) => this.#server.close(closed));
  }
}

/** Whether nothing of this is a client's: what letterlock itself says before TLS with the server. */
export const isPrologue = (clear) => prologues.test(clear.toString('latin1'));

const prologues =
  /^(?:z1 CAPABILITY\r\n(?:z2 STARTTLS\r\n)?|CAPA\r\n(?:STLS\r\n)?|[EL]HLO \S+\r\n(?:STARTTLS\r\n)?|STARTTLS\r\n)?$/;

/** What came of one connection, as buffers. */
export const recordOf = ({ clear, inside, said, ended }) => ({
  clear: Buffer.concat(clear),
  inside: Buffer.concat(inside),
  said: Buffer.concat(said),
  ended,
});
