// Every way in which a mail program gives its secret away: one form is the lines of one client, in order. A string is sent,
// a pattern waited for, a function makes what is sent out of what was heard. A form is made anew for each session, with
// a secret of its own; what it makes of the secret (digests, proofs) it registers.

import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

const base64 = (text) => Buffer.from(text, 'utf8').toString('base64');
const quoted = (text) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;

/** What quoting and encoding stumble over. */
const awkward = '"\\%20+/=&é{3}';

const plain = ({ user, secret }) => base64(`\0${user}\0${secret}`);
const xoauth = ({ user, secret }) => base64(`user=${user}\x01auth=Bearer ${secret}\x01\x01`);
const oauthBearer = ({ user, secret }) =>
  base64(`n,a=${user},\x01host=imap.test\x01port=143\x01auth=Bearer ${secret}\x01\x01`);

function cramAnswer({ kind, user, secret }, heard) {
  const challenge = Buffer.from(/(?:\+|334) (\S+)\r?\n$/.exec(heard)?.[1] ?? '', 'base64');
  const digest = createHmac('md5', secret).update(challenge).digest('hex');
  kind.derived('a CRAM-MD5 digest', digest);
  kind.derived('a CRAM-MD5 digest in base64', base64(`${user} ${digest}`).slice(-24));
  return base64(`${user} ${digest}`);
}

/** RFC 5802 with SHA-256, the client's side. */
class Scram {
  #who;
  #nonce = randomBytes(18).toString('base64').replaceAll(/[+/=]/g, 'x');
  #first;

  constructor(who) {
    this.#who = who;
    this.#first = `n=${who.user},r=${this.#nonce}`;
  }

  get first() {
    return base64(`n,,${this.#first}`);
  }

