// Thunderbird, driven from inside, on each kind of leg: it reads and sends through letterlock what it does at the
// server itself, and shows the refusal after the server's key has changed.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Fetched, Reader, Seen, Where } from '../lab/clients/client.ts';
import { thunderbirdImap, thunderbirdPop3, thunderbirdSmtp } from '../lab/clients/thunderbird.ts';
import { digests } from '../lab/digest.ts';
import { serverHost } from '../lab/dovecot.ts';
import { temporaryFolder } from '../lab/folder.ts';
import { openForward } from '../lab/forward.ts';
import { startLetterlock, type Letterlock } from '../lab/letterlock.ts';
import { startMailLab, type MailLab } from '../lab/mail-lab.ts';
import { describeWith } from '../lab/needs.ts';
import { freePorts } from '../lab/port.ts';

const legs = ['imap-starttls', 'imap-none', 'pop3-implicit', 'smtp-starttls', 'smtp-implicit'] as const;
type Leg = (typeof legs)[number];

const tlsOf = (leg: Leg): Where['tls'] => {
  if (leg.endsWith('none')) return 'none';
  return leg.endsWith('starttls') ? 'starttls' : 'implicit';
};

const message = Buffer.from(
  'From: bob@lab.test\nTo: alice@lab.test\nSubject: a letter\nMessage-ID: <m1@lab>\n' +
    'Date: Mon, 23 Nov 2026 06:00:00 +0000\n\n.a line with a dot\n\nand an end\n',
);

describeWith(['dovecot', 'postfix', 'openssl', 'thunderbird'], { root: true })('Thunderbird', () => {
  let lab: MailLab;
  let letterlock: Letterlock;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let ports: readonly number[];
  let localCa: string;

  beforeAll(async () => {
    folder = await temporaryFolder();
    lab = await startMailLab({ variant: 'ca1', seeded: true, postfix: true });
    ports = await freePorts('127.0.0.1', legs.length);
    letterlock = await startLetterlock(
      legs.map((leg, index) => {
        const { scheme, port } = upstream(leg);
        return {
          name: leg,
          listen: ports[index] ?? 0,
          upstream: `${scheme}://mail.lab.test:${port}`,
          address: `${serverHost}:${port}`,
          settings: { clientTls: tlsOf(leg) === 'none' ? 'off' : tlsOf(leg), trust: 'tofu' },
        };
      }),
    );
    localCa = join(folder.path, 'local-ca.crt');
    const exported = await letterlock.command('local-ca', 'export', '-');
    expect(exported.exit, exported.shown).toBe(0);
    await writeFile(localCa, exported.stdout);
  });
  afterAll(async () => {
    await letterlock.stop();
    await lab.stop();
    await folder.remove();
  });

  function upstream(leg: Leg): { readonly scheme: string; readonly port: number } {
    const { dovecot, postfix } = lab;
    if (leg.startsWith('imap')) return { scheme: 'imaps', port: dovecot.ports.imaps };
    if (leg.startsWith('pop3')) return { scheme: 'pop3', port: dovecot.ports.pop3 };
    return { scheme: 'submission', port: postfix.ports.submission };
  }

  const through = (leg: Leg): Where => ({
    host: 'localhost',
    port: ports[legs.indexOf(leg)] ?? 0,
    tls: tlsOf(leg),
    caFile: localCa,
  });

  async function atServer(reader: Reader, port: number): Promise<Fetched> {
    const forward = await openForward({ host: serverHost, port });
    try {
      return await reader.read({
        host: 'localhost',
        port: forward.port,
        tls: 'implicit',
        caFile: lab.caFile,
      });
    } finally {
      await forward.close();
    }
  }

  const send = (leg: Leg): Promise<Seen> => thunderbirdSmtp.send(through(leg), message);

  test('reads by IMAP over STARTTLS and in clear what it reads at the server', async () => {
    const own = await atServer(thunderbirdImap, lab.dovecot.ports.imaps);
    expect(own.messages.length, own.shown).toBeGreaterThan(5);
    for (const leg of ['imap-starttls', 'imap-none'] as const) {
      const relayed = await thunderbirdImap.read(through(leg));
      expect(digests(relayed.messages), relayed.shown).toEqual(digests(own.messages));
    }
  });

  test('reads by POP3 over TLS what it reads at the server', async () => {
    const own = await atServer(thunderbirdPop3, lab.dovecot.ports.pop3s);
    expect(own.messages.length, own.shown).toBeGreaterThan(5);
    const relayed = await thunderbirdPop3.read(through('pop3-implicit'));
    expect(digests(relayed.messages), relayed.shown).toEqual(digests(own.messages));
  });

  test.each(['smtp-starttls', 'smtp-implicit'] as const)('sends by %s', async (leg) => {
    const { exit, shown } = await send(leg);
    expect(exit, shown).toBe(0);
    const [arrived] = await lab.postfix.collect('alice', 1);
    expect(arrived?.toString('latin1')).toContain(message.toString('latin1'));
  });

  test('trusts no certificate of another CA, and says so', async () => {
    const { exit, shown } = await thunderbirdImap.read({ ...through('imap-starttls'), caFile: lab.caFile });
    expect(exit).toBe(1);
    expect(shown).toMatch(/does not come from a trusted source/);
  });

  test('shows the refusal after the key changed, and nothing was sent', async () => {
    await lab.swap('ca2');
    const logBefore = await lab.dovecot.log();
    for (const work of [
      () => thunderbirdImap.read(through('imap-starttls')),
      () => thunderbirdImap.read(through('imap-none')),
      () => thunderbirdPop3.read(through('pop3-implicit')),
      () => send('smtp-starttls'),
    ]) {
      const { exit, shown } = await work();
      expect(exit).toBe(1);
      expect(shown).toMatch(/letterlock refused mail\.lab\.test: its key changed\./);
    }
    const since = (await lab.dovecot.log()).slice(logBefore.length);
    expect(since).not.toMatch(/Login: user|auth failed|tried to use|[1-9]\d* attempts/);
  });
});
