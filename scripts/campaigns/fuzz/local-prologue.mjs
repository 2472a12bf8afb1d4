// What a client says to a STARTTLS port before TLS (src/mail/local-prologue.ts): letterlock alone answers, once a line,
// never with a yes to a login; the handshake follows one command alone, and no octet of a literal is read as one.

import { demand } from './engine/broken.mjs';
import { play, playedAnyHow } from './engine/talks.mjs';

const protocols = ['imap', 'pop3', 'smtp', 'lmtp', 'sieve'];
const begins = { imap: 'STARTTLS', pop3: 'STLS', smtp: 'STARTTLS', lmtp: 'STARTTLS', sieve: 'STARTTLS' };
const answers = {
  imap: /^(?:\* OK \[CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\] letterlock ready|\* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED|\* BYE [a-zA-Z ]+|\* BAD [a-z ]+|[!-~]+ (?:OK that is all|OK nothing new|OK goodbye|OK begin TLS now|BAD this command takes no arguments|NO \[PRIVACYREQUIRED\] STARTTLS first))$/,
  pop3: /^(?:\+OK (?:letterlock ready|that is all|begin TLS now|goodbye)|STLS|\.|-ERR STLS first)$/,
  smtp: /^(?:220 letterlock (?:ESMTP|LMTP) ready|220 2\.0\.0 begin TLS now|221 2\.0\.0 goodbye|250-letterlock|250 (?:STARTTLS|letterlock|2\.0\.0 OK)|5\d\d 5\.[\d.]+ [A-Za-z ]+)$/,
  sieve:
    /^(?:"IMPLEMENTATION" "letterlock"|"SASL" ""|"SIEVE" ""|"STARTTLS"|"VERSION" "1\.0"|OK "[a-zA-Z ]+"|BYE "no literals before STARTTLS"|NO \(ENCRYPT-NEEDED\) "STARTTLS first")$/,
};

/** A literal that a client sends without being asked, at the end of a line (RFC 7888). */
const endsInLiteral = (line, protocol) => protocol === 'imap' && /\{[0-9]+\+\}$/.test(line);
const sieveLiteral = (line, protocol) => protocol === 'sieve' && /\{[0-9]+\+?\}$/.test(line);

function commandOf(protocol, line) {
  if (protocol !== 'imap') return line.toUpperCase();
  const [tag, verb, ...more] = line.split(' ');
  return tag !== '' && more.length === 0 ? (verb ?? '').toUpperCase() : '';
}

export const target = {
  name: 'local-prologue',
  files: [
    'talk',
    'command-line',
    'local-prologue-imap',
    'local-prologue-pop3',
    'local-prologue-smtp',
    'local-prologue-sieve',
  ].map((file) => `src/mail/${file}`),
  dictionary: [
    '\r\n',
    ' ',
    'a ',
    'STARTTLS',
    'STLS',
    'CAPABILITY',
    'CAPA',
    'LOGIN',
    'AUTHENTICATE PLAIN',
    'NOOP',
    'LOGOUT',
    'QUIT',
    'EHLO x',
    'LHLO x',
    '{3+}',
    '{00000000003+}',
    '{3}',
    '\n',
    '\0',
  ],
  longest: 70_000,
  prepare: async (from) => {
    const { Talk } = await from('src/mail/talk');
    const { localPrologue, localPrologueLimits: limits } = await from('src/mail/local-prologue');
    await Promise.all(target.files.map(from));
    const run = (bytes) => {
      const protocol = protocols[(bytes[0] ?? 0) % protocols.length];
      const script = bytes.subarray(1);
      const played = playedAnyHow(script, (pieces) =>
        play(new Talk(localPrologue(protocol), limits), pieces, { wiped: true }),
      );
      const form = answers[protocol === 'lmtp' ? 'smtp' : protocol];
      const odd = played.said
        .split('\r\n')
        .slice(0, -1)
        .find((line) => !form.test(line));
      demand(odd === undefined, 'only known sentences are said', odd);
      demand(
        played.end !== 'open' || script.length <= limits.totalBytes,
        'what goes on is within the limits',
        script.length,
      );
      if (typeof played.end !== 'object' || played.end.result !== 'starttls') return;
      const read = script.toString('latin1').slice(0, script.length - played.left.length);
      demand(read.endsWith('\r\n'), 'the handshake follows a whole line', read);
      const lines = read.slice(0, -2).split('\r\n');
      demand(
        commandOf(protocol, lines.at(-1)) === begins[protocol],
        'the handshake follows its command alone',
        lines.at(-1),
      );
      const literal = lines
        .slice(0, -1)
        .find((line) => endsInLiteral(line, protocol) || sieveLiteral(line, protocol));
      demand(literal === undefined, 'nothing behind the beginning of a literal is read as a command', read);
    };
    const seeds = [
      '\0a CAPABILITY\r\na NOOP\r\nb LOGIN u p\r\nc STARTTLS\r\n',
      '\0a LOGIN {3+}\r\nb STARTTLS\r\n',
      '\0a LOGIN {3}\r\nb STARTTLS\r\n* x\r\n',
      '\x01CAPA\r\nUSER x\r\nSTLS\r\nCAPA\r\n',
      '\x02EHLO x\r\nNOOP\r\nAUTH PLAIN x\r\nSTARTTLS foo\r\nSTARTTLS\r\nEHLO x\r\n',
      '\x03LHLO x\r\nEHLO\r\nQUIT\r\n',
      '\x04CAPABILITY\r\nNOOP\r\nAUTHENTICATE "PLAIN"\r\nSTARTTLS\r\n',
      '\x04AUTHENTICATE {3+}\r\nabc\r\n',
    ];
    return { seeds, run };
  },
};
