// Sessions that something gets in the way of before their relay: a store that hangs, a reload. None of them
// goes on by what went, none outlives its client, and none claims a trust it did not come to.

import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { endpointOf } from '../../src/endpoint.ts';
import { loadAnchors, type AnchorSet } from '../../src/net/anchors.ts';
import type { Route } from '../../src/proxy/route.ts';
import { openMemoryStore } from '../../src/store/memory.ts';
import type { PinStore } from '../../src/store/pin-store.ts';
import { selfSigned, type Identity } from '../net/peers.ts';
import { greetingOf, honest } from './scripts.ts';
import { keyOf, makeAuthority, Rig, type Authority, type RigOptions, type Step } from './world.ts';

let directory: string;
let authority: Authority;
let own: Identity;
let anchors: AnchorSet;
let noAnchors: AnchorSet;
const rigs: Rig[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'letterlock-proxy-'));
  authority = await makeAuthority();
  await writeFile(join(directory, 'ca.pem'), authority.pem);
  anchors = await loadAnchors([join(directory, 'ca.pem')]);
  noAnchors = await loadAnchors([]);
  own = await selfSigned();
});
afterAll(() => rm(directory, { recursive: true }));
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close();
});

async function open(options: Partial<RigOptions> = {}): Promise<Rig> {
  const rig = await Rig.open({ identity: own, anchors, script: honest('imap', 'implicit'), ...options });
  rigs.push(rig);
  return rig;
}

const tls: Step = { do: 'tls' };
const pinned = { policy: 'pinned', firstUse: 'accept', configPins: [] } as const;

/** A store whose first commit never answers until `mend`. */
function hangingStore(): { store: PinStore; hung: Promise<unknown>; mend: () => void } {
  const store = openMemoryStore();
  const commit = store.commit.bind(store);
  const gate = new EventTarget();
  const mended = once(gate, 'mend');
  const hung = once(gate, 'hung');
  store.commit = async (changes) => {
    gate.dispatchEvent(new Event('hung'));
    await mended;
    return commit(changes);
  };
  return { store, hung, mend: () => void gate.dispatchEvent(new Event('mend')) };
}

describe('a store that hangs', () => {
  it.each([
    ['a first use is written', 'tofu'],
    ['a refusal is recorded', 'pinned'],
  ] as const)('while %s gives the place of a client that left back', async (_, policy) => {
    const { store, hung, mend } = hangingStore();
    const rig = await open({ store, route: { trust: { ...pinned, policy } } });
    const client = rig.client();
    await hung;
    client.socket.destroy();
    expect(await rig.end()).toMatchObject({ said: null, basis: null });
    expect(rig.proxy.status()[0]?.sessions).toBe(0);
    mend();
  });

  it('does not keep a proxy from being drained', async () => {
    const { store, hung, mend } = hangingStore();
    const rig = await open({ store });
    rig.client();
    await hung;
    await rig.proxy.drain(0);
    expect(rig.ends[0]).toMatchObject({ outcome: 'rejected', reason: 'draining' });
    mend();
  });

  it('relays nothing before it answered', async () => {
    const { store, hung, mend } = hangingStore();
    const rig = await open({ store });
    const client = rig.client().say('a1 NOOP\r\n');
    await hung;
    expect([client.text, rig.server.heard]).toEqual(['', '']);
    mend();
    await client.hear('a1 NOOP');
  });
});

interface Waiting {
  readonly rig: Rig;
  readonly greet: () => void;
}
async function waiting(options: Partial<RigOptions>): Promise<Waiting> {
  const gate = new EventTarget();
  const script = [tls, { wait: once(gate, 'greet') }, { say: greetingOf('imap') }, { do: 'echo' }] as const;
  const rig = await open({ ...options, script });
  rig.client();
  await rig.until(() => rig.count('handshaken') === 1);
  return { rig, greet: () => void gate.dispatchEvent(new Event('greet')) };
}

describe('a reload while the greeting is awaited', () => {
  it('that takes the pin away ends the session before it is greeted', async () => {
    const { rig, greet } = await waiting({ route: { trust: { ...pinned, configPins: [keyOf(own)] } } });
    await rig.proxy.replace([{ ...rig.route, trust: pinned }]);
    greet();
    expect(await rig.end()).toMatchObject({ outcome: 'rejected', bytesDown: 0 });
    expect(rig.server.heard).toBe('');
  });

  it('that takes the CA away ends the session before it is greeted', async () => {
    let given = anchors;
    const { rig, greet } = await waiting({
      identity: await authority.issue(),
      anchorsFor: () => given,
      route: { trust: { ...pinned, policy: 'ca' } },
    });
    given = noAnchors;
    await rig.proxy.replace([rig.route]);
    greet();
    expect(await rig.end()).toMatchObject({ outcome: 'rejected', bytesDown: 0 });
  });

  it('that leaves its trust as it is does not disturb the session', async () => {
    const { rig, greet } = await waiting({});
    await rig.proxy.replace([{ ...rig.route, trust: { ...rig.route.trust }, name: 'renamed' }]);
    greet();
    await rig.until(() => rig.count('greeted') === 1);
  });
});

