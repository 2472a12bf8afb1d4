// The hostile server: plays a script (script.mjs) on each connection, and writes down every byte it is sent, in clear and
// inside TLS, and every byte it said. It owns the TCP connection whatever runs on it, so that a script can cut a flight of
// TLS at any byte, say it one byte at a time, or put clear text between its records.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { Duplex } from 'node:stream';
import { createSecureContext, TLSSocket } from 'node:tls';
import { setImmediate as aTurn, setTimeout as delay } from 'node:timers/promises';
import { rawAnswers } from './raw-tls.mjs';

const asks = {
  imap: /CAPABILITY/i,
  pop3: /^CAPA/i,
  smtp: /^[EH](?:HLO|ELO)/i,
  lmtp: /^LHLO/i,
  sieve: /^CAPABILITY/i,
};
const starts = {
  imap: /STARTTLS/i,
  pop3: /^STLS/i,
  smtp: /^STARTTLS/i,
  lmtp: /^STARTTLS/i,
  sieve: /^STARTTLS/i,
};
/** What a server that says yes to everything answers to a line. */
const yes = {
  imap: (line) =>
    /^\S+ LOGOUT/i.test(line) ? `* BYE\r\n${tagOf(line)} OK\r\n` : `${tagOf(line)} OK done\r\n`,
  pop3: (line) => (/^CAPA/i.test(line) ? '+OK\r\nUSER\r\n.\r\n' : '+OK done\r\n'),
  smtp: (line) =>
    /^[EL]HLO/i.test(line)
      ? '250-hi\r\n250 AUTH PLAIN\r\n'
      : /^AUTH/i.test(line)
        ? '235 in\r\n'
        : /^QUIT/i.test(line)
          ? '221 bye\r\n'
          : '250 done\r\n',
  sieve: () => 'OK "done"\r\n',
};
yes.lmtp = yes.smtp;
const tagOf = (line) => line.split(' ', 1)[0];

const cutting = {
  whole: { size: Infinity, ms: 0 },
  bytes: { size: 1, ms: 0 },
  crlf: { size: Infinity, ms: 0 },
  slow: { size: 200, ms: 20 },
  drip: { size: 1, ms: 20 },
};
/** Pieces of `bytes` for a pace. */
function pieces(bytes, pace) {
  if (pace === 'crlf') return splitAfter(bytes, 0x0d);
  // What is short is said slowly in few pieces, what is long byte by byte in many: no pace takes a limit's time away.
  const few =
    pace === 'slow' && bytes.length < 1600 ? 8 : pace === 'bytes' && bytes.length > 400 ? 400 : null;
  const size = few === null ? cutting[pace].size : Math.max(1, Math.ceil(bytes.length / few));
  if (bytes.length <= size) return [bytes];
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size),
  );
}

function splitAfter(bytes, byte) {
  const parts = [];
  for (let from = 0; from < bytes.length;) {
    const at = bytes.indexOf(byte, from);
    const end = at < 0 ? bytes.length : at + 1;
    parts.push(bytes.subarray(from, end));
    from = end;
  }
  return parts;
}

const contexts = new WeakMap();

/** Contexts are dear: one for each identity and set of options. Level 0, so that weak certificates can be shown. */
function contextOf(identity, options = {}) {
  const known = contexts.get(identity) ?? new Map();
  contexts.set(identity, known);
  const name = JSON.stringify(options);
  const { cert, key } = identity;
  const { psk: _psk, ALPNProtocols: _alpn, ...context } = options;
  if (!known.has(name))
    known.set(name, createSecureContext({ ciphers: 'DEFAULT:@SECLEVEL=0', ...context, cert, key }));
  return known.get(name);
}

export class HostileServer {
  /** Of each connection so far. */
  talks = [];
  #server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#serve(socket));
  #steps;
  #later = null;
  #about;

