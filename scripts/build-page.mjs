// Bundles the page of src/admin/dashboard/ into DIST/src/admin/dashboard/ (DIST is dist/ unless one is named): one
// script, one style sheet and one icon under names that change with their content, the page that names them, and the
// licences of what is bundled. Usage: node scripts/build-page.mjs [DIST]
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { licencesOf } from './licences.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, 'src/admin/dashboard');
const out = join(resolve(process.argv[2] ?? join(root, 'dist')), 'src/admin/dashboard');

const { outputFiles, metafile } = await build({
  absWorkingDir: root,
  entryPoints: { app: join(source, 'main.tsx'), style: join(source, 'style.css') },
  outdir: out,
  bundle: true,
  minify: true,
  write: false,
  metafile: true,
  format: 'iife',
  target: ['chrome111', 'firefox113', 'safari16.2'],
  legalComments: 'none',
  tsconfig: join(source, 'tsconfig.json'),
  logLevel: 'warning',
});

const contentOf = (name) => {
  const file = outputFiles.find(({ path }) => path.endsWith(name));
  if (file === undefined) throw new Error(`esbuild made no ${name}`);
  return file.contents;
};

/** Writes `content` under a name with its hash in it, and gives that name. */
const publish = (name, content) => {
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 10);
  const hashed = name.replace(/(\.\w+)$/, `.${hash}$1`);
  writeFileSync(join(out, 'assets', hashed), content);
  return `/assets/${hashed}`;
};

rmSync(out, { recursive: true, force: true });
mkdirSync(join(out, 'assets'), { recursive: true });
const names = {
  SCRIPT: publish('app.js', contentOf('app.js')),
  STYLE: publish('app.css', contentOf('style.css')),
  ICON: publish('icon.svg', readFileSync(join(source, 'icon.svg'))),
};
const page = readFileSync(join(source, 'index.html'), 'utf8');
writeFileSync(
  join(out, 'index.html'),
  page.replace(/"(SCRIPT|STYLE|ICON)"/g, (_, word) => `"${names[word]}"`),
);
writeFileSync(join(out, 'LICENSES.txt'), licencesOf(root, metafile));
