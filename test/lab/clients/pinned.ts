// Programs that go to a pinned server by themselves: each with the lines `letterlock pins export --for` prints for
// it and with no CA at all. What decides is their own comparison.

import { chown } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ran } from '../run.ts';
import { words } from '../run.ts';
import { labUser } from '../lab-user.ts';
import { atHome, password, recipient, sender, user, type Home } from './client.ts';
import { inTerminal } from './terminal.ts';

export type Service = 'imaps' | 'pop3s' | 'submissions';

export interface PinnedProgram {
  /** As `pins export --for` calls it. */
  readonly tool: string;
  /** The binary, by its name in the path. */
  readonly program: string;
  readonly service: Service;
  /** Words of the export beside the tool. */
  readonly flags: readonly string[];
  /** The file it is told of in, and the whole text of it. */
  readonly file: string;
  /** Where the file is of certificates, another one names it. */
  readonly text: (lines: string, port: number) => string;
  readonly go: (home: Home, port: number) => Promise<Ran>;
}

/** Runs the program with these lines; the answer has the file it read. */
export const goPinned = (
  { file, text, go }: PinnedProgram,
  { lines, port }: { readonly lines: string; readonly port: number },
): Promise<Ran & { readonly written: string }> =>
  atHome(async (home) => {
    const written = text(lines, port);
    await home.write(file, written);
    return { ...(await go(home, port)), written };
  });

const message = 'Subject: pinned\n\nhello\n';
const imapUrl = (port: number): string => `imaps://localhost:${port}/INBOX;MAILINDEX=1`;

const curl: PinnedProgram = {
  tool: 'curl',
  program: 'curl',
  service: 'imaps',
  flags: [],
  file: 'curlrc',
  text: (lines, port) =>
    `silent\nshow-error\nurl = "${imapUrl(port)}"\nuser = "${user}:${password}"\n${lines}`,
  go: (home) => home.run(['curl', '-K', home.file('curlrc'), '-o', home.file('out')]),
};

const msmtp: PinnedProgram = {
  tool: 'msmtp',
  program: 'msmtp',
  service: 'submissions',
  flags: [],
  file: 'msmtprc',
  text: (lines, port) =>
    `defaults\ntls on\naccount lab\nhost localhost\nport ${port}\nfrom ${sender}\nauth plain\nuser ${user}\n` +
    `password "${password}"\ntls_starttls off\n${lines}account default : lab\n`,
  go: (home) => home.run(['msmtp', '-C', home.file('msmtprc'), recipient], message),
};

const mpop: PinnedProgram = {
  tool: 'mpop',
  program: 'mpop',
  service: 'pop3s',
  flags: [],
  file: 'mpoprc',
  text: (lines, port) =>
    `account default\nhost localhost\nport ${port}\nuser ${user}\npassword "${password}"\nauth user\nkeep on\n` +
    `delivery mbox out\ntls on\ntls_starttls off\n${lines}`,
  go: (home) => home.run(['mpop', '-C', home.file('mpoprc')]),
};

const fetchmail: PinnedProgram = {
  tool: 'fetchmail',
  program: 'fetchmail',
  service: 'imaps',
  flags: ['--weak'],
  file: 'fetchmailrc',
  text: (lines, port) =>
    `poll localhost protocol imap port ${port}\nuser "${user}" password "${password}" ssl\n${lines}keep fetchall mda "cat"\n`,
  go: (home) =>
    home.run([
      'fetchmail',
      '-f',
      home.file('fetchmailrc'),
      ...words('--nodetach --nosyslog -i ids --pidfile pid'),
    ]),
};

const offlineimap: PinnedProgram = {
  tool: 'offlineimap',
  program: 'offlineimap',
  service: 'imaps',
  flags: [],
  file: 'offlineimaprc',
  text: (lines, port) => `[general]
accounts = lab
metadata = ~/meta
[Account lab]
localrepository = near
remoterepository = far
[Repository near]
type = Maildir
localfolders = ~/Mail
[Repository far]
type = IMAP
remotehost = localhost
remoteport = ${port}
remoteuser = ${user}
remotepass = ${password}
ssl = yes
${lines}`,
  go: (home) => home.run(['offlineimap', '-o', '-1', '-u', 'basic', '-c', home.file('offlineimaprc')]),
};

