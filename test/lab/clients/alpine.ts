// Alpine, in a terminal: reads by IMAP and POP3 and saves what it read into a local folder (mbox), sends by
// SMTP with the message attached. It takes its CAs from OpenSSL's defaults, so SSL_CERT_FILE names them.

import { readFile } from 'node:fs/promises';
import {
  atHome,
  bothModes,
  crlf,
  ownWords,
  password,
  recipient,
  sender,
  user,
  type Home,
  type Reader,
  type Sender,
  type Where,
} from './client.ts';
import { inTerminal, type Terminal } from './terminal.ts';

const protection = { none: '/notls', starttls: '/tls', implicit: '/ssl' } as const;

/** Without `/novalidate-cert` Alpine ends a connection whose certificate it cannot verify. */
const at = ({ host, port, tls }: Where, protocol = ''): string =>
  `${host}:${port}${protocol}${protection[tls]}/user=${user}`;

const configuration = (where: Where, home: Home): string => `personal-name=Bob
user-domain=${sender.split('@')[1] ?? ''}
customized-hdrs=From: ${sender}
smtp-server=${at(where)}
inbox-path=${home.file('inbox')}
default-fcc=""
feature-list=enable-aggregate-command-set,quit-without-confirm,send-without-confirm,disable-password-file-saving,quell-folder-internal-msg,save-will-not-delete,suppress-user-agent-when-sending
last-version-used=6.26
`;

async function alpine<T>(
  home: Home,
  { where, options }: { readonly where: Where; readonly options: readonly string[] },
  work: (terminal: Terminal) => Promise<T>,
): Promise<T> {
  await home.folder('mail');
  const rc = await home.write('pinerc', configuration(where, home));
  const trust = where.tls === 'none' ? [] : [`SSL_CERT_FILE=${where.caFile}`];
  return inTerminal(home, ['env', ...trust, 'alpine', '-p', rc, ...options], work);
}

const asks = /PASSWORD: *$/m;
/** It goes no further and says why; for a certificate it cannot verify it asks whether to go on. */
const stopped = new RegExp(`${ownWords.source}|Unable to open|verified the identity|not sent`, 'i');

/** Types the password where it is asked for; false when something else came first. */
async function logIn(terminal: Terminal): Promise<boolean> {
  const screen = await terminal.see(new RegExp(`${asks.source}|${stopped.source}`, 'im'));
  if (!asks.test(screen)) return false;
  await terminal.type(password);
  await terminal.press('Enter');
  return true;
}

const reader = (protocol: 'imap' | 'pop3'): Reader => ({
  name: `alpine ${protocol}`,
  protocol,
  showsRefusal: 'whole',
  refusedExit: null,
  modes: bothModes,
  alone: 'implicit',
  read: (where) =>
    atHome((home) => {
      const mailbox = `{${at(where, protocol === 'pop3' ? '/pop3' : '')}}INBOX`;
      const saved = home.file('kept');
      // Its POP3 knows no read-only mailbox.
      const options = ['-i', ...(protocol === 'imap' ? ['-o'] : []), '-f', mailbox];
      return alpine(home, { where, options }, async (terminal) => {
        if (!(await logIn(terminal))) return { exit: 1, shown: await terminal.see(stopped), messages: [] };
        const opened = await terminal.see(new RegExp(`Message \\d+ of|${stopped.source}`, 'i'));
        if (stopped.test(opened)) return { exit: 1, shown: opened, messages: [] };
        // Selects all, applies "save" to them, names the folder and lets it be made.
        for (const [keys, then] of [
          [';', /SELECT criteria/i],
          ['a', /selected/i],
          ['a', /APPLY command/i],
          ['s', /SAVE /],
        ] as const) {
          await terminal.type(keys);
          await terminal.see(then);
        }
        await terminal.type(saved);
        await terminal.press('Enter');
        await terminal.see(/Create\?/);
        await terminal.type('y');
        // It counts without the NUL in the fourth message and asks whether that may be.
        const asked = await terminal.see(/shrank!|DONE|\bsaved\b/);
        if (asked.includes('shrank!')) await terminal.type('a');
        await terminal.see(/DONE|\bsaved\b/);
        await terminal.type('q');
        const shown = await terminal.end();
        return { exit: 0, shown, messages: messagesOf(await readFile(saved, 'latin1')) };
      });
    }),
});

// Lines of the folder and not of the message: when it was saved, flags, numbers.
const folderLines = /^(?:From |X-IMAPbase: |X-IMAP: |Status: |X-Status: |X-Keywords: |X-UID: )[^\n]*\n/gm;

const messagesOf = (folder: string): readonly Buffer[] =>
  folder
    .split(/^(?=From \S+ \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4})/m)
    .map((text) => Buffer.from(text.replaceAll(folderLines, ''), 'latin1'));

export const alpineImap = reader('imap');
export const alpinePop3 = reader('pop3');

export const alpineSmtp: Sender = {
  name: 'alpine smtp',
  protocol: 'smtp',
  // It ends its line after 80 characters.
  showsRefusal: 'start',
  refusedExit: 1,
  modes: bothModes,
  alone: 'implicit',
  verbatim: false,
  steady: (text) => text.replaceAll(/^Content-ID: [^\n]*\n|(?<=boundary="|^--)\d+-\d+-\d+=:\d+/gm, ''),
  atMostBytes: 1_000_000,
  send: (where, message) =>
    atHome(async (home) => {
      const file = await home.write('message', crlf(message));
      return alpine(home, { where, options: ['-attach', file, recipient] }, async (terminal) => {
        await terminal.see(/Attchmnt: 1/);
        await terminal.press('C-x');
        if (!(await logIn(terminal))) return { exit: 1, shown: await terminal.see(stopped) };
        const shown = await terminal.see(stopped);
        return { exit: stopped.test(shown) ? 1 : 0, shown };
      });
    }),
};
