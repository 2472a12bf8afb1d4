// One process that runs tests against sources of which one file is broken. Its parent ends it where a broken loop never returns.
// In, by IPC: {file, text: what stands in it, tests: [path...]}, paths from the root. Out: {found: the test that failed first, or null} or {error}.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { context } from 'esbuild';
import { configureGlobal } from 'fast-check';
import { run } from './shim.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const place = mkdtempSync(join(root, '.cache/mutants-'));
process.on('exit', () => rmSync(place, { recursive: true, force: true }));
process.on('SIGTERM', () => process.exit(0));
// A failure is enough; what is smallest is for people.
configureGlobal({ endOnFailure: true });

const shim = fileURLToPath(new URL('shim.mjs', import.meta.url));
let broken = { file: '', text: '' };
const contexts = new Map();
let runs = 0;
let stray = null;
process.on('unhandledRejection', (error) => (stray ??= error));
process.on('uncaughtException', (error) => (stray ??= error));

const asGiven = {
  name: 'one file broken',
  setup(build) {
    build.onResolve({ filter: /^vitest$/ }, () => ({ path: pathToFileURL(shim).href, external: true }));
    build.onLoad({ filter: /\/src\/(trust|mail)\/[\w-]+\.ts$/ }, ({ path }) =>
      path === join(root, broken.file) ? { contents: broken.text, loader: 'ts' } : undefined,
    );
  },
};

async function bundle(test) {
  if (!contexts.has(test))
    contexts.set(
      test,
      await context({
        entryPoints: [join(root, test)],
        bundle: true,
        write: false,
        format: 'esm',
        platform: 'node',
        target: 'node20',
        packages: 'external',
        logLevel: 'silent',
        plugins: [asGiven],
      }),
    );
  const { outputFiles } = await contexts.get(test).rebuild();
  runs += 1;
  const path = join(place, `${runs}.mjs`);
  writeFileSync(path, outputFiles[0].contents);
  return path;
}

/** The first test that fails, as `FILE: NAME`; null where none does. */
async function firstFailure({ file, text, tests }) {
  broken = { file, text };
  for (const test of tests) {
    const path = await bundle(test);
    stray = null;
    try {
      const count = await run(() => import(pathToFileURL(path).href));
      if (count === 0) throw new Error('no test in it');
    } catch (error) {
      return { test, name: error.message, cause: String(error.cause ?? error) };
    } finally {
      rmSync(path);
    }
    if (stray !== null) return { test, name: 'outside of tests', cause: String(stray) };
  }
  return null;
}

process.on('message', (asked) => {
  firstFailure(asked).then(
    (found) => process.send({ found, memory: process.memoryUsage.rss() }),
    (error) => process.send({ error: String(error?.stack ?? error) }),
  );
});
process.on('disconnect', () => process.exit(0));
process.send({ ready: true });
