// Library processes beside a daemon: its pins are theirs, and it gets its database when it comes.

import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { openLocalOperator } from '../../src/admin/local.ts';
import { CommandError } from '../../src/errors.ts';
import {
  openSharedStore,
  type SharedStore,
  type SharedStoreOptions,
} from '../../src/sharing/shared-store.ts';
import { Tofu } from '../../src/tofu.ts';
import { home, keyOf, makeStory, office, openTofu, tell, tofuSettings, type Story } from '../admin/world.ts';
import { selfSigned } from '../net/peers.ts';
import type { Identity } from '../net/peers.ts';
import { auditOf, changeOf, committed, loaded } from '../store/fixtures.ts';
import { routeTo, World } from './world.ts';

const quick = { patienceMs: 1000, callMs: 1000 };
let world: World;
let own: Identity;
let story: Story;
beforeAll(async () => {
  [own, story] = [await selfSigned(), await makeStory()];
});
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

async function shared(options: Partial<SharedStoreOptions>): Promise<SharedStore> {
  const store = await openSharedStore({ now: Date.now, env: {}, timing: quick, ...options });
  onTestFinished(() => store.close());
  return store;
}

const running = async (mode = 0o600) => {
  const server = await world.server(own);
  const socket = { path: join(world.folder, 'run', 'admin.sock'), mode, group: null };
  return world.start(world.config([routeTo(server, {})], { admin: { socket, listen: null } }));
};
const state = (): string => join(world.folder, 'state');
const elsewhere = (): string => join(world.folder, 'elsewhere');

describe('a process beside a daemon', () => {
  test.each([
    ['that names its socket', (socket: string) => ({ socket, state: elsewhere() })],
    ['that names its state', () => ({ state: state() })],
    ['that names nothing', (wellKnown: string) => ({ wellKnown: [wellKnown], env: { HOME: elsewhere() } })],
    [
      'whose environment names its socket',
      (socket: string) => ({ env: { LETTERLOCK_SOCKET: socket, HOME: elsewhere() } }),
    ],
  ] as const)('%s has its pins', async (_name, options) => {
    const daemon = await running();
    const store = await shared(options(daemon.adminSocket));
    expect([store.role, store.health().state]).toEqual(['guest', 'good']);
    await committed(store, [changeOf(home, 0, { audit: [auditOf(home)] })]);
    expect(await daemon.operator.pins()).toContainEqual(
      expect.objectContaining({ endpoint: home, state: 'pinned' }),
    );
    expect(world.log).toContainEqual(expect.objectContaining({ change: 'first-use', endpoint: home }));
  });

  test('that names another state has nothing to do with it', async () => {
    const daemon = await running();
    const store = await shared({ state: elsewhere(), wellKnown: [daemon.adminSocket] });
    expect(store.role).toBe('holder');
    await committed(store, [changeOf(home, 0)]);
    expect((await daemon.operator.pins()).map(({ endpoint }) => endpoint)).not.toContain(home);
  });

  test('gets nothing over an admin socket that is open to a group, and all over the socket beside the pins', async () => {
    const daemon = await running(0o660);
    const outside = await shared({ socket: daemon.adminSocket, state: elsewhere() });
    expect(outside.role).toBe('holder');
    const owner = await shared({ socket: daemon.adminSocket, state: state() });
    expect(owner.role).toBe('guest');
  });

  test('stops trusting a key in the moment the operator rejects it', async () => {
    const daemon = await running();
    const store = await shared({ state: state() });
    const lost: string[] = [];
    const tofu = await Tofu.open({
      store,
      secret: store.secret,
      now: Date.now,
      builtAt: 0,
      on: (event) => void (event.type === 'key-untrusted' && lost.push(event.spki)),
    });
    onTestFinished(() => tofu.close());
    await tell(tofu, story);
    const command = { command: 'reject', endpoint: office, expect: keyOf(story.other) } as const;
    const [row] = (await daemon.operator.pins()).filter(({ endpoint }) => endpoint === home);
    expect(row?.candidates[0]?.ref).toBe(tofu.reference(home, keyOf(story.fresh)));
    await daemon.operator.command(command);
    await vi.waitFor(() => expect(lost).toEqual([keyOf(story.other)]));
    expect(tofu.record(office)?.rejected).toMatchObject([{ spki: keyOf(story.other) }]);
  });

  test('takes the database over when the daemon ends, and gives it back when one comes', async () => {
    const first = await running();
    const store = await shared({ state: state() });
    await committed(store, [changeOf(home, 0)]);
    await first.close(0);
    await vi.waitFor(() => expect(store.role).toBe('holder'));
    await committed(store, [changeOf(office, 0)]);
    const sibling = await shared({ state: state() });
    expect(sibling.role).toBe('guest');
    const second = await running();
    const known = (await second.operator.pins()).map(({ endpoint }) => endpoint);
    expect(known).toEqual(expect.arrayContaining([home, office]));
    for (const each of [store, sibling])
      await vi.waitFor(() => expect([each.role, each.health().state]).toEqual(['guest', 'good']));
    await committed(sibling, [changeOf(office, 1)]);
    await expect(running()).rejects.toMatchObject({ code: 'store-locked' });
  });
});

const commanding = () =>
  openLocalOperator({
    state: state(),
    create: 'never',
    settings: new Map([[home, tofuSettings]]),
    now: Date.now,
    builtAt: 0,
    noDaemon: () => new CommandError('no-daemon', 'no daemon'),
  });

describe('a command beside a library process that holds the database', () => {
  test('asks it, and what the command changes holds there at once', async () => {
    const store = await shared({ state: state() });
    const tofu = await openTofu(store, store.secret);
    onTestFinished(() => tofu.close());
    await tell(tofu, story);
    const operator = await commanding();
    expect((await operator.pins()).map(({ endpoint }) => endpoint)).toEqual([home, office]);
    expect(await operator.verify()).toMatchObject({ ok: true });
    await operator.command({ command: 'reject', endpoint: home, expect: keyOf(story.old) });
    await operator.close();
    await vi.waitFor(() => expect(tofu.record(home)?.rejected).toMatchObject([{ spki: keyOf(story.old) }]));
    expect((await loaded(store)).get(home)?.record?.rejected).toHaveLength(1);
  });
});
