// The server's key changes. Every real client is refused in its own protocol, shows the refusal where it can
// show anything, and nothing of what it says reaches the server.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { clientPrograms, readers, senders } from '../lab/clients/all.ts';
import type { Seen, Where } from '../lab/clients/client.ts';
import { anyLogin } from '../lab/dovecot.ts';
import { awkwardMessages } from '../lab/messages.ts';
import { describeWith } from '../lab/needs.ts';
import { readingWays, sendingWays, startProviders, type Providers, type Way } from '../lab/providers.ts';
import { visit } from '../lab/visit.ts';

const sentence =
  /letterlock refused mail\.lab\.test: its key changed\. Nothing was sent \(#[0-9A-Z]{3}-\d+\)\. Run: letterlock explain [0-9A-HJKMNP-TV-Z]{8}/;

const ways: readonly Way[] = [...readingWays, ...sendingWays]
  .filter(({ name }) => name !== 'sieve-ca' && name !== 'lmtp-ca' && !name.startsWith('dovecot-'))
  .map((way) => ({ ...way, name: `${way.service}-tofu`, provider: 'selfSigned' }));

interface Row {
  readonly name: string;
  readonly protocol: Way['protocol'];
  readonly showsRefusal: 'whole' | 'capitals' | 'start' | 'no';
  readonly refusedExit: number | null;
  readonly go: (where: Where) => Promise<Seen>;
}

const plainMessage = awkwardMessages()[0]?.bytes ?? Buffer.alloc(0);
const rows: readonly Row[] = [
  ...readers.map((reader) => ({ ...reader, go: (where: Where) => reader.read(where) })),
  ...senders.map((sender) => ({ ...sender, go: (where: Where) => sender.send(where, plainMessage) })),
];

describeWith(['dovecot', 'postfix', 'openssl', ...clientPrograms], { root: true })(
  'after the key changed',
  () => {
    let providers: Providers;
    let logBefore: string;
    const where = (way: Way): Where => ({
      host: '127.0.0.1',
      port: providers.portOf(way),
      tls: 'none',
      caFile: '',
    });

    beforeAll(async () => {
      providers = await startProviders(ways, { seeded: true, postfix: true });
      // One visit each pins the key.
      for (const way of ways)
        expect(await visit(providers.portOf(way)), way.name).not.toContain('letterlock refused');
      expect(providers.letterlock.entries('pin-changed').map((entry) => entry['change'])).toEqual(
        ways.map(() => 'first-use'),
      );
      await providers.selfSigned.swap('self2');
      logBefore = await providers.selfSigned.dovecot.log();
    });
    afterAll(() => providers.stop());

    test.each(rows.map((row) => [row.name, row] as const))(
      '%s is refused and shows what it can',
      async (_, { protocol, showsRefusal, refusedExit, go }) => {
        for (const way of ways.filter((each) => each.protocol === protocol)) {
          const { exit, shown } = await go(where(way));
          const text = shown.replaceAll(/\s+/g, ' ');
          if (showsRefusal === 'whole') expect(text).toMatch(sentence);
          if (showsRefusal === 'capitals')
            expect(text).toMatch(new RegExp(sentence.source.replace('explain', 'EXPLAIN'), 'i'));
          if (showsRefusal === 'start')
            expect(text).toMatch(/letterlock refused mail\.lab\.test: its key chang/);
          if (showsRefusal === 'no') expect(text).not.toMatch(sentence);
          if (refusedExit !== null) expect(exit, shown).toBe(refusedExit);
        }
      },
    );

    test('no login was tried at the server', async () => {
      const since = (await providers.selfSigned.dovecot.log()).slice(logBefore.length);
      expect(since, 'the server was reached at all').toContain('no auth attempts');
      expect(since).not.toMatch(anyLogin);
    });

    test('the log says it as the clients were told', () => {
      const refused = providers.letterlock
        .entries('session-ended')
        .filter((entry) => entry['outcome'] === 'refused');
      expect(new Set(refused.map((entry) => entry['reason']))).toEqual(new Set(['pin-mismatch']));
      expect(new Set(refused.map((entry) => entry['route']))).toEqual(new Set(ways.map(({ name }) => name)));
      // A client that does not wait for the words was told nothing; none is told anything else.
      const told = refused.filter((entry) => entry['said'] !== null);
      expect(new Set(told.map((entry) => entry['route']))).toEqual(new Set(ways.map(({ name }) => name)));
      for (const entry of told) expect(entry['said']).toMatch(sentence);
    });

    test('explain tells more about the reference the clients saw', async () => {
      const [refused] = providers.letterlock
        .entries('session-ended')
        .filter((entry) => entry['outcome'] === 'refused');
      const { exit, shown } = await providers.letterlock.command('explain', String(refused?.['reference']));
      expect(exit, shown).toBe(0);
      expect(shown).toContain('pin-mismatch');
    });

    test('with the old key back, each client is served again', async () => {
      await providers.selfSigned.swap('self1');
      const { exit, shown } = await providers.letterlock.command('reload');
      expect(exit, shown).toBe(0);
      for (const way of ways)
        expect(await visit(providers.portOf(way)), way.name).not.toContain('letterlock refused');
    });
  },
);
