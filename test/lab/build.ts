// The real program for tests that run it as a process: built once for each state of the sources into
// .cache/build as `npm run build` does it, beside the package.json and the folders it reads at run time. Two test files
// that ask at the same time get the same build.

import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, readFile, readdir, rename, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { cleanEnvironment, run } from './run.ts';

const root = join(import.meta.dirname, '../..');
const shelf = join(root, '.cache/build');
const keptMs = 3_600_000;

/** Path of the built `cmd/letterlock.js`. Rejects with the words of the build when there is none. */
export async function builtBin(): Promise<string> {
  const folder = join(shelf, await digestOfSources());
  const bin = join(folder, 'dist/cmd/letterlock.js');
  if (await exists(bin)) return bin;
  const draft = join(shelf, `draft-${randomUUID()}`);
  await mkdir(draft, { recursive: true });
  try {
    await compile(draft);
    await rename(draft, folder).catch(async (error: unknown) => {
      // Somebody else built the same state meanwhile.
      if (!(await exists(bin))) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  await forgetOld();
  return bin;
}

/** Folder of the built page: `index.html`, `assets/`. */
export const builtPage = async (): Promise<string> => join(await builtBin(), '../../src/admin/dashboard');

async function compile(folder: string): Promise<void> {
  const built = await run([process.execPath, join(root, 'scripts/build.mjs'), join(folder, 'dist')], {
    cwd: root,
    // Built at no particular time: the release date of the sources stands.
    env: { ...cleanEnvironment(root), SOURCE_DATE_EPOCH: '0' },
    deadlineMs: 180_000,
  });
  if (built.exit !== 0) throw new Error(`it cannot be built:\n${built.shown}`);
  for (const name of ['package.json', 'config', 'docs']) await symlink(join(root, name), join(folder, name));
}

async function digestOfSources(): Promise<string> {
  const hash = createHash('sha256');
  for (const folder of ['cmd', 'src']) {
    const names = await readdir(join(root, folder), { recursive: true });
    for (const name of names
      .filter((file) => /\.(?:tsx?|css|html|svg)$/.test(file))
      .toSorted((a, b) => a.localeCompare(b))) {
      hash.update(`${folder}/${name}\0`).update(await readFile(join(root, folder, name)));
    }
  }
  for (const name of [
    'tsconfig.json',
    'tsconfig.build.json',
    'package-lock.json',
    'scripts/build.mjs',
    'scripts/build-page.mjs',
    'scripts/build-command.mjs',
  ])
    hash.update(await readFile(join(root, name)));
  return hash.digest('hex').slice(0, 16);
}

/** States nobody built for an hour go; a younger one may be what another run is testing right now. */
async function forgetOld(): Promise<void> {
  const paths = (await readdir(shelf)).map((name) => join(shelf, name));
  const ages = await Promise.all(
    paths.map(async (path) => Date.now() - ((await stat(path).catch(() => null))?.mtimeMs ?? Date.now())),
  );
  const old = paths.filter((_, index) => (ages[index] ?? 0) > keptMs);
  await Promise.all(old.map((path) => rm(path, { recursive: true, force: true })));
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
