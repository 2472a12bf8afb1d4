// Connections kept ready: who is served by one, who never is, and that nobody notices one that had gone.

import { setImmediate as turn } from 'node:timers/promises';
import * as fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { localGreeting } from '../../src/mail/local-greeting.ts';
import type { Protocol, UpstreamTls } from '../../src/mail/protocol.ts';
import { loadAnchors, type AnchorSet } from '../../src/net/anchors.ts';
import { Suspicion } from '../../src/net/suspicion.ts';
import { RouteDesk } from '../../src/proxy/route-desk.ts';
import { defaultTiming, type Timing } from '../../src/proxy/timing.ts';
import type { Command } from '../../src/trust/command.ts';
import { FakeMachine } from '../net/machine.ts';
import { selfSigned, type Identity } from '../net/peers.ts';
import { greetingOf, honest, mailProtocols } from './scripts.ts';
import { keyOf, Rig, toolsOf, type FakeClient, type RigOptions, type Step, type Visit } from './world.ts';

let own: Identity;
let other: Identity;
let local: Identity;
let anchors: AnchorSet;
const rigs: Rig[] = [];

beforeAll(async () => {
  [own, other, local] = await Promise.all([selfSigned(), selfSigned(), selfSigned()]);
  anchors = await loadAnchors([]);
});
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close();
});

/** Connections live until a test ends them, and a failure is not made good within it. */
const patient: Partial<Timing> = { warmLifeMs: 3_600_000, warmDemandMs: 7_200_000, warmRetryMs: 3_600_000 };

/** Warm connections wanted: one. */
async function open(options: Partial<RigOptions> = {}): Promise<Rig> {
  const { protocol = 'imap', upstreamTls = 'implicit' } = options;
  const rig = await Rig.open({
    identity: own,
    clientIdentity: local,
    anchors,
    script: honest(protocol, upstreamTls),
    ...options,
    timing: { ...patient, ...options.timing },
    route: { warm: 1, ...options.route },
  });
  rigs.push(rig);
  return rig;
}

const kept = (rig: Rig): number => rig.proxy.status()[0]?.warm ?? 0;
const keeps = (rig: Rig, count: number): Promise<void> => expect.poll(() => kept(rig)).toBe(count);

function visit(rig: Rig, index: number): Visit {
  const found = rig.server.visits[index];
  if (found === undefined) throw new TypeError(`no visit ${index}`);
  return found;
}

/** One client was served by the first connection, and the second is kept. */
async function warmed(options: Partial<RigOptions> = {}): Promise<Rig> {
  const rig = await open(options);
  const client = await rig.client().say('first\r\n').hear('first');
  client.socket.end();
  await rig.end();
  await keeps(rig, 1);
  return rig;
}

/** A client that was answered, and the number of the connection that answered it. */
async function served(rig: Rig, line = 'a1 HELLO'): Promise<{ client: FakeClient; by: number }> {
  const client = await rig.client().say(`${line}\r\n`).hear(line);
  return { client, by: rig.server.visits.findLastIndex(({ secured }) => secured.includes(line)) };
}

/** What an operator says of the server's key; each of them moves its trust epoch. */
async function order(rig: Rig, what: 'approve' | 'reject' | 'forget'): Promise<void> {
  const about = { endpoint: rig.endpoint, expect: keyOf(own) };
  const orders: Readonly<Record<typeof what, Command>> = {
    approve: {
      command: 'approve',
      ...about,
      forMs: null,
      as: null,
      keep: false,
      endOld: false,
      unreject: false,
    },
    reject: { command: 'reject', ...about },
    forget: { command: 'forget', ...about, yes: false },
  };
  await rig.tofu.command(orders[what], { origin: 'cli' });
}

const tls: Step = { do: 'tls' };
const never: Step = { wait: new Promise<never>(() => undefined) };
const pairs = mailProtocols.flatMap((protocol) =>
  (['implicit', 'starttls'] as const).map((upstreamTls) => [protocol, upstreamTls] as const),
);
const clientGreeting = (protocol: Protocol, upstreamTls: UpstreamTls): string =>
  upstreamTls === 'implicit' || protocol === 'sieve'
    ? greetingOf(protocol)
    : Buffer.from(localGreeting(protocol)).toString('latin1');

