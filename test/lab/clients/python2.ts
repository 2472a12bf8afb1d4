// Python 2.7's imaplib, poplib and smtplib, where an interpreter is found: scripts that nobody will port. Debian
// has no package of it any more, so that its absence is no failure anywhere.

import { accessSync, constants, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  atHome,
  bothModes,
  crlf,
  filesOf,
  password,
  recipient,
  sender,
  user,
  type Home,
  type Reader,
  type Sender,
  type Where,
} from './client.ts';

/** Where pyenv keeps its interpreters, and where they are installed by hand. */
function interpreters(): readonly string[] {
  const kept = join(homedir(), '.pyenv/versions');
  let versions: readonly string[] = [];
  try {
    versions = readdirSync(kept).filter((name) => name.startsWith('2.7'));
  } catch {
    // no pyenv
  }
  return [
    ...versions.map((name) => join(kept, name, 'bin/python2.7')),
    '/usr/local/bin/python2.7',
    '/usr/bin/python2.7',
  ];
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const interpreter = interpreters().find(isProgram);

// By themselves these modules verify nothing; a script that cares replaces the function they all wrap with.
const prelude = `
import imaplib, poplib, smtplib, socket, ssl, sys
host, port, tls, ca = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
user, password = ${JSON.stringify(user)}, ${JSON.stringify(password)}
socket.setdefaulttimeout(50)
if tls != 'none':
    context = ssl.create_default_context(cafile=ca)
    ssl.wrap_socket = lambda sock, *rest, **named: context.wrap_socket(sock, server_hostname=host)
def save(number, data):
    with open('out/%03d' % number, 'wb') as file: file.write(data)
`;

const programs = {
  imap: `${prelude}
c = (imaplib.IMAP4_SSL if tls == 'implicit' else imaplib.IMAP4)(host, port)
c.login(user, password)
count = int(c.select('INBOX', readonly=True)[1][0])
for i in range(1, count + 1): save(i, c.fetch(str(i), '(BODY.PEEK[])')[1][0][1])
c.logout()
`,
  pop3: `${prelude}
poplib._MAXLINE = 1 << 20
c = (poplib.POP3_SSL if tls == 'implicit' else poplib.POP3)(host, port)
c.user(user); c.pass_(password)
for i in range(1, c.stat()[0] + 1): save(i, b'\\r\\n'.join(c.retr(i)[1]))
c.quit()
`,
  smtp: `${prelude}
c = (smtplib.SMTP_SSL if tls == 'implicit' else smtplib.SMTP)(host, port)
if tls == 'starttls': c.starttls()
c.login(user, password)
c.sendmail(${JSON.stringify(sender)}, [${JSON.stringify(recipient)}], sys.stdin.read())
c.quit()
`,
} as const;

interface Task {
  readonly program: keyof typeof programs;
  readonly where: Where;
  readonly input: Uint8Array;
}

async function python(home: Home, { program, where, input }: Task) {
  const file = await home.write('program.py', programs[program]);
  await home.folder('out');
  const { host, port, tls, caFile } = where;
  return home.run([interpreter ?? '', '-E', '-s', file, host, String(port), tls, caFile], input);
}

const reader = (protocol: 'imap' | 'pop3'): Reader => ({
  name: `python 2.7 ${protocol}`,
  protocol,
  showsRefusal: 'whole',
  refusedExit: 1,
  modes: ['implicit'],
  alone: 'implicit',
  read: (where) =>
    atHome(async (home) => {
      const ran = await python(home, { program: protocol, where, input: Buffer.alloc(0) });
      return { ...ran, messages: await filesOf(home.file('out')) };
    }),
});

const smtp: Sender = {
  name: 'python 2.7 smtp',
  protocol: 'smtp',
  showsRefusal: 'whole',
  refusedExit: 1,
  modes: bothModes,
  alone: 'implicit',
  verbatim: true,
  send: (where, message) => atHome((home) => python(home, { program: 'smtp', where, input: crlf(message) })),
};

const here = interpreter !== undefined;
/** None where there is no Python 2.7. */
export const python2Readers: readonly Reader[] = here ? [reader('imap'), reader('pop3')] : [];
export const python2Senders: readonly Sender[] = here ? [smtp] : [];
