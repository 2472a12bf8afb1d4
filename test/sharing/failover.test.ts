// The holder goes and another one comes, within one process: what a guest knows meanwhile, and when it is good again.

import { randomBytes } from 'node:crypto';
import { mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openFront, type Front } from '../../src/sharing/front.ts';
import { askToGiveWay } from '../../src/sharing/guest.ts';
import { pathsIn } from '../../src/store/directory.ts';
import type { EmbeddedStore } from '../../src/store/level.ts';
import { openMemoryStore } from '../../src/store/memory.ts';
import type { AuditEntry, PinStore, StoredRecord } from '../../src/store/pin-store.ts';
import { selfSigned, World } from '../tofu/world.ts';
import {
  auditOf,
  changeOf,
  committed,
  endpoint,
  historyOf,
  noon,
  opened,
  other,
  pinOf,
  recordOf,
  spkiOf,
  temporaryDirectory,
} from '../store/fixtures.ts';
import { shared } from './world.ts';

/** A holder whose socket comes and goes while it keeps the lock of the database. */
class Holder {
  readonly store: EmbeddedStore;
  readonly #socket: string;
  #front: Front | null = null;

  constructor(directory: string, store: EmbeddedStore) {
    this.store = store;
    this.#socket = join(directory, 'pins.sock');
    onTestFinished(() => this.hide());
  }

  static async open(directory: string): Promise<Holder> {
    const holder = new Holder(directory, await opened(directory));
    await holder.show();
    return holder;
  }

  /** What it shows in place of its own. */
  async show(store: PinStore = this.store, secret: Uint8Array = this.store.secret): Promise<void> {
    const sharing = { store, secret, committed: () => undefined, giveWay: null };
    this.#front = await openFront(this.#socket, sharing, { refs: 'unref' });
  }

  async hide(): Promise<void> {
    await this.#front?.close();
    this.#front = null;
  }
}

describe('a guest whose holder went away', () => {
  it('is unavailable at once, writes nothing, and still knows what was rejected', async () => {
    const directory = temporaryDirectory();
    const holder = await Holder.open(directory);
    const rejected = recordOf(endpoint, { rejected: [{ spki: spkiOf('bad'), at: noon }] });
    const guest = await shared(directory);
    await committed(guest, [changeOf(endpoint, 0, { record: rejected })]);
    expect(guest.health()).toMatchObject({ state: 'good', backend: 'daemon', generation: 1, records: 1 });
    await holder.hide();
    await vi.waitFor(() => expect(guest.role).toBe('waiting'));
    expect(guest.health()).toMatchObject({ state: 'unavailable', generation: 1, records: 1 });
    expect(guest.health().detail).toMatch(/went away|already uses/);
    await expect(guest.commit([changeOf(other, 0)])).rejects.toMatchObject({ code: 'store-unavailable' });
    await expect(historyOf(guest, null)).rejects.toMatchObject({ code: 'store-unavailable' });
    expect(guest.sealed(endpoint).rejected).toEqual(new Set([spkiOf('bad')]));
  });

  it('is good again only when whoever follows took in what changed meanwhile', async () => {
    const directory = temporaryDirectory();
    const holder = await Holder.open(directory);
    const guest = await shared(directory);
    await committed(holder.store, [changeOf(endpoint, 0), changeOf(other, 0)]);
    const feed = guest.changes(0, new AbortController().signal)[Symbol.asyncIterator]();
    await feed.next();
    await feed.next();
    const coming = feed.next();
    await holder.hide();
    await vi.waitFor(() => expect(guest.role).toBe('waiting'));
    await committed(holder.store, [changeOf(endpoint, 1, { record: recordOf(endpoint, { pins: [] }) })]);
    await holder.show();
    const news = (await coming).value as StoredRecord; // oxlint-disable-line typescript/no-unsafe-type-assertion
    expect(news).toMatchObject({ endpoint, revision: 2, record: { pins: [] } });
    // The news is in our hands and nobody said that it was taken in.
    expect((await shared(directory)).health().state).toBe('good');
    expect(guest.health().state).toBe('unavailable');
    void feed.next();
    await vi.waitFor(() => expect(guest.health().state).toBe('good'));
  });

  it('has an engine that refuses meanwhile, and knows a rejection of that time in the moment it is good again', async () => {
    const directory = temporaryDirectory();
    const holder = await Holder.open(directory);
    const guest = await shared(directory);
    const [here, there] = [
      await World.open({ policy: 'tofu' }, guest),
      await World.open({ policy: 'tofu' }, holder.store),
    ];
    onTestFinished(async () => {
      await here.tofu.close();
      await there.tofu.close();
    });
    const identity = selfSigned();
    expect(await here.meet(identity)).toBe('first-use');
    await vi.waitFor(() => expect(there.record.pins).toHaveLength(1));
    await holder.hide();
    await vi.waitFor(() => expect(guest.role).toBe('waiting'));
    expect(here.judge(identity).verdict).toMatchObject({ accept: false, reason: 'store-unavailable' });
    await there.reject(identity);
    await holder.show();
    const states: string[] = [];
    await vi.waitFor(() => {
      const { verdict } = here.judge(identity);
      states.push(verdict.accept ? 'accepted' : verdict.reason);
      expect(states.at(-1)).toBe('key-rejected');
    });
    expect(states).not.toContain('accepted');
    expect(here.told('key-untrusted')).toMatchObject([{ spki: identity.spki }]);
  });

  it('does not take another store for the one it knew, not even before anything was in it', async () => {
    const directory = temporaryDirectory();
    const holder = await Holder.open(directory);
    const guest = await shared(directory);
    await holder.hide();
    await vi.waitFor(() => expect(guest.role).toBe('waiting'));
    await holder.show(openMemoryStore(), randomBytes(32));
    await vi.waitFor(() => expect(guest.health().detail).toMatch(/was replaced .* it is another one/));
    expect(guest.health().state).toBe('unavailable');
    await expect(guest.commit([changeOf(other, 0)])).rejects.toMatchObject({ code: 'store-unavailable' });
    await holder.hide();
    await holder.show();
    await vi.waitFor(() => expect(guest.health().state).toBe('good'));
  });

  it('does not start over where somebody took the store away', async () => {
    const directory = temporaryDirectory();
    const holder = await shared(directory);
    const guest = await shared(directory);
    await committed(guest, [changeOf(endpoint, 0)]);
    for (const name of ['pins', 'seal', 'secret']) rmSync(join(directory, name), { recursive: true });
    await holder.close();
    await vi.waitFor(() => expect(guest.health().detail).toMatch(/was replaced while this program ran/));
    expect(guest.health().state).toBe('unavailable');
  });

  it('does not take an older state of the same store for the present one', async () => {
    const directory = temporaryDirectory();
    const holder = await Holder.open(directory);
    const guest = await shared(directory);
    await committed(guest, [changeOf(endpoint, 0)]);
    await holder.hide();
    await vi.waitFor(() => expect(guest.role).toBe('waiting'));
    // The same secret with less behind it, as after a backup was put back.
    await holder.show(openMemoryStore());
    await vi.waitFor(() => expect(guest.health().detail).toMatch(`it knows less of ${endpoint} than before`));
    expect(guest.health().state).toBe('unavailable');
    await holder.hide();
    await holder.show();
    await vi.waitFor(() => expect(guest.health().state).toBe('good'));
  });
});

