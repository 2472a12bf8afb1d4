// Finds and loads the configuration a command works with: the file named with -c, else (where the command wants
// one) $LETTERLOCK_CONFIG or the usual places.

import { access } from 'node:fs/promises';
import type { ConfigProblem } from '../src/config.ts';
import { loadConfig } from '../src/config/load.ts';
import type { ConfigSources, LoadedConfig } from '../src/config/load.ts';
import { defaultFiles, thisHome } from '../src/config/paths.ts';
import { textOf } from './args.ts';
import type { Args } from './args.ts';
import { ConfigError, problemLines } from './failure.ts';
import type { Io } from './io.ts';

export type GoodConfig = Extract<LoadedConfig, { readonly ok: true }>;

/** Flags that are settings, by the key of the setting. */
const flagNames: Readonly<Record<string, string>> = {
  state: 'state',
  trust: 'trust',
  firstUse: 'first-use',
  caFile: 'ca-file',
  dane: 'dane',
  resolver: 'resolver',
  'metrics.listen': 'metrics',
  'log.level': 'log-level',
  'log.format': 'log-format',
  shutdownSeconds: 'shutdown-seconds',
};

/** To the command that serves, --socket is where it listens; to all others, where a daemon does: no setting of theirs. */
const servingFlagNames = { ...flagNames, 'admin.socket': 'socket' };

/** What the log of a command without a configuration of the user's is to be like. */
export const logFlags = (args: Args): ConfigSources['flags'] =>
  Object.fromEntries(
    ['log.level', 'log.format'].map((key) => {
      const name = flagNames[key] ?? '';
      return [key, { flag: `--${name}`, text: textOf(args, name) ?? undefined }];
    }),
  );

export interface Wanted {
  readonly urls: readonly string[];
  readonly needsRoutes: boolean;
  /** The command listens itself. */
  readonly serves?: true;
}

export async function sourcesOf(args: Args, io: Io, wanted: Wanted): Promise<ConfigSources> {
  const flags = Object.entries(wanted.serves ? servingFlagNames : flagNames).map(
    ([key, name]) => [key, { flag: `--${name}`, text: textOf(args, name) ?? undefined }] as const,
  );
  return {
    file: textOf(args, 'config') ?? (wanted.urls.length > 0 ? null : await usualFile(io)),
    routes: wanted.urls,
    flags: Object.fromEntries(flags),
    home: thisHome(io.env),
    cwd: io.cwd,
    needsRoutes: wanted.needsRoutes,
  };
}

/** The configuration, its warnings noted. @throws ConfigError */
export async function configFor(args: Args, io: Io, wanted: Wanted): Promise<GoodConfig> {
  return soundConfig(await loadConfig(await sourcesOf(args, io, wanted)), io);
}

export function noteWarnings(warnings: readonly ConfigProblem[], io: Io): void {
  for (const warning of warnings)
    io.note(...problemLines(warning).map((line, index) => (index === 0 ? `warning: ${line}` : line)));
}

export function soundConfig(loaded: LoadedConfig, io: Io): GoodConfig {
  noteWarnings(loaded.warnings, io);
  if (!loaded.ok) throw new ConfigError(loaded.problems);
  return loaded;
}

async function usualFile(io: Io): Promise<string | null> {
  const named = io.env['LETTERLOCK_CONFIG'];
  if (named !== undefined && named !== '') return named;
  for (const file of defaultFiles(thisHome(io.env))) {
    const found = await access(file).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  return null;
}
