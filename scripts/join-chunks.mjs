// Joins chunks of a bundle that are always loaded together: the bundler cuts wherever the needs of two commands differ, and
// each file costs a start about half a millisecond. What one command needs and another does not stays apart.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

/**
 * @param folder where all chunks of the bundle are
 * @param outputs what esbuild says of them
 * @param joints in the order they are loaded: `{ name, entry, anchor }` joins what `entry` loads, as far as whoever loads
 *   any of it loads `anchor` too; without one, all of it. `withSmallOf` adds the small chunks of that entry. All are sources.
 */
export async function joinChunks(folder, outputs, joints) {
  const chunks = new Map(Object.entries(outputs).map(([path, output]) => [basename(path), output]));
  const entryOf = (source) => [...chunks].find(([, { entryPoint }]) => entryPoint === source)[0];
  const holderOf = (source) => [...chunks].find(([, { inputs }]) => source in inputs)[0];
  const loaders = loadersOf(chunks);
  /** By chunk, where it went and the number its names have there. */
  const moved = new Map();
  for (const { name, entry, anchor, withSmallOf } of joints) {
    const own = entryOf(entry);
    const along = anchor === undefined ? null : loaders.get(holderOf(anchor));
    const isJoined = (chunk) =>
      !moved.has(chunk) &&
      chunks.get(chunk).entryPoint === undefined &&
      (along === null || [...loaders.get(chunk)].every((loader) => along.has(loader)));
    const joined = [...closureOf(chunks, own)].filter(isJoined);
    if (withSmallOf !== undefined) addSmall(joined, chunks, closureOf(chunks, entryOf(withSmallOf)));
    for (const [at, chunk] of joined.entries()) moved.set(chunk, { file: `${name}.js`, prefix: `of${at}_` });
    await joinInto(folder, { name, joined, moved, chunks });
  }
  for (const chunk of moved.keys()) rmSync(join(folder, chunk));
  const files = [...chunks.keys()].filter((chunk) => !moved.has(chunk));
  for (const file of [...files, ...joints.map(({ name }) => `${name}.js`)])
    redirect(join(folder, file), moved);
}

const importsOf = ({ imports }) =>
  imports.flatMap(({ path, kind, external }) =>
    kind === 'import-statement' && !external ? [basename(path)] : [],
  );

const modulesIn = ({ inputs }) =>
  Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? `// ${path}` : []));

function closureOf(chunks, start, seen = new Set()) {
  if (seen.has(start)) return seen;
  seen.add(start);
  for (const next of importsOf(chunks.get(start))) closureOf(chunks, next, seen);
  return seen;
}

/** By chunk, the entries that load it. */
function loadersOf(chunks) {
  const loaders = new Map([...chunks.keys()].map((chunk) => [chunk, new Set()]));
  for (const [entry, { entryPoint }] of chunks)
    if (entryPoint !== undefined) for (const chunk of closureOf(chunks, entry)) loaders.get(chunk).add(entry);
  return loaders;
}

/** Less than what a file of its own costs. */
const smallBytes = 12_000;

/** Those that import nothing but what is joined already, so that no two files wait for each other. */
function addSmall(joined, chunks, candidates) {
  const isReady = (chunk) =>
    !joined.includes(chunk) &&
    chunks.get(chunk).entryPoint === undefined &&
    chunks.get(chunk).bytes < smallBytes &&
    importsOf(chunks.get(chunk)).every((needed) => joined.includes(needed));
  for (let next = [...candidates].filter(isReady); next.length > 0; next = [...candidates].filter(isReady))
    joined.push(...next);
}

async function joinInto(folder, { name, joined, moved, chunks }) {
  const contents = joined
    .map((chunk) => {
      const { prefix } = moved.get(chunk);
      const names = chunks.get(chunk).exports.map((exported) => `${exported} as ${prefix}${exported}`);
      return `export { ${names.join(', ')} } from './${chunk}';`;
    })
    .join('\n');
  await build({
    stdin: { contents, resolveDir: folder },
    outfile: join(folder, `${name}.js`),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    legalComments: 'none',
    // Which modules it is made of, as the bundler says of each chunk.
    banner: { js: joined.flatMap((chunk) => modulesIn(chunks.get(chunk))).join('\n') },
    logLevel: 'warning',
    plugins: [
      {
        name: 'other chunks',
        setup: (bundler) =>
          bundler.onResolve({ filter: /^\.\// }, ({ path, kind }) =>
            kind !== 'dynamic-import' && joined.includes(basename(path))
              ? undefined
              : { path, external: true },
          ),
      },
    ],
  });
}

/** Has a file import from where chunks went. */
function redirect(path, moved) {
  const text = readFileSync(path, 'utf8').replaceAll(
    /^import (?:\{([^}]*)\} from )?"\.\/([\w.-]+)";$/gm,
    (whole, names, chunk) => {
      const place = moved.get(chunk);
      if (place === undefined) return whole;
      if (names === undefined) return `import "./${place.file}";`;
      const renamed = names
        .split(',')
        .map((each) => each.trim().split(' as '))
        .map(([name, local = name]) => `${place.prefix}${name} as ${local}`);
      return `import { ${renamed.join(', ')} } from "./${place.file}";`;
    },
  );
  writeFileSync(path, text);
}
