// Servers that bind a login to TLS (SCRAM-SHA-256-PLUS). A client behind letterlock has another TLS connection than
// the server, or none, so that this must not be offered to it, and must not be missed by it either.

import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeCertificates } from '../lab/certificates.ts';
import { crlf, type Reader, type Sender, type Where } from '../lab/clients/client.ts';
import { curlImap, curlSmtp } from '../lab/clients/curl.ts';
import { mbsync } from '../lab/clients/fetchers.ts';
import { muttImap, muttSmtp } from '../lab/clients/mutt.ts';
import { msmtpByItself } from '../lab/clients/senders.ts';
import { account, serverHost } from '../lab/dovecot.ts';
import { temporaryFolder, type Folder } from '../lab/folder.ts';
import { openForward, openTunnel } from '../lab/forward.ts';
import { startLetterlock, type Letterlock } from '../lab/letterlock.ts';
import { awkwardMessages } from '../lab/messages.ts';
import { describeWith } from '../lab/needs.ts';
import { freePorts } from '../lab/port.ts';
import { cleanEnvironment, run, words } from '../lab/run.ts';
import { ScramExchange, type ScramTerms } from '../lab/scram/exchange.ts';
import type { Mechanism, Try } from '../lab/scram/login.ts';
import { startScramServer, type ScramServer } from '../lab/scram/server.ts';
import { until } from '../lab/wait.ts';

