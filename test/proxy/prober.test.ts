// Servers asked without a client: what is told of them, what is never learnt, who gives way, and how few are asked
// at once.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { endpointOf } from '../../src/endpoint.ts';
import { goodbyeFor } from '../../src/mail/goodbye.ts';
import { loadAnchors, type AnchorSet } from '../../src/net/anchors.ts';
import type { ProxyEvent } from '../../src/proxy/events.ts';
import type { Route } from '../../src/proxy/route.ts';
import { portOf, selfSigned, type Identity } from '../net/peers.ts';
import { clears, honest, mailProtocols, negativeOf, prologueOf } from './scripts.ts';
import { FakeServer, keyOf, Rig, routeTo, type RigOptions, type Step } from './world.ts';

let own: Identity;
let other: Identity;
let local: Identity;
let anchors: AnchorSet;
const closings: (() => unknown)[] = [];

beforeAll(async () => {
  [own, other, local] = await Promise.all([selfSigned(), selfSigned(), selfSigned()]);
  anchors = await loadAnchors([]);
});
afterEach(async () => {
  for (const close of closings.splice(0).toReversed()) await close();
});

async function open(options: Partial<RigOptions> = {}): Promise<Rig> {
  const { protocol = 'imap', upstreamTls = 'implicit' } = options;
  const rig = await Rig.open({
    identity: own,
    clientIdentity: local,
    anchors,
    script: honest(protocol, upstreamTls),
    ...options,
  });
  closings.push(() => rig.close());
  return rig;
}

type Probed = Extract<ProxyEvent, { readonly type: 'probed' }>;
const probes = (rig: Rig): readonly Probed[] => rig.events.filter((event) => event.type === 'probed');
const probe = (rig: Rig): ReturnType<Rig['proxy']['prober']['probe']> => rig.proxy.prober.probe(rig.endpoint);
const changes = (rig: Rig): readonly string[] =>
  rig.events.flatMap((event) => (event.type === 'pin-changed' ? [event.event] : []));

/** The key is pinned by a first client. */
async function known(options: Partial<RigOptions> = {}): Promise<Rig> {
  const rig = await open(options);
  const client = await rig.client().say('first\r\n').hear('first');
  client.socket.end();
  await rig.end();
  return rig;
}

const tls: Step = { do: 'tls' };
const never: Step = { wait: new Promise<never>(() => undefined) };
/** What is waited for until somebody opens it. */
function gateway(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  const opened = { resolve: (): void => undefined };
  const promise = new Promise<void>((resolve) => (opened.resolve = resolve));
  return { promise, resolve: () => opened.resolve() };
}
const pairs = mailProtocols.flatMap((protocol) =>
  (['implicit', 'starttls'] as const).map((upstreamTls) => [protocol, upstreamTls] as const),
);

