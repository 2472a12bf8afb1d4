// Look-ups of TLSA records with a resolver of the test's own: what is proven, what is not, and what is no answer at all.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { endpointOf } from '../../src/endpoint.ts';
import { loadAnchors } from '../../src/net/anchors.ts';
import type { Resolver } from '../../src/net/resolver.ts';
import { TlsaFinder } from '../../src/net/tlsa.ts';
import type { TlsaAnswer } from '../../src/trust/dane.ts';
import { spkiOfCertificate } from '../../src/trust/fingerprint.ts';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  FakeResolver,
  soa,
  type Answering,
  type FakeRecord,
  type Query,
  type Reply,
} from './fake-resolver.ts';
import { selfSigned, type Identity } from './peers.ts';

const host = 'mail.test';
const owner = `_993._tcp.${host}`;
const endpoint = endpointOf(host, 993);
const started = Date.parse('2026-06-01T00:00:00Z');
const digest = Buffer.alloc(32, 7);

const tlsa = (name: string = owner, part: Partial<FakeRecord> = {}): FakeRecord => ({
  name,
  type: 'TLSA',
  data: Buffer.concat([Buffer.of(3, 1, 1), digest]),
  ...part,
});
const alias = (name: string, target: string, ttl = 300): FakeRecord => ({
  name,
  type: 'CNAME',
  ttl,
  data: target,
});
const address = (name: string): FakeRecord => ({ name, type: 'A', data: Buffer.of(192, 0, 2, 1) });
const read = { usage: 3, selector: 1, matching: 1, data: Uint8Array.from(digest) };

const isAddress = ({ type }: Query): boolean => type === 1;

/** Answers for TLSA by name; any name has an address. */
const zone =
  (entries: Readonly<Record<string, Reply>>, addresses: Reply = {}): Answering =>
  (query) =>
    isAddress(query)
      ? { answers: [address(query.name)], ...addresses }
      : (entries[query.name] ?? { rcode: 3, authorities: [soa('test', 60)] });

const opened: FakeResolver[] = [];
afterEach(() => {
  for (const resolver of opened.splice(0)) resolver.close();
});

async function open(answer: Answering, identity: Identity | null = null): Promise<FakeResolver> {
  const resolver = await FakeResolver.open(answer, identity);
  opened.push(resolver);
  return resolver;
}

const finderOf = (resolver: Resolver, now: () => number = () => started, deadlineMs = 5_000): TlsaFinder =>
  new TlsaFinder(resolver, { now, deadlineMs });

async function found(answer: Answering, deadlineMs?: number): Promise<TlsaAnswer> {
  const { port } = await open(answer);
  return finderOf({ kind: 'loopback', host: '127.0.0.1', port }, undefined, deadlineMs).find(endpoint);
}