describe('a connection kept ready', () => {
  it.each(pairs)('of %s over %s serves the next client', async (protocol, upstreamTls) => {
    const rig = await warmed({ protocol, upstreamTls });
    const { client, by } = await served(rig);
    expect(by).toBe(1);
    expect(client.text).toBe(`${clientGreeting(protocol, upstreamTls)}a1 HELLO\r\n`);
    expect(visit(rig, 1).secured.toString()).toBe('a1 HELLO\r\n');
  });

  it('is replaced after it was handed out', async () => {
    const rig = await warmed();
    await served(rig);
    await keeps(rig, 1);
    expect((await served(rig, 'a2 HELLO')).by).toBe(2);
  });

  it('is dialled while a client is served, not before', async () => {
    const rig = await open();
    expect(rig.count('dialled')).toBe(0);
    await rig.client().hear('ready');
    await rig.until(() => rig.count('dialled') === 2);
    expect(rig.events.findIndex(({ type }) => type === 'greeted')).toBeLessThan(
      rig.events.findLastIndex(({ type }) => type === 'dialled'),
    );
    await keeps(rig, 1);
    expect([rig.count('dialled'), rig.count('handshaken'), visit(rig, 1).secured.length]).toEqual([2, 2, 0]);
  });

  it('is there as many times as the route says, and no more', async () => {
    const rig = await open({ route: { warm: 3 } });
    await served(rig);
    await keeps(rig, 3);
    expect(
      (await Promise.all(['b1', 'b2', 'b3'].map((line) => served(rig, line)))).map(({ by }) => by),
    ).toEqual(expect.arrayContaining([1, 2, 3]));
    await keeps(rig, 3);
    expect(rig.server.visits.length).toBe(7);
  });

  it('is none where the route asks for none', async () => {
    const rig = await open({ route: { warm: 0 } });
    await served(rig);
    expect((await served(rig, 'a2 HELLO')).by).toBe(1);
    expect(rig.count('dialled')).toBe(2);
  });

  it('is there right after the start when the server is known already', async () => {
    const rig = await open({ route: { warm: 0 } });
    await served(rig);
    await rig.proxy.replace([{ ...rig.route, warm: 1 }]);
    await keeps(rig, 1);
    expect((await served(rig, 'a2 HELLO')).by).toBe(1);
  });

  it('leaves the session, its events and its bytes as any other', async () => {
    const rig = await warmed();
    const before = rig.events.length;
    const { client } = await served(rig);
    client.socket.end();
    expect(await rig.end(2)).toMatchObject({
      outcome: 'relayed',
      basis: 'pin',
      spki: keyOf(own),
      bytesUp: 10,
      bytesDown: greetingOf('imap').length + 10,
    });
    const types = new Set(rig.events.slice(before).map(({ type }) => type));
    expect([...types]).toEqual(
      expect.arrayContaining(['session-started', 'judged', 'greeted', 'session-ended']),
    );
  });

  it('has its capabilities filtered as any other', async () => {
    const list = '* OK [CAPABILITY IMAP4rev1 AUTH=SCRAM-SHA-256-PLUS AUTH=PLAIN] server ready\r\n';
    const rig = await warmed({ script: [tls, { say: list }, { do: 'echo' }] });
    const { client, by } = await served(rig);
    expect([by, client.text.includes('PLUS'), client.text.includes('AUTH=PLAIN')]).toEqual([1, false, true]);
  });
});

