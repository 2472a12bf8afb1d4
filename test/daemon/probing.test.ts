import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { remoteOperator } from '../../src/admin/client.ts';
import type { Operator } from '../../src/admin/operator.ts';
import { selfSigned } from '../net/peers.ts';
import type { Identity } from '../net/peers.ts';
import { keyOf } from '../proxy/world.ts';
import type { FakeServer } from '../proxy/world.ts';
import { page, routeTo, World } from './world.ts';

let world: World;
let own: Identity;
let impostor: Identity;
beforeAll(async () => {
  [own, impostor] = [await selfSigned(), await selfSigned()];
});
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const nameOf = ({ port }: FakeServer): string => `127.0.0.1:${port}`;
const hours = (count: number): number => count * 3_600_000;

async function rowOf(
  operator: Operator,
  endpoint: string,
): Promise<Awaited<ReturnType<Operator['endpoints']>>[number]> {
  const row = (await operator.endpoints()).find((each) => each.endpoint === endpoint);
  if (row === undefined) throw new Error(`no row of ${endpoint}`);
  return row;
}

describe('a probe asked for over the admin socket', () => {
  test('of a server nobody knows says so, pins nothing and is shown with its certificate', async () => {
    const server = await world.server(own);
    const daemon = await world.start(world.config([routeTo(server, {})]));
    const operator = remoteOperator(daemon.adminSocket);
    const seen = await operator.probe(nameOf(server));
    expect(seen).toMatchObject({
      endpoint: nameOf(server),
      result: 'accepted',
      verdict: 'first-use',
      reason: null,
      spki: keyOf(own),
      ref: null,
      certificate: { sha256: expect.stringMatching(/^[0-9A-F]{2}:/) },
    });
    expect(await operator.pins()).toMatchObject([{ state: 'none', pins: [], candidates: [] }]);
    expect(await operator.history(null)).toEqual([]);
    expect(await rowOf(operator, nameOf(server))).toMatchObject({
      lastProbe: { result: 'accepted', reason: null, at: seen.at },
      lastVerdict: null,
      nextProbe: null,
    });
    const { text } = await page(daemon, '/metrics');
    expect(text).toContain(`letterlock_probes_total{upstream="${nameOf(server)}",result="accepted"} 1`);
    expect(text).toContain(
      `letterlock_peer_certificate_not_after_timestamp_seconds{upstream="${nameOf(server)}"}`,
    );
    expect(text).toContain(`letterlock_verdicts_total{upstream="${nameOf(server)}",basis="first-use"} 0`);
  });

  test('that finds another key shows the refusal everywhere, and no pin changes', async () => {
    const server = await world.server(own);
    const daemon = await world.start(world.config([routeTo(server, {})]));
    await world.client(daemon).hear('* OK ready');
    const operator = remoteOperator(daemon.adminSocket);
    const [before] = await operator.pins();
    server.identity = impostor;
    const seen = await operator.probe(nameOf(server));
    expect(seen).toMatchObject({
      result: 'refused',
      verdict: 'refused',
      reason: 'pin-mismatch',
      spki: keyOf(impostor),
    });
    const [after] = await operator.pins();
    expect(after?.pins).toEqual(before?.pins);
    expect(after?.candidates).toMatchObject([{ ref: seen.ref, spki: keyOf(impostor) }]);
    expect(await rowOf(operator, nameOf(server))).toMatchObject({
      refusing: true,
      lastVerdict: { verdict: 'refused', reason: 'pin-mismatch', by: 'probe' },
      lastProbe: { result: 'refused', reason: 'pin-mismatch' },
    });
    expect(world.log.filter(({ event }) => event === 'probed')).toMatchObject([
      { level: 'warn', result: 'refused', reason: 'pin-mismatch', reference: seen.ref },
    ]);
    const { text } = await page(daemon, '/metrics');
    expect(text).toContain(`letterlock_endpoint_refusing{upstream="${nameOf(server)}"} 1`);
    expect(text).toContain(`letterlock_probes_total{upstream="${nameOf(server)}",result="refused"} 1`);
    expect(text).toContain(`letterlock_refusals_total{upstream="${nameOf(server)}",reason="pin-mismatch"} 0`);
  });

  test('that is refused before a key is seen is the last verdict too', async () => {
    const server = await world.server(own, [
      { say: '* OK hello\r\n' },
      { hear: 'CAPABILITY' },
      { say: '* CAPABILITY IMAP4rev1\r\nz1 OK\r\n' },
    ]);
    const daemon = await world.start(world.config([routeTo(server, { upstreamTls: 'starttls' })]));
    expect(await daemon.operator.probe(nameOf(server))).toMatchObject({
      result: 'refused',
      reason: 'starttls-missing',
    });
    expect(await rowOf(daemon.operator, nameOf(server))).toMatchObject({
      refusing: true,
      lastVerdict: { verdict: 'refused', reason: 'starttls-missing', by: 'probe', certificate: null },
    });
  });

  test('of a server that is not configured is not made', async () => {
    const server = await world.server(own);
    const daemon = await world.start(world.config([routeTo(server, {})]));
    await expect(remoteOperator(daemon.adminSocket).probe('imap.example.org:993')).rejects.toMatchObject({
      exit: 'not-found',
      message: 'no route leads to imap.example.org:993',
    });
  });
});

describe('a watched server', () => {
  test('is asked without anybody asking, and shows when it is next', async () => {
    const server = await world.server(own);
    const daemon = await world.start(world.config([routeTo(server, { route: { watchMs: 100 } })]));
    await world.event('probed');
    const row = await rowOf(daemon.operator, nameOf(server));
    expect(row).toMatchObject({ lastProbe: { result: 'accepted' }, nextProbe: expect.stringMatching(/^20/) });
    expect(await daemon.operator.history(null)).toEqual([]);
  });

  test('that a reload takes out is not asked any more, and one that it brings is', async () => {
    const [first, second] = [await world.server(own), await world.server(own)];
    const config = world.config([routeTo(first, { route: { watchMs: hours(6) } })]);
    const next = world.config([routeTo(second, { route: { watchMs: hours(6) } })], {
      metrics: config.metrics,
    });
    const daemon = await world.start(config, { reread: async () => ({ ok: true, config: next }) });
    expect((await rowOf(daemon.operator, nameOf(first))).nextProbe).not.toBe(null);
    expect(await daemon.reload()).toMatchObject({ reloaded: true });
    expect((await rowOf(daemon.operator, nameOf(second))).nextProbe).not.toBe(null);
    await expect(daemon.operator.probe(nameOf(first))).rejects.toMatchObject({ exit: 'not-found' });
  });
});