describe('what a look-up finds', () => {
  it('records, proven', async () => {
    expect(await found(zone({ [owner]: { answers: [tlsa()] } }))).toEqual({
      state: 'records',
      records: [read],
      names: [host],
      expires: started + 300_000,
    });
  });

  it('asks for them with AD and DO, at the name of port and protocol', async () => {
    const resolver = await open(zone({ [owner]: { answers: [tlsa()] } }));
    await finderOf({ kind: 'loopback', host: '127.0.0.1', port: resolver.port }).find(endpoint);
    expect(resolver.asked.map(({ name, type }) => [name, type])).toEqual([
      [host, 1],
      [owner, 52],
    ]);
    expect(
      resolver.asked.every(({ wantsAuthentic, checkingDisabled }) => wantsAuthentic && !checkingDisabled),
    ).toBe(true);
  });

  it.each([
    ['records without the AD bit', { answers: [tlsa()], authentic: false }, 'insecure'],
    ['no name, proven', { rcode: 3, authorities: [soa('test', 60)] }, 'absent'],
    ['no record, proven', { authorities: [soa('test', 60)] }, 'absent'],
    ['no name, not proven', { rcode: 3, authentic: false }, 'insecure'],
    ['records of another name beside the answer', { answers: [tlsa('_993._tcp.other.test')] }, 'absent'],
    ['REFUSED', { rcode: 5 }, 'failed'],
    ['a record that is cut short', { answers: [tlsa(owner, { data: Buffer.of(3, 1) })] }, 'failed'],
    ['more records than anybody needs', { answers: Array.from({ length: 65 }, () => tlsa()) }, 'failed'],
  ] as const)('%s: %s', async (_, reply, state) => {
    expect(await found(zone({ [owner]: reply }))).toMatchObject({ state });
  });

  it('SERVFAIL that goes away when nothing is checked is bogus', async () => {
    const answer = zone({});
    const bogus: Answering = (query) => {
      if (isAddress(query)) return answer(query);
      return query.checkingDisabled ? { answers: [tlsa()], authentic: false } : { rcode: 2 };
    };
    expect(await found(bogus)).toEqual({ state: 'bogus', detail: owner });
    expect(await found((query) => (isAddress(query) ? answer(query) : { rcode: 2 }))).toEqual({
      state: 'failed',
      detail: 'the resolver answered SERVFAIL',
    });
  });

  it('an alias whose signatures do not verify is bogus, whatever stands at the name itself', async () => {
    const answer = zone({ [owner]: { answers: [tlsa()] } });
    const bogus: Answering = (query) => {
      if (!isAddress(query)) return answer(query);
      return query.checkingDisabled ? { authentic: false } : { rcode: 2 };
    };
    expect(await found(bogus)).toMatchObject({ state: 'bogus' });
  });

  it('nobody listens there', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    socket.close();
    await once(socket, 'close');
    expect(await finderOf({ kind: 'loopback', host: '127.0.0.1', port }).find(endpoint)).toEqual({
      state: 'failed',
      detail: 'ECONNREFUSED',
    });
  });

  it('no answer comes', async () => {
    expect(await found(() => null, 50)).toEqual({ state: 'failed', detail: 'no answer in time' });
  });

  it('an address and a .onion name are never asked for', async () => {
    const resolver = await open(() => ({}));
    const finder = finderOf({ kind: 'loopback', host: '127.0.0.1', port: resolver.port });
    expect(await finder.find(endpointOf('192.0.2.1', 993))).toMatchObject({ state: 'failed' });
    expect(await finder.find(endpointOf('abc.onion', 993))).toMatchObject({ state: 'failed' });
    expect(resolver.asked).toEqual([]);
  });
});

describe('an alias', () => {
  const target = 'mx.example.net';
  const aliased: Reply = { answers: [alias(host, 'a.test'), alias('a.test', target, 30), address(target)] };
  const atTarget = `_993._tcp.${target}`;

  it('that is proven is followed, and both names are good', async () => {
    const answer = zone(
      { [atTarget]: { answers: [tlsa(atTarget)] }, [owner]: { answers: [tlsa()] } },
      aliased,
    );
    expect(await found(answer)).toEqual({
      state: 'records',
      records: [read],
      names: [target, host],
      expires: started + 30_000,
    });
  });

  it.each([
    ['has no records', { rcode: 3, authorities: [soa('net', 60)] }],
    ['stands in a zone that is not signed', { answers: [tlsa(atTarget)], authentic: false }],
  ] as const)('that leads to a name which %s leaves the name as configured', async (_, reply) => {
    const answer = zone({ [atTarget]: reply, [owner]: { answers: [tlsa()] } }, aliased);
    expect(await found(answer)).toMatchObject({ state: 'records', names: [host] });
  });

  it('that leads to a name whose signatures do not verify ends it', async () => {
    const inner = zone({ [owner]: { answers: [tlsa()] } }, aliased);
    const answer: Answering = (query) => {
      if (query.name !== atTarget) return inner(query);
      return query.checkingDisabled ? { answers: [tlsa(atTarget)] } : { rcode: 2 };
    };
    expect(await found(answer)).toEqual({ state: 'bogus', detail: atTarget });
  });

  it('that is not proven is not followed', async () => {
    const answer = zone({ [atTarget]: { answers: [tlsa(atTarget)] } }, { ...aliased, authentic: false });
    expect(await found(answer)).toMatchObject({ state: 'absent', detail: owner });
  });

  it('without an end is no answer', async () => {
    const answer = zone({}, { answers: [alias(host, 'b.test'), alias('b.test', host)] });
    expect(await found(answer)).toEqual({ state: 'failed', detail: 'its aliases have no end' });
  });

  it('at the TLSA name itself is followed inside the answer', async () => {
    const shared = '_dane.example.net';
    const answer = zone({ [owner]: { answers: [alias(owner, shared, 20), tlsa(shared)] } });
    expect(await found(answer)).toEqual({
      state: 'records',
      records: [read],
      names: [host],
      expires: started + 20_000,
    });
  });
});