describe('a connection kept ready is not handed out', () => {
  it.each<[string, (visit: Visit) => void]>([
    ['after the server ended it', ({ socket }) => void socket.end()],
    ['after the server broke it', ({ socket }) => void socket.destroy()],
    ['after the server said goodbye', ({ socket }) => void socket.write('* BYE idle\r\n')],
    ['after the server said anything', ({ socket }) => void socket.write('* OK still here\r\n')],
    ['after a single byte', ({ socket }) => void socket.write('*')],
  ])('%s', async (_, act) => {
    const rig = await warmed();
    act(visit(rig, 1));
    await keeps(rig, 0);
    const { client, by } = await served(rig);
    expect([by, client.text]).toEqual([2, `${greetingOf('imap')}a1 HELLO\r\n`]);
    await expect.poll(() => visit(rig, 1).closed || visit(rig, 1).ended).toBe(true);
  });

  it.each([
    ['when it is too old', 3_600_001],
    ['when the clock was set back', -600_000],
  ])('%s', async (_, ahead) => {
    const rig = await warmed();
    rig.clock.ahead += ahead;
    expect((await served(rig)).by).toBe(2);
    await expect.poll(() => visit(rig, 1).ended).toBe(true);
    expect(visit(rig, 1).secured.length).toBe(0);
  });

  it('by itself when its time is over, and is made anew', async () => {
    const rig = await warmed({ timing: { warmLifeMs: 40 } });
    await expect.poll(() => rig.server.visits.length).toBeGreaterThan(2);
    await expect.poll(() => visit(rig, 1).ended).toBe(true);
    expect(visit(rig, 1).secured.length).toBe(0);
  });

  it('nor made anew when no client came for long', async () => {
    const rig = await open({ timing: { warmLifeMs: 400, warmDemandMs: 1_000 } });
    await served(rig);
    await keeps(rig, 1);
    rig.clock.ahead += 2_000;
    await expect.poll(() => visit(rig, 1).ended).toBe(true);
    for (let round = 0; round < 10; round += 1) await turn();
    expect([kept(rig), rig.count('dialled')]).toEqual([0, 2]);
  });

  it.each(['approve', 'forget'] as const)('after %s moved the trust epoch', async (given) => {
    const rig = await warmed();
    await order(rig, given);
    expect((await served(rig)).by).toBe(2);
    expect(visit(rig, 1).secured.length).toBe(0);
  });

  it('after its key was rejected, when it is closed at once and none is made', async () => {
    const rig = await warmed();
    await order(rig, 'reject');
    await keeps(rig, 0);
    await rig.client().over();
    expect(await rig.end(2)).toMatchObject({ outcome: 'refused', reason: 'key-rejected' });
    await rig.client().over();
    expect(await rig.end(3)).toMatchObject({ outcome: 'refused', reason: 'key-rejected' });
    expect([kept(rig), rig.count('dialled'), rig.server.heard]).toEqual([0, 3, 'first\r\n']);
  });

  it('after a reload, which closes it', async () => {
    const rig = await warmed();
    await rig.proxy.replace([{ ...rig.route, trust: { ...rig.route.trust, configPins: [keyOf(own)] } }]);
    await expect.poll(() => visit(rig, 1).ended).toBe(true);
    expect((await served(rig)).by).toBeGreaterThan(1);
  });

  it('when the proxy is drained', async () => {
    const rig = await warmed();
    await rig.proxy.drain(0);
    await expect.poll(() => visit(rig, 1).ended).toBe(true);
    expect(kept(rig)).toBe(0);
  });
});

