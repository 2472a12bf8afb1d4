// What a scrape says of the keys there are is kept from one to the next: it must never differ from what is made anew.

import { expect, onTestFinished, test } from 'vitest';
import { trustView } from '../../src/daemon/trust-view.ts';
import { openMemoryStore } from '../../src/store/memory.ts';
import { Tofu } from '../../src/tofu.ts';
import type { TrustSettings } from '../../src/trust/evidence.ts';
import { spkiOf } from '../store/fixtures.ts';

const home = 'imap.example.org:993';
const office = 'mail.example.net:465';
const tofuSettings: TrustSettings = { policy: 'tofu', firstUse: 'accept', configPins: [] };
const hour = 3_600_000;

async function world() {
  let now = 1_790_000_000_000;
  let settings = new Map([[home, tofuSettings]]);
  const store = openMemoryStore();
  const tofu = await Tofu.open({
    store,
    secret: new Uint8Array(32),
    now: () => now,
    builtAt: 0,
    on: () => undefined,
  });
  onTestFinished(() => tofu.close());
  const view = () =>
    trustView({
      store,
      tofu: () => tofu,
      settings: () => settings,
      now: () => now,
      tellCarried: async () => undefined,
      hooks: () => [],
    });
  const lasting = view();
  return {
    tofu,
    pass: (ms: number) => (now += ms),
    configure: (next: typeof settings) => (settings = next),
    seen: async () => {
      const facts = await lasting.trust();
      expect(facts).toEqual(await view().trust());
      return facts;
    },
  };
}

const add = (endpoint: string, name: string, forMs: number | null = null) =>
  ({ command: 'add', endpoint, pin: spkiOf(name), forMs, unreject: false }) as const;

test('a key that comes, is rejected, goes or ends counts at the next scrape', async () => {
  const { tofu, pass, seen } = await world();
  expect((await seen()).keys).toEqual({ pinned: 0, expired: 0, rejected: 0, candidate: 0 });
  await tofu.command(add(home, 'one'), { origin: 'cli' });
  await tofu.command(add(office, 'two', hour), { origin: 'cli' });
  expect((await seen()).keys).toMatchObject({ pinned: 2 });
  await tofu.command({ command: 'reject', endpoint: home, expect: spkiOf('one') }, { origin: 'cli' });
  expect((await seen()).keys).toMatchObject({ pinned: 1, rejected: 1 });
  pass(2 * hour);
  expect((await seen()).keys).toEqual({ pinned: 0, expired: 1, rejected: 1, candidate: 0 });
  await tofu.command({ command: 'forget', endpoint: office, expect: null, yes: true }, { origin: 'cli' });
  expect((await seen()).keys).toMatchObject({ expired: 0 });
});

test('only configured endpoints have a state, by the settings of now', async () => {
  const { tofu, configure, seen } = await world();
  await tofu.command(add(office, 'two'), { origin: 'cli' });
  expect((await seen()).endpoints).toEqual(new Map([[home, 'none']]));
  configure(new Map([[office, tofuSettings]]));
  expect((await seen()).endpoints).toEqual(new Map([[office, 'pinned']]));
  configure(new Map([[office, { ...tofuSettings, configPins: [spkiOf('other')] }]]));
  expect((await seen()).keys).toMatchObject({ pinned: 2 });
});
