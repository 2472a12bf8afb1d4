// One suite over the two ways to operate: on the store itself, and over the socket of a daemon. The store is
// the same kind of store in both, on a disk; what is asked and answered must be the same.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { remoteOperator } from '../../src/admin/client.ts';
import { openLocalOperator } from '../../src/admin/local.ts';
import type { Operator } from '../../src/admin/operator.ts';
import { serveAdmin } from '../../src/admin/server.ts';
import { operateOn } from '../../src/admin/tofu-operator.ts';
import type { ImportOrder } from '../../src/trust/import-order.ts';
import { CommandError } from '../../src/errors.ts';
import { openLevelStore } from '../../src/store/level.ts';
import type { Command } from '../../src/trust/command.ts';
import { home, keyOf, makeStory, office, openTofu, tell, tofuSettings, silent } from './world.ts';
import type { Story } from './world.ts';

const settings = new Map([
  [home, tofuSettings],
  [office, tofuSettings],
]);
const noDaemon = () => new CommandError('no-daemon', 'no daemon');

let folder: string;
let story: Story;
beforeAll(async () => {
  story = await makeStory();
});
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'letterlock-admin-'));
  const store = await openLevelStore({ directory: join(folder, 'state'), create: true, now: Date.now });
  const tofu = await openTofu(store, store.secret);
  await tell(tofu, story);
  await tofu.close();
  await store.close();
});
afterEach(() => rmSync(folder, { recursive: true }));

const local = (): Promise<Operator> =>
  openLocalOperator({
    state: join(folder, 'state'),
    create: 'never',
    settings,
    now: Date.now,
    builtAt: 0,
    noDaemon,
  });

async function remote(): Promise<Operator> {
  const store = await openLevelStore({ directory: join(folder, 'state'), create: false, now: Date.now });
  const tofu = await openTofu(store, store.secret);
  tofu.configure(settings);
  const behind = operateOn({
    source: 'daemon',
    tofu,
    store,
    origin: 'cli',
    now: Date.now,
    settings: () => settings,
    status: () => Promise.reject(noDaemon()),
    reload: () => Promise.reject(noDaemon()),
    live: silent,
    close: async () => undefined,
  });
  const path = join(folder, 'run', 'admin.sock');
  const server = await serveAdmin({
    socket: { path, mode: 0o600, group: null },
    operator: behind,
    served: () => undefined,
    rejected: () => undefined,
  });
  const close = async (): Promise<void> => {
    await server.close();
    await tofu.close();
    await store.close();
  };
  return { ...remoteOperator(path), close };
}

const approve = (changes: Partial<Extract<Command, { readonly command: 'approve' }>> = {}): Command => ({
  command: 'approve',
  endpoint: home,
  expect: keyOf(story.fresh),
  forMs: null,
  as: null,
  keep: false,
  endOld: false,
  unreject: false,
  ...changes,
});

/** The CommandError of what must fail, as it crosses the wire. */
async function failure(
  work: Promise<unknown>,
): Promise<Pick<CommandError, 'exit' | 'code' | 'message' | 'hint'>> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof CommandError))
    throw new Error('it did not fail with a CommandError', { cause: error });
  const { exit, code, message, hint } = error;
  return { exit, code, message, hint };
}

/** The same questions in the same order; times differ between two runs and are left out. */
async function answers(operator: Operator): Promise<unknown> {
  const all = [
    await operator.pins(),
    await operator.pin(home),
    await operator.history(home),
    await operator.history(null),
    await operator.verify(),
    await operator.explain(home),
    await operator.explain('pin-mismatch'),
    await failure(operator.pin('nobody.example:1')),
    await failure(operator.explain('XXXXXXXX')),
    await failure(operator.status()),
    await failure(operator.reload()),
    await failure(operator.command({ command: 'forget', endpoint: home, expect: null, yes: false })),
    await operator.command(approve()),
    await operator.command({ command: 'reject', endpoint: home, expect: keyOf(story.old) }),
    await failure(operator.command(approve({ expect: keyOf(story.old) }))),
    await operator.command({ command: 'undo', endpoint: home }),
    await failure(operator.command({ command: 'undo', endpoint: home })),
    await operator.pins(),
    await operator.import({ orders: [importing(office, key(1))], apply: true }),
    await operator.import({ orders: [importing('new.example:993', key(1))], apply: false }),
    await operator.import({ orders: [importing('new.example:993', key(1))], apply: true }),
    await operator.backup(),
  ];
  const text = JSON.stringify(all)
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'TIME')
    // Sentences give the minute, and a new one may begin between the two runs.
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d UTC/g, 'MINUTE')
    .replaceAll(/"hash":"[0-9a-f]+"/g, '"hash":"HASH"')
    .replaceAll(/\b\d{13}\b/g, '0');
  return JSON.parse(text);
}

const key = (byte: number): string => `sha256//${Buffer.alloc(32, byte).toString('base64')}`;
const importing = (endpoint: string, spki: string): ImportOrder => ({
  endpoint,
  entries: [{ kind: 'pin', spki, until: null }],
  keep: false,
  unreject: [],
});

