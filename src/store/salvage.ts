// Gets out of a database that does not open what can be read of it. Each attempt is made by another process on a copy of its
// own: LevelDB's repair changes the files and may lose most of them, and some damage ends whoever tries.

import { cp, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { probeDatabase, type Probed } from './probe.ts';

interface Attempt {
  readonly kind: 'copy' | 'repair';
  /** A log that ends whoever reads it takes the last changes with it, not the tables. */
  readonly logs: 'kept' | 'left-out';
}

/** From what keeps the most to what keeps the least. */
const attempts: readonly Attempt[] = [
  { kind: 'copy', logs: 'kept' },
  { kind: 'repair', logs: 'kept' },
  { kind: 'repair', logs: 'left-out' },
];

/**
 * A new, sound database with what could be read, in `place`, a folder that is made and that the caller removes; null where
 * nothing could. Never rejects.
 */
export async function salvage(location: string, place: string): Promise<string | null> {
  for (const [index, attempt] of attempts.entries()) {
    const copy = join(place, `copy-${index}`);
    const target = join(place, `sound-${index}`);
    const made = await attempted(attempt, { location, copy, target }).catch(() => null);
    await rm(copy, { recursive: true, force: true }).catch(() => undefined);
    if (made?.state === 'survived') return target;
  }
  return null;
}

async function attempted(
  { kind, logs }: Attempt,
  { location, copy, target }: { readonly location: string; readonly copy: string; readonly target: string },
): Promise<Probed> {
  await mkdir(join(copy, '..'), { recursive: true, mode: 0o700 });
  await cp(location, copy, { recursive: true });
  if (logs === 'left-out')
    for (const name of await readdir(copy)) if (name.endsWith('.log')) await rm(join(copy, name));
  return probeDatabase(copy, { work: { kind, target } });
}
