// Puts inputs that a run with LETTERLOCK_FUZZ_KEEP=FOLDER left there into test/fuzz/rows/: of each target a few short ones
// that reach something its seeds and rows do not. Usage: node scripts/campaigns/fuzz/engine/keep-rows.mjs FOLDER [MOST]

import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { targets } from '../targets.mjs';
import { Coverage } from './coverage.mjs';
import { libraryOf } from './library.mjs';
import { bytesOf, knownRows } from './rows.mjs';

const root = dirname(dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url))))));
const longest = 600;
const [, , from, most = '12'] = process.argv;

async function newRows(target, folder) {
  const file = join(from, `${target.name}.json`);
  if (!existsSync(file)) return [];
  const library = libraryOf(join(root, 'dist'), folder);
  const { seeds, run } = await target.prepare(library.from, folder);
  const wanted = new Set(target.files.map(library.urlOf));
  const coverage = new Coverage((url) => wanted.has(url));
  /** What breaks a rule is a finding, and no row of these. */
  const reaches = async (bytes) => {
    try {
      await run(Buffer.from(bytes));
    } catch {
      return false;
    }
    return coverage.take() > 0;
  };
  const known = [...knownRows(target.name), ...seeds.map(bytesOf)];
  for (const bytes of known) await reaches(bytes);
  const rows = [];
  for (const text of JSON.parse(readFileSync(file, 'utf8')))
    if (rows.length < Number(most) && text.length <= longest && (await reaches(Buffer.from(text, 'base64'))))
      rows.push(text);
  coverage.close();
  return rows;
}

for (const target of targets) {
  const folder = mkdtempSync(join(tmpdir(), 'letterlock-keep-'));
  try {
    const rows = await newRows(target, folder);
    if (rows.length > 0)
      appendFileSync(join(root, `test/fuzz/rows/${target.name}.txt`), `${rows.join('\n')}\n`);
    console.log(`${target.name}: ${rows.length}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
