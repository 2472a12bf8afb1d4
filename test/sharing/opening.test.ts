// How a process comes to its pins, and what it is told when it does not.

import { chmodSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openFront } from '../../src/sharing/front.ts';
import { openSharedStore } from '../../src/sharing/shared-store.ts';
import { placeOf } from '../../src/sharing/place.ts';
import type { Candidate, KeyEvidence } from '../../src/trust/record.ts';
import {
  changeOf,
  committed,
  endpoint,
  loaded,
  noon,
  opened,
  recordOf,
  spkiOf,
  temporaryDirectory,
  withStore,
} from '../store/fixtures.ts';
import { hasty, shared } from './world.ts';

describe('where a process looks for its pins', () => {
  const env = { HOME: '/home/you', XDG_RUNTIME_DIR: '/run/user/7', LETTERLOCK_SOCKET: '/run/named.sock' };

  it.each([
    [
      'the socket it named alone',
      { state: '/s', socket: '/x.sock' },
      { daemons: ['/x.sock'], directory: '/s' },
    ],
    ['the state it named alone', { state: '/s', socket: null }, { daemons: [], directory: '/s' }],
  ])('%s', (_, options, place) => {
    expect(placeOf({ ...options, env })).toEqual(place);
  });

  it('without a name: where the environment says, else where commands look for a daemon', () => {
    const nothing = { state: null, socket: null };
    expect(placeOf({ ...nothing, env }).daemons).toEqual(['/run/named.sock']);
    const { LETTERLOCK_SOCKET: _, ...plain } = env;
    expect(placeOf({ ...nothing, env: plain }).daemons.slice(0, 2)).toEqual([
      '/run/letterlock/admin.sock',
      '/run/user/7/letterlock/admin.sock',
    ]);
  });
});

describe('a database that is locked and that nobody shares', () => {
  it('is tried for as long as one may wait, then refused with who holds it', async () => {
    const directory = temporaryDirectory();
    await opened(directory);
    const opening = shared(directory, hasty);
    await expect(opening).rejects.toMatchObject({ code: 'store-unavailable' });
    await expect(opening).rejects.toThrow(`pid ${process.pid}`);
    await expect(opening).rejects.toThrow(/nobody could be asked in 0.3 s/);
  });

  it('is had when its holder closes it in time', async () => {
    const directory = temporaryDirectory();
    const holder = await opened(directory);
    const opening = shared(directory);
    await holder.close();
    expect((await opening).role).toBe('holder');
  });

  it('is had as a guest when its holder begins to share it in time', async () => {
    const directory = temporaryDirectory();
    const store = await opened(directory);
    const opening = shared(directory);
    const sharing = { store, secret: store.secret, committed: () => undefined, giveWay: null };
    const front = await openFront(join(directory, 'pins.sock'), sharing, { refs: 'unref' });
    onTestFinished(() => front.close());
    expect((await opening).role).toBe('guest');
  });

  it('is waited for no longer than the caller wants', async () => {
    const directory = temporaryDirectory();
    await opened(directory);
    const stop = new AbortController();
    const opening = openSharedStore({ state: directory, now: () => noon, env: {}, signal: stop.signal });
    stop.abort(new Error('the program has other things to do'));
    await expect(opening).rejects.toThrow('other things to do');
  });
});

describe('a directory that is not its owner’s alone', () => {
  it('is refused before anybody in it is asked', async () => {
    const directory = temporaryDirectory();
    await shared(directory);
    chmodSync(directory, 0o777);
    await expect(shared(directory)).rejects.toMatchObject({ code: 'store-permissions' });
    chmodSync(directory, 0o700);
    expect((await shared(directory)).role).toBe('guest');
  });
});

const evidence = (bytes: number): KeyEvidence => ({
  seenAt: noon,
  caValid: false,
  faults: [],
  chainsToAnchor: false,
  sha256: '',
  subject: '',
  issuer: '',
  names: [],
  notBefore: 0,
  notAfter: 0,
  pem: 'x'.repeat(bytes),
});
const candidates = (bytes: number): readonly Candidate[] =>
  Array.from({ length: 16 }, (_, index) => ({
    spki: spkiOf(`candidate-${index}`),
    firstSeen: noon,
    lastSeen: noon,
    seenCount: 1,
    reason: 'pin-mismatch',
    evidence: evidence(bytes),
  }));

describe('records of unusual size', () => {
  it('are shared: a server that shows huge certificates keeps nobody from his pins', async () => {
    const directory = temporaryDirectory();
    const holder = await shared(directory);
    const guest = await shared(directory);
    const record = recordOf(endpoint, { candidates: candidates(150_000) });
    await committed(guest, [changeOf(endpoint, 0, { record })]);
    expect((await loaded(await shared(directory))).get(endpoint)?.record).toEqual(record);
    expect((await loaded(holder)).get(endpoint)?.record).toEqual(record);
  });

  it('beyond all use are refused before they are sent, and the store goes on', async () => {
    const directory = temporaryDirectory();
    await shared(directory);
    const guest = await shared(directory);
    const record = recordOf(endpoint, { candidates: candidates(2_000_000) });
    await expect(guest.commit([changeOf(endpoint, 0, { record })])).rejects.toMatchObject({
      code: 'store-io',
      message: expect.stringMatching(/at most 16777216 bytes/),
    });
    await committed(guest, [changeOf(endpoint, 0)]);
  });
});

describe('a damaged store', () => {
  it('is damaged for its guests too: lost records, and the rejections the seal kept', async () => {
    const directory = temporaryDirectory();
    const rejected = recordOf(endpoint, { rejected: [{ spki: spkiOf('bad'), at: noon }] });
    await withStore(directory, async (store) => {
      await committed(store, [changeOf(endpoint, 0, { record: rejected })]);
    });
    rmSync(join(directory, 'pins'), { recursive: true });
    const holder = await shared(directory);
    const guest = await shared(directory);
    expect([holder.role, guest.role]).toEqual(['holder', 'guest']);
    for (const store of [holder, guest]) {
      expect(store.health()).toMatchObject({ state: 'damaged', detail: expect.stringMatching(/missing/) });
      expect((await loaded(store)).get(endpoint)).toMatchObject({ record: null, verified: false });
      expect(store.sealed(endpoint).rejected).toEqual(new Set([spkiOf('bad')]));
      await expect(store.commit([changeOf('new.example:993', 0)])).rejects.toMatchObject({
        code: 'store-damaged',
      });
    }
    await holder.close();
    await vi.waitFor(() => expect([guest.role, guest.health().state]).toEqual(['holder', 'damaged']));
    expect(guest.sealed(endpoint).rejected).toEqual(new Set([spkiOf('bad')]));
  });
});

describe('a store nobody made yet', () => {
  it('is made, in a directory of its owner alone', async () => {
    const directory = join(temporaryDirectory(), 'not', 'there');
    const store = await shared(directory);
    expect([store.role, store.health().state]).toEqual(['holder', 'good']);
    expect(existsSync(join(directory, 'seal')) || existsSync(join(directory, 'pins'))).toBe(true);
  });
});