describe('the scripted server', () => {
  const terms: ScramTerms = {
    user: 'user',
    password: 'pencil',
    plus: false,
    offersPlus: true,
    binding: (type) => (type === 'tls-exporter' ? Buffer.from('bound') : null),
    salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'),
    nonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  };

  test('computes the example of RFC 7677', () => {
    const exchange = new ScramExchange(terms);
    expect(exchange.first('n,,n=user,r=rOprNGfwEbeRWgbNEkqO')).toBe(
      'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    );
    const last =
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=';
    expect(() => exchange.final(last.replace('p=dH', 'p=eH'))).toThrow('invalid-proof');
    expect(exchange.final(last)).toBe('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
  });

  test.each([
    ['n', {}, null],
    ['y', { offersPlus: false }, null],
    ['y', {}, 'server-does-support-channel-binding'],
    ['p=tls-exporter', { plus: true }, null],
    ['p=tls-unique', { plus: true }, 'unsupported-channel-binding-type'],
    ['p=tls-exporter', {}, 'channel-binding-not-supported'],
    ['n', { plus: true }, 'channel-binding-not-provided'],
  ] as const)('holds a client that says %s with %o to RFC 5802 section 6', (flag, difference, refusal) => {
    const first = () =>
      new ScramExchange({ ...terms, ...difference }).first(`${flag},,n=user,r=rOprNGfwEbeRWgbNEkqO`);
    if (refusal === null) expect(first()).toContain('i=4096');
    else expect(first).toThrow(refusal);
  });
});

const everything: readonly Mechanism[] = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'PLAIN'];
const bound = { mechanism: 'SCRAM-SHA-256-PLUS', flag: '', outcome: 'cancelled' } as const;
const scram = { mechanism: 'SCRAM-SHA-256', flag: 'n', outcome: 'in' } as const;
const plain = { mechanism: 'PLAIN', flag: '', outcome: 'in' } as const;
const login = { mechanism: 'LOGIN', flag: '', outcome: 'in' } as const;

interface Row {
  readonly client: Reader | Sender;
  /** `scram` offers no login but SCRAM. */
  readonly server: 'everything' | 'scram';
  /** Without letterlock, through a tunnel that filters nothing; empty: it gives up by itself. */
  readonly alone: readonly Try[];
  /** Through letterlock, by how the client protects its own leg. */
  readonly through: Readonly<Record<Where['tls'], Try>>;
}

const always = (one: Try) => ({ none: one, starttls: one, implicit: one });

// Where the client has TLS of its own, SCRAM goes with SCRAM-PLUS while anything else is left.
const rows: readonly Row[] = [
  {
    client: muttImap,
    server: 'everything',
    alone: [login],
    through: { none: scram, starttls: plain, implicit: plain },
  },
  { client: muttImap, server: 'scram', alone: [], through: always(scram) },
  {
    client: muttSmtp,
    server: 'everything',
    alone: [bound],
    through: { none: scram, starttls: plain, implicit: plain },
  },
  { client: muttSmtp, server: 'scram', alone: [bound], through: always(scram) },
  {
    client: mbsync,
    server: 'everything',
    alone: [scram],
    through: { none: scram, starttls: plain, implicit: plain },
  },
  { client: mbsync, server: 'scram', alone: [scram], through: always(scram) },
  {
    client: msmtpByItself,
    server: 'everything',
    alone: [scram],
    through: { none: scram, starttls: plain, implicit: plain },
  },
  { client: msmtpByItself, server: 'scram', alone: [scram], through: always(scram) },
  { client: curlImap, server: 'everything', alone: [plain], through: always(plain) },
  { client: curlSmtp, server: 'everything', alone: [plain], through: always(plain) },
];

const message = awkwardMessages()[0]?.bytes ?? Buffer.alloc(0);
const inMailbox = awkwardMessages()
  .slice(0, -1)
  .map(({ bytes }) => crlf(bytes));

/** Whether the client got what it came for. */
async function succeeds(client: Reader | Sender, where: Where): Promise<boolean> {
  if ('read' in client) return (await client.read(where)).messages.length > 0;
  return (await client.send(where, message)).exit === 0;
}

describeWith(['openssl', ...words('mutt tmux mbsync msmtp curl gsasl')], { root: false })(
  'a server that offers SCRAM-SHA-256-PLUS',
  () => {
    let folder: Folder;
    let servers: Readonly<Record<Row['server'], ScramServer>>;
    let letterlock: Letterlock;
    const legs = ['none', 'starttls', 'implicit'] as const;
    const routes = (['everything', 'scram'] as const).flatMap((server) =>
      (['imap', 'smtp'] as const).flatMap((protocol) => legs.map((leg) => ({ server, protocol, leg }))),
    );
    let ports: readonly number[];
    const caFile = (): string => join(folder.path, 'ca.crt');

    beforeAll(async () => {
      folder = await temporaryFolder();
      await makeCertificates(folder.path);
      const options = { certificates: folder.path, variant: 'ca1', messages: inMailbox } as const;
      servers = {
        everything: await startScramServer({ ...options, mechanisms: everything }),
        scram: await startScramServer({ ...options, mechanisms: everything.slice(0, 2) }),
      };
      ports = await freePorts('127.0.0.1', routes.length);
      letterlock = await startLetterlock(
        routes.map(({ server, protocol, leg }, index) => {
          // One with STARTTLS, one with TLS from the start.
          const service = protocol === 'imap' ? 'imap' : 'submissions';
          const port = servers[server].ports[service];
          return {
            name: `${server}-${protocol}-${leg}`,
            listen: ports[index] ?? 0,
            upstream: `${service}://mail.lab.test:${port}`,
            address: `${serverHost}:${port}`,
            settings: { caFile: caFile(), trust: 'ca', clientTls: leg === 'none' ? 'off' : leg },
          };
        }),
      );
    });
    afterAll(async () => {
      await letterlock.stop();
      await Promise.all(Object.values(servers).map((server) => server.close()));
      await folder.remove();
    });
    beforeEach(() => {
      for (const server of Object.values(servers)) server.forget();
    });

    const named = rows.map((row) => [row.client.name, row.server, row] as const);

    test.each(named)(
      '%s, where %s is offered, without letterlock',
      async (_, __, { client, server, alone }) => {
        const { imaps, submissions } = servers[server].ports;
        const port = client.protocol === 'imap' ? imaps : submissions;
        const tunnel = await openTunnel({ host: serverHost, port }, caFile());
        try {
          const where: Where = { host: 'localhost', port: tunnel.port, tls: 'none', caFile: '' };
          const success = await succeeds(client, where);
          expect(servers[server].tries).toEqual(alone);
          expect(success).toBe(alone.some(({ outcome }) => outcome === 'in'));
        } finally {
          await tunnel.close();
        }
      },
    );

    test.each(named.flatMap(([name, server, row]) => legs.map((leg) => [name, server, leg, row] as const)))(
      '%s, where %s is offered, through letterlock with client TLS %s',
      async (_, __, leg, { client, server, through }) => {
        const index = routes.findIndex(
          (route) => route.server === server && route.protocol === client.protocol && route.leg === leg,
        );
        const where: Where = {
          host: 'localhost',
          port: ports[index] ?? 0,
          tls: leg,
          caFile: letterlock.localCa,
        };
        const success = await succeeds(client, where);
        expect(servers[server].tries).toEqual([through[leg]]);
        expect(success).toBe(true);
        if ('send' in client) expect(servers[server].received).toHaveLength(1);
      },
    );

    // GNU SASL's own program can bind; it takes the best it is shown when nothing is asked for by name.
    interface Asked {
      readonly port: number;
      readonly service: 'imap' | 'smtp';
      readonly ca: string;
      readonly options?: string;
    }
    const gsasl = ({ port, service, ca, options = '' }: Asked) =>
      run(
        [
          ...words(`gsasl --${service} --connect localhost:${port} -a ${account.user} -z ${account.user}`),
          '-p',
          account.password,
          `--x509-ca-file=${ca}`,
          ...options.split(' ').filter((word) => word !== ''),
        ],
        { env: cleanEnvironment(folder.path), input: '\n', deadlineMs: 20_000 },
      );

    test.each([
      ['imap', 'tls-exporter', 'NORMAL'],
      ['imap', 'tls-unique', 'NORMAL:-VERS-TLS1.3'],
      ['smtp', 'tls-exporter', 'NORMAL'],
      ['smtp', 'tls-unique', 'NORMAL:-VERS-TLS1.3'],
    ] as const)('binds a client that can: %s, %s', async (service, type, priority) => {
      const { everything: server } = servers;
      const port = service === 'imap' ? server.ports.imap : server.ports.submission;
      const forward = await openForward({ host: serverHost, port });
      try {
        const options = `--mechanism SCRAM-SHA-256-PLUS --priority=${priority}`;
        const { shown } = await gsasl({ port: forward.port, service, ca: caFile(), options });
        expect(server.tries, shown).toEqual([
          { mechanism: 'SCRAM-SHA-256-PLUS', flag: `p=${type}`, outcome: 'in' },
        ]);
      } finally {
        await forward.close();
      }
    });

    test('a client that can bind logs in by other means through letterlock over STARTTLS', async () => {
      const index = routes.findIndex(
        ({ server, protocol, leg }) => server === 'everything' && protocol === 'imap' && leg === 'starttls',
      );
      const { shown } = await gsasl({ port: ports[index] ?? 0, service: 'imap', ca: letterlock.localCa });
      expect(servers.everything.tries, shown).toEqual([plain]);
    });

    test('the log holds no password', async () => {
      await until('a session', () => letterlock.entries('session-ended').length > 0);
      expect(letterlock.output()).not.toMatch(/pass word1|AGJvYgBwYXNz|cGFzcyB3b3JkMQ/);
    });
  },
);
