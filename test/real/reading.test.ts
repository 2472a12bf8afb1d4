// Real clients read awkward mail from a real Dovecot through letterlock, and get byte for byte what they get
// when they talk to the server themselves over TLS they verify themselves.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { clientPrograms, readers } from '../lab/clients/all.ts';
import type { Fetched, Reader } from '../lab/clients/client.ts';
import { sieveScript } from '../lab/clients/sieve-connect.ts';
import { digests } from '../lab/digest.ts';
import { serverHost } from '../lab/dovecot.ts';
import { openForward, openTunnel } from '../lab/forward.ts';
import { awkwardMessages } from '../lab/messages.ts';
import { describeWith } from '../lab/needs.ts';
import { visit } from '../lab/visit.ts';
import { readingWays, startProviders, type Providers, type Way } from '../lab/providers.ts';

// In clear, and as the base64 of AUTHENTICATE PLAIN and LOGIN.
const password = /pass word1|AGJvYgBwYXNz|cGFzcyB3b3JkMQ/;

// fetchmail and mbsync leave out the message whose header never ends.
const fewest = awkwardMessages().length - 1;

describeWith(['dovecot', 'openssl', ...clientPrograms], { root: false })('through letterlock', () => {
  let providers: Providers;
  beforeAll(async () => {
    providers = await startProviders(readingWays, { seeded: true, postfix: false });
  });
  afterAll(() => providers.stop());

  function signedPort({ protocol, alone }: Reader): number {
    const { ports } = providers.signed.dovecot;
    switch (protocol) {
      case 'imap':
        return alone === 'starttls' ? ports.imap : ports.imaps;
      case 'pop3':
        return alone === 'starttls' ? ports.pop3 : ports.pop3s;
      case 'sieve':
        return ports.sieve;
    }
  }

  /** The client without letterlock, at the CA-signed server; the certificate is checked on the way. */
  async function direct(reader: Reader): Promise<Fetched> {
    const { caFile } = providers.signed;
    const server = { host: serverHost, port: signedPort(reader) };
    const tunnel = reader.alone === 'tunnel';
    const forward = await (tunnel ? openTunnel(server, caFile) : openForward(server));
    try {
      const tls = reader.alone === 'tunnel' ? 'none' : reader.alone;
      return await reader.read({ host: 'localhost', port: forward.port, tls, caFile });
    } finally {
      await forward.close();
    }
  }

  const through = (reader: Reader, way: Way): Promise<Fetched> =>
    reader.read({
      host: '127.0.0.1',
      port: providers.portOf(way),
      tls: 'none',
      caFile: providers.signed.caFile,
    });

  test.each(readers.map((reader) => [reader.name, reader] as const))(
    '%s gets what it gets without',
    async (_, reader) => {
      const plain = await direct(reader);
      expect(plain.messages.length, plain.shown).toBeGreaterThanOrEqual(
        reader.protocol === 'sieve' ? 2 : fewest,
      );
      for (const way of readingWays.filter(({ protocol }) => protocol === reader.protocol)) {
        const relayed = await through(reader, way);
        expect({ way: way.name, messages: digests(relayed.messages) }, relayed.shown).toEqual({
          way: way.name,
          messages: digests(plain.messages),
        });
        expect(relayed.exit).toBe(plain.exit);
      }
    },
  );

  test('a Sieve script comes back as it was sent', async () => {
    for (const way of readingWays.filter(({ protocol }) => protocol === 'sieve')) {
      const reader = readers.find(({ protocol }) => protocol === 'sieve');
      const { messages } = (await reader?.read({
        host: '127.0.0.1',
        port: providers.portOf(way),
        tls: 'none',
        caFile: '',
      })) ?? { messages: [] };
      expect(messages.some((bytes) => bytes.equals(sieveScript))).toBe(true);
    }
  });

  test('the log says on what basis each server was trusted', async () => {
    for (const way of readingWays) {
      for (const _ of ['first', 'second']) await visit(providers.portOf(way));
      const ended = providers.letterlock
        .entries('session-ended')
        .filter((entry) => entry['route'] === way.name);
      const bases = [...new Set(ended.map((entry) => entry['basis']))];
      const expected = way.provider === 'signed' ? ['ca'] : ['first-use', 'pin'];
      expect({ way: way.name, bases }).toEqual({ way: way.name, bases: expected });
    }
  });

  test('the log holds no password', () => {
    expect(providers.letterlock.entries('session-ended').length).toBeGreaterThan(0);
    expect(providers.letterlock.output()).not.toMatch(password);
  });
});
