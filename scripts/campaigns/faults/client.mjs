// A mail client that says at its end what came of it, and never throws.

import { connect } from 'node:net';

/** A connection and what was heard on it so far. */
export class Client {
  text = '';
  state = 'open';
  #wake = new Set();

  /** `place` is a port of 127.0.0.1 or the path of a socket file. */
  constructor(place) {
    this.socket = typeof place === 'number' ? connect(place, '127.0.0.1') : connect(place);
    this.socket.on('data', (bytes) => {
      this.text += bytes.toString('latin1');
      this.#told();
    });
    this.socket.on('error', (error) => (this.state = error.code ?? 'error'));
    this.socket.once('end', () => this.socket.end());
    this.socket.once('close', () => {
      if (this.state === 'open') this.state = 'closed';
      this.#told();
    });
  }

  #told() {
    for (const wake of this.#wake) wake();
  }

  /** Whether `text` came within `ms`; false as soon as it cannot come any more. */
  hears(text, ms = 10_000, from = 0) {
    const has = () => (typeof text === 'string' ? this.text.indexOf(text, from) >= 0 : text(this.text));
    return new Promise((resolve) => {
      const look = () => {
        if (!has() && this.state === 'open') return;
        clearTimeout(timer);
        this.#wake.delete(look);
        resolve(has());
      };
      const timer = setTimeout(() => {
        this.#wake.delete(look);
        resolve(has());
      }, ms);
      this.#wake.add(look);
      look();
    });
  }

  /** Whether the other side ended it within `ms`. */
  async isOver(ms = 10_000) {
    if (this.state === 'open') await this.hears(() => this.state !== 'open', ms);
    return this.state !== 'open';
  }

  say(text) {
    if (!this.socket.destroyed) this.socket.write(text);
    return this;
  }

  leave() {
    this.socket.destroy();
  }
}

/**
 * Logs in with `secret` where it is greeted. `served` only when the server answered; `refused` with what the client was
 * told; `ended` when it was told nothing; `late` when nothing came within `ms`.
 */
export async function visit(place, { secret, ms = 10_000 }) {
  const client = new Client(place);
  try {
    const greeted = await client.hears('\r\n', ms);
    if (!greeted) return { came: client.state === 'open' ? 'late' : 'ended', text: client.state };
    if (!client.text.startsWith('* OK')) return { came: 'refused', text: client.text.trim() };
    client.say(`a1 LOGIN me ${secret}\r\n`);
    if (!(await client.hears('a1 OK', ms))) return { came: 'broken', text: client.text.trim() };
    client.say('a2 LOGOUT\r\n');
    await client.hears('a2 OK', ms);
    return { came: 'served', text: client.text.trim() };
  } finally {
    client.leave();
  }
}
