// A copy of the relay with one line of it broken, to show that the check finds it. It stands beside the source tree for
// as long as the test runs, and shares with it all that the relay imports from elsewhere than its own folder.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Tested } from './exact-rig.ts';

export interface Break {
  /** In src/net. */
  readonly file: string;
  /** Stands there exactly once. */
  readonly find: string;
  readonly replace: string;
}

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const folder = join(root, 'src/net');

/** Of an import or export, static or not: what stands before the specifier, and the specifier. */
const relativeImport = /(\bfrom\s+|\bimport\s*\(?\s*)'(\.{1,2}\/[^']+)'/g;

export interface Copy {
  readonly tested: Tested;
  readonly remove: () => void;
}

/** Throws where the line to break is not there, or more than once. */
export async function brokenCopy(broken: Break | null): Promise<Copy> {
  // Not under node_modules: what stands there is not translated.
  mkdirSync(join(root, '.cache'), { recursive: true });
  const place = mkdtempSync(join(root, '.cache/exact-'));
  const remove = (): void => rmSync(place, { recursive: true });
  try {
    const copied = copyInto(place, broken);
    if (broken !== null && !copied.has(broken.file)) throw new Error(`the relay does not use ${broken.file}`);
    const { relay }: Pick<Tested, 'relay'> = await import(/* @vite-ignore */ join(place, 'relay.ts'));
    const buffers: Pick<Tested, 'ReadBuffers'> = await import(
      /* @vite-ignore */ join(place, 'read-buffers.ts')
    );
    return { tested: { relay, ReadBuffers: buffers.ReadBuffers }, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** The relay's file and all of its folder that it imports. */
function copyInto(place: string, broken: Break | null): ReadonlySet<string> {
  const names = new Set(['relay.ts']);
  // A set tells of what is added to it meanwhile.
  for (const name of names) {
    const text = readFileSync(join(folder, name), 'utf8');
    const changed = broken?.file === name ? breakIn(text, broken) : text;
    const rewritten = changed.replace(relativeImport, (_, before: string, specifier: string) => {
      const target = resolve(folder, specifier);
      if (dirname(target) !== folder) return `${before}'${relative(place, target)}'`;
      names.add(basename(target));
      return `${before}'./${basename(target)}'`;
    });
    writeFileSync(join(place, name), rewritten);
  }
  return names;
}

function breakIn(text: string, { file, find, replace }: Break): string {
  const [before, after, ...more] = text.split(find);
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(`${file} has ${JSON.stringify(find)} ${text.split(find).length - 1} times, not once`);
  return before + replace + after;
}