describe('datagrams', () => {
  it.each([
    ['with another id', { id: 1, answers: [tlsa()] }],
    ['about another name', { question: '_993._tcp.other.test', answers: [tlsa()] }],
    ['that are no messages', { raw: Buffer.from('hello') }],
    ['that ask themselves', { asks: true, answers: [tlsa()] }],
  ] as const)('%s are passed over', async (_, wrong) => {
    const answer = zone({});
    const right: Reply = { answers: [tlsa()] };
    // An id that is right by chance would make the first reply a right one.
    const mixed: Answering = (query) => {
      if (isAddress(query)) return answer(query);
      return [
        { ...wrong, ...('id' in wrong ? { id: (query.id + 1) % 0x10000 } : {}) },
        { ...right, authentic: false },
      ];
    };
    expect(await found(mixed)).toMatchObject({ state: 'insecure' });
  });

  it('that are lost are sent again', async () => {
    let lost = 0;
    const answer = zone({ [owner]: { answers: [tlsa()] } });
    expect(
      await found((query) => (!isAddress(query) && (lost += 1) === 1 ? null : answer(query))),
    ).toMatchObject({
      state: 'records',
    });
    expect(lost).toBe(2);
  });

  it('that are cut short are asked for over TCP', async () => {
    const many = Array.from({ length: 60 }, () => tlsa());
    const resolver = await open((query) => {
      if (isAddress(query)) return { answers: [address(host)] };
      return query.over === 'udp' ? { truncated: true, answers: [tlsa()] } : { answers: many };
    });
    const finder = finderOf({ kind: 'loopback', host: '127.0.0.1', port: resolver.port });
    const answer = await finder.find(endpoint);
    expect(answer).toMatchObject({ state: 'records' });
    expect(answer.state === 'records' && answer.records.length).toBe(60);
    expect(resolver.asked.map(({ over }) => over)).toEqual(['udp', 'udp', 'tcp']);
  });

  it.each([
    ['with another id', { id: 1 }, 'it answered something that was not asked'],
    ['that is cut short again', { truncated: true }, 'it cut its answer short'],
    [
      'that is no message',
      { raw: Buffer.of(1, 2, 3) },
      'its answer is not a DNS message: the message ends too early',
    ],
    ['that is enormous', { raw: Buffer.alloc(20_000) }, 'its answer is larger than 16384 octets'],
  ] as const)('an answer over TCP %s is none', async (_, reply, detail) => {
    const answer: Answering = (query) => {
      if (isAddress(query)) return { answers: [address(host)] };
      return query.over === 'udp'
        ? { truncated: true }
        : { ...reply, ...('id' in reply ? { id: query.id ^ 1 } : {}) };
    };
    expect(await found(answer)).toEqual({ state: 'failed', detail });
  });
});

describe('an answer', () => {
  async function counting(reply: Reply) {
    const clock = { now: started };
    const resolver = await open(zone({ [owner]: reply }));
    const finder = finderOf({ kind: 'loopback', host: '127.0.0.1', port: resolver.port }, () => clock.now);
    const look = async (atSeconds: number): Promise<number> => {
      clock.now = started + atSeconds * 1_000;
      await finder.find(endpoint);
      return resolver.asked.filter((query) => !isAddress(query)).length;
    };
    return { look, finder };
  }

  it.each([
    ['of records', { answers: [tlsa(owner, { ttl: 100 }), tlsa(owner, { ttl: 90 })] }, 90],
    ['of none', { authorities: [soa('test', 40, 3_600)] }, 40],
    ['of none, of an SOA that ends earlier', { authorities: [soa('test', 40, 20)] }, 20],
    ['that would hold for a week', { answers: [tlsa(owner, { ttl: 604_800 })] }, 3_600],
    ['that is not signed', { answers: [tlsa(owner, { ttl: 50 })], authentic: false }, 50],
  ] as const)('%s is kept for as long as it may be', async (_, reply, seconds) => {
    const { look } = await counting(reply);
    expect(await look(0)).toBe(1);
    expect(await look(seconds - 1)).toBe(1);
    expect(await look(seconds)).toBe(2);
  });

  it('that failed is not kept, nor one without a time', async () => {
    const stray = tlsa('_25._tcp.mail.test', { ttl: 100 });
    for (const reply of [
      { rcode: 5 },
      { authorities: [] },
      { answers: [tlsa(owner, { ttl: 0 })] },
      { answers: [stray] },
      { answers: [stray], authentic: false },
    ]) {
      const { look } = await counting(reply);
      expect(await look(0)).toBe(1);
      expect(await look(0)).toBe(2);
    }
  });

  it('is not made to last by a clock that is set back', async () => {
    const { look } = await counting({ answers: [tlsa(owner, { ttl: 3_600 })] });
    expect(await look(0)).toBe(1);
    expect(await look(-1)).toBe(2);
  });

  it('is asked for once by many at the same time', async () => {
    const { finder, look } = await counting({ answers: [tlsa(owner, { ttl: 0 })] });
    const [first, ...others] = await Promise.all(Array.from({ length: 20 }, () => finder.find(endpoint)));
    expect(others.every((other) => other === first)).toBe(true);
    expect(await look(0)).toBe(2);
  });
});

