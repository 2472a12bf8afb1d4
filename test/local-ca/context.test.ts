// What a client can and cannot get out of the TLS settings of its leg.

import { once } from 'node:events';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerCredentials } from '../../src/net/local-handshake.ts';
import type { ClientTlsVersion } from '../../src/proxy/route.ts';
import { serve, serving, tlsRoute, World } from './world.ts';

let world: World;
let ca: string;
const credentials = new Map<ClientTlsVersion, ServerCredentials>();
const versions: readonly ClientTlsVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];
beforeAll(async () => {
  world = await World.make();
  const routes = versions.map((minVersion) => tlsRoute({ minVersion }));
  const tls = world.tls();
  const prepared = await tls.prepare(serving(routes));
  await prepared.save();
  prepared.take();
  for (const route of routes) credentials.set(route.clientTls.minVersion, prepared.credentialsFor(route));
  ca = await world.text('ca.crt');
});
afterAll(() => world.close());

async function talk<T>(
  minVersion: ClientTlsVersion,
  options: ConnectionOptions,
  look: (client: TLSSocket) => T | Promise<T>,
): Promise<T> {
  const found = credentials.get(minVersion);
  if (found === undefined) throw new TypeError('no such credentials');
  const { port, close } = await serve(found);
  const client = connect({ host: '127.0.0.1', port, ca, ...options });
  try {
    await once(client, 'secureConnect');
    return await look(client);
  } finally {
    client.destroy();
    close();
  }
}

const only = (version: ClientTlsVersion): ConnectionOptions => ({
  minVersion: version,
  maxVersion: version,
  ciphers: 'DEFAULT:@SECLEVEL=0',
});

describe.each(versions)('from %s on', (oldest) => {
  it.each(versions)('a client of %s alone is served or refused', async (version) => {
    const spoken = talk(oldest, only(version), (client) => client.getProtocol());
    if (versions.indexOf(version) < versions.indexOf(oldest))
      await expect(spoken).rejects.toThrow(/protocol version|alert|ECONNRESET/i);
    else expect(await spoken).toBe(version);
  });
});

it.each([
  ['AES128-SHA256', 'no forward secrecy'],
  ['ECDHE-ECDSA-AES128-SHA256', 'no authenticated cipher'],
])('a modern leg does not take %s: %s', async (cipher) => {
  const options = { maxVersion: 'TLSv1.2', ciphers: cipher } as const;
  await expect(talk('TLSv1.2', options, () => null)).rejects.toThrow(/handshake failure/);
  const good = { ...options, ciphers: `${cipher}:ECDHE-ECDSA-AES128-GCM-SHA256` };
  expect(await talk('TLSv1.2', good, (client) => client.getCipher().name)).toBe(
    'ECDHE-ECDSA-AES128-GCM-SHA256',
  );
});

it('the server chooses among the ciphers of a client', async () => {
  const ciphers = 'ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256';
  const options = { maxVersion: 'TLSv1.2', ciphers } as const;
  expect(await talk('TLSv1.2', options, (client) => client.getCipher().name)).toBe(
    'ECDHE-ECDSA-AES128-GCM-SHA256',
  );
});

it.each(['TLSv1.2', 'TLSv1'] as const)('no client of a leg from %s renegotiates', async (oldest) => {
  const refused = talk(
    oldest,
    { maxVersion: 'TLSv1.2' },
    (client) =>
      new Promise<unknown>((resolve) => {
        client.on('error', resolve);
        client.renegotiate({}, (error) => resolve(error));
      }),
  );
  expect(await refused).toMatchObject({ message: expect.stringMatching(/renegotiation|alert/i) });
});

it('no session is resumed: each client is shown the certificate that holds now', async () => {
  const session = await talk('TLSv1.2', { maxVersion: 'TLSv1.2' }, (client) => client.getSession());
  const again = { maxVersion: 'TLSv1.2', ...(session === undefined ? {} : { session }) } as const;
  expect(await talk('TLSv1.2', again, (client) => client.isSessionReused())).toBe(false);
});
