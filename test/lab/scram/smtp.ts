// SMTP submission as far as a client needs it to hand over a message: it has to log in first.

import { Gone, type Talk } from './talk.ts';
import type { Logins } from './login.ts';

/** Serves in clear until the go-ahead for TLS. Throws Gone. */
export async function startTlsSmtp(talk: Talk): Promise<void> {
  greetSmtp(talk);
  for (;;) {
    const verb = (await talk.line()).split(' ', 1)[0]?.toUpperCase();
    if (verb === 'EHLO') talk.send('250-scripted server\r\n250-STARTTLS\r\n250 8BITMIME\r\n');
    else talk.send(verb === 'STARTTLS' ? '220 2.0.0 go on\r\n' : '530 5.7.0 TLS first\r\n');
    if (verb === 'STARTTLS') return;
  }
}

export function greetSmtp(talk: Talk): void {
  talk.send('220 scripted server ESMTP\r\n');
}

/** Serves in TLS until QUIT; what was sent goes to `received`, lines ending in CRLF. Throws Gone. */
export async function serveSmtp(talk: Talk, logins: Logins, received: Buffer[]): Promise<void> {
  let known = false;
  for (;;) {
    const line = await talk.line();
    const [verb = '', ...rest] = line.split(' ');
    switch (verb.toUpperCase()) {
      case 'EHLO':
        talk.send(`250-scripted server\r\n250-8BITMIME\r\n250 AUTH ${logins.offered.join(' ')}\r\n`);
        break;
      case 'AUTH': {
        const [name = '', initial = null] = rest;
        known = await logins.authenticate(talk, {
          name,
          initial,
          ask: (challenge) => `334 ${challenge}\r\n`,
        });
        talk.send(known ? '235 2.7.0 logged in\r\n' : '535 5.7.8 login failed\r\n');
        break;
      }
      case 'MAIL':
        talk.send(known ? '250 2.1.0 ok\r\n' : '530 5.7.0 log in first\r\n');
        break;
      case 'RCPT':
      case 'RSET':
      case 'NOOP':
        talk.send('250 2.0.0 ok\r\n');
        break;
      case 'DATA':
        talk.send('354 go ahead\r\n');
        received.push(await content(talk));
        talk.send('250 2.0.0 taken\r\n');
        break;
      case 'QUIT':
        talk.send('221 2.0.0 bye\r\n');
        talk.socket.end();
        throw new Gone();
      default:
        talk.send('502 5.5.1 not here\r\n');
    }
  }
}

async function content(talk: Talk): Promise<Buffer> {
  const lines: string[] = [];
  for (let line = await talk.line(); line !== '.'; line = await talk.line())
    lines.push(`${line.replace(/^\./, '')}\r\n`);
  return Buffer.from(lines.join(''), 'latin1');
}