  /**
   * `about`: protocol, pace, identities, marks `{clear, inside, ahead}`, tags `[question, starttls]`, `clients`: a promise of
   * those for whom `stand` waits.
   */
  constructor(steps, about) {
    this.#steps = steps;
    this.#about = about;
  }

  async listen() {
    this.#server.listen(0, '127.0.0.1', 511);
    await once(this.#server, 'listening');
    return this;
  }

  get port() {
    return this.#server.address().port;
  }

  /** Connections from now on play these, all but the first `later`; what was written down until now is forgotten. */
  play(steps, pace = 'whole', later = null) {
    this.#steps = steps;
    this.#later = later;
    this.#about = { ...this.#about, pace };
    this.talks = [];
  }

  close() {
    this.#server.close();
    for (const talk of this.talks) talk.destroy();
  }

  #serve(socket) {
    const number = this.talks.length;
    const talk = new Talk(socket, { ...this.#about, number });
    this.talks.push(talk);
    // A script that cannot go on ends there: what was said and heard tells.
    talk.play(number === 0 ? this.#steps : (this.#later ?? this.#steps)).catch(() => undefined);
  }
}

class Gone extends Error {}

/** TLS runs over this instead of the socket. */
class Wire extends Duplex {
  #send;
  constructor(send) {
    super({ allowHalfOpen: true });
    this.#send = send;
  }
  _read() {
    // What comes is pushed as it comes.
  }
  _write(chunk, _encoding, done) {
    void this.#sent(chunk, done);
  }
  _final(done) {
    void this.#sent(null, done);
  }
  /** What was cut off counts as sent: TLS goes on as if it had been. */
  async #sent(bytes, done) {
    try {
      await this.#send(bytes);
    } catch (error) {
      if (!(error instanceof Gone)) return done(error);
    }
    done();
  }
}

class Talk {
  heardClear = [];
  heardInside = [];
  saidInside = [];
  /** The identity that was shown; null before TLS. */
  shown = null;
  handshaken = false;
  openedAt = performance.now();
  /** When the proxy ended or broke the connection; null while it is there. */
  goneAt = null;
  /** It has done all that it does before a client comes. */
  stands = false;
  /** Bytes of floods that were taken. */
  flooded = 0;
  #raw;
  #about;
  #tls = null;
  #wire = null;
  #unread = Buffer.alloc(0);
  #skipAnswer = false;
  #cut = null;
  #pace;
  #wake = () => undefined;

  constructor(socket, about) {
    this.#raw = socket;
    this.#about = about;
    this.#pace = about.pace;
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('end', () => {
      this.#gone();
      // What is still to be said to a peer that ended goes first.
      socket.end();
    });
    socket.on('close', () => this.#gone());
  }

  #gone() {
    if (this.goneAt === null && this.#wire !== null) this.#wire.push(null);
    this.goneAt ??= performance.now();
    this.#wake();
  }

  get clear() {
    return Buffer.concat(this.heardClear);
  }

  get inside() {
    return Buffer.concat(this.heardInside);
  }

  destroy() {
    this.#raw.destroy();
  }

  async play(steps) {
    for (const step of steps) {
      const [name] = Object.keys(step).filter((key) => key in this.#does);
      if (name === undefined) throw new TypeError(`no such step: ${JSON.stringify(step)}`);
      await this.#does[name](step);
    }
  }

  #does = {
    say: async ({ say, answers }) => {
      if (answers !== undefined && this.#skipAnswer) return;
      await this.#say(this.#filled(say));
    },
    hex: ({ hex }) => this.#send(Buffer.from(hex, 'hex')),
    clear: ({ clear }) => this.#send(this.#filled(clear), 'whole'),
    hear: ({ hear }) => this.#hear(hear),
    wait: ({ wait }) => delay(wait),
    tls: (step) => this.#secure(step),
    raw: async ({ raw }) => {
      const hello = await this.#until(() => recordOf(this.#unread));
      await this.#send(rawAnswers[raw](hello, this.#about.marks.clear), 'whole');
    },
    cut: async ({ cut }) => {
      this.#cut = { left: cut.at, end: cut.end };
      if (cut.at === 0) await this.#cutOff();
    },
    flood: ({ flood, bytes }) => this.#flood(this.#filled(flood), bytes),
    drip: async ({ drip, ms }) => {
      const text = this.#filled(drip);
      for (let at = 0; !this.#isOver(); at += 1) {
        await this.#say(text.subarray(at % text.length, (at % text.length) + 1));
        await delay(ms);
      }
    },
    stand: async () => {
      this.stands = true;
      await this.#about.clients;
    },
    renegotiate: async () => {
      await new Promise((resolve) => {
        if (this.#tls.renegotiate({}, resolve) !== true) resolve();
      });
    },
    end: ({ end }) => this.#end(end),
    serve: () => this.#answerAll(),
  };

  #filled(text) {
    const [question, start] = this.#about.tags;
    const { clear, inside, ahead } = this.#about.marks;
    const values = {
      '{c}': this.#tls === null ? clear : inside,
      '{p}': ahead,
      '{1}': question,
      '{2}': start,
      '{{': '{',
    };
    return Buffer.from(
      text.replace(/\{\{|\{[c12p]\}/g, (found) => values[found]),
      'latin1',
    );
  }

  #say(bytes) {
    if (this.#tls === null) return this.#send(bytes);
    this.saidInside.push(bytes);
    return new Promise((resolve) => {
      if (this.#isOver()) return resolve();
      this.#tls.write(bytes, () => resolve());
    });
  }

  /** Null is the end. What was cut off is not sent. */
  async #send(bytes, pace = this.#pace) {
    if (bytes === null) return void this.#raw.end();
    for (const piece of pieces(bytes, pace)) {
      if (this.#cut !== null && piece.length >= this.#cut.left) {
        if (this.#cut.left > 0) await this.#put(piece.subarray(0, this.#cut.left));
        this.#cut.left = 0;
        await this.#cutOff();
        return;
      }
      if (this.#cut !== null) this.#cut.left -= piece.length;
      await this.#put(piece);
      // One segment each, as nothing waits for more.
      if (pace !== 'whole') await (cutting[pace].ms === 0 ? aTurn() : delay(cutting[pace].ms));
    }
  }

  #put(bytes) {
    return new Promise((resolve) => {
      if (this.#raw.destroyed || this.#raw.writableEnded) return resolve();
      this.#raw.once('close', resolve);
      this.#raw.write(bytes, () => {
        this.#raw.removeListener('close', resolve);
        resolve();
      });
    });
  }

  async #cutOff() {
    await this.#end(this.#cut.end);
    throw new Gone('cut off');
  }

  async #end(how) {
    if (how === 'fin') this.#raw.end();
    else if (how === 'rst') this.#raw.resetAndDestroy();
    else if (how === 'notify') this.#tls.end();
    // Nothing more is said, and everything is still written down.
    else await new Promise(() => undefined);
  }

  async #flood(bytes, total) {
    const block = Buffer.concat(
      Array.from({ length: Math.max(1, Math.ceil(65_536 / bytes.length)) }, () => bytes),
    );
    while (this.flooded < total && !this.#isOver()) {
      await (this.#tls === null ? this.#put(block) : this.#say(block));
      if (!this.#isOver()) this.flooded += block.length;
    }
  }

  #isOver() {
    return this.#raw.destroyed || this.#raw.writableEnded || (this.#tls?.destroyed ?? false);
  }

  async #secure({ tls, with: options = {}, pace, fragment }) {
    const { identities, number } = this.#about;
    const choices = tls.split(' or ');
    this.shown = choices[number % choices.length];
    const outer = this.#pace;
    this.#pace = pace ?? outer;
    const wire = new Wire((chunk) => this.#send(chunk));
    wire.on('error', () => undefined);
    const { psk, ALPNProtocols } = options;
    const socket = new TLSSocket(wire, {
      isServer: true,
      secureContext: contextOf(identities[this.shown], options),
      ...(psk === true ? { pskCallback: () => null } : {}),
      ...(ALPNProtocols === undefined ? {} : { ALPNProtocols }),
    });
    socket.on('error', () => this.#wake());
    socket.on('data', (chunk) => {
      this.heardInside.push(chunk);
      this.#unread = Buffer.concat([this.#unread, chunk]);
      this.#wake();
    });
    socket.on('close', () => this.#wake());
    if (fragment !== undefined) socket.setMaxSendFragment(fragment);
    this.#tls = socket;
    this.#wire = wire;
    const early = this.#unread;
    this.#unread = Buffer.alloc(0);
    if (early.length > 0) wire.push(early);
    const secured = once(socket, 'secure');
    secured.catch(() => undefined);
    await Promise.race([
      secured,
      once(socket, 'close').then(() => {
        throw new Gone('no handshake');
      }),
    ]);
    this.handshaken = true;
    this.#pace = outer;
  }

  #take(chunk) {
    if (this.#wire !== null) {
      if (!this.#wire.destroyed) this.#wire.push(chunk);
      return;
    }
    this.heardClear.push(chunk);
    this.#unread = Buffer.concat([this.#unread, chunk]);
    this.#wake();
  }

  /** What `look` finds, looked for again after everything that comes. */
  async #until(look) {
    for (;;) {
      const found = look();
      if (found !== null && found !== undefined) return found;
      if (this.goneAt !== null) throw new Gone('nothing more comes');
      await new Promise((resolve) => (this.#wake = resolve));
    }
  }

  #line() {
    return this.#until(() => {
      const at = this.#unread.indexOf('\n');
      if (at < 0) return null;
      const line = this.#unread.toString('latin1', 0, at).trimEnd();
      this.#unread = this.#unread.subarray(at + 1);
      return line;
    });
  }

  async #hear(what) {
    if (what === 'line') return void (await this.#line());
    if (what === 'http head') return this.#swallow((bytes) => bytes.indexOf('\r\n\r\n') + 4, 4);
    if (what === 'socks hello') return this.#swallow((bytes) => (bytes.length < 2 ? 0 : 2 + bytes[1]), 1);
    if (what === 'socks request')
      return this.#swallow(
        (bytes) => (bytes.length < 5 ? 0 : bytes[3] === 3 ? 7 + bytes[4] : bytes[3] === 1 ? 10 : 22),
        1,
      );
    const { protocol } = this.#about;
    for (;;) {
      const line = await this.#line();
      if (what === 'start' && starts[protocol].test(line)) return;
      if (what === 'ask' && asks[protocol].test(line)) return;
      if (what === 'ask' && starts[protocol].test(line)) {
        // It asks for TLS without asking first what there is.
        this.#skipAnswer = true;
        this.#unread = Buffer.concat([Buffer.from(`${line}\r\n`, 'latin1'), this.#unread]);
        return;
      }
      if (what !== 'ask' && what !== 'start') throw new TypeError(`no such command: ${what}`);
      // Anything else, also a login, is taken with a yes.
      await this.#say(Buffer.from(yes[protocol](line), 'latin1'));
    }
  }

  async #swallow(lengthOf, least) {
    await this.#until(() => {
      const length = this.#unread.length < least ? 0 : lengthOf(this.#unread);
      if (length < least || this.#unread.length < length) return null;
      this.#unread = this.#unread.subarray(length);
      return true;
    });
  }

  async #answerAll() {
    const { protocol } = this.#about;
    for (;;) await this.#say(Buffer.from(yes[protocol](await this.#line()), 'latin1'));
  }
}

/** The first whole TLS record; null while there is none. */
function recordOf(bytes) {
  if (bytes.length < 5) return null;
  const length = 5 + bytes.readUInt16BE(3);
  return bytes.length < length ? null : bytes.subarray(0, length);
}
