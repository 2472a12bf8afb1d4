// What a client and a server agree on after the login is none of letterlock's business: extensions that change how
// bytes flow work through it as they do without, and the server's answers are the same to the byte. (No server of
// Debian 12 offers LITERAL- beside LITERAL+.)

import { afterAll, beforeAll, expect, test } from 'vitest';
import { account, serverHost } from '../lab/dovecot.ts';
import { crlf, type Where } from '../lab/clients/client.ts';
import { openForward } from '../lab/forward.ts';
import { startLetterlock, type Letterlock } from '../lab/letterlock.ts';
import { startMailLab, type MailLab } from '../lab/mail-lab.ts';
import { awkwardMessages } from '../lab/messages.ts';
import { describeWith } from '../lab/needs.ts';
import { freePorts } from '../lab/port.ts';
import { RawClient } from '../lab/raw-client.ts';

type Protocol = 'imap' | 'pop3' | 'smtp';

interface Scene {
  readonly client: RawClient;
  /** Another client of the same account, directly at the server and logged in. */
  readonly other: () => Promise<RawClient>;
}

interface Script {
  readonly extension: string;
  readonly protocol: Protocol;
  /** What the server's list of capabilities says when it has the extension. */
  readonly offered: RegExp;
  /** Says something after the login; returns everything it heard. */
  readonly go: (scene: Scene) => Promise<string>;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const message = (index: number): Buffer => crlf(awkwardMessages()[index]?.bytes ?? Buffer.alloc(0));
const done = (tag: string): RegExp => new RegExp(`^${tag} (?:OK|NO|BAD)[^\\n]*\\n`, 'm');

/** Commands in one piece, before any answer came. */
const inOnePiece = (...lines: readonly string[]): string => lines.map((line) => `${line}\r\n`).join('');

const scripts: readonly Script[] = [
  {
    extension: 'COMPRESS=DEFLATE',
    protocol: 'imap',
    offered: /COMPRESS=DEFLATE/,
    go: async ({ client }) => {
      const agreed = await client.say('a COMPRESS DEFLATE').hear(done('a'));
      client.compress();
      const opened = await client.say('b EXAMINE INBOX').hear(done('b'));
      return agreed + opened + (await client.say('c FETCH 1:9 (UID BODY.PEEK[])').hear(done('c')));
    },
  },
  {
    extension: 'IDLE',
    protocol: 'imap',
    offered: / IDLE/,
    go: async ({ client, other }) => {
      let heard = await client.say('a SELECT INBOX').hear(done('a'));
      heard += await client.say('b IDLE').hear(/^\+ [^\n]*\n/m);
      const sender = await other();
      const mail = message(0);
      await sender.say(`x APPEND INBOX {${mail.length}+}`).send(mail).say('').hear(done('x'));
      sender.close();
      const there = awkwardMessages().length + 1;
      heard += await client.hear(new RegExp(`^\\* ${there} EXISTS\\r\\n(?:[^\\n]*RECENT\\r\\n)?`, 'm'));
      heard += await client.say('DONE').hear(done('b'));
      heard += await client.say(`c FETCH ${there} BODY.PEEK[]`).hear(done('c'));
      await client.say(`d STORE ${there} +FLAGS.SILENT (\\Deleted)`).hear(done('d'));
      return heard + (await client.say('e EXPUNGE').hear(done('e')));
    },
  },
  {
    extension: 'BINARY',
    protocol: 'imap',
    offered: / BINARY/,
    go: async ({ client }) => {
      let heard = await client.say('a EXAMINE INBOX').hear(done('a'));
      heard += await client.say('b FETCH 7 (BINARY.SIZE[1] BINARY.PEEK[1])').hear(done('b'));
      const nul = Buffer.from('From: a@lab.test\r\nContent-Type: application/octet-stream\r\n\r\n\0\r\0\n');
      client.say('c CREATE Binary').say(`d APPEND Binary ~{${nul.length}+}`).send(nul).say('');
      heard += await client.hear(done('d'));
      return heard + (await client.say('e DELETE Binary').hear(done('e')));
    },
  },
  {
    extension: 'LITERAL+',
    protocol: 'imap',
    offered: /LITERAL\+/,
    go: async ({ client }) => {
      const mail = message(3);
      client.send(`a CREATE {8+}\r\nLiterals\r\nb APPEND {8+}\r\nLiterals (\\Seen) {${mail.length}+}\r\n`);
      // In the middle of a literal, something that looks like the end of one and a command.
      client.send(mail).send('\r\nc EXAMINE {8+}\r\nLiterals\r\nd FETCH 1 BODY.PEEK[]\r\ne CLOSE\r\n');
      const heard = await client.hear(done('e'));
      return heard + (await client.say('f DELETE Literals').hear(done('f')));
    },
  },
  {
    extension: 'literals that wait',
    protocol: 'imap',
    offered: /IMAP4rev1/,
    go: async ({ client }) => {
      const mail = message(2);
      let heard = await client.say('a CREATE {7}').hear(/^\+ [^\n]*\n/m);
      heard += await client.say('Waiting').hear(done('a'));
      heard += await client.say(`b APPEND Waiting {${mail.length}}`).hear(/^\+ [^\n]*\n/m);
      heard += await client.send(mail).say('').hear(done('b'));
      return heard + (await client.say('c DELETE Waiting').hear(done('c')));
    },
  },
  {
    extension: 'commands in one piece',
    protocol: 'imap',
    offered: /IMAP4rev1/,
    go: ({ client }) =>
      client
        .send(inOnePiece('a NOOP', 'b EXAMINE INBOX', 'c FETCH 1:9 (FLAGS BODY.PEEK[])', 'd CLOSE', 'e NOOP'))
        .hear(done('e')),
  },
  {
    extension: 'PIPELINING',
    protocol: 'pop3',
    offered: /^PIPELINING/m,
    go: ({ client }) =>
      client
        .send(inOnePiece('STAT', 'LIST', 'UIDL', 'RETR 2', 'TOP 6 0', 'RETR 4', 'NOOP', 'QUIT'))
        .hear(/Logging out[^\n]*\n/),
  },
  {
    extension: 'PIPELINING',
    protocol: 'smtp',
    offered: /^250[- ]PIPELINING/m,
    go: async ({ client }) => {
      client.send(inOnePiece('MAIL FROM:<bob@lab.test>', 'RCPT TO:<alice@lab.test>', 'DATA'));
      const heard = await client.hear(/^354 [^\n]*\n/m);
      client.send('Subject: piped\r\n\r\n..\r\nx\r\n.\r\n').send(inOnePiece('NOOP', 'VRFY bob', 'QUIT'));
      return heard + (await client.hear(/^221 [^\n]*\n/m));
    },
  },
  {
    extension: 'CHUNKING',
    protocol: 'smtp',
    offered: /^250[- ]CHUNKING/m,
    go: async ({ client }) => {
      // Chunks that hold what ends a message, or begins something else, where there are no chunks.
      const chunks = [
        'Subject: chunks\r\n\r\n',
        '\r\n.\r\n250 x\r\n',
        'STARTTLS\r\nMAIL FROM:<x@y>\r\n.\r',
        '',
      ];
      client.send(inOnePiece('MAIL FROM:<bob@lab.test>', 'RCPT TO:<alice@lab.test>'));
      for (const [index, chunk] of chunks.entries())
        client.send(`BDAT ${chunk.length}${index === chunks.length - 1 ? ' LAST' : ''}\r\n${chunk}`);
      return client.say('QUIT').hear(/^221 [^\n]*\n/m);
    },
  },
  {
    extension: 'SMTPUTF8',
    protocol: 'smtp',
    offered: /^250[- ]SMTPUTF8/m,
    go: async ({ client }) => {
      client.send(
        Buffer.from('MAIL FROM:<bøb@lab.test> SMTPUTF8 BODY=8BITMIME\r\nRCPT TO:<alice@lab.test>\r\n'),
      );
      const heard = await client.say('DATA').hear(/^354 [^\n]*\n/m);
      client.send(Buffer.from('From: Bøb <bøb@lab.test>\r\nSubject: Grüße 漢字\r\n\r\n😀\r\n.\r\nQUIT\r\n'));
      return heard + (await client.hear(/^221 [^\n]*\n/m));
    },
  },
];

/** What no two connections have in common: times, queue numbers, and numbers a mailbox gives only once. */
const steady = (heard: string): string =>
  heard
    .replaceAll(/\(\d+\.\d+ \+ [^)]*secs\)/g, '(time)')
    .replaceAll(/queued as \w+/g, 'queued')
    .replaceAll(/\[(APPENDUID|UIDVALIDITY|UIDNEXT|HIGHESTMODSEQ) [\d ]+\]/g, '[$1]');