describe('no connection is kept', () => {
  it.each<[string, readonly Step[]]>([
    ['that greets with a no', [tls, { say: '* BYE too many\r\n' }, never]],
    ['that is logged in already', [tls, { say: '* PREAUTH welcome\r\n' }, never]],
    ['that says more than its greeting', [tls, { say: '* OK ready\r\n* OK more\r\n' }, never]],
    ['that is of another protocol', [tls, { say: 'HTTP/1.1 400\r\n\r\n' }, never]],
    ['that ends behind its greeting', [tls, { say: '* OK ready\r\n' }, { do: 'end' }]],
    ['that ends in the handshake', [{ do: 'end' }]],
  ])('%s', async (_, script) => {
    const rig = await open();
    const client = rig.client();
    await rig.until(() => rig.count('handshaken') === 1);
    rig.server.script = script;
    await client.hear('ready');
    await rig.until(() => rig.count('dialled') === 2);
    await expect.poll(() => visit(rig, 1).ended || visit(rig, 1).closed).toBe(true);
    expect(kept(rig)).toBe(0);
    // And it is not tried again at once, whoever comes.
    rig.server.script = honest('imap', 'implicit');
    await served(rig);
    expect([kept(rig), rig.count('dialled')]).toEqual([0, 3]);
  });

  it('of a server whose key is another: it becomes a candidate, and is not asked again before a client is served', async () => {
    const rig = await warmed({ timing: { warmRetryMs: 1 } });
    rig.server.identity = other;
    expect((await served(rig)).by).toBe(1);
    await rig.until(() => rig.tofu.record(rig.endpoint)?.candidates.length === 1);
    expect(rig.tofu.record(rig.endpoint)?.pins.map(({ spki }) => spki)).toEqual([keyOf(own)]);
    await expect.poll(() => visit(rig, 2).ended || visit(rig, 2).closed).toBe(true);
    rig.client();
    expect(await rig.end(2)).toMatchObject({ outcome: 'refused', reason: 'pin-mismatch' });
    rig.clock.ahead += 120_000;
    for (let round = 0; round < 100; round += 1) await turn();
    expect([kept(rig), rig.count('dialled')]).toEqual([0, 4]);
    rig.server.identity = own;
    expect((await served(rig, 'a2 HELLO')).by).toBe(4);
    await keeps(rig, 1);
  });

  it('of a server that keeps nobody waiting, but less and less often', async () => {
    const short = [tls, { say: greetingOf('imap') }, { hear: 'HELLO' }, { say: 'HELLO' }, never] as const;
    const hasty = [tls, { say: greetingOf('imap') }, { do: 'end' }] as const;
    const rig = await open({ script: short, timing: { warmRetryMs: 20 } });
    const client = rig.client();
    await rig.until(() => rig.count('handshaken') === 1);
    rig.server.script = hasty;
    await client.say('HELLO\r\n').hear('HELLO');
    const times: number[] = [];
    for (let count = 2; count < 8; count += 1) {
      await rig.until(() => rig.count('dialled') >= count);
      times.push(performance.now());
    }
    // Half of 20 ms the first time, half of 320 the fifth.
    const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(waits.at(-1)).toBeGreaterThan(155);
    expect(waits.map((wait, index) => wait >= 10 * 2 ** index - 5)).toEqual(waits.map(() => true));
  });
});

/** A desk of its own over a server that a client was served by. */
async function deskOf(suspicion = new Suspicion()): Promise<{ rig: Rig; desk: RouteDesk }> {
  const rig = await open({ route: { warm: 0 } });
  await served(rig);
  const desk = new RouteDesk(
    { ...rig.route, warm: 1 },
    {
      anchorsFor: () => anchors,
      credentials: null,
      tools: toolsOf(rig.tofu, { timing: { ...defaultTiming, ...patient }, suspicion }),
    },
  );
  return { rig, desk };
}
const oneReady = (desk: RouteDesk): Promise<void> => expect.poll(() => desk.warm?.size).toBe(1);

describe('a pool of a desk', () => {
  it('leaves the last turn to dial to a client', async () => {
    const { rig, desk } = await deskOf();
    const turns = Array.from({ length: desk.dials.free - 1 }, () => desk.dials.take());
    desk.warm?.start();
    for (let round = 0; round < 10; round += 1) await turn();
    expect([desk.dials.free, rig.server.visits.length]).toEqual([1, 1]);
    turns[0]?.();
    desk.warm?.served();
    await oneReady(desk);
    desk.warm?.close();
  });

  it('drops all when the machine slept or moved, and makes new ones', async () => {
    const machine = new FakeMachine();
    const { rig, desk } = await deskOf(new Suspicion({ everyMs: 5, ...machine.options }));
    desk.warm?.start();
    await oneReady(desk);
    machine.at('192.0.2.11');
    await expect.poll(() => visit(rig, 1).ended).toBe(true);
    await oneReady(desk);
    expect(rig.server.visits.length).toBe(3);
    desk.warm?.close();
  });

  it('gives none to a client that comes right after a sleep, before it was noticed', async () => {
    let now = 0;
    const { desk } = await deskOf(new Suspicion({ everyMs: 600_000, now: () => now }));
    desk.warm?.start();
    await oneReady(desk);
    now = 3_600_000;
    expect(await desk.warm?.take()).toBe(null);
    desk.warm?.close();
  });

  it('gives nothing once it is closed, also what was on its way', async () => {
    const { rig, desk } = await deskOf();
    desk.warm?.start();
    await expect.poll(() => rig.server.visits.length).toBe(2);
    desk.warm?.close();
    await expect.poll(() => visit(rig, 1).ended || visit(rig, 1).closed).toBe(true);
    expect([await desk.warm?.take(), desk.warm?.size]).toEqual([null, 0]);
  });
});