describe('a holder', () => {
  it('hears what its guests changed, with the audit entries of it', async () => {
    const directory = temporaryDirectory();
    const heard: AuditEntry[] = [];
    await shared(directory, { changed: (audit) => void heard.push(...audit) });
    const guest = await shared(directory);
    await committed(guest, [changeOf(endpoint, 0, { audit: [auditOf(endpoint)] })]);
    expect(heard).toEqual([auditOf(endpoint)]);
    await guest.commit([changeOf(endpoint, 0)]);
    expect(heard).toHaveLength(1);
  });

  it('that closes gives the database to a guest, and the next process is a guest of that one', async () => {
    const directory = temporaryDirectory();
    const holder = await shared(directory);
    const guest = await shared(directory);
    expect([holder.role, guest.role]).toEqual(['holder', 'guest']);
    await holder.close();
    await vi.waitFor(() => expect([guest.role, guest.health().state]).toEqual(['holder', 'good']));
    expect((await shared(directory)).role).toBe('guest');
    await committed(guest, [changeOf(endpoint, 0, { record: recordOf(endpoint, { pins: [pinOf('x')] }) })]);
  });

  it('leaves the umask of its process alone and makes files others cannot read', async () => {
    const before = process.umask(0o002);
    try {
      const directory = join(temporaryDirectory(), 'state');
      const holder = await shared(directory);
      await committed(holder, [changeOf(endpoint, 0)]);
      expect(process.umask()).toBe(0o002);
      await holder.close();
      expect((await shared(directory)).health().state).toBe('good');
    } finally {
      process.umask(before);
    }
  });
});

describe('a holder that is asked to give way', () => {
  it('and cannot tidy up behind itself does so all the same, and takes the pins again when nobody else did', async () => {
    const directory = temporaryDirectory();
    const holder = await shared(directory);
    const { holder: note } = pathsIn(directory);
    rmSync(note);
    mkdirSync(note);
    expect(await askToGiveWay(directory)).toBe('given');
    await vi.waitFor(() => expect(holder.role).toBe('waiting'));
    expect(holder.health()).toMatchObject({
      state: 'unavailable',
      detail: expect.stringContaining('daemon'),
    });
    await vi.waitFor(() => expect(holder.role).toBe('holder'), { timeout: 15_000 });
    rmdirSync(note);
    await committed(holder, [changeOf(endpoint, 0)]);
  });
});
