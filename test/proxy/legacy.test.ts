// Servers that speak nothing but what nobody should: reached where the route says so, and relayed on a pin alone.

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsOptions } from 'node:tls';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { endpointOf } from '../../src/endpoint.ts';
import { loadAnchors, type AnchorSet } from '../../src/net/anchors.ts';
import type { Route } from '../../src/proxy/route.ts';
import {
  dh1024Parameters,
  listen,
  portOf,
  rsaSelfSigned,
  selfSigned,
  tlsServer,
  type Identity,
} from '../net/peers.ts';
import { keyOf, makeAuthority, Rig } from './world.ts';

let directory: string;
let anchors: AnchorSet;
let ec: Identity;
let certified: Identity;
let rsa: Identity;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'letterlock-legacy-'));
  const authority = await makeAuthority();
  await writeFile(join(directory, 'ca.pem'), authority.pem);
  anchors = await loadAnchors([join(directory, 'ca.pem')]);
  ec = await selfSigned();
  certified = await authority.issue();
  const made = rsaSelfSigned();
  // The program writes key and certificate into one text.
  rsa = { key: made.key, cert: new X509Certificate(made.cert).toString() };
  await writeFile(join(directory, 'rsa.pem'), made.key);
});
afterAll(() => rm(directory, { recursive: true }));
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const ciphers = 'DEFAULT:@SECLEVEL=0';
const tls10 = { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers } as const;

async function oldServer(identity: Identity, options: TlsOptions): Promise<number> {
  const server = await tlsServer(identity, options, (socket) => {
    socket.write('* OK ready\r\n');
    socket.on('data', (chunk) => socket.write(chunk));
    socket.on('end', () => socket.end());
  });
  closing.push(() => server.close());
  return portOf(server);
}

async function rigTo(port: number, part: Partial<Route> = {}): Promise<Rig> {
  const rig = await Rig.open({
    script: [],
    identity: ec,
    anchors,
    route: {
      endpoint: endpointOf('127.0.0.1', port),
      legacyServer: true,
      trust: { policy: 'auto', firstUse: 'accept', configPins: [] },
      ...part,
    },
  });
  closing.push(() => rig.close());
  return rig;
}

async function reason(rig: Rig): Promise<string | null> {
  const ends = rig.ends.length;
  await rig.client().over();
  return (await rig.end(ends + 1)).reason;
}

async function relayed(rig: Rig, greeting = 'ready'): Promise<void> {
  const ends = rig.ends.length;
  const client = await rig.client().hear(greeting);
  await client.say('a1 NOOP\r\n').hear('a1 NOOP');
  client.socket.end();
  expect(await rig.end(ends + 1)).toMatchObject({ outcome: 'relayed', basis: 'pin' });
}

const approve = (rig: Rig, spki: string): Promise<unknown> => {
  const plain = { forMs: null, as: null, keep: false, endOld: false, unreject: false } as const;
  return rig.tofu.command(
    { command: 'approve', endpoint: rig.endpoint, expect: spki, ...plain },
    { origin: 'cli' },
  );
};

it.each<[string, () => Identity, TlsOptions, string]>([
  ['TLS 1.0', () => ec, tls10, 'tls-too-old'],
  ['TLS 1.0 under a CA that is trusted', () => certified, tls10, 'tls-too-old'],
  [
    'a 1024-bit Diffie-Hellman group',
    () => rsa,
    {
      maxVersion: 'TLSv1.2',
      ciphers: 'DHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0',
      dhparam: dh1024Parameters(),
    },
    'tls-failed',
  ],
  ['TLS 1.3, on a route that says legacy', () => ec, {}, ''],
])(
  '%s: refused until its key is approved, then relayed, and another key is refused',
  async (_, identity, options, modern) => {
    const port = await oldServer(identity(), options);
    const rig = await rigTo(port);
    const spki = keyOf(identity());
    const refused = await rig.client().over();
    expect(refused.text).toMatch(
      /^\* BYE \[ALERT\] letterlock refused 127\.0\.0\.1: it is a legacy server without a pin\. Nothing was sent \(#[0-9A-Z]{3}-\d+\)\. Run: letterlock explain [0-9A-Z]{8}\r\n$/,
    );
    expect(await rig.end()).toMatchObject({ outcome: 'refused', reason: 'legacy-unpinned', spki });
    expect(rig.tofu.record(rig.endpoint)).toMatchObject({
      basis: 'none',
      lastCa: null,
      candidates: [{ spki, reason: 'legacy-unpinned', evidence: { legacy: true, caValid: false } }],
    });
    await approve(rig, spki);
    await relayed(rig);
    expect(rig.tofu.record(rig.endpoint)).toMatchObject({ basis: 'pinned', lastCa: null });

    const changed = await oldServer(await selfSigned(), tls10);
    await rig.proxy.replace([{ ...rig.route, addresses: [{ host: '127.0.0.1', port: changed }] }]);
    expect(await reason(rig)).toBe('pin-mismatch');

    // Without the setting nothing of the kind is spoken, pin or not.
    if (modern === '') return;
    await rig.proxy.replace([{ ...rig.route, legacyServer: false }]);
    expect(await reason(rig)).toBe(modern);
  },
);

it('a pin of the configuration counts from the first session on', async () => {
  const port = await oldServer(ec, tls10);
  const rig = await rigTo(port, { trust: { policy: 'pinned', firstUse: 'accept', configPins: [keyOf(ec)] } });
  await relayed(rig);
});

it('what a CA verified in a modern handshake is not relayed in a legacy one', async () => {
  const port = await oldServer(certified, { minVersion: 'TLSv1', ciphers });
  const rig = await rigTo(port, { legacyServer: false });
  const client = await rig.client().hear('ready');
  client.socket.end();
  expect(await rig.end()).toMatchObject({ basis: 'ca' });
  await rig.proxy.replace([{ ...rig.route, legacyServer: true }]);
  expect(await reason(rig)).toBe('ca-lost');
});

it('the openssl program as a TLS 1.0 server is relayed on its pin', async () => {
  const free = await listen(createServer());
  const port = portOf(free);
  await new Promise((resolve) => free.close(resolve));
  const args = ['s_server', '-accept', `127.0.0.1:${port}`, '-cert', join(directory, 'rsa.pem'), '-tls1'];
  const child = spawn('openssl', [...args, '-cipher', ciphers], { stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  closing.push(async () => {
    child.kill();
    await ended;
  });
  for await (const chunk of child.stdout) if (String(chunk).includes('ACCEPT')) break;
  const rig = await rigTo(port, { protocol: 'tls' });
  expect(await reason(rig)).toBe('legacy-unpinned');
  await approve(rig, keyOf(rsa));
  const client = rig.client();
  await rig.until(() => rig.count('handshaken') === 2);
  child.stdin.write('hello from 1999\n');
  await client.hear('hello from 1999');
  expect(rig.events).toContainEqual(expect.objectContaining({ type: 'handshaken', version: 'TLSv1' }));
});
