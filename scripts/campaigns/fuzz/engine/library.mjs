// Where a target finds the code it is about: modules of the build, and what is no module there (the page, helpers of
// tests) bundled from its TypeScript into a folder.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build as bundle } from 'esbuild';

const root = dirname(dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url))))));

/** `from('src/trust/der')` is the module; `urlOf` says where it came from. */
export function libraryOf(build, folder) {
  const places = new Map();
  const bundled = async (path) => {
    const file = join(folder, `${path.replaceAll('/', '-')}.mjs`);
    const home = [dirname(build), root].find((place) => existsSync(join(place, `${path}.ts`)));
    if (home === undefined) throw new Error(`${path} is neither in the build nor in the sources`);
    await bundle({
      entryPoints: [join(home, `${path}.ts`)],
      outfile: file,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      logLevel: 'error',
    });
    return file;
  };
  const from = async (path) => {
    const built = join(build, `${path}.js`);
    const file = existsSync(built) ? built : await bundled(path);
    places.set(path, pathToFileURL(file).href);
    return import(places.get(path));
  };
  return { from, urlOf: (path) => places.get(path) ?? pathToFileURL(join(build, `${path}.js`)).href };
}
