// mutt: reads in a terminal of its own (tmux), sends without one.

import { join } from 'node:path';
import { maildirFiles } from '../maildir.ts';
import {
  atHome,
  bothModes,
  ownWords,
  password,
  recipient,
  sender,
  user,
  userInfo,
  type Reader,
  type Sender,
  type Where,
} from './client.ts';
import { inTerminal } from './terminal.ts';

const configuration = ({ tls, caFile }: Where, home: string): string => `set folder="${home}/Mail"
set imap_user="${user}"
set imap_pass="${password}"
set pop_user="${user}"
set pop_pass="${password}"
set from="${sender}"
set use_from=yes
set ssl_starttls=${tls === 'starttls' ? 'yes' : 'no'}
set ssl_force_tls=${tls === 'none' ? 'no' : 'yes'}
set certificate_file="${caFile}"
set ssl_ca_certificates_file="${caFile}"
set mbox_type=Maildir
set confirmappend=no
set confirmcreate=no
set copy=no
set move=no
set wait_key=no
set sleep_time=0
set pop_checkinterval=0
set pop_delete=no
set pop_authenticators="user"
set tmpdir="${home}"
set header_cache=""
`;

/** It shows a refusal, or asks what to do about a certificate it cannot verify. */
const stopped = new RegExp(`${ownWords.source}|SSL Certificate check`, 'i');

const reader = (protocol: 'imap' | 'pop3'): Reader => ({
  name: `mutt ${protocol}`,
  protocol,
  showsRefusal: 'whole',
  refusedExit: null,
  modes: bothModes,
  alone: 'implicit',
  read: (where) =>
    atHome(async (home) => {
      await home.folder('Mail');
      const rc = await home.write('rc', configuration(where, home.path));
      const scheme = `${protocol === 'imap' ? 'imap' : 'pop'}${where.tls === 'implicit' ? 's' : ''}`;
      const mailbox = `${scheme}://${userInfo.split(':', 1)[0]}@${where.host}:${where.port}/${protocol === 'imap' ? 'INBOX' : ''}`;
      // Tags all messages, copies the tagged ones, leaves.
      const keys = `push "<tag-pattern>~A<enter><tag-prefix><copy-message><kill-line>${join(home.path, 'out')}<enter><exit>"`;
      const command = ['mutt', '-n', '-F', rc, '-R', '-e', keys, '-f', mailbox];
      const screen = await inTerminal(home, command, (terminal) => terminal.see(stopped));
      return { exit: 0, shown: screen, messages: await maildirFiles(home.file('out')) };
    }),
});

export const muttImap = reader('imap');
export const muttPop3 = reader('pop3');

export const muttSmtp: Sender = {
  name: 'mutt smtp',
  protocol: 'smtp',
  showsRefusal: 'whole',
  refusedExit: 1,
  modes: bothModes,
  alone: 'implicit',
  verbatim: false,
  send: (where, message) =>
    atHome(async (home) => {
      await home.folder('Mail');
      const url = `${where.tls === 'implicit' ? 'smtps' : 'smtp'}://${user}@${where.host}:${where.port}`;
      const rc = await home.write(
        'rc',
        `${configuration(where, home.path)}set smtp_url="${url}"\nset smtp_pass="${password}"\n`,
      );
      return home.run(['mutt', '-n', '-F', rc, '-s', 'from mutt', recipient], message);
    }),
};
