// Every record in memory, so that a judgement never waits: a verdict that waited for a disk would leave a moment
// in which bytes could go to the wrong server. Only what is durable gets in here, sightings excepted.

import type { PinStore, StoredRecord } from '../store/pin-store.ts';
import type { EndpointRecord } from '../trust/record.ts';

export interface Entry extends StoredRecord {
  /** Never goes back in this process, not even when a record goes: an old Vouched must not fit again. */
  readonly epoch: number;
}

/** One record, before and after. */
export interface Move {
  readonly before: Entry;
  readonly after: Entry;
}

export class Mirror {
  readonly #entries = new Map<string, Entry>();

  private constructor() {}

  static async load(store: Pick<PinStore, 'load'>): Promise<Mirror> {
    const mirror = new Mirror();
    for await (const stored of store.load()) mirror.put(stored);
    return mirror;
  }

  entry(endpoint: string): Entry {
    return this.#entries.get(endpoint) ?? { endpoint, revision: 0, record: null, verified: true, epoch: 0 };
  }

  entries(): readonly Entry[] {
    return [...this.#entries.values()];
  }

  put(stored: StoredRecord): void {
    const known = this.#entries.get(stored.endpoint);
    // As it is, so that the store need not read a record nobody asks for.
    if (known === undefined && isEntry(stored)) return void this.#entries.set(stored.endpoint, stored);
    const before = known?.epoch ?? 0;
    const { record } = stored;
    const epoch = record === null ? before + 1 : Math.max(before, record.epoch);
    this.#entries.set(stored.endpoint, entryOf(stored, epoch));
  }

  /**
   * What another process wrote; null when it is no news. The epoch moves also where a revision was skipped: what
   * was not seen may have been trust taken away and given again.
   */
  follow(stored: StoredRecord): Move | null {
    const before = this.entry(stored.endpoint);
    if (stored.revision <= before.revision) return null;
    const skipped = stored.revision > before.revision + 1;
    const moved = stored.record?.epoch !== (before.record?.epoch ?? 0) || skipped || !stored.verified;
    const epoch = Math.max(before.epoch + (moved ? 1 : 0), stored.record?.epoch ?? 0);
    const after = entryOf(stored, epoch);
    this.#entries.set(stored.endpoint, after);
    return { before, after };
  }

  /** Notes that a key was shown; null when the record does not know it. */
  see(endpoint: string, spki: string, now: number): Sighting | null {
    const entry = this.entry(endpoint);
    if (entry.record === null) return null;
    const pin = entry.record.pins.find((known) => known.spki === spki && known.endedAt === null);
    const candidate = entry.record.candidates.find((known) => known.spki === spki);
    if (pin === undefined && candidate === undefined) return null;
    const { revision, verified, epoch } = entry;
    const record = seenNow(entry.record, spki, now);
    this.#entries.set(endpoint, { endpoint, revision, record, verified, epoch });
    return {
      kind: pin === undefined ? 'candidate' : 'pin',
      lastSeen: now,
      seenCount: (candidate?.seenCount ?? 0) + 1,
    };
  }
}

const isEntry = (stored: StoredRecord): stored is Entry => stored.epoch !== undefined;

const entryOf = ({ endpoint, revision, record, verified }: StoredRecord, epoch: number): Entry => ({
  endpoint,
  revision,
  record,
  verified,
  epoch,
});

export interface Sighting {
  readonly kind: 'pin' | 'candidate';
  readonly lastSeen: number;
  readonly seenCount: number;
}

const seenNow = (record: EndpointRecord, spki: string, now: number): EndpointRecord => ({
  ...record,
  pins: record.pins.map((pin) =>
    pin.spki === spki && pin.endedAt === null ? { ...pin, lastSeen: now } : pin,
  ),
  candidates: record.candidates.map((known) =>
    known.spki === spki ? { ...known, lastSeen: now, seenCount: known.seenCount + 1 } : known,
  ),
});
