// The package as people get it: packed, installed into an empty project, every entry imported, with types.

import { cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtBin } from './lab/build.ts';
import { temporaryFolder, type Folder } from './lab/folder.ts';
import { cleanEnvironment, run, words, type Ran } from './lab/run.ts';

const root = join(import.meta.dirname, '..');

const program = `import { Tofu, TrustError, describeCertificate } from 'letterlock';
import { describeCertificates, fingerprints } from 'letterlock/certificate';
import { openLevelStore } from 'letterlock/level';

const store = await openLevelStore({ directory: process.argv[2] ?? '' });
const tofu = await Tofu.open({ store, hooks: { refused: (error) => console.error(error.lines) } });
try {
  await tofu.connect('tls://127.0.0.1:1');
} catch (error) {
  console.log(error instanceof TrustError, error instanceof Error ? error.message : '');
}
console.log(tofu.list().length, typeof describeCertificate, typeof describeCertificates, typeof fingerprints);
await tofu.close();
await store.close();
`;

const options = {
  module: 'nodenext',
  target: 'es2023',
  strict: true,
  noEmit: true,
  exactOptionalPropertyTypes: true,
  types: ['node'],
  typeRoots: [join(root, 'node_modules/@types')],
};

async function good(command: readonly string[], cwd: string): Promise<Ran> {
  const ran = await run(command, { cwd, env: { ...process.env }, deadlineMs: 120_000 });
  if (ran.exit !== 0) throw new Error(`${command.join(' ')} ended with ${ran.exit}:\n${ran.shown}`);
  return ran;
}

describe('the packed package', () => {
  let folder: Folder;
  beforeAll(async () => {
    folder = await temporaryFolder();
    const built = dirname(dirname(dirname(await builtBin())));
    // npm leaves links out, and the build has some.
    const staged = join(folder.path, 'staged');
    await cp(built, staged, { recursive: true, dereference: true });
    for (const name of ['README.md', 'LICENSE']) await cp(join(root, name), join(staged, name));
    await mkdir(join(folder.path, 'packed'));
    await good(
      ['npm', ...words('pack --ignore-scripts --pack-destination'), join(folder.path, 'packed')],
      staged,
    );
    await writeFile(join(folder.path, 'package.json'), JSON.stringify({ type: 'module', private: true }));
    const install = words('install --ignore-scripts --no-audit --no-fund --prefer-offline');
    await good(['npm', ...install, './packed/letterlock-0.1.0.tgz'], folder.path);
    await writeFile(join(folder.path, 'app.ts'), program);
    await writeFile(
      join(folder.path, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: options, files: ['app.ts'] }),
    );
    // Types come off by deleting nothing: the program has none of its own.
    await writeFile(join(folder.path, 'app.mjs'), program);
  }, 180_000);
  afterAll(() => folder.remove());

  const environment = (): NodeJS.ProcessEnv => cleanEnvironment(folder.path);

  test('runs a program that imports every entry', async () => {
    const { exit, shown } = await run([process.execPath, 'app.mjs', join(folder.path, 'state')], {
      cwd: folder.path,
      env: environment(),
    });
    expect(shown).toBe('false no connection could be made\n0 function function function\n');
    expect(exit).toBe(0);
  });

  test('types that program', async () => {
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    const { exit, shown } = await run([process.execPath, compiler, '-p', folder.path], {
      cwd: folder.path,
      env: environment(),
    });
    expect(shown).toBe('');
    expect(exit).toBe(0);
  });

  test('is a preload by its name', async () => {
    const { exit, shown } = await run(
      [
        process.execPath,
        ...words('--import letterlock/register -e'),
        "console.log(require('tls').connect.name)",
      ],
      { cwd: folder.path, env: environment() },
    );
    expect(shown).toBe('connectInstead\n');
    expect(exit).toBe(0);
  });

  test('describes a certificate without loading store or engine', async () => {
    const script = `import 'letterlock/certificate';
      const loaded = process.moduleLoadList.join(' ');
      console.log(/NativeModule (tls|net|http)\\b/.test(loaded));`;
    await writeFile(join(folder.path, 'alone.mjs'), script);
    const { shown } = await run([process.execPath, 'alone.mjs'], { cwd: folder.path, env: environment() });
    expect(shown).toBe('false\n');
  });
});
