import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readBuild, releasedAt } from '../../src/ops/build.ts';

let root: string;
let module: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'letterlock-build-'));
  module = join(root, 'dist', 'src', 'ops');
  mkdirSync(module, { recursive: true });
  writeFileSync(join(root, 'package.json'), '{"name": "letterlock", "version": "9.8.7"}');
});
afterEach(() => rmSync(root, { recursive: true }));

test('the version is the one of our own package, not of one in between', () => {
  writeFileSync(join(root, 'dist', 'package.json'), '{"name": "other", "version": "1.0.0"}');
  expect(readBuild(module).version).toBe('9.8.7');
});

test.each([
  ['a later build', String(releasedAt + 5000), releasedAt + 5000],
  ['a build before the release', String(releasedAt - 5000), releasedAt],
  ['garbage', 'yesterday', releasedAt],
])('built-at of %s', (_name, text, expected) => {
  writeFileSync(join(root, 'dist', 'built-at'), `${text}\n`);
  expect(readBuild(module).builtAt).toBe(expected);
});

test('run from its sources the release date stands', () => {
  expect(readBuild()).toEqual({ version: expect.stringMatching(/^\d+\.\d+\.\d+/), builtAt: releasedAt });
});