  final(heard) {
    const { kind, secret } = this.#who;
    const server = Buffer.from(/(?:\+|334|") ?(\S+?)"?\r?\n$/.exec(heard)?.[1] ?? '', 'base64').toString(
      'utf8',
    );
    const [, nonce = '', salt = '', rounds = '1'] = /r=([^,]*),s=([^,]*),i=(\d+)/.exec(server) ?? [];
    const salted = pbkdf2Sync(secret, Buffer.from(salt, 'base64'), Number(rounds), 32, 'sha256');
    const key = createHmac('sha256', salted).update('Client Key').digest();
    const bare = `c=biws,r=${nonce}`;
    const signature = createHmac('sha256', createHash('sha256').update(key).digest())
      .update(`${this.#first},${server},${bare}`)
      .digest();
    const proof = Buffer.from(key.map((octet, at) => octet ^ signature[at])).toString('base64');
    kind.derived('a SCRAM proof', proof);
    kind.derived('a SCRAM proof in base64', base64(`${bare},p=${proof}`).slice(-40));
    kind.derived('a SCRAM salted password', salted.toString('hex'));
    return base64(`${bare},p=${proof}`);
  }
}

const imapOver = /^a (?:OK|NO|BAD)/m;
const go = /^\+.*\r\n$/m;
const imapMail = ({ secret }) => [
  `b APPEND INBOX {${secret.length + 11}}\r\n`,
  go,
  `Subject: ${secret}\r\n\r\n`,
  /^b /m,
  `c SEARCH SUBJECT ${quoted(secret)}\r\n`,
  /^c /m,
  'd FETCH 1 BODY[]\r\n',
  /^d /m,
  'e LOGOUT\r\n',
  /^e /m,
];
const imapLogin = (text) => (who) => [text(who), imapOver, ...imapMail(who)];
const octets = (text) => Buffer.byteLength(text);

/** AUTHENTICATE, by the lines that follow; `at once` has the first of them in the command (SASL-IR). */
const sasl = ({ command, end, more }) => ({
  later:
    (mechanism, ...answers) =>
    (who) => [command(mechanism, null), ...answers.flatMap((answer) => [more, answered(answer, who)]), end],
  'at once':
    (mechanism, first, ...answers) =>
    (who) => [
      command(mechanism, first(who)),
      ...answers.flatMap((answer) => [more, answered(answer, who)]),
      end,
    ],
});
const answered = (answer, who) => (heard) => `${answer(who, heard)}\r\n`;

const scram = (who) => (who.scram ??= new Scram(who));

function saslForms(parts, { initial = true } = {}) {
  const { later, 'at once': atOnce } = sasl(parts);
  const forms = {
    'AUTH PLAIN': later('PLAIN', plain),
    'AUTH LOGIN': later(
      'LOGIN',
      ({ user }) => base64(user),
      ({ secret }) => base64(secret),
    ),
    'AUTH CRAM-MD5': later('CRAM-MD5', cramAnswer),
    'AUTH XOAUTH2': later('XOAUTH2', xoauth),
    'AUTH OAUTHBEARER': later('OAUTHBEARER', oauthBearer),
    'AUTH SCRAM-SHA-256': later(
      'SCRAM-SHA-256',
      (who) => scram(who).first,
      (who, heard) => scram(who).final(heard),
    ),
  };
  if (!initial) return forms;
  return {
    ...forms,
    'AUTH PLAIN at once': atOnce('PLAIN', plain),
    'AUTH LOGIN at once': atOnce(
      'LOGIN',
      ({ user }) => base64(user),
      ({ secret }) => base64(secret),
    ),
    'AUTH XOAUTH2 at once': atOnce('XOAUTH2', xoauth),
    'AUTH OAUTHBEARER at once': atOnce('OAUTHBEARER', oauthBearer),
  };
}

const imap = {
  'LOGIN quoted': imapLogin(({ user, secret }) => `a LOGIN ${user} ${quoted(secret)}\r\n`),
  'LOGIN as an atom': imapLogin(
    ({ user, secret }) => `a login ${user} ${secret.replaceAll(/[^\w.]/g, '')}\r\n`,
  ),
  'LOGIN with literals': (who) => [
    `a LOGIN {${octets(who.user)}}\r\n`,
    go,
    `${who.user} {${octets(who.secret)}}\r\n`,
    go,
    `${who.secret}\r\n`,
    imapOver,
    ...imapMail(who),
  ],
  'LOGIN with literals that wait for nobody': imapLogin(
    ({ user, secret }) => `a LOGIN {${octets(user)}+}\r\n${user} {${octets(secret)}+}\r\n${secret}\r\n`,
  ),
  'LOGIN after CAPABILITY and ID': (who) => [
    'x CAPABILITY\r\n',
    /^x /m,
    `y ID ("name" ${quoted(who.secret)})\r\n`,
    /^y /m,
    `a LOGIN ${who.user} ${quoted(who.secret)}\r\n`,
    imapOver,
  ],
  'the password as a tag': ({ user, secret }) => [
    `${secret.replaceAll(/[^\w.]/g, '')} LOGIN ${user} x\r\n`,
    /^\S+ (?:OK|NO|BAD).*\r\n/m,
  ],
  'the password alone': ({ secret }) => [`${secret}\r\n`, /\r\n/],
  'a line without an end': ({ user, secret }) => [`a LOGIN ${user} "${secret}`],
  'a long password': imapLogin(
    ({ user, secret }) => `a LOGIN ${user} "${secret}${'x'.repeat(6000)}${secret}"\r\n`,
  ),
  ...saslForms({
    command: (mechanism, first) => `a AUTHENTICATE ${mechanism}${first === null ? '' : ` ${first}`}\r\n`,
    more: go,
    end: imapOver,
  }),
};

const fine = /^(?:\+OK|-ERR).*\r\n$/m;
const pop3 = {
  'USER and PASS': ({ user, secret }) => [
    `USER ${user}\r\n`,
    fine,
    `PASS ${secret}\r\n`,
    fine,
    'RETR 1\r\n',
    /^\.\r\n/m,
    'QUIT\r\n',
    fine,
  ],
  'USER and PASS in one go': ({ user, secret }) => [`USER ${user}\r\nPASS ${secret}\r\nSTAT\r\n`, fine],
  APOP: (who) => [(heard) => `APOP ${who.user} ${apopDigest(who, heard)}\r\n`, fine],
  'the password in USER': ({ secret }) => [`USER ${secret}\r\n`, fine],
  ...saslForms({
    command: (mechanism, first) => `AUTH ${mechanism}${first === null ? '' : ` ${first}`}\r\n`,
    more: /^\+ .*\r\n$/m,
    end: fine,
  }),
};

function apopDigest({ kind, secret }, heard) {
  const digest = createHash('md5')
    .update(`${/<[^>]*>/.exec(heard)?.[0] ?? ''}${secret}`)
    .digest('hex');
  kind.derived('an APOP digest', digest);
  return digest;
}

const reply = /^\d{3} .*\r\n$/m;
const mail = ({ user, secret }) => [
  `MAIL FROM:<${user}@test>\r\n`,
  reply,
  `RCPT TO:<${secret.replaceAll(/[^\w.]/g, '')}@test>\r\n`,
  reply,
  'DATA\r\n',
  reply,
  `Subject: ${secret}\r\n\r\n${secret}\r\n.\r\n`,
  reply,
  'QUIT\r\n',
  reply,
];
const withMail = (forms, hello) =>
  Object.fromEntries(
    Object.entries(forms).map(([name, form]) => [
      name,
      (who) => [`${hello} laptop.test\r\n`, reply, ...form(who), ...mail(who)],
    ]),
  );
const smtp = withMail(
  {
    ...saslForms({
      command: (mechanism, first) => `AUTH ${mechanism}${first === null ? '' : ` ${first}`}\r\n`,
      more: /^334 .*\r\n$/m,
      end: /^[25]\d\d .*\r\n$/m,
    }),
    'the password as a command': ({ secret }) => [`${secret}\r\n`, reply],
  },
  'EHLO',
);
const lmtp = withMail({ 'a mail': () => [] }, 'LHLO');

const sieveOver = /^(?:OK|NO|BYE)\b.*\r\n$/m;
const sieve = Object.fromEntries(
  Object.entries({
    ...saslForms({
      command: (mechanism, first) => `AUTHENTICATE "${mechanism}"${first === null ? '' : ` "${first}"`}\r\n`,
      more: /^(?:"[^"]*"|\{\d+\+?\})\r\n/m,
      end: sieveOver,
    }),
    'AUTH PLAIN as a literal': (who) => [
      `AUTHENTICATE "PLAIN" {${plain(who).length}+}\r\n${plain(who)}\r\n`,
      sieveOver,
    ],
  }).map(([name, form]) => [
    name,
    (who) => [
      ...form(who).map((step) =>
        typeof step === 'function' ? (heard) => `"${step(heard).trim()}"\r\n` : step,
      ),
      `PUTSCRIPT ${quoted(who.secret)} {${octets(who.secret) + 2}+}\r\n# ${who.secret}\r\n`,
      sieveOver,
      'LOGOUT\r\n',
      sieveOver,
    ],
  ]),
);

const tls = { 'any bytes': ({ user, secret }) => [`${user} ${secret}\n`, /\n/] };

export const forms = { imap, pop3, smtp, lmtp, sieve, tls };

/** Who logs in; a secret that no rule of quoting can carry is left to those that have quotes. */
export const whoFor = (kind, random) => ({
  kind,
  user: `anna.${kind.secret()}`,
  secret: kind.secret(random() < 0.3 ? awkward.slice(0, 1 + Math.floor(random() * awkward.length)) : ''),
});
