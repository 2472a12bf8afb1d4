// Sessions that ask for TLSA records: the resolver is the test's own, the server, its handshake and the engine are real.

import { createHash, X509Certificate } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { endpointOf } from '../../src/endpoint.ts';
import { loadAnchors, type AnchorSet } from '../../src/net/anchors.ts';
import { TlsaFinder } from '../../src/net/tlsa.ts';
import type { TlsaAnswer } from '../../src/trust/dane.ts';
import type { TrustSettings } from '../../src/trust/evidence.ts';
import { FakeResolver, type Answering } from '../net/fake-resolver.ts';
import { selfSigned, type Identity } from '../net/peers.ts';
import { honest } from './scripts.ts';
import { keyOf, Rig, type RigOptions } from './world.ts';

let anchors: AnchorSet;
let own: Identity;
let other: Identity;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  anchors = await loadAnchors(['system']);
  own = await selfSigned();
  other = await selfSigned();
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const digestOf = ({ cert }: Identity): Buffer =>
  createHash('sha256')
    .update(new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
const recordOf = (identity: Identity) => ({
  usage: 3,
  selector: 1,
  matching: 1,
  data: digestOf(identity),
});
const proven = (
  identity: Identity,
  { names = ['mail.test'], seconds = 300 }: { names?: readonly [string, ...string[]]; seconds?: number } = {},
): TlsaAnswer => ({
  state: 'records',
  records: [recordOf(identity)],
  names,
  expires: Date.now() + seconds * 1_000,
});
const unproven: TlsaAnswer = { state: 'failed', detail: 'no answer in time' };

const byDane: TrustSettings = { policy: 'dane', firstUse: 'accept', configPins: [] };
const preferring: TrustSettings = { policy: 'auto', firstUse: 'accept', configPins: [], dane: 'prefer' };

async function rigWith(trust: TrustSettings, options: Partial<RigOptions> = {}): Promise<Rig> {
  const rig = await Rig.open({
    script: [...honest('imap', 'implicit'), { do: 'echo' }],
    identity: own,
    anchors,
    ...options,
    route: { endpoint: endpointOf('mail.test', 993), trust, ...options.route },
  });
  closing.push(() => rig.close());
  return rig;
}

/** The route's endpoint is a name; the server is where it listens. */
async function rigAt(trust: TrustSettings, find: () => TlsaAnswer | Promise<TlsaAnswer>): Promise<Rig> {
  const rig = await rigWith(trust, { findTlsa: async () => find() });
  const { route, proxy, server } = rig;
  await proxy.replace([{ ...route, addresses: [{ host: '127.0.0.1', port: server.port }] }]);
  return rig;
}

async function outcome(rig: Rig): Promise<string> {
  const ended = rig.ends.length;
  const client = rig.client();
  await client.hear('\r\n');
  client.socket.end();
  await client.over();
  const end = await rig.end(ended + 1);
  return end.outcome === 'relayed' ? `+${end.basis}` : `${end.outcome} ${end.reason}`;
}

describe('a session under trust: dane', () => {
  it('is relayed on a proven match, and leaves no key behind', async () => {
    const rig = await rigAt(byDane, () => proven(own));
    expect(await outcome(rig)).toBe('+dane');
    expect(rig.tofu.record('mail.test:993')).toMatchObject({ basis: 'pinned', byDane: true, pins: [] });
    expect(rig.events.filter(({ type }) => type === 'tlsa-looked-up')).toMatchObject([
      { endpoint: 'mail.test:993', result: 'records' },
    ]);
    expect(rig.events.find(({ type }) => type === 'judged')).toMatchObject({
      dane: 'match',
      verdict: 'dane',
    });
  });

  it('is refused on a mismatch, before the server hears a byte of the client', async () => {
    const rig = await rigAt(byDane, () => proven(other));
    const client = rig.client().say('A1 LOGIN user secret\r\n');
    await client.hear('its key is not the one named by DANE');
    await rig.end();
    expect(rig.server.heard).toBe('');
    expect(rig.tofu.record('mail.test:993')?.candidates).toMatchObject([
      { spki: keyOf(own), reason: 'dane-mismatch' },
    ]);
  });

  it('is refused for now when nothing is proven, and when there is no resolver', async () => {
    expect(await outcome(await rigAt(byDane, () => unproven))).toBe('refused dane-unproven');
    const without = await rigWith(byDane);
    const { route, proxy, server } = without;
    await proxy.replace([{ ...route, addresses: [{ host: '127.0.0.1', port: server.port }] }]);
    expect(await outcome(without)).toBe('refused dane-unproven');
    expect((await without.end()).detail).toContain('no resolver is configured');
  });

  it('asks the server for the name where its aliases end', async () => {
    const answer = proven(own, { names: ['mx.example.net', 'mail.test'] });
    const named: (string | false | null)[] = [];
    const rig = await rigAt(byDane, () => answer);
    rig.server.secured = (socket) => named.push(socket.servername);
    expect(await outcome(rig)).toBe('+dane');
    expect(named).toEqual(['mx.example.net']);
    const plain = await rigAt(preferring, () => answer);
    plain.server.secured = (socket) => named.push(socket.servername);
    expect(await outcome(plain)).toBe('+dane');
    expect(named).toEqual(['mx.example.net', 'mail.test']);
  });

  it('ends with its client although nobody answers the look-up', async () => {
    const rig = await rigAt(byDane, () => new Promise<TlsaAnswer>(() => undefined));
    const client = rig.client();
    await rig.until(() => rig.count('dialled') === 1);
    client.socket.destroy();
    expect(await rig.end()).toMatchObject({ outcome: 'failed', reason: 'client' });
  });
});

/** Of any name, the key of `own`. */
const answering: Answering = ({ name, type }) =>
  type === 1
    ? {}
    : { answers: [{ name, type: 'TLSA', data: Buffer.concat([Buffer.of(3, 1, 1), digestOf(own)]) }] };

describe('a session under auto with dane: prefer', () => {
  it('takes a proven key without a CA and without a pin, and no other after it', async () => {
    let answer = proven(own);
    const rig = await rigAt(preferring, () => answer);
    expect(await outcome(rig)).toBe('+dane');
    expect(await outcome(rig)).toBe('+dane');
    answer = unproven;
    expect(await outcome(rig)).toBe('refused dane-unproven');
    expect(rig.tofu.record('mail.test:993')?.pins).toEqual([]);
  });

  it('refuses a proven contradiction', async () => {
    expect(await outcome(await rigAt(preferring, () => proven(other)))).toBe('refused dane-mismatch');
  });

  it('is plain auto where nothing is proven', async () => {
    const rig = await rigAt(preferring, () => unproven);
    expect(await outcome(rig)).toBe('+first-use');
    expect(await outcome(rig)).toBe('+pin');
  });

  it('asks nothing where it is off', async () => {
    let asked = 0;
    const rig = await rigAt({ ...preferring, dane: 'off' }, () => {
      asked += 1;
      return proven(other);
    });
    expect(await outcome(rig)).toBe('+first-use');
    expect(asked).toBe(0);
  });

  it('finds the records through a resolver on this machine', async () => {
    const resolver = await FakeResolver.open(answering);
    closing.push(() => resolver.close());
    const finder = new TlsaFinder(
      { kind: 'loopback', host: '127.0.0.1', port: resolver.port },
      { now: Date.now },
    );
    const rig = await rigAt(preferring, () => finder.find(endpointOf('mail.test', 993)));
    expect(await outcome(rig)).toBe('+dane');
    expect(resolver.asked.map(({ name }) => name)).toEqual(['mail.test', '_993._tcp.mail.test']);
  });
});

describe('a connection kept ready', () => {
  it('is handed out while the proof of its key holds', async () => {
    let answer = proven(own, { seconds: 15 });
    const rig = await rigAt(byDane, () => answer);
    const { route, proxy, server } = rig;
    const addresses = [{ host: '127.0.0.1', port: server.port }];
    await proxy.replace([{ ...route, addresses, warm: 1 }]);
    expect(await outcome(rig)).toBe('+dane');
    await expect.poll(() => proxy.status()[0]?.warm).toBe(1);
    answer = proven(other);
    expect(await outcome(rig)).toBe('+dane');
  });

  it('is not handed out when that proof is too old', async () => {
    let answer = proven(own, { seconds: 15 });
    const rig = await rigAt(byDane, () => answer);
    const { route, proxy, server } = rig;
    const addresses = [{ host: '127.0.0.1', port: server.port }];
    await proxy.replace([{ ...route, addresses, warm: 1 }]);
    expect(await outcome(rig)).toBe('+dane');
    await expect.poll(() => proxy.status()[0]?.warm).toBe(1);
    answer = proven(other);
    // Younger than a connection may become, and older than its proof.
    rig.clock.ahead = 20_000;
    expect(await outcome(rig)).toBe('refused dane-mismatch');
  });
});
