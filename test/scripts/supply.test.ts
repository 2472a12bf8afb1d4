// What stands in the lock file, at every run of the tests; builds and packages are compared by scripts/campaign --only supply.

import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder, type Folder } from '../lab/folder.ts';

const root = join(import.meta.dirname, '../..');

interface Looked {
  readonly findings: readonly string[];
  readonly lock: unknown;
  readonly manifest: unknown;
}

const {
  lockFindings,
  reasonFindings,
}: {
  readonly lockFindings: (folder: string) => Looked;
  readonly reasonFindings: (folder: string, about: Omit<Looked, 'findings'>) => readonly string[];
} = await import(pathToFileURL(join(root, 'scripts/campaigns/supply/lock.mjs')).href);

const reasons = 'docs/decisions/0002-dependencies.md';

function found(folder: string): readonly string[] {
  const { findings, lock, manifest } = lockFindings(folder);
  return [...findings, ...reasonFindings(folder, { lock, manifest })];
}

test('every package has a hash and a licence that goes with MIT, every runtime dependency a reason', () => {
  expect(found(root)).toEqual([]);
});

describe('what would be found', () => {
  let folder: Folder;
  beforeEach(async () => {
    folder = await temporaryFolder();
    await mkdir(join(folder.path, 'docs/decisions'), { recursive: true });
    for (const name of ['package.json', 'package-lock.json', reasons])
      await cp(join(root, name), join(folder.path, name));
  });
  afterEach(() => folder.remove());

  test.each([
    [
      'a package without a hash',
      'package-lock.json',
      /"integrity": "sha512-/,
      '"integrity": "sha1-',
      /has no SHA-512/,
    ],
    [
      'a licence that asks for more',
      'package-lock.json',
      /"license": "ISC"/,
      '"license": "GPL-3.0"',
      /is under GPL-3.0/,
    ],
    [
      'a place to download from',
      'package-lock.json',
      /"integrity": "sha512-/,
      '"resolved": "elsewhere", "integrity": "sha512-',
      /names a place to download from: elsewhere/,
    ],
    ['a dependency without a row', reasons, /^\| `pino` .*\n/m, '', /pino has no reason/],
    ['a row too many', 'package.json', /^ {4}"zod": .*\n/m, '    "zood": "^4.6.7"\n', /has a row for zod/],
    [
      'a lock file that is behind',
      'package.json',
      /"level": "\^10/,
      '"level": "^11',
      /made for other dependencies/,
    ],
  ])('%s', async (_, file, from, to, message) => {
    const path = join(folder.path, file);
    const text = await readFile(path, 'utf8');
    expect(text).toMatch(from);
    await writeFile(path, text.replace(from, to));
    expect(found(folder.path).join('\n')).toMatch(message);
  });
});
