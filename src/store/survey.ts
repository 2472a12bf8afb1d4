// Reads all a database holds and takes stock of it: what verifies, what does not, what it sums up to.
// Believes nothing and decides nothing; comparing it with the seal is appraise.ts's work.

import { chainStart, type Checkpoint } from './audit.ts';
import { decode, isCount, isObject } from './codec.ts';
import { keys, range, type Database } from './database.ts';
import { decodeHead, type Head } from './head.ts';
import { Stock, type Checksums, type Entry, type Stocktaking } from './stock.ts';
import { decodeSightings, type Sightings } from './touches.ts';

export interface Survey extends Stocktaking {
  /** null when it is missing or does not verify. */
  readonly head: Head | null;
  readonly sightings: ReadonlyMap<string, Sightings>;
  readonly checkpoint: Checkpoint;
  /** Last audit entry that is known to have been announced; null when that is not known. */
  readonly announced: number | null;
  /** Why reading stopped before the end; null when it did not. */
  readonly trouble: string | null;
}

export interface SurveyOptions {
  /** Asked for one by one when reading records in a row fails. */
  readonly names: Iterable<string>;
  readonly checksums: Checksums;
}

/** Takes stock. Throws StoreError `store-newer`. */
export async function survey(database: Database, { names, checksums }: SurveyOptions): Promise<Survey> {
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
  await noted(readRange(database, 'record', (entries) => stock.add(entries)));
  if (troubles.length > 0) await readNamed(database, { names, stock });
  await noted(
    readRange(database, 'touch', (entries) => {
      for (const [key, text] of entries)
        sightings.set(key.slice(keys.touch('').length), decodeSightings(text));
    }),
  );
  const checkpoint = decode(keys.checkpoint, (await noted(database.get(keys.checkpoint))) ?? '');
  const announced = decode(keys.announced, (await noted(database.get(keys.announced))) ?? '');
  return {
    head,
    ...(await stock.taken(head, checksums)),
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
  found: (entries: readonly Entry[]) => void,
): Promise<void> {
  const { entries: most, highWaterMarkBytes } = readAtOnce;
  const iterator = database.iterator({ ...range(prefix), highWaterMarkBytes });
  try {
    let coming = iterator.nextv(most);
    for (let entries = await coming; entries.length > 0; entries = await coming) {
      coming = iterator.nextv(most);
      // Whatever it comes to is awaited above; until then nobody may call it unhandled.
      coming.catch(() => undefined);
      found(entries);
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
    const key = keys.record(name);
    const text = await database.get(key).catch(() => undefined);
    if (text !== undefined) stock.add([[key, text]]);
  }
}

const isCheckpoint = (value: unknown): value is Checkpoint =>
  isObject(value) && isCount(value['sequence']) && typeof value['hash'] === 'string';