describe('a resolver behind TLS', () => {
  const answer = zone({ [owner]: { answers: [tlsa()] } });

  /** What the certificate of `selfSigned` is for, and its own anchor. */
  async function world() {
    const identity = await selfSigned();
    const folder = await mkdtemp(join(tmpdir(), 'll-dot-'));
    try {
      await writeFile(join(folder, 'own.pem'), identity.cert);
      const { port } = await open(answer, identity);
      const own = await loadAnchors([join(folder, 'own.pem')]);
      const none = await loadAnchors([]);
      const pin = spkiOfCertificate(new X509Certificate(identity.cert).raw) ?? '';
      return { port, own, none, pin };
    } finally {
      await rm(folder, { recursive: true });
    }
  }
  const otherPin = `sha256//${Buffer.alloc(32).toString('base64')}`;

  it.each([
    ['the name it must have', { name: 'mail.test', anchored: true, pin: 'none' }, 'records'],
    ['the pin it must have', { name: null, anchored: false, pin: 'own' }, 'records'],
    ['both', { name: 'mail.test', anchored: true, pin: 'own' }, 'records'],
    ['another name', { name: 'dns.test', anchored: true, pin: 'none' }, 'failed'],
    ['the name, but of an unknown CA', { name: 'mail.test', anchored: false, pin: 'none' }, 'failed'],
    ['another key', { name: null, anchored: true, pin: 'other' }, 'failed'],
    ['the name and another key', { name: 'mail.test', anchored: true, pin: 'other' }, 'failed'],
    ['the pin and another name', { name: 'dns.test', anchored: true, pin: 'own' }, 'failed'],
  ] as const)('is believed by %s: %s', async (_, { name, anchored, pin }, state) => {
    const { port, own, none, pin: ownPin } = await world();
    const pins = { none: [], own: [ownPin], other: [otherPin] }[pin];
    const anchors = anchored ? own : none;
    const resolver = { kind: 'tls', host: '127.0.0.1', port, name, pins, anchors } as const;
    expect(await finderOf(resolver, Date.now).find(endpoint)).toMatchObject({ state });
    const [{ asked } = { asked: [] }] = opened;
    expect(asked.map(({ over }) => over)).toEqual(state === 'records' ? ['tls', 'tls'] : []);
  });

  it('without name and pin is asked nothing, and neither is one in clear on another machine', async () => {
    const { port, own } = await world();
    const bare = { kind: 'tls', host: '127.0.0.1', port, name: null, pins: [], anchors: own } as const;
    expect(await finderOf(bare).find(endpoint)).toMatchObject({
      state: 'failed',
      detail: 'a resolver behind TLS needs a name or a pin',
    });
    expect(await finderOf({ kind: 'loopback', host: '192.0.2.1', port: 53 }).find(endpoint)).toMatchObject({
      state: 'failed',
      detail: '192.0.2.1 is not an address of this machine',
    });
  });

  it('that speaks no TLS is not asked', async () => {
    const plain = await open(answer);
    const pins = [otherPin];
    const anchors = await loadAnchors([]);
    const resolver = { kind: 'tls', host: '127.0.0.1', port: plain.port, name: null, pins, anchors } as const;
    expect(await finderOf(resolver, Date.now, 1_000).find(endpoint)).toMatchObject({ state: 'failed' });
  });
});
