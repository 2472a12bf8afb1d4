// What stands in the lock file and beside it: every package named with a hash, nothing from anywhere but the registry that npm is set
// to, licences that go with MIT, and a reason for each package that letterlock needs to run.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What may be shipped with a program under MIT, without further conditions than naming it. */
const shippable = new Set([
  'MIT',
  'MIT-0',
  'ISC',
  '0BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'Unlicense',
]);
/** Besides, for tools that are never shipped. */
const usable = new Set(['MPL-2.0', '(MIT OR EUPL-1.1+)', 'CC0-1.0', 'CC-BY-4.0', 'Python-2.0']);
/** Packages that run a program when they are installed, which nobody needs (`--ignore-scripts`). */
const withScripts = new Set(['node_modules/classic-level', 'node_modules/esbuild', 'node_modules/fsevents']);

export const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** `{path, entry, ships}` of each locked package. */
export function locked(lock) {
  return Object.entries(lock.packages)
    .filter(([path]) => path !== '')
    .map(([path, entry]) => ({ path, entry, ships: entry.dev !== true && entry.devOptional !== true }));
}

export const nameIn = (path) => path.split('node_modules/').at(-1);

export function lockFindings(root) {
  const lock = readJson(join(root, 'package-lock.json'));
  const manifest = readJson(join(root, 'package.json'));
  const findings = [];
  if (lock.lockfileVersion !== 3) findings.push(`the lock file is of version ${lock.lockfileVersion}`);
  for (const part of ['dependencies', 'devDependencies'])
    if (JSON.stringify(lock.packages[''][part]) !== JSON.stringify(manifest[part]))
      findings.push(`the lock file was made for other ${part} than package.json has`);
  for (const { path, entry, ships } of locked(lock)) {
    const about = `${path} in the lock file`;
    if (!/^sha512-[\w+/]{86}==$/.test(entry.integrity ?? '')) findings.push(`${about} has no SHA-512`);
    if (entry.resolved !== undefined)
      findings.push(`${about} names a place to download from: ${entry.resolved}`);
    if (entry.link === true || !/^\d+\.\d+\.\d+/.test(entry.version ?? ''))
      findings.push(`${about} is no release`);
    if (entry.hasInstallScript === true && !withScripts.has(path))
      findings.push(`${about} runs a program when it is installed`);
    const licence = entry.license ?? 'none';
    if (!shippable.has(licence) && (ships || !usable.has(licence)))
      findings.push(`${about} is under ${licence}`);
  }
  return { findings, lock, manifest };
}

/** What is installed says the same licence as the lock file, and brings its text. */
export function installedFindings(root, lock) {
  const findings = [];
  for (const { path, entry, ships } of locked(lock)) {
    const file = join(root, path, 'package.json');
    if (!existsSync(file)) {
      if (entry.optional !== true) findings.push(`${path} is locked and was not installed`);
      continue;
    }
    const { version, license } = readJson(file);
    if (version !== entry.version)
      findings.push(`${path} is locked at ${entry.version}, and ${version} was installed`);
    if (ships && license !== entry.license)
      findings.push(`${path}: ${license} where the lock file says ${entry.license}`);
  }
  return findings;
}

/** docs/decisions/0002-dependencies.md has a row with a reason and a way out for each, and none for what is gone. */
export function reasonFindings(root, { lock, manifest }) {
  const text = readFileSync(join(root, 'docs/decisions/0002-dependencies.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)];
  const names = Object.keys(manifest.dependencies);
  const findings = names
    .filter((name) => !rows.some(([, row, saves]) => row === name && saves.trim().length > 10))
    .map((name) => `${name} has no reason in docs/decisions/0002-dependencies.md`);
  for (const [, name] of rows)
    if (!names.includes(name))
      findings.push(`docs/decisions/0002-dependencies.md has a row for ${name}, which is no dependency`);
  const leaving = text.slice(text.indexOf('## How to leave each'));
  for (const name of names)
    if (!leaving.includes(name))
      findings.push(`docs/decisions/0002-dependencies.md does not say how to leave ${name}`);
  const shipped = new Set(
    locked(lock)
      .filter(({ ships }) => ships)
      .map(({ path }) => path),
  );
  const said = /(\w+) packages, (\d+) with all they bring/.exec(text);
  if (Number(said?.[2]) !== shipped.size)
    findings.push(
      `docs/decisions/0002-dependencies.md counts ${said?.[2]} packages, the lock file ${shipped.size}`,
    );
  return findings;
}