const getmail: PinnedProgram = {
  tool: 'getmail',
  program: 'getmail',
  service: 'pop3s',
  flags: [],
  file: 'getmailrc',
  text: (lines, port) => `[retriever]
type = SimplePOP3SSLRetriever
server = localhost
port = ${port}
username = ${user}
password = ${password}
${lines}[destination]
type = Maildir
path = ~/Mail/
[options]
delete = false
`,
  go: async (home) => {
    const owner = await labUser();
    for (const folder of ['Mail', 'Mail/cur', 'Mail/new', 'Mail/tmp'])
      await chown(await home.folder(folder), owner.uid, owner.gid);
    // As root it delivers only where it is told as whom.
    const rc = await home.write('rc', '');
    const told = await home.run(['sed', `s/^path.*/&\\nuser = ${owner.name}/`, home.file('getmailrc')]);
    await home.write('rc', told.stdout);
    return home.run(['getmail', '--getmaildir', home.path, '--rcfile', rc]);
  },
};

const mbsync: PinnedProgram = {
  tool: 'mbsync',
  program: 'mbsync',
  service: 'imaps',
  flags: [],
  file: 'server.pem',
  text: (lines) => lines,
  go: async (home, port) => {
    await home.folder('Mail');
    await home.write('mbsyncrc', mbsyncConfiguration(port, home.path));
    return home.run(['mbsync', '-c', home.file('mbsyncrc'), '-a']);
  },
};

/** `CertificateFile` is the file beside it. */
export const mbsyncConfiguration = (port: number, folder: string): string => `IMAPAccount lab
Host localhost
Port ${port}
User ${user}
Pass "${password}"
SSLType IMAPS
SystemCertificates no
CertificateFile "${join(folder, 'server.pem')}"

IMAPStore far
Account lab

MaildirStore near
Path ${folder}/Mail/
Inbox ${folder}/Mail/INBOX

Channel lab
Far :far:
Near :near:
Patterns INBOX
Create Near
Sync Pull
SyncState *
`;

const muttConfiguration = (port: number, home: string): string => `set from="${sender}"
set smtp_url="smtps://${user}@localhost:${port}"
set smtp_pass="${password}"
set imap_user="${user}"
set imap_pass="${password}"
set certificate_file="${join(home, 'certificates')}"
set ssl_force_tls=yes
set copy=no
set sleep_time=0
set tmpdir="${home}"
`;

const mutt: PinnedProgram = {
  tool: 'mutt',
  program: 'mutt',
  service: 'submissions',
  flags: [],
  file: 'certificates',
  text: (lines) => lines,
  go: async (home, port) => {
    const rc = await home.write('muttrc', muttConfiguration(port, home.path));
    return home.run(['mutt', '-n', '-F', rc, '-s', 'pinned', recipient], message);
  },
};

/** What mutt writes when its user accepts a certificate for good. */
export const acceptInMutt = (port: number): Promise<string> =>
  atHome(async (home) => {
    await home.folder('Mail');
    await home.write('certificates', '');
    const rc = await home.write('muttrc', muttConfiguration(port, home.path));
    const command = ['mutt', '-n', '-F', rc, '-R', '-f', `imaps://${user}@localhost:${port}/INBOX`];
    await inTerminal(home, command, async (terminal) => {
      await terminal.see(/ccept always/);
      await terminal.type('a');
      await terminal.until('mutt to write the certificate', async () =>
        (await read(home)).includes('END CERT'),
      );
    });
    return read(home);
  });

const read = async (home: Home): Promise<string> =>
  (await home.run(['cat', home.file('certificates')])).stdout.toString('utf8');

const gnutlsCli = (home: Home, port: number, mode: string): Promise<Ran> =>
  home.run(['gnutls-cli', mode, '--no-ca-verification', '-p', String(port), 'localhost'], 'y\n');

const gnutls: PinnedProgram = {
  tool: 'gnutls',
  program: 'gnutls-cli',
  service: 'imaps',
  flags: [],
  file: '.gnutls/known_hosts',
  text: (lines) => lines,
  go: (home, port) => gnutlsCli(home, port, '--strict-tofu'),
};

/** What gnutls-cli writes when its user trusts a key it has not seen. */
export const acceptInGnutls = (port: number): Promise<string> =>
  atHome(async (home) => {
    await gnutlsCli(home, port, '--tofu');
    return (await home.run(['cat', home.file('.gnutls/known_hosts')])).stdout.toString('utf8');
  });

const openssl: PinnedProgram = {
  tool: 'openssl',
  program: 'openssl',
  service: 'imaps',
  flags: [],
  file: 'command',
  text: (lines) => lines,
  go: (home) => home.run(['sh', home.file('command')]),
};

export const pinnedPrograms: readonly PinnedProgram[] = [
  curl,
  fetchmail,
  getmail,
  gnutls,
  mbsync,
  mpop,
  msmtp,
  mutt,
  offlineimap,
  openssl,
];
