// Which tests notice a change of a source file: those of its own part that import it, however far, the quick ones first.

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { imports } from '../source-text.mjs';

/** Take a minute and more: last. */
const slow = ['model', 'unserved', 'description-fuzz', 'prologue-fuzz', 'policy-properties', 'deliberation'];
const beside = { trust: ['trust', 'tofu'], mail: ['mail'] };

/** `{quick, slow}`: paths from `root`, those of its own folder first. */
export function testsOf(root, file) {
  const [, part] = file.split('/');
  const target = join(root, file);
  const found = (beside[part] ?? [part])
    .flatMap((folder) =>
      readdirSync(join(root, 'test', folder))
        .toSorted()
        .map((name) => join(root, 'test', folder, name)),
    )
    .filter((path) => path.endsWith('.test.ts') && reaches(path, target, new Set()))
    .map((path) => relative(root, path));
  return { quick: found.filter((path) => !isSlow(path)), slow: found.filter(isSlow) };
}

const isSlow = (path) => slow.some((name) => path.includes(`/${name}.`));

function reaches(path, target, seen) {
  if (path === target) return true;
  if (seen.has(path) || !existsSync(path)) return false;
  seen.add(path);
  return imports(readFileSync(path, 'utf8'))
    .filter(({ specifier }) => specifier.startsWith('.'))
    .some(({ specifier }) => reaches(resolve(dirname(path), specifier), target, seen));
}
