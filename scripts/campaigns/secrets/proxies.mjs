// A SOCKS 5 and an HTTP proxy that ask for a login, take the one they were told of and no other, and connect to 127.0.0.1
// whatever name they are given.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';

function join(socket, port) {
  const server = connect(port, '127.0.0.1');
  for (const [from, to] of [
    [socket, server],
    [server, socket],
  ]) {
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
    from.pipe(to);
  }
}

const nobody = () => undefined;

/** `read(n)` gives so many octets, `read('head')` all up to an empty line. */
function readerOf(socket) {
  let held = Buffer.alloc(0);
  let wake = nobody;
  const take = (bytes) => {
    held = Buffer.concat([held, bytes]);
    wake();
  };
  socket.on('data', take);
  socket.on('close', () => wake());
  const read = async (wanted) => {
    for (;;) {
      const end = held.indexOf('\r\n\r\n');
      const size = wanted === 'head' ? (end < 0 ? Number.POSITIVE_INFINITY : end + 4) : wanted;
      if (held.length >= size) {
        const piece = held.subarray(0, size);
        held = held.subarray(size);
        return piece;
      }
      if (socket.destroyed) throw new Error('gone');
      await new Promise((resolve) => (wake = resolve));
    }
  };
  return { read, release: () => socket.removeListener('data', take) };
}

async function socks(socket, { login }) {
  const { read, release } = readerOf(socket);
  const [, count] = await read(2);
  await read(count);
  socket.write(Buffer.from([5, 2]));
  const [, userLength] = await read(2);
  const user = (await read(userLength)).toString();
  const [secretLength] = await read(1);
  const secret = (await read(secretLength)).toString();
  const good = `${user}:${secret}` === login;
  socket.write(Buffer.from([1, good ? 0 : 1]));
  if (!good) return socket.end();
  const [, , , type] = await read(4);
  const length = type === 3 ? (await read(1))[0] : type === 1 ? 4 : 16;
  await read(length);
  const port = (await read(2)).readUInt16BE();
  release();
  socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
  join(socket, port);
}

async function http(socket, { login }) {
  const { read, release } = readerOf(socket);
  const head = (await read('head')).toString('latin1');
  const given = /^proxy-authorization: basic (\S+)/im.exec(head)?.[1] ?? '';
  if (Buffer.from(given, 'base64').toString() !== login)
    // What was sent is sent back, as some proxies do.
    return socket.end(`HTTP/1.1 407 no: ${given}\r\nX-Seen: ${given}\r\nContent-Length: 0\r\n\r\n`);
  const port = Number(/^CONNECT \S+:(\d+) /.exec(head)?.[1]);
  release();
  socket.write('HTTP/1.1 200 go\r\n\r\n');
  join(socket, port);
}

export class AskingProxy {
  #server;
  #sockets = new Set();
  /** How many it took a login of, or not. */
  asked = 0;

  /** `kind`: socks5 or http; `login`: user:password. */
  constructor(kind, login) {
    const serve = kind === 'http' ? http : socks;
    this.#server = createServer((socket) => {
      this.asked += 1;
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      socket.on('error', () => socket.destroy());
      serve(socket, { login }).catch(() => socket.destroy());
    });
  }

  async listen() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this.#server.address().port;
  }

  close() {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
