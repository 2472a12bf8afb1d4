// Programs that only send: msmtp and swaks (SMTP and LMTP).

import {
  atHome,
  bothModes,
  crlf,
  password,
  recipient,
  sender,
  user,
  type Sender,
  type Where,
} from './client.ts';
import { words } from '../run.ts';

const msmtpConfiguration = ({ host, port, tls, caFile }: Where, auth: string): string => `account default
host ${host}
port ${port}
from ${sender}
auth ${auth}
user ${user}
password "${password}"
timeout 50
tls ${tls === 'none' ? 'off' : 'on'}
${tls === 'none' ? '' : `tls_starttls ${tls === 'starttls' ? 'on' : 'off'}\ntls_trust_file ${caFile}`}
`;

const msmtpBy = (auth: 'plain' | 'on'): Sender => ({
  name: 'msmtp',
  protocol: 'smtp',
  showsRefusal: 'whole',
  refusedExit: 76,
  modes: bothModes,
  alone: 'implicit',
  verbatim: true,
  send: (where, message) =>
    atHome(async (home) => {
      const rc = await home.write('rc', msmtpConfiguration(where, auth));
      return home.run(['msmtp', '-C', rc, recipient], message);
    }),
});

/** Told to use PLAIN: on a plaintext leg it picks no mechanism that shows the password. */
export const msmtp = msmtpBy('plain');
/** Picks the best mechanism it knows. */
export const msmtpByItself = msmtpBy('on');

const swaksTls = ({ tls, caFile }: Where): readonly string[] => {
  if (tls === 'none') return [];
  return [tls === 'starttls' ? '--tls' : '--tls-on-connect', '--tls-verify', '--tls-ca-path', caFile];
};

const swaksFor = (protocol: 'smtp' | 'lmtp'): Sender => ({
  name: `swaks ${protocol}`,
  protocol,
  showsRefusal: 'whole',
  refusedExit: 21,
  modes: bothModes,
  alone: 'starttls',
  verbatim: true,
  send: (where, message) =>
    atHome(async (home) => {
      // A file without any line end would be taken for the name of one.
      const file = await home.write('message', Buffer.concat([crlf(message), Buffer.from('\r\n')]));
      const login = ['--auth', 'PLAIN', '--auth-user', user, '--auth-password', password];
      return home.run([
        'swaks',
        '--server',
        where.host,
        '--port',
        String(where.port),
        ...words('--timeout 50 --suppress-data'),
        '--protocol',
        protocol === 'smtp' ? 'ESMTP' : 'LMTP',
        ...swaksTls(where),
        ...(protocol === 'smtp' ? login : []),
        '--from',
        sender,
        '--to',
        recipient,
        '--data',
        `@${file}`,
      ]);
    }),
});

export const swaks = swaksFor('smtp');
export const swaksLmtp = swaksFor('lmtp');
