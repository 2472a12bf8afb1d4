// Clean copies of the sources in folders of their own: what is tracked and nothing else, as a fresh clone has it. Where a build that
// was broken on purpose is under test, its sources are taken.

import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const execute = promisify(execFile);
const skipped = new Set(['.git', '.cache', 'node_modules', 'dist', 'coverage']);

/** Everything in a folder, by path from it. */
export function filesIn(folder, at = folder) {
  return readdirSync(at, { withFileTypes: true }).flatMap((entry) => {
    const path = join(at, entry.name);
    if (entry.isDirectory()) return filesIn(folder, path);
    return [relative(folder, path)];
  });
}

function sourcesIn(folder, at = folder) {
  return readdirSync(at, { withFileTypes: true }).flatMap((entry) => {
    if (skipped.has(entry.name)) return [];
    const path = join(at, entry.name);
    if (entry.isDirectory()) return sourcesIn(folder, path);
    return entry.isFile() ? [relative(folder, path)] : [];
  });
}

async function tracked() {
  try {
    const { stdout } = await execute('git', ['-C', root, 'ls-files', '-z', '-co', '--exclude-standard'], {
      maxBuffer: 1 << 26,
    });
    return stdout
      .split('\0')
      .filter((name) => name !== '' && existsSync(join(root, name)) && statSync(join(root, name)).isFile());
  } catch {
    return sourcesIn(root);
  }
}

/** `build` is a folder as dist/ is; its sources stand beside it, or this repository's are taken. */
export async function cleanCopy(build, folder) {
  const beside = dirname(build);
  const own = existsSync(join(beside, 'src')) && existsSync(join(beside, 'package.json')) ? beside : root;
  for (const name of await tracked()) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    const path = existsSync(join(own, name)) ? join(own, name) : join(root, name);
    copyFileSync(path, join(folder, name));
  }
}

/** What it wrote; throws with all of it where it fails. */
export async function run(command, { cwd, env = {}, signal, withinMs = 180_000 }) {
  const [file, ...args] = command;
  try {
    const { stdout } = await execute(file, args, {
      cwd,
      env: { ...process.env, ...env },
      signal,
      timeout: withinMs,
      maxBuffer: 1 << 27,
    });
    return stdout;
  } catch (error) {
    throw new Error(
      `${command.join(' ')}: ${error.stderr ?? ''}${error.stdout ?? ''}${error.message}`.slice(0, 3000),
      { cause: error },
    );
  }
}

/** Two folders, file by file: what is in one only, or differs. */
export function differences(one, other) {
  const [names, others] = [filesIn(one), filesIn(other)];
  const all = [...new Set([...names, ...others])].toSorted((a, b) => a.localeCompare(b));
  return all.flatMap((name) => {
    if (!names.includes(name) || !others.includes(name)) return [`${name} is in one of them only`];
    const [a, b] = [readFileSync(join(one, name)), readFileSync(join(other, name))];
    if (a.equals(b)) return [];
    const at = a.findIndex((octet, index) => octet !== b[index]);
    const shown = (bytes) => JSON.stringify(bytes.subarray(Math.max(0, at - 20), at + 60).toString('latin1'));
    return [`${name} differs at octet ${at}: ${shown(a)} and ${shown(b)}`];
  });
}
