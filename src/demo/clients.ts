// The mail programs of the demo: they read by IMAP and POP3 and send by SMTP, in plaintext, to localhost.

import { Dialogue, type Show } from './dialogue.ts';
import type { User } from './mailbox.ts';

export interface Account {
  readonly user: User;
  readonly ports: { readonly imap: number; readonly pop3: number; readonly submission: number };
}

/** What a client got: text, or the server's words when it was turned away. */
export type Outcome =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly said: string };

const any = (): boolean => true;
const tagged = (tag: string) => (line: string) => line.startsWith(`${tag} `);
/** The last line of an SMTP reply has a space after the code. */
const lastReply = (line: string): boolean => /^\d{3} /.test(line);

/** Reads the subjects of the INBOX by IMAP. */
export async function readByImap(account: Account, show: Show): Promise<Outcome> {
  const dialogue = await Dialogue.open(account.ports.imap, show);
  try {
    const [greeting = ''] = await dialogue.receive(any);
    if (!greeting.startsWith('* OK')) return { ok: false, said: greeting };
    const { name, password } = account.user;
    dialogue.send(`a1 LOGIN ${name} ${password}`, `a1 LOGIN ${name} ********`);
    const answer = (await dialogue.receive(tagged('a1'))).at(-1) ?? '';
    if (!answer.startsWith('a1 OK')) return { ok: false, said: answer };
    dialogue.send('a2 SELECT INBOX');
    await dialogue.receive(tagged('a2'));
    dialogue.send('a3 FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])');
    const lines = await dialogue.receive(tagged('a3'));
    dialogue.send('a4 LOGOUT');
    await dialogue.receive(tagged('a4'));
    return { ok: true, text: lines.filter((line) => line.startsWith('Subject: ')).join('\n') };
  } finally {
    dialogue.close();
  }
}

/** Asks for the number of mails by POP3. */
export async function readByPop3(account: Account, show: Show): Promise<Outcome> {
  const dialogue = await Dialogue.open(account.ports.pop3, show);
  try {
    await dialogue.receive(any);
    dialogue.send(`USER ${account.user.name}`);
    const [answer = ''] = await dialogue.receive(any);
    if (!answer.startsWith('+OK')) return { ok: false, said: answer };
    dialogue.send(`PASS ${account.user.password}`, 'PASS ********');
    await dialogue.receive(any);
    dialogue.send('STAT');
    const [count = ''] = await dialogue.receive(any);
    dialogue.send('QUIT');
    return count.startsWith('+OK') ? { ok: true, text: count } : { ok: false, said: count };
  } finally {
    dialogue.close();
  }
}

/** Sends one mail by SMTP. */
export async function sendBySmtp(account: Account, show: Show): Promise<Outcome> {
  const dialogue = await Dialogue.open(account.ports.submission, show);
  const { name, password } = account.user;
  const secret = Buffer.from(`\0${name}\0${password}`).toString('base64');
  const mail = [
    `From: ${name}@demo.test`,
    `To: ${name}@demo.test`,
    'Subject: Sent through letterlock',
    '',
    'Hello!',
    '.',
  ].join('\r\n');
  const steps = [
    ['EHLO localhost', '250', 'EHLO localhost'],
    [`AUTH PLAIN ${secret}`, '235', 'AUTH PLAIN ********'],
    [`MAIL FROM:<${name}@demo.test>`, '250'],
    [`RCPT TO:<${name}@demo.test>`, '250'],
    ['DATA', '354'],
    [mail, '250', '(the mail)'],
  ] as const;
  try {
    let reply = (await dialogue.receive(lastReply)).at(-1) ?? '';
    if (!reply.startsWith('220')) return { ok: false, said: reply };
    for (const [line, wanted, shown] of steps) {
      dialogue.send(line, shown);
      reply = (await dialogue.receive(lastReply)).at(-1) ?? '';
      if (!reply.startsWith(wanted)) return { ok: false, said: reply };
    }
    dialogue.send('QUIT');
    return { ok: true, text: reply };
  } finally {
    dialogue.close();
  }
}
