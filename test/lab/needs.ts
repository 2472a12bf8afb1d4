// Which programs the real tests need, and what happens when one is not there: the tests of that program are
// skipped on a developer's machine, and fail where nothing may be skipped.

import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';

const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

function isThere(program: string): boolean {
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** `describe`, or `describe.skip` when a program is missing; `root` asks for uid 0 (Postfix cannot do without). */
export function describeWith(
  programs: readonly string[],
  needs: { readonly root: boolean },
): typeof describe.skip {
  const missing = programs.filter((program) => !isThere(program));
  if (needs.root && process.getuid?.() !== 0) missing.push('root rights');
  if (missing.length === 0) return describe;
  if (process.env['LETTERLOCK_NOTHING_SKIPPED'] === '1') throw new Error(`missing: ${missing.join(', ')}`);
  return describe.skip;
}
