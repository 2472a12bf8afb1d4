// The package as npm packs it: what must be in it, what must not, that it needs nothing it does not name, and that it runs from
// an installation without any install script, its store in LevelDB as it was prebuilt.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { filesIn, run } from './copies.mjs';

const wanted = [
  'package.json',
  'README.md',
  'LICENSE',
  'SECURITY.md',
  'CHANGELOG.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'dist/built-at',
  'dist/cmd/letterlock.js',
  'dist/cmd/LICENSES.txt',
  'dist/src/index.js',
  'dist/src/index.d.ts',
  'dist/src/admin/dashboard/index.html',
  'dist/src/admin/dashboard/LICENSES.txt',
  'config/letterlock.example.yaml',
  'config/letterlock.schema.json',
  'config/systemd/letterlock.service',
];
const allowed =
  /^(?:dist\/(?:built-at$|cmd\/[\w.-]+\.(?:js|txt)$|src\/.+\.(?:m?js|d\.ts|html|css|svg|txt)$)|config\/|docs\/|[A-Z]+(?:\.md)?$|package\.json$)/;
/** Nobody's business: maps of sources, tests, keys. */
const forbidden =
  /\.map$|\.test\.[cm]?[jt]s|\/test\/|node_modules|\.npmrc|\.env|\.pem$|\.key$|\.p12$|\.cache/;

/** Packs what is in `source` into `folder`, and unpacks it there; the path of what was unpacked. */
export async function packInto(source, folder, signal) {
  mkdirSync(folder, { recursive: true });
  const said = await run(['npm', 'pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: source,
    signal,
  });
  const [{ filename }] = JSON.parse(said);
  const tarball = join(folder, filename);
  await run(['tar', '-xzf', tarball, '-C', folder], { cwd: folder, signal });
  return { tarball, unpacked: join(folder, 'package') };
}

export function contentFindings(unpacked, folders) {
  const names = filesIn(unpacked);
  const findings = wanted.filter((name) => !names.includes(name)).map((name) => `the package lacks ${name}`);
  for (const name of names) {
    if (!allowed.test(name) || forbidden.test(name)) findings.push(`the package holds ${name}`);
    const bytes = readFileSync(join(unpacked, name));
    for (const folder of folders)
      if (bytes.includes(folder)) findings.push(`${name} names the folder it was built in`);
    if ((statSync(join(unpacked, name)).mode & 0o022) !== 0)
      findings.push(`${name} may be written by others`);
  }
  return [...findings, ...entryFindings(unpacked), ...importFindings(unpacked, names)];
}

/** What package.json points to is there. */
function entryFindings(unpacked) {
  const manifest = JSON.parse(readFileSync(join(unpacked, 'package.json'), 'utf8'));
  const targets = (value) => (typeof value === 'string' ? [value] : Object.values(value).flatMap(targets));
  return [...targets(manifest.exports), ...targets(manifest.bin)]
    .filter((path) => !existsSync(join(unpacked, path)))
    .map((path) => `package.json points to ${path}, which is not in the package`);
}

/** What runs imports what package.json says, and nothing else. */
function importFindings(unpacked, names) {
  const manifest = JSON.parse(readFileSync(join(unpacked, 'package.json'), 'utf8'));
  const known = new Set([...Object.keys(manifest.dependencies), ...builtinModules, manifest.name]);
  return names
    .filter((name) => /^dist\/.*\.m?js$/.test(name) && !name.startsWith('dist/src/admin/dashboard/'))
    .flatMap((name) => {
      const text = readFileSync(join(unpacked, name), 'utf8');
      const imports = [
        ...text.matchAll(/^(?:import|export)\b[^'"\n]*?from ?['"]([^'".][^'"]*)['"]/gm),
        ...text.matchAll(/^import ?['"]([^'".][^'"]*)['"]/gm),
        ...text.matchAll(/\bimport\(['"]([^'".][^'"]*)['"]\)/g),
      ];
      const packages = new Set(
        imports
          .map(([, from]) => from)
          .filter((from) => !from.startsWith('node:'))
          .map((from) => (from.startsWith('@') ? from.split('/').slice(0, 2).join('/') : from.split('/')[0])),
      );
      return [...packages]
        .filter((from) => !known.has(from))
        .map((from) => `${name} imports ${from}, which package.json does not name`);
    });
}

/** Installs the tarball as a user would that trusts no install script, and runs it with a store. */
export async function installedRuns(tarball, folder, { signal }) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  await run(
    [
      'npm',
      'install',
      '--ignore-scripts',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      tarball,
    ],
    { cwd: folder, signal },
  );
  const bin = join(folder, 'node_modules/.bin/letterlock');
  const env = { PATH: process.env.PATH, HOME: folder };
  const child = spawn(
    bin,
    ['run', '127.0.0.1:0=imaps://127.0.0.1:1', '--state', join(folder, 'state'), '--log-format', 'json'],
    { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  const ready = new Promise((resolve) =>
    child.stderr.on(
      'data',
      (bytes) => (said += bytes.toString('utf8')).includes('"event":"ready"') && resolve(),
    ),
  );
  const ended = once(child, 'exit');
  let late;
  const inTime = await Promise.race([
    ready.then(() => true),
    ended.then(() => false),
    new Promise((resolve) => (late = setTimeout(resolve, 20_000, false))),
  ]);
  clearTimeout(late);
  child.kill('SIGTERM');
  const [code] = await ended;
  const findings =
    inTime && code === 0 ? [] : [`letterlock does not run from its package (${code}): ${said.slice(-500)}`];
  if (!said.includes('the pin store is good')) findings.push(`its store was not opened: ${said.slice(-500)}`);
  if (!existsSync(join(folder, 'state/pins/CURRENT'))) findings.push('it left no LevelDB behind');
  return findings;
}
