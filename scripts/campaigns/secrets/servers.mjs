// Mail servers that understand every login and answer it, yes and no in turns, and remember nothing but how many secrets
// reached them. In clear with STARTTLS, or over TLS from the beginning.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { createSecureContext, createServer as createTlsServer, TLSSocket } from 'node:tls';

const rounds = { PLAIN: 1, LOGIN: 2, 'CRAM-MD5': 1, XOAUTH2: 1, OAUTHBEARER: 1, 'SCRAM-SHA-256': 2 };
const mechanisms = Object.keys(rounds);

const base64 = (text) => Buffer.from(text).toString('base64');

/** What the server says before the client's answer number `left` counts down to. */
function challenge(mechanism, { left, said }) {
  if (mechanism === 'CRAM-MD5') return base64('<1.2@test>');
  if (mechanism === 'LOGIN') return base64(left === 2 ? 'Username:' : 'Password:');
  if (mechanism !== 'SCRAM-SHA-256' || left === 2) return '';
  const nonce = /r=([^,]*)/.exec(Buffer.from(said, 'base64').toString('latin1'))?.[1] ?? '';
  return base64(`r=${nonce}server,s=${base64('salt-of-server')},i=2`);
}

const words = {
  imap: {
    hello: () => '* OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ STARTTLS ID] ready\r\n',
    ask: (text) => `+ ${text}\r\n`,
    line: imapLine,
    over: (good, { tag }) => (good ? `${tag} OK in\r\n` : `${tag} NO [AUTHENTICATIONFAILED] no\r\n`),
    literal: (line) => /\{(\d+)(\+?)\}$/.exec(line),
  },
  pop3: {
    hello: () => '+OK <123.456@test> ready\r\n',
    ask: (text) => `+ ${text}\r\n`,
    line: pop3Line,
    over: (good) => (good ? '+OK in\r\n' : '-ERR [AUTH] no\r\n'),
    literal: () => null,
  },
  smtp: {
    hello: () => '220 test ESMTP\r\n',
    ask: (text) => `334 ${text}\r\n`,
    line: smtpLine,
    over: (good) => (good ? '235 in\r\n' : '535 5.7.8 no\r\n'),
    literal: () => null,
  },
  lmtp: {
    hello: () => '220 test LMTP\r\n',
    ask: (text) => `334 ${text}\r\n`,
    line: smtpLine,
    over: (good) => (good ? '235 in\r\n' : '535 5.7.8 no\r\n'),
    literal: () => null,
  },
  sieve: {
    hello: (secured) =>
      `"IMPLEMENTATION" "test"\r\n"SIEVE" "fileinto"\r\n"SASL" "${secured ? mechanisms.join(' ') : ''}"\r\n${secured ? '' : '"STARTTLS"\r\n'}OK\r\n`,
    ask: (text) => `"${text}"\r\n`,
    line: sieveLine,
    over: (good) => (good ? 'OK\r\n' : 'NO "no"\r\n'),
    literal: (line) => /\{(\d+)(\+)\}$/.exec(line),
  },
  tls: {
    hello: () => 'hello\n',
    ask: () => '',
    line: (_, text) => `${text}\n`,
    over: () => '',
    literal: () => null,
  },
};

function imapLine(talk, text) {
  const [tag = '*', command = '', mechanism = '', first] = text.split(' ');
  talk.tag = tag;
  switch (command.toUpperCase()) {
    case 'CAPABILITY':
      return `* CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID${talk.secured ? mechanisms.map((name) => ` AUTH=${name}`).join('') : ' STARTTLS LOGINDISABLED'}\r\n${tag} OK\r\n`;
    case 'STARTTLS':
      return talk.upgrade(`${tag} OK go\r\n`);
    case 'LOGIN':
      return talk.finish();
    case 'AUTHENTICATE':
      return talk.authenticate(mechanism.toUpperCase(), first);
    case 'FETCH':
      return `* 1 FETCH (BODY[] {4}\r\nmail)\r\n${tag} OK\r\n`;
    case 'LOGOUT':
      return `* BYE\r\n${tag} OK\r\n`;
    default:
      return `${tag} OK\r\n`;
  }
}

function pop3Line(talk, text) {
  const [command = '', mechanism = '', first] = text.split(' ');
  switch (command.toUpperCase()) {
    case 'CAPA':
      return `+OK\r\nSTLS\r\nUSER\r\nSASL ${mechanisms.join(' ')}\r\n.\r\n`;
    case 'STLS':
      return talk.upgrade('+OK go\r\n');
    case 'PASS':
    case 'APOP':
      return talk.finish();
    case 'AUTH':
      return talk.authenticate(mechanism.toUpperCase(), first);
    case 'RETR':
      return '+OK\r\nmail\r\n.\r\n';
    default:
      return '+OK\r\n';
  }
}

