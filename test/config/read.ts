// Loads a configuration from text in a folder of its own, as a user without any setting of his would.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import type { ConfigSources, LoadedConfig } from '../../src/config/load.ts';
import { placeName } from '../../src/config/problem.ts';

export interface Given extends Partial<Pick<ConfigSources, 'routes' | 'flags' | 'needsRoutes'>> {
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  /** Files beside the configuration. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
}

/** `text` null: no file. The folder is `cwd` and is gone when this resolves. */
export async function load(
  text: string | Uint8Array | null,
  given: Given = {},
): Promise<LoadedConfig & { readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'll-config-'));
  try {
    if (text !== null) await writeFile(join(folder, 'l.yaml'), text);
    for (const [name, content] of Object.entries(given.files ?? {}))
      await writeFile(join(folder, name), content);
    const loaded = await loadConfig({
      file: text === null ? null : 'l.yaml',
      routes: given.routes ?? [],
      flags: given.flags ?? {},
      home: { env: { HOME: '/home/you', ...given.env }, uid: given.uid ?? 1000 },
      cwd: folder,
      needsRoutes: given.needsRoutes ?? true,
    });
    return { ...loaded, folder };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The problems as `place: message`; an empty list for a good configuration. */
export async function problemsIn(
  text: string | Uint8Array | null,
  given: Given = {},
): Promise<readonly string[]> {
  const loaded = await load(text, given);
  return loaded.ok
    ? []
    : loaded.problems.map((problem) =>
        `${placeName(problem)}: ${problem.message}`.replaceAll(loaded.folder, '.'),
      );
}

/** The configuration; fails the test with its problems otherwise. */
export async function good(
  text: string | null,
  given: Given = {},
): Promise<Extract<LoadedConfig, { ok: true }> & { readonly folder: string }> {
  const loaded = await load(text, given);
  if (!loaded.ok)
    throw new Error(loaded.problems.map((problem) => `${placeName(problem)}: ${problem.message}`).join('\n'));
  return loaded;
}
