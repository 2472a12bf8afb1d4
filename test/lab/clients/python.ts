// Python 3's imaplib, poplib and smtplib: what most scripts in the world use.

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

const interpreter = '/usr/bin/python3';

const prelude = `
import imaplib, poplib, smtplib, ssl, sys
host, port, tls, ca = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
user, password = ${JSON.stringify(user)}, ${JSON.stringify(password)}
def context(): return ssl.create_default_context(cafile=ca)
def save(number, data):
    with open('out/%03d' % number, 'wb') as file: file.write(data)
`;

// poplib gives up on lines over 2048 bytes unless told otherwise.
const programs = {
  imap: `${prelude}
c = imaplib.IMAP4_SSL(host, port, ssl_context=context(), timeout=50) if tls == 'implicit' else imaplib.IMAP4(host, port, timeout=50)
if tls == 'starttls': c.starttls(context())
c.login(user, password)
count = int(c.select('INBOX', readonly=True)[1][0])
for i in range(1, count + 1): save(i, c.fetch(str(i), '(BODY.PEEK[])')[1][0][1])
c.logout()
`,
  pop3: `${prelude}
poplib._MAXLINE = 1 << 20
c = poplib.POP3_SSL(host, port, context=context(), timeout=50) if tls == 'implicit' else poplib.POP3(host, port, timeout=50)
if tls == 'starttls': c.stls(context())
c.user(user); c.pass_(password)
for i in range(1, c.stat()[0] + 1): save(i, b'\\r\\n'.join(c.retr(i)[1]))
c.quit()
`,
  smtp: `${prelude}
c = smtplib.SMTP_SSL(host, port, context=context(), timeout=50) if tls == 'implicit' else smtplib.SMTP(host, port, timeout=50)
if tls == 'starttls': c.starttls(context=context())
c.login(user, password)
c.sendmail(${JSON.stringify(sender)}, [${JSON.stringify(recipient)}], sys.stdin.buffer.read())
c.quit()
`,
  lmtp: `${prelude}
c = smtplib.LMTP(host, port, timeout=50)
if tls == 'starttls':
    c.ehlo(); c.starttls(context=context())
c.sendmail(${JSON.stringify(sender)}, [${JSON.stringify(recipient)}], sys.stdin.buffer.read())
c.quit()
`,
} as const;

async function python(
  home: Home,
  { program, where, input }: { program: keyof typeof programs; where: Where; input: Uint8Array },
) {
  const file = await home.write('program.py', programs[program]);
  await home.folder('out');
  return home.run([interpreter, '-I', file, where.host, String(where.port), where.tls, where.caFile], input);
}

const reader = (protocol: 'imap' | 'pop3'): Reader => ({
  name: `python ${protocol}lib`.replace('pop3lib', 'poplib'),
  protocol,
  showsRefusal: 'whole',
  refusedExit: 1,
  modes: bothModes,
  alone: 'starttls',
  read: (where) =>
    atHome(async (home) => {
      const ran = await python(home, { program: protocol, where, input: Buffer.alloc(0) });
      return { ...ran, messages: await filesOf(home.file('out')) };
    }),
});

export const imaplib = reader('imap');
export const poplib = reader('pop3');

const sending = (protocol: 'smtp' | 'lmtp'): Sender => ({
  name: `python smtplib ${protocol}`,
  protocol,
  showsRefusal: 'whole',
  refusedExit: 1,
  modes: protocol === 'lmtp' ? ['starttls'] : bothModes,
  alone: 'starttls',
  verbatim: true,
  send: (where, message) =>
    atHome((home) => python(home, { program: protocol, where, input: crlf(message) })),
});

export const smtplib = sending('smtp');
export const lmtplib = sending('lmtp');
