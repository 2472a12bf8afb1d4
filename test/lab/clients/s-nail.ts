// s-nail (mailx), without its system-wide and personal configuration.

import { maildirFiles } from '../maildir.ts';
import {
  atHome,
  bothModes,
  recipient,
  sender,
  userInfo,
  type Reader,
  type Sender,
  type Where,
} from './client.ts';

const base = [
  's-nail',
  '-:/',
  '-Sv15-compat=yes',
  '-Ssocket-connect-timeout=20',
  '-Ssendcharsets=utf-8',
  '-Snosave',
  '-Sttycharset=utf-8',
];

const trust = ({ tls, caFile }: Where): readonly string[] =>
  tls === 'none' ? [] : ['-Stls-verify=strict', `-Stls-ca-file=${caFile}`, '-Stls-ca-no-defaults'];

const at = (scheme: string, { host, port, tls }: Where): string => {
  const secure = scheme === 'smtp' ? 'smtps' : `${scheme}s`;
  return `${tls === 'implicit' ? secure : scheme}://${userInfo}@${host}:${port}`;
};

const reader = (protocol: 'imap' | 'pop3'): Reader => ({
  name: `s-nail ${protocol}`,
  protocol,
  showsRefusal: 'whole',
  refusedExit: 1,
  modes: bothModes,
  alone: 'starttls',
  read: (where) =>
    atHome(async (home) => {
      const options = [`-S${protocol}-auth=${protocol === 'imap' ? 'login' : 'plain'}`, ...trust(where)];
      if (where.tls === 'starttls') options.push(`-S${protocol}-use-starttls`);
      const mailbox = `${at(protocol, where)}${protocol === 'imap' ? '/INBOX' : ''}`;
      const ran = await home.run(
        [...base, ...options, '-R', '-f', mailbox],
        `copy * maildir://${home.file('Mail')}\nxit\n`,
      );
      return { ...ran, messages: await maildirFiles(home.file('Mail')) };
    }),
});

export const sNailImap = reader('imap');
export const sNailPop3 = reader('pop3');

export const sNailSmtp: Sender = {
  name: 's-nail smtp',
  protocol: 'smtp',
  showsRefusal: 'whole',
  refusedExit: 4,
  modes: bothModes,
  alone: 'starttls',
  verbatim: false,
  send: (where, message) =>
    atHome(async (home) => {
      const options = [
        `-Smta=${at('smtp', where)}`,
        '-Ssmtp-auth=plain',
        `-Sfrom=${sender}`,
        '-Ssendwait',
        ...trust(where),
      ];
      if (where.tls === 'starttls') options.push('-Ssmtp-use-starttls');
      return home.run([...base, ...options, '-s', 'from s-nail', recipient], message);
    }),
};
