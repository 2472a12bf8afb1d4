// Inputs that broke something once, or reached what others did not: test/fuzz/rows/TARGET.txt, a line each, base64 and
// behind a space what it is. They are run first, here and by test/fuzz/rows.test.ts.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url))))));
const folder = join(root, 'test/fuzz/rows');

/** A seed or a word of a dictionary as bytes: a text is Latin-1, unless it has a character that is not of it. */
export const bytesOf = (seed) =>
  typeof seed === 'string'
    ? Buffer.from(seed, /^[\0-\xff]*$/.test(seed) ? 'latin1' : 'utf8')
    : Buffer.from(seed);

export function knownRows(name) {
  const file = join(folder, `${name}.txt`);
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => Buffer.from(line.split(' ', 1)[0], 'base64'));
}
