// What came after the seal was last written whole: one line for each turn, so that a turn of a large store writes what it
// changed and not all it has. Each line is chained to the one before and the first to the seal it follows: a line that is
// missing in the middle, or that follows another seal, is damage. The last one may be torn: then its turn was never
// acknowledged.

import { Pace } from '../pace.ts';
import { hashOf, isCount, isObject } from './codec.ts';
import { isDigest, isNames } from './head.ts';
import {
  isSealedRow,
  sealedEndpoint,
  sealedRow,
  type ReadSeal,
  type Seal,
  type SealedEndpoint,
  type SealSource,
} from './seal.ts';

/** What one turn changed of the seal. */
export interface SealStep extends Pick<SealSource, 'generation' | 'count' | 'digest' | 'endpoints'> {
  /** null where it stays. */
  readonly held: readonly string[] | null;
}

/** `before`: the hash of the line before, or the checksum of the seal. */
export function encodeStep(before: string, step: SealStep): { readonly hash: string; readonly text: string } {
  const { generation, count, digest, held, endpoints } = step;
  const rows = [...endpoints].map(sealedRow);
  const body = JSON.stringify({
    generation,
    count,
    digest,
    ...(held === null ? {} : { held }),
    endpoints: rows,
  });
  const hash = hashOf('seal-log', before, body);
  return { hash, text: `${hash} ${body}\n` };
}

/**
 * `open`: more may be appended. `closed`: it holds nothing that the seal lacks, or its last line is torn; the next seal is
 * written whole. null: damage.
 */
export type LogReading = {
  readonly state: 'open' | 'closed';
  readonly seal: Seal;
  readonly hash: string;
} | null;

/** The seal as the log leaves it, with turns of the event loop between; `seal` is used up. */
export async function followLog(seal: ReadSeal, checksum: string, text: string): Promise<LogReading> {
  const lines = text.split('\n');
  const isTorn = lines.pop() !== '';
  if (isOfOldSeal(seal, checksum, lines)) return { state: 'closed', seal, hash: checksum };
  const pace = new Pace();
  let [now, hash]: [ReadSeal, string] = [seal, checksum];
  for (const [index, line] of lines.entries()) {
    const step = decodeStep(hash, line);
    if (step === null || step.generation !== now.generation + 1) {
      // Its turn was written to the end but for this line, or not even that.
      if (index === lines.length - 1 && !isTorn) return { state: 'closed', seal: now, hash };
      return null;
    }
    for (const [name, sealed] of step.endpoints) now.endpoints.set(name, sealed);
    const { generation, count, digest, held } = step;
    now = { ...now, generation, count, digest, held: held ?? now.held };
    hash = line.slice(0, 64);
    if (pace.isDue) await pace.rest();
  }
  return { state: isTorn ? 'closed' : 'open', seal: now, hash };
}

/** A crash came after the seal was written whole, and before the log it takes the place of was gone. */
function isOfOldSeal(seal: Seal, checksum: string, lines: readonly string[]): boolean {
  const [first] = lines;
  if (first === undefined || decodeStep(checksum, first) !== null) return false;
  const generations = lines.map((line) => bodyOf(line)?.['generation']);
  return generations.every((generation) => isCount(generation) && generation <= seal.generation);
}

function decodeStep(before: string, line: string): (SealStep & { readonly endpoints: Step }) | null {
  const body = bodyOf(line);
  if (body === null || line[64] !== ' ' || hashOf('seal-log', before, line.slice(65)) !== line.slice(0, 64))
    return null;
  const { generation, count, digest, held = null, endpoints } = body;
  if (!isCount(generation) || !isCount(count) || !isDigest(digest)) return null;
  if ((held !== null && !isNames(held)) || !Array.isArray(endpoints) || !endpoints.every(isSealedRow))
    return null;
  return { generation, count, digest, held, endpoints: endpoints.map(sealedEndpoint) };
}

type Step = readonly (readonly [string, SealedEndpoint])[];

function bodyOf(line: string): Record<string, unknown> | null {
  try {
    const body: unknown = JSON.parse(line.slice(65));
    return isObject(body) ? body : null;
  } catch {
    return null;
  }
}
