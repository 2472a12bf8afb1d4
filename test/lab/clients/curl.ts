// curl for IMAP, POP3 and SMTP. It never shows a server's words without -v: refusals are seen as exit codes.

import { awkwardMessages } from '../messages.ts';
import {
  atHome,
  bothModes,
  crlf,
  filesOf,
  password,
  recipient,
  sender,
  user,
  type Reader,
  type Sender,
  type Where,
} from './client.ts';

const login = ['curl', '-sS', '--max-time', '55', '--fail-early', '-u', `${user}:${password}`];

const protection = ({ tls, caFile }: Where): readonly string[] =>
  tls === 'none' ? [] : ['--ssl-reqd', '--cacert', caFile];

const url = (scheme: string, { host, port, tls }: Where): string =>
  `${scheme}${tls === 'implicit' ? 's' : ''}://${host}:${port}`;

const reader = (protocol: 'imap' | 'pop3', path: string): Reader => ({
  name: `curl ${protocol}`,
  protocol,
  showsRefusal: 'no',
  refusedExit: protocol === 'imap' ? 8 : 67,
  modes: bothModes,
  alone: 'implicit',
  read: (where) =>
    atHome(async (home) => {
      const folder = await home.folder('out');
      const ran = await home.run([
        ...login,
        ...protection(where),
        `${url(protocol, where)}/${path}[1-${awkwardMessages().length}]`,
        '-o',
        `${folder}/#1`,
      ]);
      return { ...ran, messages: await filesOf(folder) };
    }),
});

export const curlImap = reader('imap', 'INBOX;MAILINDEX=');
export const curlPop3 = reader('pop3', '');

export const curlSmtp: Sender = {
  name: 'curl smtp',
  protocol: 'smtp',
  showsRefusal: 'no',
  refusedExit: 8,
  modes: bothModes,
  alone: 'implicit',
  verbatim: true,
  send: (where, message) =>
    atHome(async (home) => {
      const file = await home.write('message', crlf(message));
      return home.run([
        ...login,
        ...protection(where),
        '--mail-from',
        sender,
        '--mail-rcpt',
        recipient,
        '-T',
        file,
        url('smtp', where),
      ]);
    }),
};
