// What a daemon remembers of its latest connections, and tells whoever shows a screenshot.

import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { remoteOperator } from '../../src/admin/client.ts';
import { Connections } from '../../src/daemon/connections.ts';
import { ConnectionIds } from '../../src/proxy/connection-id.ts';
import { selfSigned, type Identity } from '../net/peers.ts';
import { ended, judged, started } from '../ops/events.ts';
import { routeTo, World } from './world.ts';

let own: Identity;
let impostor: Identity;
beforeAll(async () => {
  [own, impostor] = [await selfSigned(), await selfSigned()];
});

describe('a connection that was refused', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => world.close());

  test('is explained by the name in the sentence its client was told, at whatever level the log is', async () => {
    const server = await world.server(own);
    const daemon = await world.start(
      world.config([routeTo(server, {})], { log: { level: 'error', format: 'json' } }),
    );
    await world.client(daemon).hear('* OK ready');
    server.identity = impostor;
    const { text } = await world.client(daemon).over();
    await world.event('session-ended');
    const [, name = '', reference = ''] = /\(#(.*?)\)\. Run: letterlock explain (\w+)/.exec(text) ?? [];
    const operator = remoteOperator(daemon.adminSocket);
    const explanation = await operator.explain(`#${name.toLowerCase()}`);
    expect(explanation).toMatchObject({
      kind: 'session',
      endpoint: `127.0.0.1:${server.port}`,
      summary: expect.stringMatching(
        /^The connection [0-9A-Z]{3}-2 on imap-test was refused after .* its key changed/,
      ),
      decision: null,
    });
    const steps = explanation.steps.join('\n');
    for (const step of ['client on imap-test', 'dialled', 'TLS with', ': pin-mismatch', `(#${name})`])
      expect(steps).toContain(step);
    expect(explanation.advice.at(-1)).toBe(`How that was decided: letterlock explain ${reference}`);
    const decided = await operator.explain(reference);
    expect(decided.decision).toMatchObject({ verdict: 'refused', reason: 'pin-mismatch' });
    expect(decided.decision?.steps.find(({ decides }) => decides)).toMatchObject({
      rule: 'hand-over',
      found: 'no',
    });
    await expect(operator.explain('ZZZ-7')).rejects.toMatchObject({ exit: 'not-found', code: 'not-found' });
  });

  test('is told as open while it is', async () => {
    const server = await world.server(own);
    const daemon = await world.start(world.config([routeTo(server, {})]));
    await world.client(daemon).hear('* OK ready');
    const { session } = await world.event('session-started');
    const { summary, advice } = await daemon.operator.explain(session);
    expect(summary).toBe(`The connection ${session} on imap-test is open.`);
    expect(advice).toEqual([]);
  });
});

const memory = (): Connections => {
  const ids = new ConnectionIds('T3S');
  for (let count = 0; count < 100; count += 1) ids.next();
  return new Connections({ now: () => 1_700_000_000_000, ids }, { connections: 10, steps: 4 });
};

describe('the memory', () => {
  test('holds the latest connections and no more', () => {
    const connections = memory();
    for (let session = 1; session <= 100; session += 1) {
      connections.take(started(session));
      connections.take(ended({ session }));
    }
    expect(connections.explain('T3S-91')?.summary).toContain('was relayed to imap.example.org:993');
    expect(() => connections.explain('T3S-90')).toThrow('only the latest 10 are');
    expect(() => connections.explain('T3S-101')).toThrow('no connection of this run');
    expect(connections.explain('imap.example.org:993')).toBeNull();
  });

  test('holds a few lines of each, the last one among them', () => {
    const connections = memory();
    connections.take(started(1));
    for (let time = 0; time < 100; time += 1) connections.take(judged({ session: 'T3S-1' }));
    connections.take(ended({ session: 1 }));
    const steps = connections.explain('T3S-1')?.steps ?? [];
    expect(steps).toHaveLength(4);
    expect(steps.at(-1)).toContain('relayed imap.example.org:993');
  });

  test.each([
    [{ outcome: 'refused', reason: 'ca-lost' }, 'was refused after 1.5 s'],
    [{ outcome: 'failed', reason: 'dial' }, 'failed after 1.5 s: no connection could be made (dial)'],
    [{ outcome: 'rejected', reason: 'http' }, 'was closed after 1.5 s'],
  ])('tells how %j came about', (facts, words) => {
    const connections = memory();
    connections.take(started(1));
    connections.take(ended({ session: 1, basis: null, ...facts }));
    const explanation = connections.explain('T3S-1');
    expect(explanation?.summary).toContain(words);
    expect(explanation?.advice.length).toBeGreaterThan(0);
  });
});
