// A mail client of the load campaign: one connection in clear to the daemon, in lines, and in content where content is
// carried. Every wait has a deadline, and what came instead of what was waited for is told.

import { connect } from 'node:net';
import { Sink, hashOf, pour } from './content.mjs';

/** Longer is stuck. */
export const stuckMs = 5000;

export class MailClient {
  /** When it began, by everybody's clock. */
  began = Date.now();
  /** Milliseconds from connecting to the first line. */
  greetedMs = null;
  /** Null while it is open; then why it is not. */
  over = null;
  /** Bytes of either direction, as a wire would count them. */
  sent = 0;
  heard = 0;
  #socket;
  #since = performance.now();
  #text = '';
  #sink = null;
  #tag = 0;
  #wake = () => undefined;

  constructor(port) {
    let fault = 'closed';
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (chunk) => this.#take(chunk));
    this.#socket.on('error', (error) => (fault = error.code ?? error.message));
    this.#socket.once('close', () => {
      this.over = fault;
      this.#wake();
    });
  }

  /** Its own port, which the daemon's list of sessions calls it by; undefined before it is connected. */
  get port() {
    return this.#socket.localPort;
  }

  /** The first line, or all that came before the connection was over. */
  async greeting(withinMs = stuckMs) {
    const read = () => this.#text.includes('\n') || this.over !== null;
    await this.#until(read, { what: 'a greeting', withinMs });
    this.greetedMs = performance.now() - this.#since;
    const line = this.#text;
    this.#text = '';
    return line;
  }

  /** All up to the answer of these words, which has to be OK. */
  async say(words, withinMs = stuckMs) {
    const tag = this.#send(words);
    return this.#answered(tag, { what: words.slice(0, 60), withinMs });
  }

  /** As `say` with content behind the words: `XUP`, `XDOWN` or `XBOTH`. Throws where a hash is not what it has to be. */
  async carry(how, { seed, bytes, withinMs = 30_000 }) {
    const sink = how === 'XUP' ? null : new Sink(bytes);
    this.#sink = sink;
    const tag = this.#send(`${how} ${bytes} ${seed}`);
    if (how !== 'XDOWN') await this.#give({ seed, bytes });
    if (sink !== null) await this.#until(() => sink.hash !== null, { what: how, withinMs });
    const answer = await this.#answered(tag, { what: how, withinMs });
    const hash = hashOf(seed, bytes);
    if (sink !== null && sink.hash !== hash)
      throw new Error(`${how} of ${bytes} bytes brought other bytes than were sent`);
    if (how !== 'XDOWN' && !answer.includes(hash))
      throw new Error(`${how} of ${bytes} bytes: the server got other bytes than were sent`);
  }

  /** Asks for content and leaves in the middle of it. */
  async breakOff({ seed, bytes }) {
    const enough = this.heard + bytes / 4;
    this.#sink = new Sink(bytes);
    this.#send(`XDOWN ${bytes} ${seed}`);
    await this.#until(() => this.heard > enough, { what: 'the first of a download', withinMs: stuckMs });
    this.reset();
  }

  /** Sends without waiting for an answer. */
  write(text) {
    this.sent += Buffer.byteLength(text);
    this.#socket.write(text);
  }

  /** What came since the last answer holds `mark`. */
  async hear(mark, withinMs = stuckMs) {
    await this.#until(() => this.#text.includes(mark), { what: mark.trim(), withinMs });
    const text = this.#text;
    this.#text = '';
    return text;
  }

  end() {
    this.#socket.end();
  }

  reset() {
    this.#socket.resetAndDestroy();
  }

  /** Resolves when the connection is over. */
  async closed(withinMs = stuckMs) {
    await this.#until(() => this.over !== null, { what: 'the end', withinMs, evenOver: true });
  }

  async #give(content) {
    await pour(this.#socket, content);
    this.sent += content.bytes;
  }

  #send(words) {
    this.#tag += 1;
    this.write(`a${this.#tag} ${words}\r\n`);
    return `a${this.#tag} `;
  }

  async #answered(tag, { what, withinMs }) {
    const here = () =>
      this.#text.endsWith('\r\n') && (this.#text.startsWith(tag) || this.#text.includes(`\n${tag}`));
    await this.#until(here, { what: `an answer to ${what}`, withinMs });
    const text = this.#text;
    this.#text = '';
    if (!text.includes(`${tag}OK`))
      throw new Error(`${what} was answered ${JSON.stringify(text.slice(-200))}`);
    return text;
  }

  #take(chunk) {
    this.heard += chunk.length;
    const rest = this.#sink === null ? chunk : this.#sink.take(chunk);
    if (this.#sink !== null && this.#sink.hash !== null) this.#sink = null;
    if (rest.length > 0) this.#text += rest.toString('latin1');
    this.#wake();
  }

  /** One wait at a time. */
  async #until(holds, { what, withinMs, evenOver = false }) {
    const deadline = performance.now() + withinMs;
    while (!holds()) {
      if (this.over !== null && !evenOver)
        throw new Error(
          `over (${String(this.over)}) before ${what}; so far ${JSON.stringify(this.#text.slice(-200))}`,
        );
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new Error(`no ${what} within ${withinMs} ms`);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
