// Programs that fetch mail into local mailboxes: fetchmail, getmail, mbsync, mpop.

import { join } from 'node:path';
import { maildirFiles } from '../maildir.ts';
import { labUser } from '../lab-user.ts';
import { chown } from 'node:fs/promises';
import { atHome, bothModes, filesOf, password, user, type Home, type Reader, type Where } from './client.ts';

async function maildir(home: Home, name: string): Promise<string> {
  for (const folder of ['cur', 'new', 'tmp']) await home.folder(join(name, folder));
  return home.file(name);
}

// fetchmail would add a Received line (invisible) and rewrite addresses (no rewrite); sslproto '' keeps it
// from trying STARTTLS by itself.
const fetchmailTls = ({ tls, caFile }: Where): string => {
  if (tls === 'none') return `sslproto ''`;
  const verified = `sslcertck sslcertfile ${caFile}`;
  return tls === 'implicit' ? `ssl ${verified}` : `sslproto 'auto' ${verified}`;
};

const fetchmail = (protocol: 'imap' | 'pop3'): Reader => ({
  name: `fetchmail ${protocol}`,
  protocol,
  // For POP3 it shows the text because it finds the word "lock" in it, and takes that for a locked mailbox.
  showsRefusal: protocol === 'imap' ? 'capitals' : 'whole',
  refusedExit: protocol === 'imap' ? 2 : 9,
  modes: bothModes,
  // Its IMAP breaks a 200 kB line at other places on a socket without TLS.
  alone: protocol === 'imap' ? 'tunnel' : 'starttls',
  read: (where) =>
    atHome(async (home) => {
      const out = await home.folder('out');
      const store = await home.write('store', `#!/bin/sh\nexec cat > "$(mktemp ${out}/XXXXXX)"\n`, 0o700);
      const rc = await home.write(
        'rc',
        `set invisible\npoll ${where.host} protocol ${protocol} port ${where.port}\n` +
          `user "${user}" password "${password}" ${fetchmailTls(where)} keep fetchall no rewrite mda "${store}"\n`,
      );
      const ran = await home.run([
        'fetchmail',
        '-f',
        rc,
        '--nodetach',
        '--nosyslog',
        '-i',
        'ids',
        '--pidfile',
        'pid',
      ]);
      return { ...ran, messages: await filesOf(out) };
    }),
});

export const fetchmailImap = fetchmail('imap');
export const fetchmailPop3 = fetchmail('pop3');

const getmail = (protocol: 'imap' | 'pop3'): Reader => ({
  name: `getmail ${protocol}`,
  protocol,
  showsRefusal: 'whole',
  refusedExit: 127,
  modes: ['implicit'],
  alone: 'implicit',
  read: (where) =>
    atHome(async (home) => {
      const owner = await labUser();
      const target = await maildir(home, 'Mail');
      for (const folder of ['', 'cur', 'new', 'tmp']) await chown(join(target, folder), owner.uid, owner.gid);
      const rc = await home.write('rc', getmailConfiguration(protocol, { where, target, owner: owner.name }));
      const ran = await home.run(['getmail', '--getmaildir', home.path, '--rcfile', rc]);
      return { ...ran, messages: await maildirFiles(target) };
    }),
});

// As root getmail refuses to deliver unless it is told as whom.
const getmailConfiguration = (
  protocol: 'imap' | 'pop3',
  { where, target, owner }: { readonly where: Where; readonly target: string; readonly owner: string },
): string => `[options]
read_all = true
delete = false
delivered_to = false
received = false
[retriever]
type = Simple${protocol.toUpperCase()}${where.tls === 'implicit' ? 'SSL' : ''}Retriever
server = ${where.host}
port = ${where.port}
username = ${user}
password = ${password}
${protocol === 'imap' ? 'mailboxes = ("INBOX",)' : ''}
${where.tls === 'implicit' ? `ca_certs = ${where.caFile}` : ''}
[destination]
type = Maildir
path = ${target}/
user = ${owner}
`;

export const getmailImap = getmail('imap');
export const getmailPop3 = getmail('pop3');

const sslType = { none: 'None', starttls: 'STARTTLS', implicit: 'IMAPS' } as const;

/** mbsync marks what it stores with an X-TUID line of its own making; it is taken out. */
const untagged = (message: Buffer): Buffer =>
  Buffer.from(message.toString('latin1').replace(/^X-TUID: [^\n]*\n/m, ''), 'latin1');

export const mbsync: Reader = {
  name: 'mbsync',
  protocol: 'imap',
  showsRefusal: 'whole',
  refusedExit: 1,
  modes: bothModes,
  alone: 'implicit',
  read: (where) =>
    atHome(async (home) => {
      await home.folder('Mail');
      const rc = await home.write('rc', mbsyncConfiguration(where, home.file('Mail')));
      const ran = await home.run(['mbsync', '-c', rc, '-a']);
      return { ...ran, messages: (await maildirFiles(home.file('Mail/INBOX'))).map(untagged) };
    }),
};

const mbsyncConfiguration = ({ host, port, tls, caFile }: Where, target: string): string => `IMAPAccount lab
Host ${host}
Port ${port}
User ${user}
Pass "${password}"
SSLType ${sslType[tls]}
AuthMechs *
${tls === 'none' ? '' : `CertificateFile ${caFile}`}

IMAPStore far
Account lab

MaildirStore near
Path ${target}/
Inbox ${target}/INBOX

Channel lab
Far :far:
Near :near:
Patterns INBOX
Create Near
Sync Pull
SyncState *
`;

export const mpop: Reader = {
  name: 'mpop',
  protocol: 'pop3',
  showsRefusal: 'whole',
  refusedExit: 77,
  modes: bothModes,
  alone: 'implicit',
  read: (where) =>
    atHome(async (home) => {
      const target = await maildir(home, 'Mail');
      const rc = await home.write('rc', mpopConfiguration(where, target));
      const ran = await home.run(['mpop', '-C', rc]);
      return { ...ran, messages: await maildirFiles(target) };
    }),
};

const mpopConfiguration = ({ host, port, tls, caFile }: Where, target: string): string => `account default
host ${host}
port ${port}
user ${user}
password "${password}"
auth user
keep on
received_header off
delivery maildir ${target}
timeout 50
tls ${tls === 'none' ? 'off' : 'on'}
${tls === 'none' ? '' : `tls_starttls ${tls === 'starttls' ? 'on' : 'off'}\ntls_trust_file ${caFile}`}
`;
