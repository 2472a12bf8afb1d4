// What a daemon loads when it starts: not what only a command, an import or a question for the schemas needs.

import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const statically = /^(?:import|export)\s+(?!type\b)(?:[^'"]*?\sfrom\s+)?'([^']+)'/gm;

/** Every package and file that loads with `file`, types aside. */
function loadedWith(file: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(statically)) {
    if (specifier.startsWith('.')) loadedWith(resolve(dirname(file), specifier), seen);
    else seen.add(specifier);
  }
  return seen;
}

test('a daemon starts without the schemas of its admin API', () => {
  const loaded = loadedWith(join(root, 'src/daemon.ts'));
  expect([...loaded].filter((name) => /src\/admin\/.*schema/.test(name))).toEqual([]);
  expect(loaded).toContain(join(root, 'src/admin/api.ts'));
  expect(loaded).toContain('node:http');
});

test('the schemas, once asked for, are many and need Zod', () => {
  const loaded = loadedWith(join(root, 'src/admin/api-schema.ts'));
  expect(loaded).toContain('zod');
  expect([...loaded].filter((name) => /src\/admin\/.*schema/.test(name)).length).toBeGreaterThan(4);
});