describe('a probe', () => {
  it.each(pairs)('of %s over %s takes its leave and says nothing else', async (protocol, upstreamTls) => {
    const rig = await known({ protocol, upstreamTls });
    const seen = await probe(rig);
    expect(seen).toMatchObject({ result: 'accepted', verdict: 'pin', reason: null, spki: keyOf(own) });
    const visit = rig.server.visits.at(-1);
    await expect.poll(() => visit?.secured.toString()).toBe(goodbyeFor(protocol));
    await expect.poll(() => visit?.closed).toBe(true);
  });

  it('of tls says nothing at all', async () => {
    const rig = await known({ protocol: 'tls' });
    expect(await probe(rig)).toMatchObject({ result: 'accepted', verdict: 'pin' });
    await expect.poll(() => rig.server.visits.at(-1)?.closed).toBe(true);
    expect(rig.server.visits.at(-1)?.secured.length).toBe(0);
  });

  it('of a server nobody knows pins nothing, and the first client still is the first use', async () => {
    const rig = await open();
    expect(await probe(rig)).toMatchObject({
      result: 'accepted',
      verdict: 'first-use',
      faults: expect.arrayContaining(['self-signed']),
      certificate: { sha256: expect.any(String) },
    });
    expect(rig.tofu.record(rig.endpoint)).toBe(null);
    expect([changes(rig), rig.count('judged')]).toEqual([[], 0]);
    await rig.client().hear('ready');
    await rig.until(() => changes(rig).includes('first-use'));
  });

  it('that finds another key records the candidate and tells of the refusal; the pin stays', async () => {
    const rig = await known();
    const pins = rig.tofu.record(rig.endpoint)?.pins;
    rig.server.identity = other;
    const seen = await probe(rig);
    expect(seen).toMatchObject({ result: 'refused', verdict: 'refused', reason: 'pin-mismatch' });
    expect(rig.tofu.record(rig.endpoint)).toMatchObject({
      basis: 'pinned',
      pins,
      candidates: [{ spki: keyOf(other), reason: 'pin-mismatch', seenCount: 1 }],
    });
    expect(seen.reference).toBe(rig.tofu.reference(rig.endpoint, keyOf(other)));
    expect(probes(rig)).toMatchObject([
      { reason: 'pin-mismatch', spki: keyOf(other), notAfter: expect.any(Number) },
    ]);
    expect(rig.events.findLast(({ type }) => type === 'judged')).toMatchObject({ verdict: 'refused' });
    expect(rig.server.visits.at(-1)?.secured.length).toBe(0);
    await rig.tofu.command(
      {
        command: 'approve',
        endpoint: rig.endpoint,
        expect: keyOf(other),
        forMs: null,
        as: null,
        keep: false,
        endOld: false,
        unreject: false,
      },
      { origin: 'cli' },
    );
    expect(await probe(rig)).toMatchObject({ result: 'accepted', verdict: 'pin', spki: keyOf(other) });
    expect(rig.proxy.prober.last(rig.endpoint)).toMatchObject({ result: 'accepted' });
  });

  it('leaves lastSeen of a pin as it was', async () => {
    const rig = await known();
    await rig.tofu.sweep();
    const before = rig.tofu.record(rig.endpoint);
    rig.clock.ahead = 7 * 86_400_000;
    await probe(rig);
    await rig.tofu.sweep();
    expect(rig.tofu.record(rig.endpoint)).toEqual(before);
  });

  it('counts one more sighting of a candidate', async () => {
    const rig = await known();
    rig.server.identity = other;
    await probe(rig);
    await probe(rig);
    await rig.tofu.sweep();
    rig.clock.ahead = 120_000;
    await rig.tofu.sweep();
    expect(rig.tofu.record(rig.endpoint)?.candidates).toMatchObject([{ seenCount: 2 }]);
  });
});

describe('a probe tells', () => {
  it.each<readonly [string, Partial<RigOptions>, object]>([
    [
      'a server without STARTTLS',
      {
        upstreamTls: 'starttls',
        script: prologueOf('imap', { list: `* CAPABILITY IMAP4rev1\r\nz1 OK ${clears.imap.goAhead}` }),
      },
      { result: 'refused', verdict: 'refused', reason: 'starttls-missing', spki: null, certificate: null },
    ],
    [
      'a server that is no mail server',
      { script: [tls, { say: 'SSH-2.0-x\r\n' }] },
      { result: 'refused', verdict: 'refused', reason: 'not-this-protocol', certificate: expect.any(Object) },
    ],
    [
      'a server that says no to a first use',
      { script: [tls, { say: negativeOf('imap') }] },
      {
        result: 'failed',
        verdict: 'first-use',
        reason: 'no-greeting',
        detail: expect.stringContaining('too many'),
      },
    ],
    [
      'a server that says nothing',
      { limits: { greetingSeconds: 0.05 }, script: [tls, never] },
      { result: 'failed', verdict: 'first-use', reason: 'no-greeting' },
    ],
    [
      'a server that is slow in everything',
      { timing: { probeMs: 100 }, script: [never] },
      { result: 'failed', verdict: null, reason: 'timeout', spki: null },
    ],
    [
      'a server that does not know TLS',
      { script: [{ say: 'hello\r\n' }] },
      { result: 'failed', verdict: null, reason: 'tls-failed' },
    ],
  ])('%s as a session would', async (_, options, told) => {
    const rig = await open(options);
    expect(await probe(rig)).toMatchObject(told);
    expect(changes(rig).filter((change) => change !== 'candidate')).toEqual([]);
    expect(probes(rig)).toHaveLength(1);
  });

  it('a server that nobody answers for', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const port = portOf(silent);
    silent.close();
    await once(silent, 'close');
    const rig = await open({ route: { endpoint: endpointOf('127.0.0.1', port) } });
    expect(await probe(rig)).toMatchObject({ result: 'failed', verdict: null, reason: 'dial' });
  });
});