/** Greeted by the connection kept, and silent. */
async function greeted(options: Partial<RigOptions> = {}): Promise<{ rig: Rig; client: FakeClient }> {
  const rig = await warmed(options);
  const { protocol = 'imap', upstreamTls = 'implicit' } = options;
  const client = await rig.client().hear(clientGreeting(protocol, upstreamTls));
  await keeps(rig, 1);
  return { rig, client };
}

/** A connection is kept that greets and hears a client's first line, then goes on with `steps`. */
async function deafened(...steps: readonly Step[]): Promise<Rig> {
  const rig = await open();
  const first = rig.client();
  await rig.until(() => rig.count('handshaken') === 1);
  rig.server.script = [tls, { say: greetingOf('imap') }, { hear: 'HELLO' }, ...steps];
  await first.say('first\r\n').hear('first');
  first.socket.end();
  await rig.end();
  await keeps(rig, 1);
  rig.server.script = honest('imap', 'implicit');
  return rig;
}

/** Asked for STARTTLS, and inside TLS. */
async function upgraded(
  client: FakeClient,
  { ready, startTls } = { ready: 'ready', startTls: 's STARTTLS' },
): Promise<FakeClient> {
  await client.hear(ready);
  await client.say(`${startTls}\r\n`).hear('begin TLS now');
  return client.secure();
}

