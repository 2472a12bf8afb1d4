// A client that may do anything: every byte it sends is chosen, every byte it hears is kept. It never waits without
// a deadline, and no error of its socket is an error of the campaign: a connection that was reset is an answer.

import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';

/** The machine may be slow; letterlock's own limits are held apart from this. */
export const patienceMs = 8000;

export class Client {
  /** What it hears now: in clear, or inside TLS once there is TLS. */
  heard = Buffer.alloc(0);
  /** What it heard in clear, once there is TLS. */
  heardInClear = null;
  connected = false;
  /** `end`, `reset`, or null while it is open. */
  over = null;
  #raw;
  #socket;
  #wake = new Set();

  /** `to` is what net.connect takes. */
  constructor(to) {
    this.#raw = connect({ noDelay: true, allowHalfOpen: true, ...to });
    this.#socket = this.#raw;
    this.openedAt = performance.now();
    this.#raw.once('connect', () => {
      this.connected = true;
      this.#tell();
    });
    this.#follow(this.#raw);
  }

  #follow(socket) {
    socket.on('data', (chunk) => {
      this.heard = Buffer.concat([this.heard, chunk]);
      this.#tell();
    });
    socket.on('end', () => this.#end('end'));
    socket.on('error', () => this.#end('reset'));
    socket.on('close', () => this.#end('reset'));
  }

  #end(how) {
    if (this.over === null) {
      this.over = how;
      this.overAt = performance.now();
    }
    this.#tell();
  }

  #tell() {
    for (const wake of this.#wake) wake();
  }

  /** Whether it came to this in time. */
  until(holds, ms = patienceMs) {
    if (holds()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const done = (held) => {
        clearTimeout(timer);
        this.#wake.delete(look);
        resolve(held);
      };
      const look = () => holds() && done(true);
      const timer = setTimeout(() => done(false), ms);
      this.#wake.add(look);
    });
  }

  /** Whether the other side ended it in time. */
  ended(ms = patienceMs) {
    return this.until(() => this.over !== null, ms);
  }

  /** The next line from `from` on, with its end; null when none came, or the connection ended first. */
  async line(from = 0, ms = patienceMs) {
    const end = () => this.heard.indexOf('\n', from);
    await this.until(() => end() >= 0 || this.over !== null, ms);
    return end() < 0 ? null : this.heard.subarray(from, end() + 1).toString('latin1');
  }

  /** Whether what it heard has this form by then. */
  hears(form, ms = patienceMs) {
    return this.until(() => this.over !== null || form.test(this.text), ms).then(() => form.test(this.text));
  }

  get text() {
    return this.heard.toString('latin1');
  }

  write(bytes) {
    if (!this.#socket.destroyed && this.#socket.writable) this.#socket.write(bytes);
  }

  /** One write for each, far enough apart to arrive by themselves. */
  async pieces(list, gapMs = 2) {
    for (const [at, piece] of list.entries()) {
      if (at > 0) await delay(gapMs);
      this.write(piece);
    }
  }

  /** As fast as they are taken, and no faster. Whether all were taken. */
  async stream(bytes, { chunk = 65_536, ms = patienceMs } = {}) {
    const until = performance.now() + ms;
    for (let at = 0; at < bytes.length; at += chunk) {
      if (this.over !== null || !this.#socket.writable) return false;
      if (this.#socket.write(bytes.subarray(at, at + chunk))) continue;
      const left = until - performance.now();
      const taken = new Promise((resolve) => this.#socket.once('drain', resolve));
      const inTime = await Promise.race([
        taken,
        this.until(() => this.over !== null, left).then(() => 'late'),
      ]);
      if (inTime === 'late') return false;
    }
    return true;
  }

  finish() {
    this.#socket.end();
  }

  /** Takes nothing more of what is sent to it. */
  deaf() {
    this.#socket.pause();
  }

  hearAgain() {
    this.#socket.resume();
  }

  /** TLS from now on; whether it was made. With `ahead` these bytes go into the segment of the ClientHello. */
  secure({ ca, ahead = null, alpn = [], ms = patienceMs }) {
    this.heardInClear = this.heard;
    this.heard = Buffer.alloc(0);
    for (const event of ['data', 'end', 'error', 'close']) this.#raw.removeAllListeners(event);
    this.#raw.on('error', () => this.#end('reset'));
    const socket = ahead === null ? this.#raw : new Ahead(this.#raw, ahead);
    const secured = connectTls({
      socket,
      host: 'localhost',
      servername: 'localhost',
      ca,
      ALPNProtocols: alpn,
    });
    this.#socket = secured;
    this.#follow(secured);
    let made = false;
    secured.once('secureConnect', () => {
      made = true;
      this.#tell();
    });
    return this.until(() => made || this.over !== null, ms).then(() => made);
  }

  reset() {
    this.#raw.resetAndDestroy();
    this.#socket.destroy();
  }

  close() {
    this.#socket.destroy();
    this.#raw.destroy();
  }
}

/** Puts bytes in front of the first that is written, in one segment, and keeps the first line back that comes. */
class Ahead extends Duplex {
  #raw;
  #ahead;
  #line = false;

  constructor(raw, ahead) {
    super();
    this.#raw = raw;
    this.#ahead = ahead;
    raw.on('data', (chunk) => this.push(this.#without(chunk)));
    raw.on('end', () => this.push(null));
    raw.on('close', () => this.destroy());
    raw.resume();
  }

  #without(chunk) {
    if (this.#line) return chunk;
    const end = chunk.indexOf('\n');
    this.#line = end >= 0;
    return chunk.subarray(end + 1);
  }

  _read() {}

  _write(chunk, _encoding, done) {
    const bytes = this.#ahead === null ? chunk : Buffer.concat([this.#ahead, chunk]);
    this.#ahead = null;
    this.#raw.write(bytes, () => done());
  }

  _final(done) {
    this.#raw.end(done);
  }
}
