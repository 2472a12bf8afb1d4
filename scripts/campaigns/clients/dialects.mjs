// Five mail protocols, as much of each as the campaign needs: what a server says, how a client asks for STARTTLS, which
// commands are worth injecting, which of them carry a login, and how letterlock refuses those before TLS.
// SECRET stands for the secret of this run.

export const SECRET = 'SECRET';
export const SASL = 'SASL-PLAIN-OF-SECRET';

const tagOf = (line) => /^[^ ]+/.exec(line)?.[0] ?? '*';
const nothing = { say: '', secure: false };

function imapUpstream(line) {
  if (/^\S+ CAPABILITY$/.test(line))
    return { say: `* CAPABILITY IMAP4rev1 STARTTLS\r\n${tagOf(line)} OK\r\n`, secure: false };
  return /^\S+ STARTTLS$/.test(line) ? { say: `${tagOf(line)} OK go\r\n`, secure: true } : nothing;
}

function popUpstream(line) {
  if (line === 'CAPA') return { say: '+OK\r\nSTLS\r\nUSER\r\n.\r\n', secure: false };
  return line === 'STLS' ? { say: '+OK go\r\n', secure: true } : nothing;
}

function mailUpstream(line) {
  if (/^(?:EHLO|LHLO) /.test(line)) return { say: '250-upstream\r\n250 STARTTLS\r\n', secure: false };
  return line === 'STARTTLS' ? { say: '220 2.0.0 go\r\n', secure: true } : nothing;
}

const sieveBlock =
  '"IMPLEMENTATION" "upstream"\r\n"SASL" "PLAIN"\r\n"SIEVE" "fileinto"\r\n"STARTTLS"\r\nOK\r\n';

function sieveUpstream(line) {
  return line === 'STARTTLS' ? { say: 'OK "go"\r\n', secure: true } : nothing;
}

/** SMTP and LMTP, but for the first word. */
const mail = (hello) => ({
  greeting: '220 upstream ready\r\n',
  upstreamTls: mailUpstream,
  againInsideTls: false,
  answer: () => '250 2.0.0 ok\r\n',
  greeted: /^220 .*\r\n$/,
  startTls: 'STARTTLS\r\n',
  goAhead: /^220 2\.0\.0 begin TLS now\r\n/,
  alpn: [],
  hello: `${hello} client.test\r\n`,
  answered: /^250 .*\r\n/m,
  logins: [
    `AUTH PLAIN ${SASL}\r\n`,
    `AUTH LOGIN\r\n`,
    `MAIL FROM:<evil@x>\r\n`,
    `RCPT TO:<${SECRET}@x>\r\n`,
    'DATA\r\n',
    `BDAT 3 LAST\r\n`,
    'XCLIENT ADDR=127.0.0.1\r\n',
  ],
  refusedLogin: /^530 5\.7\.0 .*\r\n$/,
  offers: /\bAUTH\b/,
  injected: [
    `${hello} evil.test\r\n`,
    `MAIL FROM:<evil-${SECRET}@x>\r\n`,
    `AUTH PLAIN ${SASL}\r\n`,
    `${hello} x\r\nAUTH PLAIN ${SASL}\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n${SECRET}\r\n.\r\n`,
    'RSET\r\n',
  ],
  harmless: [`${hello} a.test\r\n`, 'NOOP\r\n', 'RSET\r\n', 'VRFY x\r\n', 'XNONSENSE a b\r\n'],
});

