// Reads all a database holds and takes stock of it: what verifies, what does not, what it sums up to.
// Believes nothing and decides nothing; comparing it with the seal is appraise.ts's work.

import { chainStart, type Checkpoint } from './audit.ts';
import { decode, decodeRow, hashOf, isCount, isObject, type RecordRow } from './codec.ts';
import { keys, range, type Database } from './database.ts';
import { addWeight, decodeHead, noDigest, weightOf, type Head } from './head.ts';
import { decodeSightings, type Sightings } from './touches.ts';

export interface Survey {
  /** null when it is missing or does not verify. */
  readonly head: Head | null;
  /** Records that verify, by endpoint. */
  readonly rows: ReadonlyMap<string, RecordRow>;
  /** What each record adds to the digest, verified or not. */
  readonly weights: ReadonlyMap<string, bigint>;
  readonly digest: bigint;
  readonly unverified: readonly string[];
  readonly sightings: ReadonlyMap<string, Sightings>;
  readonly checkpoint: Checkpoint;
  /** Last audit entry that is known to have been announced; null when that is not known. */
  readonly announced: number | null;
  /** Why reading stopped before the end; null when it did not. */
  readonly trouble: string | null;
}

/** Takes stock; `names` are asked for one by one when reading them in a row fails. Throws StoreError `store-newer`. */
export async function survey(database: Database, names: Iterable<string>): Promise<Survey> {
  const troubles: string[] = [];
  const noted = async <T>(work: Promise<T>): Promise<T | undefined> => {
    try {
      return await work;
    } catch (error) {
      troubles.push(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  };
  const head = decodeHead(await noted(database.get(keys.head)));
  const stock = new Stock();
  const sightings = new Map<string, Sightings>();
  await noted(readRange(database, 'record', (name, text) => stock.add(name, text)));
  if (troubles.length > 0) await readNamed(database, { names, stock });
  await noted(readRange(database, 'touch', (name, text) => sightings.set(name, decodeSightings(text))));
  const checkpoint = decode(keys.checkpoint, (await noted(database.get(keys.checkpoint))) ?? '');
  const announced = decode(keys.announced, (await noted(database.get(keys.announced))) ?? '');
  return {
    head,
    ...stock.taken(),
    sightings,
    checkpoint: isCheckpoint(checkpoint) ? checkpoint : chainStart,
    announced: isCount(announced) ? announced : null,
    trouble: troubles[0] ?? null,
  };
}

/** What is read at once keeps the event loop for some milliseconds; the next is fetched meanwhile. */
const readAtOnce = { entries: 256, highWaterMarkBytes: 1_048_576 } as const;

async function readRange(
  database: Database,
  prefix: 'record' | 'touch',
  found: (name: string, text: string) => void,
): Promise<void> {
  const { entries: most, highWaterMarkBytes } = readAtOnce;
  const iterator = database.iterator({ ...range(prefix), highWaterMarkBytes });
  try {
    let coming = iterator.nextv(most);
    for (let entries = await coming; entries.length > 0; entries = await coming) {
      coming = iterator.nextv(most);
      // Whatever it comes to is awaited above; until then nobody may call it unhandled.
      coming.catch(() => undefined);
      for (const [key, text] of entries) found(key.slice(prefix.length + 1), text);
    }
  } finally {
    await iterator.close();
  }
}

async function readNamed(
  database: Database,
  { names, stock }: { readonly names: Iterable<string>; readonly stock: Stock },
): Promise<void> {
  for (const name of names) {
    const text = await database.get(keys.record(name)).catch(() => undefined);
    if (text !== undefined) stock.add(name, text);
  }
}

/** Takes each record once. */
class Stock {
  readonly #rows = new Map<string, RecordRow>();
  readonly #weights = new Map<string, bigint>();
  readonly #unverified: string[] = [];
  #digest = noDigest;

  add(endpoint: string, text: string): void {
    if (this.#weights.has(endpoint)) return;
    const key = keys.record(endpoint);
    const weight = weightOf(hashOf(key, text));
    const row = decodeRow(key, endpoint, text);
    if (row === null) this.#unverified.push(endpoint);
    else this.#rows.set(endpoint, row);
    this.#weights.set(endpoint, weight);
    this.#digest = addWeight(this.#digest, weight);
  }

  taken(): Pick<Survey, 'rows' | 'weights' | 'digest' | 'unverified'> {
    return {
      rows: this.#rows,
      weights: this.#weights,
      digest: this.#digest,
      unverified: this.#unverified,
    };
  }
}

const isCheckpoint = (value: unknown): value is Checkpoint =>
  isObject(value) && isCount(value['sequence']) && typeof value['hash'] === 'string';