/** Nothing where both are the same; else what each says from shortly before they part. */
function difference(through: string, direct: string): { through?: string; direct?: string } {
  if (through === direct) return {};
  let at = 0;
  while (through[at] === direct[at]) at += 1;
  const around = (text: string): string => text.slice(Math.max(0, at - 100), at + 200);
  return { through: around(through), direct: around(direct) };
}

const legs = ['none', 'starttls', 'implicit'] as const;
const protocols: readonly Protocol[] = ['imap', 'pop3', 'smtp'];
// Both ways to reach a server occur on each leg.
const upstreamOf = {
  imap: { none: 'imap', starttls: 'imaps', implicit: 'imap' },
  pop3: { none: 'pop3s', starttls: 'pop3', implicit: 'pop3s' },
  smtp: { none: 'submission', starttls: 'submissions', implicit: 'submission' },
} as const;

/** Connects and logs in; what the server then says it can do. */
async function enter(where: Where, protocol: Protocol): Promise<{ client: RawClient; list: string }> {
  const client = await RawClient.connect(where, protocol);
  const { user, password } = account;
  switch (protocol) {
    case 'imap': {
      if (where.tls !== 'starttls') await client.hear(/^\* OK [^\n]*\n/);
      await client.say(`l LOGIN {${user.length}+}`).send(user).say(` "${password}"`).hear(done('l'));
      return { client, list: await client.say('l CAPABILITY').hear(done('l')) };
    }
    case 'pop3': {
      if (where.tls !== 'starttls') await client.hear(/^\+OK[^\n]*\n/);
      await client.say(`USER ${user}`).hear(/^\+OK[^\n]*\n/m);
      await client.say(`PASS ${password}`).hear(/^\+OK[^\n]*\n/m);
      return { client, list: await client.say('CAPA').hear(/^\.\r\n/m) };
    }
    case 'smtp': {
      if (where.tls !== 'starttls') await client.hear(/^220 [^\n]*\n/m);
      await client.say('EHLO client').hear(/^250 [^\n]*\n/m);
      await client.say(`AUTH PLAIN ${base64(`\0${user}\0${password}`)}`).hear(/^235 [^\n]*\n/m);
      return { client, list: await client.say('EHLO client').hear(/^250 [^\n]*\n/m) };
    }
  }
}