/** References are of the store's own secret. */
const comparable = (value: unknown): string =>
  JSON.stringify(value).replaceAll(/"ref":"\w{8}"|[0-9A-HJKMNP-TV-Z]{8}(?=\b)/g, 'REF');

test('both give the same answers to the same questions and orders', async () => {
  const one = await local();
  const first = await answers(one);
  await one.close();
  // The same start again for the other one.
  rmSync(join(folder, 'state'), { recursive: true });
  const store = await openLevelStore({ directory: join(folder, 'state'), create: true, now: Date.now });
  const tofu = await openTofu(store, store.secret);
  await tell(tofu, story);
  await tofu.close();
  await store.close();
  const two = await remote();
  const second = await answers(two);
  await two.close();
  expect(comparable(second)).toBe(comparable(first));
});

describe.each([
  ['on the store', local],
  ['over the socket', remote],
])('%s', (_name, open) => {
  let operator: Operator;
  beforeEach(async () => {
    operator = await open();
  });
  afterEach(() => operator.close());

  test('pins lists every endpoint with its pins and candidates, and no PEM', async () => {
    const rows = await operator.pins();
    expect(rows.map(({ endpoint, state }) => [endpoint, state])).toEqual([
      [home, 'pinned'],
      [office, 'pinned'],
    ]);
    expect(rows[0]).toEqual({
      endpoint: home,
      state: 'pinned',
      basis: 'pinned',
      lastCa: null,
      pins: [
        {
          spki: keyOf(story.old),
          kind: 'leaf',
          origin: 'first-use',
          firstSeen: expect.stringMatching(/Z$/),
          lastSeen: expect.stringMatching(/Z$/),
          until: null,
          live: true,
          certificate: expect.objectContaining({ subject: 'CN=mail.test', caValid: false }),
        },
      ],
      candidates: [
        expect.objectContaining({
          ref: expect.stringMatching(/^[0-9A-HJKMNP-TV-Z]{8}$/),
          spki: keyOf(story.fresh),
          seenCount: 1,
          caValid: false,
          reason: 'pin-mismatch',
        }),
      ],
      rejected: [],
      expected: [],
    });
    expect(JSON.stringify(rows)).not.toContain('BEGIN CERTIFICATE');
  });

  test('pin shows one endpoint with PEM', async () => {
    const row = await operator.pin(home);
    expect(row.pins[0]?.certificate?.pem?.trim()).toBe(story.old.cert.trim());
    expect(row.candidates[0]?.certificate.pem?.trim()).toBe(story.fresh.cert.trim());
  });

  test('an endpoint nobody knows is not found', async () => {
    expect(await failure(operator.pin('nobody.example:1'))).toMatchObject({ exit: 'not-found' });
  });

  test('approve makes the candidate a pin and says so in rows and history', async () => {
    const { lines, pins } = await operator.command(approve());
    expect(lines.length).toBeGreaterThan(0);
    expect(pins.candidates).toEqual([]);
    expect(pins.pins.map(({ spki, origin, live }) => [spki, origin, live])).toEqual(
      expect.arrayContaining([
        [keyOf(story.old), 'first-use', true],
        [keyOf(story.fresh), 'approved', true],
      ]),
    );
    expect(pins.pins.find(({ spki }) => spki === keyOf(story.old))?.until).not.toBeNull();
    const history = await operator.history(home);
    expect(history.at(0)).toMatchObject({ event: 'first-use', origin: 'proxy' });
    expect(history.find(({ event }) => event === 'approved')).toMatchObject({
      origin: 'cli',
      spki: keyOf(story.fresh),
    });
    expect((await operator.history(office)).every(({ endpoint }) => endpoint === office)).toBe(true);
    expect((await operator.history(null)).length).toBeGreaterThan(history.length);
  });

  test('a rejected key is listed, its pin is live no more, and the endpoint is emptied', async () => {
    const { pins } = await operator.command({ command: 'reject', endpoint: home, expect: keyOf(story.old) });
    expect(pins.rejected).toEqual([keyOf(story.old)]);
    expect(pins.state).toBe('emptied');
    expect(pins.pins.some(({ live }) => live)).toBe(false);
  });

  test('a fingerprint nobody presented is not approved', async () => {
    const never = 'sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=';
    expect((await failure(operator.command(approve({ expect: never })))).exit).toBe('not-found');
    expect((await operator.pin(home)).pins).toHaveLength(1);
  });

  test('a reference explains and never approves', async () => {
    const reference = (await operator.pin(home)).candidates[0]?.ref ?? '';
    expect(await operator.explain(reference)).toMatchObject({
      kind: 'reference',
      endpoint: home,
      spki: keyOf(story.fresh),
    });
    expect((await failure(operator.command(approve({ expect: reference })))).exit).toBe('usage');
  });

  test('a sound store verifies', async () => {
    expect(await operator.verify()).toMatchObject({
      ok: true,
      problems: [],
      store: { state: 'good', backend: 'level', records: 2 },
    });
    expect((await operator.verify()).auditEntries).toBe((await operator.history(null)).length);
  });

  test('what only a daemon can say is no-daemon', async () => {
    expect((await failure(operator.status())).exit).toBe('no-daemon');
    expect((await failure(operator.reload())).exit).toBe('no-daemon');
  });
});
