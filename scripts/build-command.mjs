// Bundles the command of cmd/ into DIST/cmd/ (DIST is dist/ unless one is named): a start reads a few files where there
// are hundreds of modules, and what a command does not need stays in chunks of its own that nobody reads. The licences of
// what is bundled go beside it. The library of DIST/src/ is not touched. Usage: node scripts/build-command.mjs [DIST]
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { joinChunks } from './join-chunks.mjs';
import { licencesOf } from './licences.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = join(resolve(process.argv[2] ?? join(root, 'dist')), 'cmd');

/** A native module finds its binary beside its own files. */
const external = ['level'];

const isName = (name) => /^[A-Za-z_$][\w$]*$/.test(name) && name !== 'default';

/** Modules of Node that take milliseconds to load: for what is ours they are loaded when something of them is used first. */
const heavy = [
  'child_process',
  'crypto',
  'dns',
  'dns/promises',
  'http',
  'https',
  'readline',
  'readline/promises',
  'timers/promises',
  'tls',
  'worker_threads',
];

/** Every name our own sources import from each module of Node. */
const ownNames = namesIn(
  ['cmd', 'src'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(root, folder, name), 'utf8')),
  ),
);

function namesIn(texts) {
  const names = new Map();
  for (const text of texts) {
    for (const [, list, path] of text.matchAll(/import \{([^}]*)\} from 'node:([^']+)'/g)) {
      const found = names.get(path) ?? new Set();
      for (const name of list.split(',')) found.add(name.trim().split(' ')[0]);
      names.set(path, found);
    }
  }
  return names;
}

/**
 * A module of Node is fetched without `import`: that reads every property of it, and some of those load much more (of
 * `http` a whole HTTP client, a third of the time a small program takes to start).
 */
const nodeModules = {
  name: 'modules of Node',
  setup(bundler) {
    bundler.onResolve(
      { filter: /^(?:node:)?[a-z_]+(?:\/[a-z_]+)?$/ },
      ({ path: written, kind, importer }) => {
        if (!isBuiltin(written)) return undefined;
        // What a package requires comes as it is, without a copy of its properties.
        if (kind === 'require-call') return { path: written, external: true };
        const path = written.replace(/^node:/, '');
        const isLate = heavy.includes(path) && !importer.includes('node_modules');
        return { path, namespace: isLate ? 'node late' : 'node' };
      },
    );
    bundler.onLoad({ filter: /.*/, namespace: 'node' }, ({ path }) => ({
      contents: [
        `const whole = process.getBuiltinModule('node:${path}');`,
        'export default whole;',
        ...Object.keys(process.getBuiltinModule(path))
          .filter(isName)
          // Only those somebody imports are left.
          .map(
            (name) =>
              `const own_${name} = /* @__PURE__ */ (() => whole.${name})();\nexport { own_${name} as ${name} };`,
          ),
      ].join('\n'),
    }));
    // As CommonJS: what is imported from it is then read where it is used, not where it is imported.
    bundler.onLoad({ filter: /.*/, namespace: 'node late' }, ({ path }) => ({
      contents: `let whole;
const at = () => (whole ??= process.getBuiltinModule('node:${path}'));
Object.defineProperty(exports, '__esModule', { value: true });
for (const name of ${JSON.stringify([...(ownNames.get(path) ?? [])].toSorted((a, b) => a.localeCompare(b)))})
  Object.defineProperty(exports, name, { enumerable: true, get: () => at()[name] });`,
    }));
  },
};

/** A CommonJS package that is imported late has, for the bundler, no names; here it has those that Node sees. */
const latePackages = {
  name: 'packages imported late',
  setup(bundler) {
    bundler.onResolve({ filter: /^[^.]/ }, ({ path, kind, namespace }) =>
      kind !== 'dynamic-import' || namespace === 'late' || external.includes(path) || isBuiltin(path)
        ? undefined
        : { path, namespace: 'late' },
    );
    bundler.onLoad({ filter: /.*/, namespace: 'late' }, async ({ path }) => {
      const names = Object.keys(await import(path)).filter(isName);
      const exported = names.map((name) => `export const ${name} = whole.${name};`);
      const loaded = names.length === 0 ? `import '${path}';` : `import * as whole from '${path}';`;
      return { contents: [loaded, ...exported].join('\n'), resolveDir: root };
    });
  },
};

/**
 * Zod's small form apart from the whole of it: what both use would have everything in it that either uses, and a start
 * needs the small form alone.
 */
const smallZod = {
  name: 'small Zod',
  setup(bundler) {
    // Looked for as any file is; the mark keeps that from coming back here.
    const small = async (path, { kind, resolveDir }) => {
      const options = { kind, resolveDir, namespace: 'small zod', pluginData: 'looked for' };
      const { path: found, sideEffects, errors } = await bundler.resolve(path, options);
      return { path: relative(root, found), namespace: 'small zod', sideEffects, errors };
    };
    bundler.onResolve({ filter: /^zod\/mini$/, namespace: 'file' }, (asked) => small('zod/mini', asked));
    bundler.onResolve({ filter: /^\./, namespace: 'small zod' }, (asked) =>
      asked.pluginData === 'looked for' ? undefined : small(asked.path, asked),
    );
    bundler.onLoad({ filter: /.*/, namespace: 'small zod' }, ({ path }) => ({
      contents: readFileSync(join(root, path), 'utf8'),
      resolveDir: dirname(join(root, path)),
    }));
  },
};

/** Files that stand beside a module of ours are found where that module would stand in DIST/src/. */
const ownPlaces = {
  name: 'places of our own modules',
  setup(bundler) {
    bundler.onLoad({ filter: /\/(?:src|cmd)\/.*\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      if (!text.includes('import.meta.')) return undefined;
      const place = JSON.stringify(`../${relative(root, path).replace(/\.ts$/, '.js')}`);
      const url = `new URL(${place}, import.meta.url)`;
      const contents = text
        .replaceAll(
          'import.meta.dirname',
          `process.getBuiltinModule('node:url').fileURLToPath(new URL('.', ${url}))`,
        )
        .replaceAll(/(?<!, )import\.meta\.url/g, `${url}.href`);
      return { contents, loader: 'ts' };
    });
  },
};

// One of the packages wants it to be there when its names are asked for.
await import('reflect-metadata');

rmSync(out, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: {
    letterlock: join(root, 'cmd/letterlock.ts'),
    'config-thread': join(root, 'cmd/config-thread.ts'),
  },
  outdir: out,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  mainFields: ['module', 'main'],
  // Beside the entry: a place relative to one is the same relative to all.
  chunkNames: '[name]-[hash]',
  metafile: true,
  legalComments: 'none',
  external,
  plugins: [nodeModules, latePackages, smallZod, ownPlaces],
  // As modules, of which what nobody calls is left out; the package has that form for browsers.
  alias: { yaml: join(root, 'node_modules/yaml/browser/index.js') },
  banner: { js: "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);" },
  logLevel: 'warning',
});
await joinChunks(out, metafile.outputs, [
  { name: 'program', entry: 'cmd/letterlock.ts', withSmallOf: 'cmd/run.ts' },
  { name: 'config', entry: 'cmd/run.ts', anchor: 'src/config/load.ts' },
  { name: 'daemon', entry: 'src/daemon.ts', anchor: 'src/daemon/start.ts' },
]);
writeFileSync(join(out, 'LICENSES.txt'), licencesOf(root, metafile));
