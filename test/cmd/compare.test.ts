// A refused key compared on the command line; and that with a daemon a command asks the daemon and nothing else.

import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveAdmin } from '../../src/admin/server.ts';
import type { AdminServer } from '../../src/admin/server.ts';
import { operateOn } from '../../src/admin/tofu-operator.ts';
import { openLevelStore } from '../../src/store/level.ts';
import { openMemoryStore } from '../../src/store/memory.ts';
import { home as endpoint, keyOf, makeStory, openTofu, silent, tell, type Story } from '../admin/world.ts';
import { Home, parsed } from './program.ts';
import type { Ended } from './program.ts';

let story: Story;
let home: Home;
let ref: string;
let socket: string;
let server: AdminServer;
let served: string[];

beforeAll(async () => {
  [story, home, served] = [await makeStory(), await Home.make(), []];
  await tellOnDisk();
  const store = openMemoryStore();
  const tofu = await openTofu(store);
  await tell(tofu, story);
  socket = home.path('admin.sock');
  server = await serveAdmin({
    socket: { path: socket, mode: 0o600, group: null },
    operator: operateOn({
      source: 'daemon',
      tofu,
      store,
      origin: 'cli',
      now: Date.now,
      settings: () => new Map(),
      status: () => Promise.reject(new TypeError('not asked')),
      reload: async () => ({ reloaded: true, problems: [] }),
      live: silent,
      close: async () => undefined,
    }),
    served: (route) => served.push(route),
    rejected: () => undefined,
  });
});
afterAll(async () => {
  await server.close();
  await home.remove();
});

async function tellOnDisk(): Promise<void> {
  const store = await openLevelStore({ directory: home.path('st'), create: true, now: Date.now });
  const tofu = await openTofu(store, store.secret);
  await tell(tofu, story);
  ref = tofu.reference(endpoint, keyOf(story.fresh));
  await tofu.close();
  await store.close();
}

const onDisk = (...words: readonly string[]): Promise<Ended> => home.say([...words, '--state', 'st']);

const key = (side: string, spki: string): RegExp => new RegExp(`${side} +${spki.replaceAll('+', '\\+')}\\n`);

describe('pins compare', () => {
  it('says what changed first, then every difference, and how to be sure', async () => {
    const { stdout, stderr, exit } = await onDisk('pins', 'compare', ref.toLowerCase());
    expect([exit, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      new RegExp(
        `^${endpoint}: the key ${ref} waits for a decision\\n {2}refused as pin-mismatch, seen 1 time, `,
      ),
    );
    expect(stdout).toContain('\nThe key changed; subject, issuer and names stayed: ');
    // The certificates of this test are for mail.test.
    expect(stdout).toContain(
      '\n  - As the known one, it is not for imap.example.org but for mail.test, 127.0.0.1.\n',
    );
    expect(stdout).toMatch(/\nDiffers from the known key \(pinned\):\n {2}key +known/);
    expect(stdout).toMatch(key('known', keyOf(story.old)));
    expect(stdout).toMatch(key('presented', keyOf(story.fresh)));
    expect(stdout).toMatch(/\nThe same:\n {2}kind of key +EC P-256\n/);
    expect(stdout).toMatch(/\nWrong with the presented certificate:\n {2}self-signed +\S/);
    expect(stdout).toContain(`pins approve ${endpoint} --expect FINGERPRINT (as it was given to you)`);
    expect(stdout.split('\n').filter((line) => / +$/.test(line))).toEqual([]);
  });

  it('finds the key by its endpoint where only one waits', async () => {
    const byReference = await onDisk('pins', 'compare', ref);
    expect(await onDisk('pins', 'compare', endpoint)).toEqual(byReference);
    expect(byReference.exit).toBe(0);
  });

  it('names what was typed when explain finds nothing', async () => {
    expect((await onDisk('explain', 'nonsense')).stderr).toContain('"nonsense" is no code');
  });

  it('shows the same as JSON', async () => {
    expect(parsed((await onDisk('pins', 'compare', ref, '--json')).stdout)).toMatchObject({
      endpoint,
      ref,
      state: 'pinned',
      known: { spki: keyOf(story.old), basis: 'pinned' },
      presented: { spki: keyOf(story.fresh), basis: 'candidate', certificate: { key: 'EC P-256' } },
    });
  });

  it('stands in explain as well', async () => {
    const { stdout } = await onDisk('explain', ref.toLowerCase());
    expect(stdout).toMatch(/\n\nWhat changed:\n {2}The key changed; [^]*\n {4}key +known +sha256/);
    expect(parsed((await onDisk('explain', ref, '--json')).stdout)).toMatchObject({
      kind: 'reference',
      comparison: { ref },
    });
    expect((await onDisk('explain', endpoint)).stdout).not.toContain('What changed');
  });

  it.each([
    [
      'no reference at all',
      'nonsense!',
      /is no reference and no HOST:PORT\nhint: A reference has 8 characters/,
    ],
    ['an endpoint nobody knows', 'nobody.example:993', /nobody\.example:993/],
    ['a reference of nothing', '00000000', /is no reference of a key known here/],
  ])('knows %s', async (_name, text, said) => {
    expect(await onDisk('pins', 'compare', text)).toMatchObject({
      exit: 7,
      stdout: '',
      stderr: expect.stringMatching(said),
    });
  });
});

describe('with a daemon a command asks the daemon and nothing else', () => {
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['pins', ['pins', 'list']],
    ['pin', ['pins', 'show', endpoint]],
    ['candidate', ['pins', 'compare', 'REF']],
    ['history', ['pins', 'history']],
    ['explain', ['explain', endpoint]],
    ['records', ['pins', 'export']],
    ['verify', ['pins', 'verify']],
    ['reload', ['reload']],
    ['commands', ['pins', 'reject', endpoint, '--expect', 'FRESH']],
    ['commands', ['pins', 'undo', endpoint]],
    ['commands', ['pins', 'approve', endpoint, '--expect', 'FRESH']],
    ['commands', ['pins', 'forget', endpoint, '--yes']],
    ['commands', ['pins', 'add', endpoint, 'FRESH']],
  ];

  it.each(rows)('%s for %j', async (route, words) => {
    const shown = await home.say(['pins', 'list', '--json', '--socket', socket]);
    const waiting = /"ref": "(\w+)"/.exec(shown.stdout)?.[1] ?? '';
    served.length = 0;
    const spoken = words.map((word) =>
      word === 'FRESH' ? keyOf(story.fresh) : word === 'REF' ? waiting : word,
    );
    const { exit, stderr } = await home.say([...spoken, '--socket', socket, '--state', 'nowhere']);
    expect([exit, stderr]).toEqual([0, '']);
    expect(served).toEqual([route]);
    expect(existsSync(home.path('nowhere'))).toBe(false);
  });
});