describe('a client whose connection goes after it was greeted', () => {
  const goings: readonly (readonly [string, (visit: Visit) => void])[] = [
    ['ends', ({ socket }) => void socket.end()],
    ['breaks', ({ socket }) => void socket.destroy()],
    ['says goodbye and ends', ({ socket }) => void socket.end('* BYE idle\r\n')],
    ['says something nobody asked for', ({ socket }) => void socket.write('* OK still here\r\n')],
  ];

  it.each(goings)('is served by another without noticing when the server %s', async (_, go) => {
    const { rig, client } = await greeted();
    go(visit(rig, 1));
    await rig.until(() => rig.count('dialled') === 4);
    await client.say('a1 HELLO\r\n').hear('a1 HELLO');
    client.socket.end();
    expect(await rig.end(2)).toMatchObject({ outcome: 'relayed', basis: 'pin' });
    expect(client.text).toBe(`${greetingOf('imap')}a1 HELLO\r\n`);
    expect(rig.count('greeted')).toBe(2);
  });

  it.each(pairs)('of %s over %s is as well', async (protocol, upstreamTls) => {
    const { rig, client } = await greeted({ protocol, upstreamTls });
    visit(rig, 1).socket.end();
    await client.say('a1 HELLO\r\n').hear('a1 HELLO');
    expect(client.text).toBe(`${clientGreeting(protocol, upstreamTls)}a1 HELLO\r\n`);
  });

  it.each<[string, Step]>([
    ['ends', { do: 'end' }],
    ['breaks', { do: 'reset' }],
    ['says goodbye in place of an answer', { say: '* BYE idle\r\n' }],
  ])('has its first line carried to another when the server %s', async (_, step) => {
    const rig = await deafened(step);
    const { client, by } = await served(rig);
    expect(by).toBeGreaterThan(1);
    expect(client.text).toBe(`${greetingOf('imap')}a1 HELLO\r\n`);
    expect(visit(rig, 1).secured.toString()).toBe('a1 HELLO\r\n');
  });

  it('is told when it had said more than one line, and nothing is said twice', async () => {
    const rig = await deafened({ hear: 'MORE' }, { do: 'reset' });
    const client = await rig.client().hear('ready');
    await client.say('a1 HELLO\r\na2 MORE\r\n').over();
    expect(await rig.end(2)).toMatchObject({ outcome: 'failed', reason: 'relay' });
    expect(rig.server.visits.filter(({ secured }) => secured.includes('HELLO'))).toHaveLength(1);
  });

  it('is told once it had an answer, and nothing is said twice', async () => {
    const { rig, client } = await greeted();
    await client.say('a1 HELLO\r\n').hear('a1 HELLO');
    visit(rig, 1).socket.end();
    await client.over();
    expect(client.text).toBe(`${greetingOf('imap')}a1 HELLO\r\n`);
    expect(rig.server.visits.filter(({ secured }) => secured.includes('HELLO'))).toHaveLength(1);
  });

  it('is cut off when the next connection is refused, with nothing sent to it', async () => {
    const { rig, client } = await greeted();
    rig.server.identity = other;
    visit(rig, 1).socket.end();
    client.say('a1 LOGIN me secret\r\n');
    await client.over();
    expect(client.error).toBe('ECONNRESET');
    expect(await rig.end(2)).toMatchObject({ outcome: 'refused', reason: 'pin-mismatch', said: null });
    expect(client.text).toBe(greetingOf('imap'));
    expect(rig.server.visits.slice(2).some(({ secured }) => secured.length > 0)).toBe(false);
  });

  it('is told of the server that refused it, which is remembered', async () => {
    const bad: Step[] = [
      { say: '* OK ready\r\n' },
      { hear: 'CAPABILITY' },
      { say: '* CAPABILITY IMAP4rev1\r\nz1 OK\r\n' },
    ];
    const { rig, client } = await greeted({ upstreamTls: 'starttls' });
    rig.server.script = bad;
    visit(rig, 1).socket.end();
    client.say('a1 HELLO\r\n');
    await client.over();
    expect(await rig.end(2)).toMatchObject({ reason: 'starttls-missing', basis: null, spki: null });
    await rig.client().over();
    expect(await rig.end(3)).toMatchObject({ detail: expect.stringContaining('memory') });
  });

  it('is cut off, and no server asked for it, when its trust settings changed meanwhile', async () => {
    const { rig, client } = await greeted();
    const trust = { policy: 'pinned', firstUse: 'accept', configPins: [] } as const;
    await rig.proxy.replace([{ ...rig.route, trust, warm: 0 }]);
    const dialled = rig.count('dialled');
    visit(rig, 1).socket.end();
    client.say('a1 LOGIN me secret\r\n');
    await client.over();
    expect(client.error).toBe('ECONNRESET');
    expect(await rig.end(2)).toMatchObject({ outcome: 'rejected', reason: 'draining' });
    expect([rig.count('dialled'), rig.server.heard]).toEqual([dialled, 'first\r\n']);
  });

  it('is served by another after a reload that changed nothing for its server', async () => {
    const { rig, client } = await greeted();
    await rig.proxy.replace([{ ...rig.route, warm: 0 }]);
    visit(rig, 1).socket.end();
    await client.say('a1 HELLO\r\n').hear('a1 HELLO');
  });

  it('is cut off when the next connection greets with another challenge', async () => {
    const { rig, client } = await greeted({
      protocol: 'pop3',
      script: [tls, { say: `+OK server ready\r\n` }, { do: 'echo' }],
    });
    rig.server.script = [tls, { say: '+OK server ready <1.2@mail.test>\r\n' }, { do: 'echo' }];
    visit(rig, 1).socket.end();
    await client.over();
    expect([client.error, client.text]).toEqual(['ECONNRESET', '+OK server ready\r\n']);
    expect(await rig.end(2)).toMatchObject({ outcome: 'failed', reason: 'relay', said: null });
  });

  it('does not make it leave: a client that goes itself is not replaced', async () => {
    const { rig, client } = await greeted();
    client.socket.destroy();
    await rig.end(2);
    expect(rig.count('dialled')).toBe(3);
  });

  it('is served by another when that happens while it makes TLS with us', async () => {
    const clientTls = { mode: 'starttls', minVersion: 'TLSv1.2', files: null } as const;
    const rig = await open({ route: { clientTls } });
    await (await upgraded(rig.client())).say('first\r\n').hear('first');
    await keeps(rig, 1);
    const client = await rig.client().hear('ready');
    await rig.until(() => kept(rig) === 0);
    visit(rig, 1).socket.end();
    await (await upgraded(client)).say('a1 HELLO\r\n').hear('a1 HELLO');
    expect(client.text).toBe('a1 HELLO\r\n');
    expect(visit(rig, 1).secured.length).toBe(0);
  });

  it('is greeted by the other when that happens before it was greeted by the server', async () => {
    const clientTls = { mode: 'starttls', minVersion: 'TLSv1.2', files: null } as const;
    const rig = await open({ protocol: 'sieve', route: { clientTls } });
    const words = { ready: 'letterlock', startTls: 'STARTTLS' };
    await (await upgraded(rig.client(), words)).say('first\r\n').hear('first');
    await keeps(rig, 1);
    const client = await rig.client().hear('letterlock');
    await expect.poll(() => kept(rig)).toBe(0);
    rig.server.script = [tls, { say: '"SASL" "LOGIN"\r\nOK\r\n' }, { do: 'echo' }];
    visit(rig, 1).socket.end();
    await (await upgraded(client, words)).say('HELLO\r\n').hear('HELLO');
    expect(client.text).toBe('"SASL" "LOGIN"\r\nOK\r\nHELLO\r\n');
  });
});

