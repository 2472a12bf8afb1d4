// What a server says before TLS (src/mail/prologue.ts), in all five protocols: the first byte chooses. TLS is begun for
// nothing but the one transcript that a reader written anew, without expressions, finds right to the last byte.

import { demand } from './engine/broken.mjs';
import { play, playedAnyHow } from './engine/talks.mjs';

const protocols = ['imap', 'pop3', 'smtp', 'lmtp', 'sieve'];
const said = {
  imap: ['z1 CAPABILITY\r\n', 'z2 STARTTLS\r\n'],
  pop3: ['CAPA\r\n', 'STLS\r\n'],
  smtp: ['EHLO [127.0.0.1]\r\n', 'STARTTLS\r\n'],
  lmtp: ['LHLO [127.0.0.1]\r\n', 'STARTTLS\r\n'],
  sieve: ['STARTTLS\r\n'],
};
const crlf = (...lines) => lines.map((line) => `${line}\r\n`).join('');
const good = {
  imap: crlf('* OK hi', '* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED', 'z1 OK done', 'z2 OK go'),
  pop3: crlf('+OK hi', '+OK list', 'TOP', 'STLS', '.', '+OK go'),
  smtp: crlf('220-hi', '220 hi', '250-mail', '250-PIPELINING', '250 STARTTLS', '220 go'),
  lmtp: crlf('220 hi', '250-mail', '250-STARTTLS', '250 DSN', '220-go', '220 on'),
  sieve: crlf('"IMPLEMENTATION" "x"', '"SASL" {3}', 'abc', '"STARTTLS"', 'OK "ready"', 'OK (X) "go"'),
};
const bad = [
  ['imap', crlf('* PREAUTH hi')],
  ['imap', crlf('* OK hi', '* X {32}', '* CAPABILITY STARTTLS', 'z1 OK evil')],
  ['imap', `${good.imap}* CAPABILITY AUTH=LOGIN\r\n`],
  ['pop3', crlf('+OK hi', '-ERR what')],
  ['smtp', crlf('220 hi', '250-x', '251-STARTTLS', '250 STARTTLS')],
  ['smtp', `${good.smtp}250 AUTH PLAIN`],
  ['sieve', crlf('"X" {10}', '"STARTTLS"', 'OK')],
  ['sieve', crlf('"X" {0000000010}', '"STARTTLS"', 'OK', 'OK')],
];

/** Lines and literals as they stand, one after the other; null where a line does not end. */
class Script {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  line() {
    const end = this.text.indexOf('\r\n', this.at);
    const line = end < 0 ? null : this.text.slice(this.at, end);
    this.at = end < 0 ? this.text.length : end + 2;
    return line !== null && /[\r\n\0]/.test(line) ? null : line;
  }

  skip(count) {
    this.at += count;
  }
}

/** The octets of a literal at the end of a line, however they are written; -1 for none. */
function literalOf(line) {
  if (!line.endsWith('}')) return -1;
  const digits = line.slice(line.lastIndexOf('{') + 1, line.endsWith('+}') ? -2 : -1);
  return digits !== '' && [...digits].every((digit) => digit >= '0' && digit <= '9') ? Number(digits) : -1;
}

const upper = (line) => line.toUpperCase();

