// The mail client: offers its password as soon as it may, and in its hasty form at once as well, before anybody greeted it.
// It tells what it heard, what it said, how it ended and when.

import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';

const user = 'jane';
/** A password nobody else has, and the forms in which it may travel. */
export function makeSecret() {
  const password = `pw${randomBytes(12).toString('hex')}`;
  const plain = Buffer.from(`\0${user}\0${password}`).toString('base64');
  return {
    password,
    plain,
    forms: [password, plain, plain.slice(12), Buffer.from(password).toString('base64')],
  };
}

/** Every password of every client, in clear and as SASL PLAIN sends it. */
export const anySecret = new RegExp(
  `pw[0-9a-f]{24}|${Buffer.from(`\0${user}\0p`).toString('base64').slice(0, 8)}`,
);

/** By protocol: what is said to a greeting, what to its answer, and all at once. */
const logins = {
  imap: {
    greeted: /^\* (?:OK|PREAUTH)/im,
    no: /^(?:\* BYE|[ab]\d (?:NO|BAD))/im,
    yes: /^a1 OK/im,
    say: ({ password }) => [`a1 LOGIN ${user} ${password}\r\n`],
    leave: 'a9 LOGOUT\r\n',
    hasty: ({ password }) => `b1 LOGIN ${user} ${password}\r\n`,
  },
  pop3: {
    greeted: /^\+OK/m,
    no: /^-ERR/m,
    yes: /^\+OK/gm,
    say: ({ password }) => [`USER ${user}\r\n`, `PASS ${password}\r\n`],
    leave: 'QUIT\r\n',
    hasty: ({ password }) => `USER ${user}\r\nPASS ${password}\r\n`,
  },
  smtp: {
    greeted: /^220(?: |$)/m,
    no: /^[45]\d\d/m,
    yes: /^2\d\d(?: |$)/gm,
    say: ({ plain }) => ['EHLO client\r\n', `AUTH PLAIN ${plain}\r\n`],
    leave: 'QUIT\r\n',
    hasty: ({ plain }) => `EHLO client\r\nAUTH PLAIN ${plain}\r\n`,
  },
  sieve: {
    greeted: /^OK/im,
    no: /^(?:NO|BYE)/im,
    yes: /^OK/gim,
    say: ({ plain }) => [`AUTHENTICATE "PLAIN" "${plain}"\r\n`],
    leave: 'LOGOUT\r\n',
    hasty: ({ plain }) => `AUTHENTICATE "PLAIN" "${plain}"\r\n`,
  },
};
logins.lmtp = {
  ...logins.smtp,
  say: ({ plain }) => ['LHLO client\r\n', `AUTH PLAIN ${plain}\r\n`],
  hasty: ({ plain }) => `LHLO client\r\nAUTH PLAIN ${plain}\r\n`,
};

/** More than this of what it hears it does not keep. */
const keptBytes = 1 << 20;

/**
 * One visit. `end` is `served` (a login was taken), `told` (it was refused in words), `closed`, `reset`, or `late` when nothing
 * of that came within `deadlineMs`; `ms` is when. Never rejects.
 */
export function visit({ port, protocol, secret, behaviour = 'polite', deadlineMs }) {
  return new Promise((resolve) => {
    const login = logins[protocol];
    const started = performance.now();
    const heard = [];
    let heardBytes = 0;
    let said = '';
    let greeted = false;
    let asked = 0;
    let from = 0;
    let error = null;
    let over = null;
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const say = (text) => {
      said += text;
      socket.write(text);
    };
    /** The verdict of this visit; the connection is left politely after it. */
    const tell = (end) => {
      if (over !== null) return;
      over = { end, ms: performance.now() - started };
      clearTimeout(deadline);
      if (end === 'served' || end === 'told') leave();
      else finish();
    };
    const leave = () => {
      if (!socket.destroyed) {
        say(login.leave);
        socket.end();
      }
      leaving = setTimeout(() => socket.destroy(), 3000);
    };
    const finish = () => {
      clearTimeout(leaving);
      socket.destroy();
      resolve({ ...over, heard: Buffer.concat(heard), said: Buffer.from(said, 'latin1'), error });
    };
    let leaving;
    const deadline = setTimeout(() => tell('late'), deadlineMs);
    const read = () => {
      if (over !== null) return;
      const text = Buffer.concat(heard).toString('latin1');
      if (login.no.test(text.slice(from))) return tell('told');
      const replies = login.say(secret);
      if (!greeted) {
        const greeting = wholeMatch(text, login.greeted);
        if (greeting === null) return;
        greeted = true;
        from = greeting;
        asked = 1;
        say(replies[0]);
        if (behaviour === 'stalled') {
          socket.pause();
          setTimeout(() => {
            over = { end: 'served', ms: performance.now() - started };
            clearTimeout(deadline);
            finish();
          }, 1500);
          return;
        }
      }
      for (
        let answer = wholeMatch(text.slice(from), login.yes);
        answer !== null;
        answer = wholeMatch(text.slice(from), login.yes)
      ) {
        from += answer;
        if (asked === replies.length) return tell('served');
        say(replies[asked]);
        asked += 1;
      }
    };
    socket.on('connect', () => {
      if (behaviour === 'hasty') say(login.hasty(secret));
    });
    socket.on('data', (chunk) => {
      heardBytes += chunk.length;
      if (heardBytes <= keptBytes) heard.push(chunk);
      read();
    });
    socket.on('error', (cause) => (error = cause.code ?? 'error'));
    socket.on('end', () => {
      tell('closed');
      socket.end();
    });
    socket.on('close', () => {
      tell(error === null ? 'closed' : 'reset');
      finish();
    });
  });
}

/** Where the line ends in which `pattern` is; null when it is not there, or the line not whole. */
function wholeMatch(text, pattern) {
  const found = new RegExp(pattern.source, pattern.flags.replace('g', '')).exec(text);
  if (found === null) return null;
  const end = text.indexOf('\n', found.index);
  return end < 0 ? null : end + 1;
}