describeWith(['dovecot', 'postfix', 'openssl'], { root: true })('through letterlock', () => {
  let lab: MailLab;
  let letterlock: Letterlock;
  let ports: readonly number[];
  const routes = protocols.flatMap((protocol) => legs.map((leg) => ({ protocol, leg })));
  beforeAll(async () => {
    lab = await startMailLab({ variant: 'ca1', seeded: true, postfix: true });
    // Messages are recent only for the first who looks.
    const first = await other();
    await first.say('a SELECT INBOX').hear(done('a'));
    first.close();
    ports = await freePorts('127.0.0.1', routes.length);
    letterlock = await startLetterlock(
      routes.map(({ protocol, leg }, index) => {
        const service = upstreamOf[protocol][leg];
        const port = serverPort(service);
        return {
          name: `${protocol}-${leg}`,
          listen: ports[index] ?? 0,
          upstream: `${service}://mail.lab.test:${port}`,
          address: `${serverHost}:${port}`,
          settings: { caFile: lab.caFile, trust: 'ca', clientTls: leg === 'none' ? 'off' : leg },
        };
      }),
    );
  });
  afterAll(async () => {
    await letterlock.stop();
    await lab.stop();
  });

  type Service = 'imap' | 'imaps' | 'pop3' | 'pop3s' | 'submission' | 'submissions';
  const serverPort = (service: Service): number =>
    service === 'submission' || service === 'submissions'
      ? lab.postfix.ports[service]
      : lab.dovecot.ports[service];

  const secure = { imap: 'imaps', pop3: 'pop3s', smtp: 'submissions' } as const;
  const other = async (): Promise<RawClient> =>
    (await directly('imap', (where) => enter(where, 'imap'))).client;

  /** With the address of the server itself; the connection goes on when the way to it is closed. */
  async function directly<T>(protocol: Protocol, work: (where: Where) => Promise<T>): Promise<T> {
    const forward = await openForward({ host: serverHost, port: serverPort(secure[protocol]) });
    const where: Where = { host: 'localhost', port: forward.port, tls: 'implicit', caFile: lab.caFile };
    try {
      return await work(where);
    } finally {
      void forward.close();
    }
  }

  async function play({ protocol, go }: Script, where: Where): Promise<{ list: string; heard: string }> {
    const { client, list } = await enter(where, protocol);
    try {
      return { list: steady(list), heard: steady(await go({ client, other })) };
    } finally {
      client.close();
    }
  }

  const wrongOnPurpose = /^\w+ (?:NO|BAD)|^-ERR|^[45]\d\d/m;

  test.each(scripts.map((script) => [script.extension, script.protocol, script] as const))(
    '%s works as without: %s',
    async (_, protocol, script) => {
      const direct = await directly(protocol, (where) => play(script, where));
      expect(direct.list).toMatch(script.offered);
      expect(direct.heard.slice(0, 5000)).not.toMatch(wrongOnPurpose);
      for (const leg of legs) {
        const index = routes.findIndex((route) => route.protocol === protocol && route.leg === leg);
        const where: Where = {
          host: 'localhost',
          port: ports[index] ?? 0,
          tls: leg,
          caFile: letterlock.localCa,
        };
        const through = await play(script, where);
        expect({ leg, list: through.list }).toEqual({ leg, list: direct.list });
        expect({ leg, ...difference(through.heard, direct.heard) }).toEqual({ leg });
      }
    },
  );

  test('what was sent in one piece or in chunks has arrived each time', async () => {
    const sent = scripts.filter(({ protocol }) => protocol === 'smtp').length * (legs.length + 1);
    const arrived = await lab.postfix.collect('alice', sent);
    const bodies = arrived.map((bytes) =>
      bytes
        .toString('utf8')
        .replace(/^[^]*?\nSubject: /, '')
        .replaceAll(/^(?:Message-I[dD]|Date|From): [^\n]*\n/gm, ''),
    );
    expect(new Set(bodies).size).toBe(scripts.filter(({ protocol }) => protocol === 'smtp').length);
  });
});