const readers = {
  imap(script) {
    const greeting = script.line();
    if (greeting === null || literalOf(greeting) >= 0) return false;
    if (greeting.split(' ').slice(0, 2).map(upper).join(' ') !== '* OK') return false;
    let offered = false;
    for (const tag of ['z1', 'z2']) {
      for (;;) {
        const line = script.line();
        if (line === null || literalOf(line) >= 0) return false;
        const [first, second = '', ...others] = line.split(' ');
        if (first === tag) {
          if (upper(second) !== 'OK') return false;
          break;
        }
        if (first !== '*' || ['PREAUTH', 'BYE', 'Z1', 'Z2'].includes(upper(second))) return false;
        if (tag === 'z1' && upper(second) === 'CAPABILITY' && others.map(upper).includes('STARTTLS'))
          offered = true;
      }
      if (!offered) return false;
    }
    return true;
  },
  pop3(script) {
    if (!isGood(script.line()) || !isGood(script.line())) return false;
    let offered = false;
    for (let line = script.line(); line !== '.'; line = script.line()) {
      if (line === null) return false;
      if (upper(line.trimEnd()) === 'STLS') offered = true;
    }
    return offered && isGood(script.line());
  },
  smtp(script) {
    const reply = (code) => {
      const texts = [];
      for (;;) {
        const line = script.line();
        if (line?.slice(0, 3) !== code || !['', ' ', '-'].includes(line.slice(3, 4))) return null;
        texts.push(line.slice(4));
        if (line[3] !== '-') return texts;
      }
    };
    if (reply('220') === null) return false;
    const extensions = reply('250');
    if (extensions === null || !extensions.slice(1).some((text) => upper(text.trimEnd()) === 'STARTTLS'))
      return false;
    return reply('220') !== null;
  },
  sieve(script) {
    const whole = () => {
      let line = script.line();
      for (let octets = literalOf(line ?? ''); line !== null && octets >= 0; octets = literalOf(line)) {
        if (octets > 4096) return null;
        script.skip(octets);
        const rest = script.line();
        if (rest === null) return null;
        if (rest === '') return line;
        line += rest;
      }
      return line;
    };
    let offered = false;
    for (let line = whole(); ; line = whole()) {
      if (line === null) return false;
      if (isOk(line)) break;
      if (line[0] !== '"' && line[0] !== '{') return false;
      if (line.length >= 10 && upper(line.slice(0, 10)) === '"STARTTLS"') offered = true;
    }
    const goes = offered ? whole() : null;
    return goes !== null && isOk(goes);
  },
};

/** Whether this is a transcript that lets TLS begin, and nothing else. */
function isGoAhead(protocol, text) {
  const script = new Script(text);
  return readers[protocol === 'lmtp' ? 'smtp' : protocol](script) && script.at === text.length;
}

const isGood = (line) => line === '+OK' || line?.startsWith('+OK ') === true;

const isOk = (line) => upper(line.slice(0, 2)) === 'OK' && [undefined, ' '].includes(line[2]);

const seedOf = (protocol, text) => `${String.fromCharCode(protocols.indexOf(protocol))}${text}`;

export const target = {
  name: 'prologue',
  files: ['talk', 'imap', 'pop3', 'smtp', 'sieve', 'prologue-result'].map((file) => `src/mail/${file}`),
  dictionary: [
    '\r\n',
    '* ',
    ' OK',
    'z1 ',
    'z2 ',
    'STARTTLS',
    'STLS',
    '* CAPABILITY ',
    '220 ',
    '250-',
    '250 ',
    '+OK',
    '-ERR',
    '"STARTTLS"',
    '{3}',
    '{3+}',
    '{00000000003}',
    ' "x"',
    'OK',
    'NO',
    'BYE',
    '\n',
    '\0',
  ],
  longest: 70_000,
  prepare: async (from) => {
    const { Talk } = await from('src/mail/talk');
    const {
      concludePrologue,
      prologue,
      prologueFault,
      prologueLimits: limits,
    } = await from('src/mail/prologue');
    await Promise.all(target.files.map(from));
    const run = (bytes) => {
      const protocol = protocols[(bytes[0] ?? 0) % protocols.length];
      const script = bytes.subarray(1);
      const played = playedAnyHow(script, (pieces) => play(new Talk(prologue(protocol), limits), pieces));
      demand(
        said[protocol].join('').startsWith(played.said),
        'nothing but the two commands is ever said',
        played.said,
      );
      demand(
        played.end !== 'open' || script.length <= limits.totalBytes,
        'what goes on is within the limits',
        script.length,
      );
      const end =
        played.end === 'open'
          ? null
          : 'fault' in played.end
            ? prologueFault(played.end.fault)
            : concludePrologue(played.end.result, Buffer.from(played.left, 'latin1'));
      if (end === null) return;
      const text = script.toString('latin1');
      if (end.ok) {
        demand(played.said === said[protocol].join(''), 'TLS begins only after both commands');
        demand(isGoAhead(protocol, text), 'TLS begins only after the exact transcript', text);
      } else demand(/^[ -~]{1,200}$/.test(end.detail), 'what the server said is quoted plainly', end.detail);
      const isKnown = good[protocol] === text;
      demand(!isKnown || end.ok, 'a good transcript lets TLS begin', text);
    };
    const seeds = [...Object.entries(good), ...bad].map(([protocol, text]) => seedOf(protocol, text));
    return { seeds, run };
  },
};
