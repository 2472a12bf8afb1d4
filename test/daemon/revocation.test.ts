// Revocation in a daemon at work: a list that changes ends sessions, and no pin outweighs it.

// oxlint-disable-next-line import/no-unassigned-import -- it is there for its effect: the servers' certificates need it
import 'reflect-metadata';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { loadAnchorSets } from '../../src/daemon/anchor-sets.ts';
import { CrlWatch } from '../../src/daemon/crl-watch.ts';
import type { ProxyEvent } from '../../src/proxy/events.ts';
import type { FakeServer } from '../proxy/world.ts';
import { OpensslCa } from '../trust/openssl-ca.ts';
import { routeTo, World } from './world.ts';

const ca = new OpensslCa();
const issued = ca.issue();
const own = { cert: readFileSync(issued.certificate, 'utf8'), key: readFileSync(issued.key, 'utf8') };
const empty = ca.crl({ name: 'empty.pem' });
ca.revoke(issued);
const full = ca.crl({ name: 'full.pem' });
const old = ca.crl({ name: 'old.pem', days: 0 });
const live = ca.path('live.pem');
afterAll(() => ca.close());

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const routesTo = (server: FakeServer) => [
  routeTo(server, {
    route: {
      anchors: [ca.certificate],
      crlFiles: [live],
      trust: { policy: 'tofu', firstUse: 'accept', configPins: [] },
    },
  }),
];

test('a certificate that a new list names is refused although its key is pinned, and its session ends at the reload', async () => {
  copyFileSync(empty, live);
  const server = await world.server(own);
  const config = world.config(routesTo(server));
  const daemon = await world.start(config, { reread: async () => ({ ok: true, config }) });
  const client = world.client(daemon);
  await client.hear('* OK ready');
  copyFileSync(full, live);
  expect(await daemon.reload()).toMatchObject({ reloaded: true });
  expect(await world.event('session-revoked')).toMatchObject({
    session: expect.stringMatching(/^[0-9A-Z]{3}-1$/),
  });
  await world.event('session-ended');
  expect(world.events.filter(({ type }) => type === 'session-revoked')).toHaveLength(1);

  const next = world.client(daemon);
  await next.hear('letterlock refused 127.0.0.1: its certificate was revoked');
  expect(await world.event('session-ended', 2)).toMatchObject({
    outcome: 'refused',
    reason: 'certificate-revoked',
    reference: null,
  });
  expect(await daemon.operator.pins()).toMatchObject([
    { state: 'pinned', pins: [{ live: true }], candidates: [] },
  ]);
  copyFileSync(empty, live);
  await daemon.reload();
  await world.client(daemon).hear('* OK ready');
});

test('a list that is out of date is warned of at the start, and counts', async () => {
  copyFileSync(old, live);
  const server = await world.server(own);
  const daemon = await world.start(world.config(routesTo(server)));
  expect(world.log.filter(({ event }) => event === 'warning')).toMatchObject([
    { level: 'warn', code: 'crl', msg: expect.stringContaining('ended on 2024-02-01') },
  ]);
  await world.client(daemon).hear('its certificate was revoked');
});

test('a daemon does not start with a list that it cannot read', async () => {
  writeFileSync(live, 'nothing');
  const server = await world.server(own);
  await expect(world.start(world.config(routesTo(server)))).rejects.toMatchObject({
    exit: 'config',
    code: 'crl',
  });
});

test('the watch tells each problem once, while it lasts', async () => {
  copyFileSync(full, live);
  const server = await world.server(own);
  const sets = await loadAnchorSets(routesTo(server));
  const events: ProxyEvent[] = [];
  const watch = new CrlWatch((event) => events.push(event));
  expect(await watch.look(sets, Date.now())).toBe(false);
  expect(events).toEqual([]);
  writeFileSync(live, 'nothing');
  expect(await watch.look(sets, Date.now())).toBe(false);
  expect(await watch.look(sets, Date.now())).toBe(false);
  expect(events).toMatchObject([{ type: 'warning', code: 'crl' }]);
  copyFileSync(empty, live);
  expect(await watch.look(sets, Date.now())).toBe(true);
  writeFileSync(live, 'nothing');
  await watch.look(sets, Date.now());
  expect(events.map(({ type }) => type)).toEqual(['warning', 'crl-reloaded', 'warning']);
});