export const dialects = {
  imap: {
    greeting: '* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] upstream ready\r\n',
    upstreamTls: imapUpstream,
    againInsideTls: false,
    answer: (line) => `${tagOf(line)} OK done\r\n`,
    greeted: /^\* OK .*\r\n$/,
    startTls: 'a1 STARTTLS\r\n',
    goAhead: /^a1 OK begin TLS now\r\n/,
    alpn: ['imap'],
    hello: 'b1 NOOP\r\n',
    answered: /^b1 OK .*\r\n/m,
    logins: [
      `a2 LOGIN evil ${SECRET}\r\n`,
      `a3 AUTHENTICATE PLAIN ${SASL}\r\n`,
      'a4 AUTHENTICATE PLAIN\r\n',
      `a5 LOGIN "evil" "${SECRET}"\r\n`,
      'a6 SELECT inbox\r\n',
      'a7 UNAUTHENTICATE\r\n',
      'a8 LOGIN {4}\r\n',
      'a9 ENABLE UTF8=ACCEPT\r\n',
    ],
    refusedLogin: /^\S+ NO \[PRIVACYREQUIRED\] .*\r\n$/,
    offers: /AUTH=|(?<!LOGINDISABLED.*)\bSASL-IR\b/,
    injected: [
      'a2 NOOP\r\n',
      `a2 LOGIN evil ${SECRET}\r\n`,
      `a2 AUTHENTICATE PLAIN ${SASL}\r\n`,
      `a2 LOGIN evil {${SECRET.length}+}\r\n${SECRET}\r\n`,
      `a2 LOGIN evil ${SECRET}\r\na3 SELECT inbox\r\na4 STORE 1:* +FLAGS \\Deleted\r\n`,
    ],
    harmless: ['h1 CAPABILITY\r\n', 'h2 NOOP\r\n', 'h3 XNONSENSE\r\n', '\r\n', 'h5\r\n'],
  },
  pop3: {
    greeting: '+OK upstream ready\r\n',
    upstreamTls: popUpstream,
    againInsideTls: false,
    answer: () => '+OK done\r\n',
    greeted: /^\+OK .*\r\n$/,
    startTls: 'STLS\r\n',
    goAhead: /^\+OK begin TLS now\r\n/,
    alpn: ['pop3'],
    hello: 'NOOP\r\n',
    answered: /^\+OK done\r\n/m,
    logins: [
      'USER evil\r\n',
      `PASS ${SECRET}\r\n`,
      `APOP evil ${SECRET}\r\n`,
      `AUTH PLAIN ${SASL}\r\n`,
      'STAT\r\n',
      'RETR 1\r\n',
    ],
    refusedLogin: /^-ERR .*\r\n$/,
    offers: /\b(?:USER|SASL)\b/,
    injected: [
      'CAPA\r\n',
      'USER evil\r\n',
      `USER evil\r\nPASS ${SECRET}\r\nDELE 1\r\nQUIT\r\n`,
      `AUTH PLAIN ${SASL}\r\n`,
    ],
    harmless: ['CAPA\r\n', 'NOOP\r\n', 'XNONSENSE\r\n', '\r\n'],
  },
  smtp: mail('EHLO'),
  lmtp: mail('LHLO'),
  sieve: {
    greeting: sieveBlock,
    upstreamTls: sieveUpstream,
    againInsideTls: true,
    answer: () => 'OK "done"\r\n',
    greeted: /^OK.*\r\n$/m,
    startTls: 'STARTTLS\r\n',
    goAhead: /^OK "begin TLS now"\r\n/,
    alpn: ['managesieve'],
    hello: 'NOOP\r\n',
    answered: /^OK "done"\r\n/m,
    logins: [
      `AUTHENTICATE "PLAIN" "${SASL}"\r\n`,
      'AUTHENTICATE "PLAIN"\r\n',
      'LISTSCRIPTS\r\n',
      'GETSCRIPT "x"\r\n',
      'UNAUTHENTICATE\r\n',
    ],
    refusedLogin: /^NO .*\r\n$/,
    offers: /"SASL" "[^"]/,
    injected: [
      'NOOP\r\n',
      `AUTHENTICATE "PLAIN" "${SASL}"\r\n`,
      `PUTSCRIPT "x" {${SECRET.length}+}\r\n${SECRET}\r\n`,
    ],
    harmless: ['CAPABILITY\r\n', 'NOOP\r\n', 'XNONSENSE\r\n', '\r\n'],
  },
};
