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
  const texts = new Map<string, string>();
  const sightings = new Map<string, Sightings>();
  await noted(readRange(database, 'record', (name, text) => texts.set(name, text)));
  if (troubles.length > 0) await readNamed(database, { names, texts });
  await noted(readRange(database, 'touch', (name, text) => sightings.set(name, decodeSightings(text))));
  const checkpoint = decode(keys.checkpoint, (await noted(database.get(keys.checkpoint))) ?? '');
  const announced = decode(keys.announced, (await noted(database.get(keys.announced))) ?? '');
  return {
    head,
    ...takeStock(texts),
    sightings,
    checkpoint: isCheckpoint(checkpoint) ? checkpoint : chainStart,
    announced: isCount(announced) ? announced : null,
    trouble: troubles[0] ?? null,
  };
}

async function readRange(
  database: Database,
  prefix: 'record' | 'touch',
  found: (name: string, text: string) => void,
): Promise<void> {
  for await (const [key, text] of database.iterator(range(prefix))) found(key.slice(prefix.length + 1), text);
}

async function readNamed(
  database: Database,
  { names, texts }: { readonly names: Iterable<string>; readonly texts: Map<string, string> },
): Promise<void> {
  for (const name of names) {
    const text = await database.get(keys.record(name)).catch(() => undefined);
    if (text !== undefined) texts.set(name, text);
  }
}

function takeStock(
  texts: ReadonlyMap<string, string>,
): Pick<Survey, 'rows' | 'weights' | 'digest' | 'unverified'> {
  const rows = new Map<string, RecordRow>();
  const weights = new Map<string, bigint>();
  const unverified: string[] = [];
  let digest = noDigest;
  for (const [endpoint, text] of texts) {
    const key = keys.record(endpoint);
    const weight = weightOf(hashOf(key, text));
    const row = decodeRow(key, endpoint, text);
    if (row === null) unverified.push(endpoint);
    else rows.set(endpoint, row);
    weights.set(endpoint, weight);
    digest = addWeight(digest, weight);
  }
  return { rows, weights, digest, unverified };
}

const isCheckpoint = (value: unknown): value is Checkpoint =>
  isObject(value) && isCount(value['sequence']) && typeof value['hash'] === 'string';