describe('a reload while the first of two servers is asked', () => {
  const trust = { policy: 'tofu', firstUse: 'accept', configPins: [] } as const;
  const second = {
    endpoint: endpointOf('second.test', 993),
    upstream: 'imaps://second.test',
    addresses: [],
    anchors: [],
    trust,
  };

  it('that changes the trust of the second alone ends the session', async () => {
    const { rig, greet } = await waiting({ route: { trust, others: [second] } });
    await rig.proxy.replace([{ ...rig.route, others: [{ ...second, trust: pinned }] }]);
    greet();
    expect(await rig.end()).toMatchObject({ outcome: 'rejected', reason: 'draining', bytesDown: 0 });
  });

  it('that drops the second ends the session', async () => {
    const { rig, greet } = await waiting({ route: { trust, others: [second] } });
    await rig.proxy.replace([{ ...rig.route, others: [] }]);
    greet();
    expect(await rig.end()).toMatchObject({ outcome: 'rejected', reason: 'draining', bytesDown: 0 });
  });

  it('that only turns them round does not disturb the session', async () => {
    const { rig, greet } = await waiting({ route: { trust, others: [second] } });
    const { endpoint, upstream, addresses, anchors: sources } = rig.route;
    await rig.proxy.replace([
      { ...rig.route, ...second, others: [{ endpoint, upstream, addresses, anchors: sources, trust }] },
    ]);
    greet();
    await rig.until(() => rig.count('greeted') === 1);
  });
});

describe('a reload while the server is asked', () => {
  it.each<[string, (rig: Rig) => readonly Route[]]>([
    ['takes the route away', () => []],
    ['puts another server in its place', ({ route }) => [{ ...route, endpoint: endpointOf('b.test', 993) }]],
  ])('that %s ends the session before it is greeted', async (_, routes) => {
    const { rig, greet } = await waiting({});
    await rig.proxy.replace(routes(rig));
    greet();
    expect(await rig.end()).toMatchObject({ outcome: 'rejected', reason: 'draining', bytesDown: 0 });
    expect(rig.tofu.record(rig.endpoint)).toBe(null);
  });
});

async function relayed(policy: 'ca' | 'ca+tofu' | 'tofu') {
  let given = anchors;
  const rig = await open({
    identity: await authority.issue(),
    anchorsFor: () => given,
    route: { trust: { ...pinned, policy } },
    script: [tls, { say: greetingOf('imap') }, { do: 'echo' }],
  });
  const client = await rig.client().say('a1 NOOP\r\n').hear('a1 NOOP');
  given = noAnchors;
  await rig.proxy.replace([rig.route]);
  return { rig, client };
}

describe('a reload in the middle of a session, that takes the CA away', () => {
  it.each(['ca', 'ca+tofu'] as const)('resets it under %s', async (policy) => {
    const { rig } = await relayed(policy);
    expect(await rig.end()).toMatchObject({ outcome: 'relayed', detail: expect.stringContaining('reset') });
    expect(rig.count('session-revoked')).toBe(1);
  });

  it('lets it go on under tofu, where the pin alone decides', async () => {
    const { rig, client } = await relayed('tofu');
    await client.say('a2 NOOP\r\n').hear('a2 NOOP');
    expect(rig.count('session-revoked')).toBe(0);
  });
});

it('a reload in the middle of a session that gives other anchors and other settings at once resets it', async () => {
  let given = anchors;
  const rig = await open({
    anchorsFor: () => given,
    script: [tls, { say: greetingOf('imap') }, { do: 'echo' }],
  });
  await rig.client().say('a1 NOOP\r\n').hear('a1 NOOP');
  given = noAnchors;
  await rig.proxy.replace([{ ...rig.route, trust: { ...pinned, policy: 'ca+tofu' } }]);
  await rig.end();
  expect(rig.count('session-revoked')).toBe(1);
});

describe('a first use that does not come about', () => {
  it.each([
    ['fails for a negative greeting', '* BYE too many\r\n', 'no-greeting'],
    ['is refused for another service', 'HTTP/1.1 400 Bad Request\r\n', 'not-this-protocol'],
  ] as const)('%s and is not told as one', async (_, say, reason) => {
    const rig = await open({ script: [tls, { say }] });
    rig.client();
    expect(await rig.end()).toMatchObject({ reason, basis: null });
  });
});