function smtpLine(talk, text) {
  const [command = '', mechanism = '', first] = text.split(' ');
  if (talk.isMail) {
    talk.isMail = text !== '.';
    return talk.isMail ? '' : '250 taken\r\n';
  }
  switch (command.toUpperCase()) {
    case 'EHLO':
    case 'LHLO':
      return `250-test\r\n${talk.secured ? `250-AUTH ${mechanisms.join(' ')}` : '250-STARTTLS'}\r\n250 8BITMIME\r\n`;
    case 'STARTTLS':
      return talk.upgrade('220 go\r\n');
    case 'AUTH':
      return talk.authenticate(mechanism.toUpperCase(), first);
    case 'DATA':
      talk.isMail = true;
      return '354 go\r\n';
    default:
      return '250 OK\r\n';
  }
}

function sieveLine(talk, text) {
  const [command = '', mechanism = '', first] = text.split(' ');
  switch (command.toUpperCase()) {
    case 'STARTTLS':
      return talk.upgrade('OK\r\n');
    case 'AUTHENTICATE':
      return talk.authenticate(mechanism.replaceAll('"', '').toUpperCase(), first);
    case 'CAPABILITY':
      return words.sieve.hello(talk.secured);
    default:
      return 'OK\r\n';
  }
}

/** One connection. */
class Talk {
  #socket;
  #heard = '';
  #line = '';
  #skip = 0;
  #auth = null;
  #server;
  secured;
  tag = '*';
  isMail = false;

  constructor(socket, server, secured) {
    this.#server = server;
    this.secured = secured;
    this.#take(socket);
    socket.write(server.words.hello(secured));
  }

  #take(socket) {
    this.#socket = socket;
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes) => this.#hear(bytes.toString('latin1')));
  }

  #hear(text) {
    this.#heard += text;
    for (;;) {
      if (this.#skip > 0) {
        const taken = this.#heard.slice(0, this.#skip);
        this.#skip -= taken.length;
        this.#heard = this.#heard.slice(taken.length);
        this.#line += taken;
        if (this.#skip > 0) return;
      }
      const end = this.#heard.indexOf('\n');
      if (end < 0 || this.#socket.destroyed) return;
      this.#line += this.#heard.slice(0, end).replace(/\r$/, '');
      this.#heard = this.#heard.slice(end + 1);
      const literal = this.#server.words.literal(this.#line);
      if (literal !== null) {
        this.#skip = Number(literal[1]);
        if (literal[2] !== '+') this.#say('+ go\r\n');
        continue;
      }
      const line = this.#line;
      this.#line = '';
      this.#say(this.#auth === null ? this.#server.words.line(this, line) : this.#next(line));
    }
  }

  #say(text) {
    if (text !== '' && this.#socket.writable) this.#socket.write(text);
  }

  authenticate(mechanism, first) {
    const left = rounds[mechanism] ?? 1;
    this.#auth = { mechanism, left, said: '' };
    return first === undefined ? this.#server.words.ask(challenge(mechanism, this.#auth)) : this.#next(first);
  }

  #next(said) {
    const auth = this.#auth;
    auth.left -= 1;
    auth.said = said.replaceAll('"', '');
    if (auth.left > 0) return this.#server.words.ask(challenge(auth.mechanism, auth));
    this.#auth = null;
    return this.finish();
  }

  finish() {
    this.#server.logins += 1;
    return this.#server.words.over(this.#server.logins % 2 === 1, this);
  }

  upgrade(goAhead) {
    const socket = this.#socket;
    socket.removeAllListeners('data');
    this.#heard = '';
    socket.write(goAhead, () => {
      this.secured = true;
      this.#take(new TLSSocket(socket, { isServer: true, secureContext: this.#server.context }));
      if (this.#server.protocol === 'sieve') this.#socket.write(words.sieve.hello(true));
    });
    return '';
  }
}

/** One server of a protocol; `secure`: TLS from the beginning. */
export class MailServer {
  logins = 0;
  #sockets = new Set();
  #server;

  constructor(protocol, identity, secure) {
    this.protocol = protocol;
    this.words = words[protocol];
    this.context = createSecureContext(identity);
    const talk = (socket) => new Talk(socket, this, secure);
    this.#server = secure
      ? createTlsServer(identity, talk).on('tlsClientError', () => undefined)
      : createServer(talk);
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /** Its port on 127.0.0.1. */
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
