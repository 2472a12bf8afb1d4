// Which letterlock this is: its version and when it was built. The build time is the oldest date a right
// clock can show, so it must never come from the clock of the machine that runs.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Build {
  readonly version: string;
  /** Milliseconds since 1970; the time of the build, or the release date when run from its sources. */
  readonly builtAt: number;
}

/** Release date of this version. */
export const releasedAt = Date.UTC(2026, 10, 24);

/**
 * The build this module belongs to. A build leaves `built-at` (milliseconds, decimal) at the top of what it
 * compiled; without one, and when it is older than the release, the release date stands.
 */
export function readBuild(from: string = dirname(fileURLToPath(import.meta.url))): Build {
  return { version: readVersion(from), builtAt: Math.max(releasedAt, readBuiltAt(from)) };
}

function readBuiltAt(from: string): number {
  const text = readIfThere(join(from, '..', '..', 'built-at'))?.trim() ?? '';
  return /^\d{12,14}$/.test(text) ? Number(text) : 0;
}

function readVersion(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const text = readIfThere(join(folder, 'package.json'));
    const facts: unknown = text === null ? null : JSON.parse(text);
    if (isOurs(facts)) return facts.version;
    if (folder === dirname(folder)) return '0.0.0';
  }
}

function isOurs(facts: unknown): facts is { readonly version: string } {
  if (typeof facts !== 'object' || facts === null) return false;
  return (
    'name' in facts && facts.name === 'letterlock' && 'version' in facts && typeof facts.version === 'string'
  );
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
