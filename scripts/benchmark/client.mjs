// The mail client before all that is measured: logs in, then loads. Reads into one buffer that it uses again, so
// that it costs less than what it measures.

import { once } from 'node:events';
import { connect } from 'node:net';

const chunk = Buffer.alloc(64 * 1024, 'zyxwvutsrqponmlkjihgfedcba');
const answerMs = 20_000;

/** One buffer, used again for every read, and who hears what came. */
export class Ears {
  hear = () => undefined;

  constructor(bytes) {
    this.onread = {
      buffer: Buffer.allocUnsafe(bytes),
      callback: (count, buffer) => {
        this.hear(buffer.subarray(0, count));
        return true;
      },
    };
  }
}

/** A connection that has been greeted. */
export function openClient(port, bufferBytes = 256 * 1024) {
  const ears = new Ears(bufferBytes);
  return greeted(connect({ port, host: '127.0.0.1', noDelay: true, onread: ears.onread }), ears);
}

export async function greeted(socket, ears) {
  const client = new Client(socket, ears);
  await client.greeted();
  return client;
}

class Client {
  #socket;
  #ears;
  #broken;
  #tag = 0;

  constructor(socket, ears) {
    this.#socket = socket;
    this.#ears = ears;
    this.#broken = new Promise((_, reject) => {
      socket.on('error', reject);
      socket.once('close', () => reject(new Error('the connection was closed')));
    });
    this.#broken.catch(() => undefined);
  }

  /** Until what is heard is enough. */
  #until(enough) {
    const heard = new Promise((resolve) => (this.#ears.hear = (bytes) => enough(bytes) && resolve()));
    return this.#inTime(heard);
  }

  #inTime(promise, withinMs = answerMs) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${withinMs} ms`)), withinMs);
    });
    return Promise.race([promise, this.#broken, late]).finally(() => clearTimeout(timer));
  }

  async greeted() {
    let text = '';
    await this.#until((bytes) => (text += bytes.toString('latin1')).endsWith('\r\n'));
    if (!text.startsWith('* OK')) throw new Error(`not greeted: ${text}`);
  }

  async say(words) {
    this.#tag += 1;
    const tag = `a${this.#tag} `;
    let text = '';
    const answered = this.#until((bytes) => {
      text += bytes.toString('latin1');
      return text.endsWith('\r\n') && (text.startsWith(tag) || text.includes(`\n${tag}`));
    });
    this.#socket.write(`${tag}${words}\r\n`);
    await answered;
    if (!text.includes(`${tag}OK`)) throw new Error(`no OK: ${text}`);
  }

  login() {
    return this.say('LOGIN bench bench');
  }

  async download(bytes, record) {
    let left = bytes;
    const all = new Promise((resolve) => {
      this.#ears.hear = (part) => (left -= part.length) <= 0 && resolve();
    });
    this.#socket.write(`d XDOWN ${bytes} ${record}\r\n`);
    await this.#inTime(all, 300_000);
    if (left < 0) throw new Error(`${-left} bytes more than were sent`);
  }

  async upload(bytes) {
    const answered = new Promise((resolve) => (this.#ears.hear = resolve));
    this.#socket.write(`u XUP ${bytes}\r\n`);
    for (let left = bytes; left > 0; left -= chunk.length)
      if (!this.#socket.write(left < chunk.length ? chunk.subarray(0, left) : chunk))
        await this.#inTime(once(this.#socket, 'drain'), 60_000);
    await this.#inTime(answered, 60_000);
  }

  /** Microseconds of each of `count` round trips of a few bytes; the connection is of no other use after. */
  async roundTrips(count) {
    await this.say('XECHO');
    const ball = Buffer.alloc(64, 'x');
    const tookUs = new Float64Array(count);
    let turn = -1;
    let begun = 0n;
    const finished = new Promise((resolve) => {
      const serve = () => {
        if (turn >= 0) tookUs[turn] = Number(process.hrtime.bigint() - begun) / 1000;
        turn += 1;
        if (turn === count) return resolve();
        begun = process.hrtime.bigint();
        this.#socket.write(ball);
      };
      this.#ears.hear = serve;
      serve();
    });
    await this.#inTime(finished, 120_000);
    return tookUs;
  }

  /** Says goodbye, and waits until both sides have ended. */
  async leave() {
    await this.say('LOGOUT');
    const closed = once(this.#socket, 'close');
    this.#socket.end();
    await this.#inTime(closed.catch(() => undefined)).catch(() => undefined);
  }

  destroy() {
    this.#socket.destroy();
  }
}
