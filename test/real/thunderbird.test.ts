// Thunderbird, driven from inside, on each kind of leg: it reads and sends through letterlock what it does at the
// server itself, and shows the refusal after the server's key has changed.

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Fetched, Reader, Seen, Where } from '../lab/clients/client.ts';
import { thunderbirdImap, thunderbirdPop3, thunderbirdSmtp } from '../lab/clients/thunderbird.ts';
import { digests } from '../lab/digest.ts';
import { anyLogin } from '../lab/dovecot.ts';
import type { MailLab } from '../lab/mail-lab.ts';
import { describeWith } from '../lab/needs.ts';
import { startTlsLegs, type TlsLegs } from '../lab/tls-legs.ts';

const legs = ['imap-starttls', 'imap-none', 'pop3-implicit', 'smtp-starttls', 'smtp-implicit'] as const;
type Leg = (typeof legs)[number];

const clientTlsOf = (leg: Leg): Where['tls'] => {
  if (leg.endsWith('none')) return 'none';
  return leg.endsWith('starttls') ? 'starttls' : 'implicit';
};

function upstreamOf(
  leg: Leg,
  { dovecot, postfix }: MailLab,
): { readonly scheme: string; readonly port: number } {
  if (leg.startsWith('imap')) return { scheme: 'imaps', port: dovecot.ports.imaps };
  if (leg.startsWith('pop3')) return { scheme: 'pop3', port: dovecot.ports.pop3 };
  return { scheme: 'submission', port: postfix.ports.submission };
}

const message = Buffer.from(
  'From: bob@lab.test\nTo: alice@lab.test\nSubject: a letter\nMessage-ID: <m1@lab>\n' +
    'Date: Mon, 23 Nov 2026 06:00:00 +0000\n\n.a line with a dot\n\nand an end\n',
);

describeWith(['dovecot', 'postfix', 'openssl', 'thunderbird'], { root: true })('Thunderbird', () => {
  let lab: MailLab;
  let running: TlsLegs;
  beforeAll(async () => {
    running = await startTlsLegs(
      legs.map((leg) => ({
        name: leg,
        clientTls: clientTlsOf(leg),
        upstream: (provider) => upstreamOf(leg, provider),
      })),
    );
    lab = running.lab;
  });
  afterAll(() => running.stop());

  const through = (leg: Leg): Where => running.through(leg);
  const atServer = (reader: Reader, port: number): Promise<Fetched> =>
    running.direct({ port, tls: 'implicit' }, (where) => reader.read(where));
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
    expect(since, 'the server was reached at all').toContain('no auth attempts');
    expect(since).not.toMatch(anyLogin);
  });
});
