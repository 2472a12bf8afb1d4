// aerc, in a terminal: marks all messages of a folder and pipes them into a file (mbox), sends with the message
// attached. It takes its CAs from Go's defaults, so SSL_CERT_FILE names them.

import { readFile } from 'node:fs/promises';
import { maildirFiles } from '../maildir.ts';
import { readableFolder } from '../messages.ts';
import {
  atHome,
  bothModes,
  ownWords,
  recipient,
  sender,
  userInfo,
  type Home,
  type Reader,
  type Sender,
  type Where,
} from './client.ts';
import { inTerminal, type Terminal } from './terminal.ts';

const imapScheme = { none: 'imap+insecure', starttls: 'imap', implicit: 'imaps' } as const;

interface Account {
  readonly where: Where;
  /** Lines of accounts.conf. */
  readonly settings: string;
}

async function aerc<T>(
  home: Home,
  { where, settings }: Account,
  work: (terminal: Terminal) => Promise<T>,
): Promise<T> {
  const account = `[lab]\nfrom = Bob <${sender}>\n${settings}`;
  await home.write('.config/aerc/accounts.conf', account);
  // An editor that ends at once leaves the message as it is.
  await home.write('.config/aerc/aerc.conf', '[compose]\neditor=true\n[ui]\ndirlist-delay=0ms\n', 0o644);
  const trust = where.tls === 'none' ? [] : [`SSL_CERT_FILE=${where.caFile}`];
  // Where an aerc runs already, a second one would hand its work over to it.
  return inTerminal(home, ['env', `XDG_RUNTIME_DIR=${home.path}`, ...trust, 'aerc'], work);
}

/** Enters a command of aerc's own. */
async function command(terminal: Terminal, words: string): Promise<void> {
  await terminal.type(`:${words}`);
  await terminal.press('Enter');
}

/** What it says about an account it cannot open. */
const stopped = /^ ?lab: .+$/m;

export const aercImap: Reader = {
  name: 'aerc imap',
  protocol: 'imap',
  // Of the greeting it says only that the connection was closed.
  showsRefusal: 'no',
  refusedExit: null,
  modes: bothModes,
  alone: 'implicit',
  read: (where) =>
    atHome(async (home) => {
      const kept = home.file('kept');
      const store = await home.write('store', `#!/bin/sh\ncat > new && mv new ${kept}\n`, 0o700);
      const source = `${imapScheme[where.tls]}://${userInfo}@${where.host}:${where.port}`;
      const settings = `source = ${source}\ndefault = ${readableFolder}\n`;
      return aerc(home, { where, settings }, async (terminal) => {
        const opened = await terminal.see(new RegExp(`plain *$|${stopped.source}`, 'm'));
        if (stopped.test(opened)) return { exit: 1, shown: opened, messages: [] };
        await command(terminal, 'mark -a');
        await terminal.see(/\* 1 plain/);
        await command(terminal, `pipe -b ${store}`);
        const shown = await terminal.until('kept messages', () => readFile(kept).then(Boolean, () => false));
        return { exit: 0, shown, messages: messagesOf(await readFile(kept, 'latin1')) };
      });
    }),
};

const messagesOf = (folder: string): readonly Buffer[] =>
  folder
    .split(/^From \?\?\?@\?\?\? [^\n]*\n/m)
    .filter((text) => text !== '')
    .map((text) => Buffer.from(text, 'latin1'));

const notSent = new RegExp(`send:+ |${ownWords.source}`, 'i');

const hasSent = async (home: Home): Promise<boolean> =>
  (await maildirFiles(home.file('Mail/Sent'))).length > 0;

export const aercSmtp: Sender = {
  name: 'aerc smtp',
  protocol: 'smtp',
  showsRefusal: 'whole',
  refusedExit: 1,
  modes: bothModes,
  alone: 'implicit',
  verbatim: false,
  // It writes its header in any order.
  steady: (text) => {
    const [head = '', ...body] = text.replaceAll(/(?<=boundary=|^--)[\da-f]{60}/gm, '').split('\n\n');
    const lines = head.split(/\n(?! )/).toSorted((a, b) => a.localeCompare(b));
    return [lines.join('\n'), ...body].join('\n\n');
  },
  atMostBytes: 1_000_000,
  send: (where, message) =>
    atHome(async (home) => {
      const file = await home.write('message', message);
      for (const name of ['cur', 'new', 'tmp']) await home.folder(`Mail/Sent/${name}`);
      const outgoing = `${where.tls === 'implicit' ? 'smtps' : 'smtp'}://${userInfo}@${where.host}:${where.port}`;
      const starttls = where.tls === 'starttls' ? 'yes' : 'no';
      const settings = `source = maildir://${home.file('Mail')}\ncopy-to = Sent\noutgoing = ${outgoing}\nsmtp-starttls = ${starttls}\n`;
      return aerc(home, { where, settings }, async (terminal) => {
        await terminal.see(/Connected/);
        await command(terminal, `compose -H "To: ${recipient}" -H "Subject: from aerc"`);
        await terminal.see(/Send this email\?/);
        await command(terminal, `attach ${file}`);
        await terminal.see(/Attached/);
        await command(terminal, 'send');
        // It does not always draw anew when the server has answered. The copy it keeps of a sent message is
        // written after that.
        const shown = await terminal.until('aerc to send', async (now) => {
          await terminal.redraw();
          return notSent.test(now) || (await hasSent(home));
        });
        return { exit: (await hasSent(home)) ? 0 : 1, shown };
      });
    }),
};