describe('of probes of one server', () => {
  it('there is one at a time: who asks meanwhile waits for it', async () => {
    const gate = gateway();
    const rig = await known();
    rig.server.script = [{ wait: gate.promise }, ...honest('imap', 'implicit')];
    const both = [probe(rig), probe(rig)];
    await rig.until(() => rig.count('dialled') === 2);
    gate.resolve();
    const [one, two] = await Promise.all(both);
    expect(one).toBe(two);
    expect([rig.server.visits.length, probes(rig).length]).toEqual([2, 1]);
  });

  it('a session under way is none', async () => {
    const rig = await open();
    const client = await rig.client().hear('ready');
    expect(await probe(rig)).toMatchObject({ result: 'accepted', verdict: 'pin' });
    await client.say('still here\r\n').hear('still here');
  });
});

describe('after a probe', () => {
  it('that was accepted nobody is refused from memory any more', async () => {
    const rig = await known();
    rig.server.identity = other;
    await rig.client().over();
    await rig.end(2);
    rig.server.identity = own;
    await rig.client().over();
    expect(await rig.end(3)).toMatchObject({ outcome: 'refused', detail: expect.stringContaining('memory') });
    await probe(rig);
    await rig.client().hear('ready');
  });

  it('that was refused no connection is kept ready', async () => {
    const rig = await known({
      route: { warm: 1 },
      timing: { warmLifeMs: 3_600_000, warmRetryMs: 3_600_000 },
    });
    const kept = (): number => rig.proxy.status()[0]?.warm ?? 0;
    await expect.poll(kept).toBe(1);
    rig.server.identity = other;
    await probe(rig);
    expect(kept()).toBe(0);
  });
});

/** Routes to servers that never answer, each another endpoint. */
async function silentRoutes(count: number, watchMs: number | null): Promise<readonly Route[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const server = await new FakeServer(own, [never]).listen();
      closings.push(() => server.close());
      return routeTo(server, { route: { name: `silent-${index}`, watchMs } });
    }),
  );
}
const under = (rig: Rig): number => rig.count('dialled');

