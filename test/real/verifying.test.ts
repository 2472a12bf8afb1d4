// The clients' own TLS: none takes a certificate that its CA did not sign. That is what makes a message that came
// through a local TLS leg worth anything.

import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clientPrograms, readers, senders } from '../lab/clients/all.ts';
import type { Seen, TlsMode, Where } from '../lab/clients/client.ts';
import { serverHost } from '../lab/dovecot.ts';
import { openForward } from '../lab/forward.ts';
import { startMailLab, type MailLab } from '../lab/mail-lab.ts';
import { awkwardMessages } from '../lab/messages.ts';
import { describeWith } from '../lab/needs.ts';

interface Row {
  readonly name: string;
  readonly protocol: 'imap' | 'pop3' | 'sieve' | 'smtp' | 'lmtp';
  readonly modes: readonly TlsMode[];
  readonly go: (where: Where) => Promise<Seen>;
}

const plainMessage = awkwardMessages()[0]?.bytes ?? Buffer.alloc(0);
const rows: readonly Row[] = [
  ...readers.map((reader) => ({ ...reader, go: (where: Where) => reader.read(where) })),
  ...senders.map((sender) => ({ ...sender, go: (where: Where) => sender.send(where, plainMessage) })),
];
const cases = rows.flatMap((row) => row.modes.map((tls) => ({ ...row, tls })));

const aboutCertificates = /certificate|certificat|SSL connection failed|TLS error/i;

describeWith(['dovecot', 'postfix', 'openssl', ...clientPrograms], { root: true })(
  'a server whose certificate another CA signed',
  () => {
    let lab: MailLab;
    let logBefore: string;
    beforeAll(async () => {
      lab = await startMailLab({ variant: 'ca1', seeded: true, postfix: true });
      logBefore = await lab.dovecot.log();
    });
    afterAll(() => lab.stop());

    function serverPort({ protocol, tls }: { protocol: Row['protocol']; tls: TlsMode }): number {
      const { dovecot, postfix } = lab;
      switch (protocol) {
        case 'imap':
          return tls === 'starttls' ? dovecot.ports.imap : dovecot.ports.imaps;
        case 'pop3':
          return tls === 'starttls' ? dovecot.ports.pop3 : dovecot.ports.pop3s;
        case 'smtp':
          return tls === 'starttls' ? postfix.ports.submission : postfix.ports.submissions;
        case 'sieve':
          return dovecot.ports.sieve;
        case 'lmtp':
          return dovecot.ports.lmtp;
      }
    }

    // No server here speaks LMTP in TLS from the first byte.
    const reachable = cases.filter(({ protocol, tls }) => protocol !== 'lmtp' || tls === 'starttls');
    test.each(reachable.map((row) => [row.name, row.tls, row] as const))(
      '%s does not take it over %s',
      async (name, tls, { protocol, go }) => {
        const forward = await openForward({ host: serverHost, port: serverPort({ protocol, tls }) });
        try {
          const caFile = join(lab.certificates, 'self2.crt');
          const { shown, exit } = await go({ host: 'localhost', port: forward.port, tls, caFile });
          expect(exit, shown).not.toBe(name.startsWith('aerc') ? 0 : -1);
          // aerc connects again at once and draws over what it said.
          if (!name.startsWith('aerc')) expect(shown).toMatch(aboutCertificates);
        } finally {
          await forward.close();
        }
      },
    );

    test('none of them logged in', async () => {
      const since = (await lab.dovecot.log()).slice(logBefore.length);
      expect(since).toContain('no auth attempts');
      expect(since).not.toMatch(/Login: user|auth failed|[1-9]\d* attempts/);
    });
  },
);
