// A build of a copy of the sources with one place of it broken on purpose: a campaign that does not find that finds nothing.

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const run = promisify(execFile);
const needed = ['cmd', 'src', 'scripts', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];

/**
 * `{file, find, replace}`: `find` stands exactly once in `file` (a path from the root of the repository). Gives
 * `{build, remove}`, where `build` is a folder as dist/ is. Throws where the place is not there, or the copy does not compile.
 */
export async function brokenBuild({ file, find, replace }) {
  mkdirSync(join(root, '.cache'), { recursive: true });
  const place = mkdtempSync(join(root, '.cache/planted-'));
  const remove = () => rmSync(place, { recursive: true, force: true });
  try {
    for (const name of needed) cpSync(join(root, name), join(place, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(place, 'node_modules'));
    const text = readFileSync(join(place, file), 'utf8');
    const found = text.split(find).length - 1;
    if (found !== 1) throw new Error(`${file} has ${JSON.stringify(find)} ${found} times, not once`);
    writeFileSync(
      join(place, file),
      text.replace(find, () => replace),
    );
    await run(process.execPath, ['scripts/build.mjs'], { cwd: place });
    return { build: join(place, 'dist'), remove };
  } catch (error) {
    remove();
    throw error;
  }
}
