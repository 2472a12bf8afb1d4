// One mail program: connects, waits for what it expects, and says the lines of a form, in one of several manners. It gives up
// after a few seconds, and what goes wrong for it is told, never thrown.

import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';

/** How it behaves: answers are waited for; each octet by itself; all at once before anything was heard; broken off half way. */
export const manners = ['polite', 'by octets', 'blind', 'broken off'];

/** It plays a mail program on loopback and has no verdict to make: whom it talks to, the campaign started itself. */
const inTls = (socket) => connectTls({ socket, servername: 'localhost', rejectUnauthorized: false });

const startTls = {
  imap: ['s STARTTLS\r\n', /^s OK.*\r\n/m],
  pop3: ['STLS\r\n', /^\+OK.*\r\n$/m],
  smtp: ['EHLO laptop.test\r\n', /^250 .*\r\n/m, 'STARTTLS\r\n', /^220.*\r\n/m],
  lmtp: ['LHLO laptop.test\r\n', /^250 .*\r\n/m, 'STARTTLS\r\n', /^220.*\r\n/m],
  sieve: ['STARTTLS\r\n', /^OK.*\r\n/m],
};
/** What is said before a client's own TLS, where it must not be said. */
const tooEarly = {
  imap: ({ user, secret }) => [
    `a LOGIN ${user} "${secret.replaceAll(/["\\]/g, '')}"\r\n`,
    /^a (?:NO|BAD).*\r\n/m,
  ],
  pop3: ({ user }) => [`USER ${user}\r\n`, /^-ERR.*\r\n$/m],
  smtp: ({ secret }) => [
    `AUTH PLAIN ${Buffer.from(`\0anna\0${secret}`).toString('base64')}\r\n`,
    /^5\d\d.*\r\n/m,
  ],
  lmtp: ({ user }) => [`MAIL FROM:<${user}>\r\n`, /^5\d\d.*\r\n/m],
  sieve: ({ secret }) => [
    `AUTHENTICATE "PLAIN" "${Buffer.from(`\0anna\0${secret}`).toString('base64')}"\r\n`,
    /^(?:NO|BYE).*\r\n/m,
  ],
};

const greetings = {
  imap: /^\* .*\r\n/m,
  pop3: /^(?:\+OK|-ERR).*\r\n/m,
  smtp: /^\d{3} .*\r\n/m,
  lmtp: /^\d{3} .*\r\n/m,
  sieve: /^(?:OK|NO|BYE).*\r\n/m,
  tls: /\n/,
};

export class Client {
  #socket;
  #wake = () => undefined;
  /** All it was told, and of it what came since it last spoke. */
  heard = '';
  #since = '';
  over = false;

  /** `path`: a socket file. `tls`: 'none', 'implicit' or 'starttls'. `patienceMs`: how long it waits for each answer. */
  constructor(path, { protocol, tls, signal, patienceMs = 15_000 }) {
    this.protocol = protocol;
    this.tls = tls;
    this.#patienceMs = patienceMs;
    const raw = connect(path);
    const abort = () => raw.destroy();
    signal.addEventListener('abort', abort, { once: true });
    raw.once('close', () => signal.removeEventListener('abort', abort));
    this.#raw = raw;
    this.#take(tls === 'implicit' ? inTls(raw) : raw);
  }

  #raw;
  #patienceMs;

  #take(socket) {
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      const text = bytes.toString('latin1');
      this.heard += text;
      this.#since += text;
      this.#wake();
    });
    socket.on('close', () => {
      this.over = true;
      this.#wake();
    });
  }

  say(text) {
    this.#since = '';
    if (this.#socket.writable) this.#socket.write(text);
  }

  async #sayByOctets(text) {
    this.#since = '';
    for (const octet of Buffer.from(text, 'utf8')) {
      if (!this.#socket.writable) return;
      this.#socket.write(Buffer.from([octet]));
      await turn();
    }
  }

  /** Whether it came in time. */
  async until(pattern) {
    const end = performance.now() + this.#patienceMs;
    while (!pattern.test(this.#since)) {
      const leftMs = end - performance.now();
      if (this.over || leftMs <= 0) return false;
      let timer;
      await new Promise((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, leftMs);
      });
      clearTimeout(timer);
    }
    return true;
  }

  greeted() {
    return this.until(greetings[this.protocol]);
  }

  /** Its own STARTTLS, after it tried without; whether it is inside. */
  async secure(who) {
    if (this.tls !== 'starttls') return true;
    for (const step of [...tooEarly[this.protocol](who), ...startTls[this.protocol]]) {
      if (typeof step === 'string') this.say(step);
      else if (!(await this.until(step))) return false;
    }
    this.#socket.removeAllListeners('data');
    this.#socket.removeAllListeners('close');
    const inside = inTls(this.#socket);
    this.#since = '';
    this.#take(inside);
    const secured = await Promise.race([
      once(inside, 'secureConnect').then(
        () => true,
        () => false,
      ),
      once(inside, 'close').then(() => false),
    ]);
    // ManageSieve says its capabilities again.
    if (secured && this.protocol === 'sieve') return this.until(greetings.sieve);
    return secured;
  }

  /** Says the form in this manner; whether all that it waited for came. */
  async go(steps, manner) {
    if (manner === 'blind') {
      this.say(steps.filter((step) => typeof step === 'string').join(''));
      return this.until(/\n.*\n/);
    }
    const last = steps.findLastIndex((step) => !(step instanceof RegExp));
    for (const [at, step] of steps.entries()) {
      if (step instanceof RegExp) {
        if (!(await this.until(step))) return false;
        continue;
      }
      const text = typeof step === 'function' ? step(this.#since || this.heard) : step;
      if (manner === 'broken off' && at === Math.max(0, last - 1)) {
        this.say(text.slice(0, Math.ceil(text.length / 2)));
        await turn();
        return true;
      }
      await (manner === 'by octets' ? this.#sayByOctets(text) : this.say(text));
    }
    return true;
  }

  /** Closed when this resolves; `at once`: without a word. */
  async leave(how = 'politely') {
    if (how === 'at once') this.#raw.destroy();
    else this.#socket.end();
    const end = performance.now() + 1000;
    while (!this.over && performance.now() < end) {
      let timer;
      await new Promise((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, 100);
      });
      clearTimeout(timer);
    }
    this.#socket.destroy();
    this.#raw.destroy();
  }
}