/** Connections that are settled and that no client has. */
const idle = (rig: Rig): readonly Visit[] =>
  rig.server.visits.filter(({ secured, ended, closed }) => secured.length === 0 && !ended && !closed);

describe('whatever happens to servers, trust and clients in whatever order', () => {
  type Act = 'end' | 'break' | 'bye' | 'byte' | 'age' | 'approve' | 'reload' | 'turn' | 'client';
  const acts = fc.array(
    fc.constantFrom<Act>(
      'end',
      'break',
      'bye',
      'byte',
      'age',
      'approve',
      'reload',
      'turn',
      'client',
      'client',
    ),
    { minLength: 4, maxLength: 12 },
  );

  async function act(rig: Rig, what: Exclude<Act, 'client'>): Promise<readonly Visit[]> {
    const settled = kept(rig) === 2 ? idle(rig) : [];
    switch (what) {
      case 'end':
        for (const { socket } of idle(rig)) socket.end();
        return [];
      case 'break':
        for (const { socket } of idle(rig)) socket.destroy();
        return [];
      case 'bye':
        for (const { socket } of idle(rig)) socket.write('* BYE idle\r\n');
        return [];
      case 'byte': {
        const odd = idle(rig);
        for (const { socket } of odd) socket.write('*');
        // One that crosses with a client's line is taken for its answer, as on any connection.
        await expect.poll(() => odd.every(({ ended, closed }) => ended || closed)).toBe(true);
        return [];
      }
      case 'age':
        rig.clock.ahead += 3_600_001;
        return settled;
      case 'approve':
        await order(rig, 'approve');
        return settled;
      case 'reload':
        await rig.proxy.replace([rig.route]);
        return settled;
      case 'turn':
        await turn();
        return [];
    }
  }

  it('each client is greeted once and answered, by a connection of now', async () => {
    await fc.assert(
      fc.asyncProperty(acts, async (list) => {
        const rig = await open({ route: { warm: 2 }, timing: { warmRetryMs: 1, warmLongestRetryMs: 4 } });
        await served(rig, 'first');
        const outdated = new Set<Visit>();
        for (const [index, what] of list.entries()) {
          if (what !== 'client') {
            for (const old of await act(rig, what)) outdated.add(old);
            continue;
          }
          const line = `a${index} HELLO`;
          const { client, by } = await served(rig, line);
          expect(client.text).toBe(`${greetingOf('imap')}${line}\r\n`);
          expect(outdated.has(visit(rig, by))).toBe(false);
          client.socket.end();
        }
        await rig.close();
        rigs.splice(0);
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});