describe('in the background', () => {
  it('a watched server is asked again and again, an unwatched one never', async () => {
    const rig = await open({ route: { watchMs: 50 } });
    await rig.until(() => probes(rig).length >= 3);
    expect(rig.proxy.prober.next(rig.endpoint)).toBeGreaterThan(Date.now() - 5_000);
    const quiet = await open();
    expect(quiet.proxy.prober.next(quiet.endpoint)).toBe(null);
    expect(quiet.count('dialled')).toBe(0);
  });

  it('no more than four are asked at once, and the next when one is done', async () => {
    const rig = await open({ timing: { probeMs: 400 } });
    await rig.proxy.replace(await silentRoutes(9, 60));
    await rig.until(() => under(rig) === 4);
    await rig.until(() => probes(rig).length >= 1);
    expect(under(rig)).toBeLessThanOrEqual(4 + probes(rig).length);
    await rig.until(() => new Set(probes(rig).map(({ endpoint }) => endpoint)).size === 9);
  });

  it('who asks for a server need not wait for those', async () => {
    const rig = await open({ timing: { probeMs: 60_000 } });
    await rig.proxy.replace([rig.route, ...(await silentRoutes(6, 1))]);
    await rig.until(() => under(rig) === 4);
    expect(await probe(rig)).toMatchObject({ result: 'accepted' });
  });

  it('one that fails is not asked sooner for it', async () => {
    const rig = await open({ route: { watchMs: 3_600_000 }, script: [{ do: 'reset' }] });
    expect(await probe(rig)).toMatchObject({ result: 'failed' });
    expect((rig.proxy.prober.next(rig.endpoint) ?? 0) - Date.now()).toBeGreaterThan(1_700_000);
  });

  it('of two routes to a server the one that watches more closely counts', async () => {
    const rig = await open({ route: { watchMs: 7_200_000 } });
    await rig.proxy.replace([rig.route, { ...rig.route, name: 'second', watchMs: 360_000 }]);
    expect((rig.proxy.prober.next(rig.endpoint) ?? 0) - Date.now()).toBeLessThanOrEqual(360_000);
  });
});

describe('another configuration', () => {
  it('without a server forgets it, and nobody can have it asked any more', async () => {
    const rig = await open({ route: { watchMs: 3_600_000 } });
    await probe(rig);
    await rig.proxy.replace(await silentRoutes(1, null));
    const { prober } = rig.proxy;
    expect([prober.last(rig.endpoint), prober.next(rig.endpoint)]).toEqual([null, null]);
    await expect(probe(rig)).rejects.toMatchObject({ exit: 'not-found' });
  });

  it('that changes nothing of a server keeps its next time and what was seen last', async () => {
    const rig = await open({ route: { watchMs: 3_600_000 } });
    const seen = await probe(rig);
    const { prober } = rig.proxy;
    const next = prober.next(rig.endpoint);
    await rig.proxy.replace([{ ...rig.route, name: 'renamed' }]);
    expect([prober.last(rig.endpoint), prober.next(rig.endpoint)]).toEqual([seen, next]);
  });

  it('with another policy asks anew what is being asked: it is judged by what holds now', async () => {
    const gate = gateway();
    const rig = await open({ script: [{ wait: gate.promise }, ...honest('imap', 'implicit')] });
    const seen = probe(rig);
    await rig.until(() => rig.count('dialled') === 1);
    const trust = { ...rig.route.trust, policy: 'pinned' as const };
    await rig.proxy.replace([{ ...rig.route, trust }]);
    gate.resolve();
    expect(await seen).toMatchObject({ result: 'refused', reason: 'not-pinned' });
    expect([rig.count('dialled'), probes(rig).length]).toEqual([2, 1]);
  });

  it('that drops a server while it is asked ends that', async () => {
    const rig = await open({ script: [never] });
    const seen = probe(rig);
    await rig.until(() => rig.count('dialled') === 1);
    const ended = expect(seen).rejects.toMatchObject({ exit: 'not-found' });
    await rig.proxy.replace(await silentRoutes(1, null));
    await ended;
    await expect.poll(() => rig.server.visits[0]?.ended).toBe(true);
  });
});

it('a shutdown ends what is being asked, and nothing is asked after it', async () => {
  const rig = await open({ route: { watchMs: 20 }, script: [never] });
  await rig.until(() => rig.count('dialled') === 1);
  const asked = expect(probe(rig)).rejects.toMatchObject({ exit: 'internal' });
  await rig.proxy.drain(0);
  await asked;
  await expect.poll(() => rig.server.visits[0]?.ended).toBe(true);
  await expect(probe(rig)).rejects.toMatchObject({ exit: 'internal' });
  expect([probes(rig).length, rig.count('dialled')]).toEqual([0, 1]);
});
