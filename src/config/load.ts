// Reads and checks the whole configuration before anything starts. It returns a configuration or every
// problem there is; never part of one, and never a guess.

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { maxSocketPathBytes } from '../admin/socket-path.ts';
import type { Config, ConfigProblem } from '../config.ts';
import { anchorProblems } from './anchor-files.ts';
import { buildConfig } from './build.ts';
import type { Ground } from './build.ts';
import { readDocument } from './document.ts';
import type { SourceDocument } from './document.ts';
import { draftRoutes } from './drafts.ts';
import type { Draft } from './drafts.ts';
import { problemsOf } from './issues.ts';
import type { Places } from './issues.ts';
import { layered } from './layers.ts';
import type { Layers } from './layers.ts';
import { neighbourProblems } from './neighbours.ts';
import type { OtherListener } from './neighbours.ts';
import { originRows } from './origins.ts';
import type { OriginRow } from './origins.ts';
import type { Home } from './paths.ts';
import { listOf } from './plain.ts';
import type { Mapping } from './plain.ts';
import { nowhere, problemAt, sortProblems } from './problem.ts';
import { configSchema } from './schema.ts';
import type { RawConfig } from './schema.ts';
import { settingsFromEnvironment, settingsFromFlags } from './settings.ts';
import { parseListen, splitRouteArgument } from './upstream.ts';

/** Where a configuration comes from. */
export interface ConfigSources {
  /** Path as given, shown so in problems; null for none. */
  readonly file: string | null;
  /** `URL` or `[ADDR:]PORT=URL` from the command line. */
  readonly routes: readonly string[];
  /** By setting (`trust`, `log.level`): the flag and its text. */
  readonly flags: Readonly<Record<string, { readonly flag: string; readonly text: string | undefined }>>;
  readonly home: Home;
  readonly cwd: string;
  /** False for commands that need state and trust but serve nothing. */
  readonly needsRoutes: boolean;
}

export type LoadedConfig =
  | {
      readonly ok: true;
      readonly config: Config;
      readonly warnings: readonly ConfigProblem[];
      readonly origins: readonly OriginRow[];
    }
  | {
      readonly ok: false;
      readonly problems: readonly ConfigProblem[];
      readonly warnings: readonly ConfigProblem[];
    };

/** Never rejects for what was written; all of it is in `problems`, sorted by place. */
export async function loadConfig(sources: ConfigSources): Promise<LoadedConfig> {
  const document = await documentOf(sources);
  const environment = settingsFromEnvironment(sources.home.env);
  const given = [...environment.given, ...settingsFromFlags(sources.flags)];
  const layers = layered(document, given, sources.routes.map(splitRouteArgument));
  const ground: Ground = {
    raw: soundPart(layers.value),
    layers,
    home: sources.home,
    cwd: sources.cwd,
    file: sources.file === null ? null : resolve(sources.cwd, sources.file),
  };
  const { drafts, problems } = draftRoutes(layers);
  const found = sortProblems([
    ...layers.problems,
    ...environment.problems,
    ...schemaProblems(document, layers),
    ...problems,
    ...neighbourProblems(drafts, metricsListener(ground)),
    ...noRoutes(sources, layers),
  ]);
  return finish(ground, drafts, found);
}

/** What can only be said of a whole configuration, and needs the disk. */
async function finish(
  ground: Ground,
  drafts: readonly Draft[],
  found: readonly ConfigProblem[],
): Promise<LoadedConfig> {
  const config = buildConfig(ground, drafts);
  const problems = sortProblems([
    ...found,
    ...socketProblems(ground, config),
    ...(await anchorProblems(ground, drafts)),
  ]);
  const warnings = drafts.flatMap((draft, index) => pinsIgnored(draft, config.routes[index]?.trust.policy));
  if (problems.length > 0) return { ok: false, problems, warnings };
  return { ok: true, config, warnings, origins: originRows(config, { ground, drafts }) };
}

async function documentOf({ file, cwd }: ConfigSources): Promise<SourceDocument | null> {
  if (file === null) return null;
  try {
    return readDocument(await readFile(resolve(cwd, file)), file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    const place = nowhere(file);
    const problem = problemAt(
      place,
      `the file cannot be read (${code})`,
      'check the path and its permissions',
    );
    return { value: {}, problems: [problem], locate: () => place, locateKey: () => place };
  }
}

/** The file is checked by itself too: a mistake in it counts also where a flag covers it. */
function schemaProblems(document: SourceDocument | null, layers: Layers): readonly ConfigProblem[] {
  const inFile = document === null ? [] : schemaProblemsOf(document.value, document);
  const inAll = schemaProblemsOf(layers.value, layers);
  return [...inFile, ...inAll.filter((problem) => document === null || problem.line === null)];
}

function schemaProblemsOf(value: unknown, places: Places): readonly ConfigProblem[] {
  const parsed = configSchema.safeParse(value);
  return parsed.success ? [] : problemsOf(parsed.error.issues, value, places);
}

/** The top-level keys that are right by themselves, so that one mistake hides no other. */
function soundPart(value: Mapping): RawConfig {
  const sound = Object.entries(value).filter(
    ([key, part]) => key !== 'routes' && configSchema.safeParse({ [key]: part }).success,
  );
  return configSchema.parse(Object.fromEntries(sound));
}

/** Only a port somebody asked for: a busy default one is a warning of the daemon. */
function metricsListener({ raw, layers }: Ground): OtherListener | null {
  const listen = raw.metrics?.listen;
  return listen === undefined
    ? null
    : { address: parseListen(listen), place: layers.locate(['metrics', 'listen']) };
}

function noRoutes({ needsRoutes }: ConfigSources, layers: Layers): readonly ConfigProblem[] {
  const routes = layers.value['routes'];
  const none =
    routes === undefined || routes === null || (Array.isArray(routes) && listOf(routes).length === 0);
  if (!needsRoutes || !none || layers.problems.length > 0) return [];
  return [
    problemAt(
      layers.locate(['routes']),
      'there is no route',
      'add routes: with at least one upstream, or give a URL',
    ),
  ];
}

function socketProblems(ground: Ground, config: Config): readonly ConfigProblem[] {
  const { path } = config.admin.socket;
  const bytes = Buffer.byteLength(path);
  if (bytes <= maxSocketPathBytes) return [];
  const message = `the path of the admin socket has ${bytes} bytes, ${maxSocketPathBytes} are possible: ${path}`;
  return [
    problemAt(
      ground.layers.locate(['admin', 'socket']),
      message,
      'give a shorter one: admin: {socket: {path: /run/…}}',
    ),
  ];
}

function pinsIgnored(draft: Draft, policy: string | undefined): readonly ConfigProblem[] {
  if (policy !== 'ca' || draft.raw.pins === undefined || draft.raw.pins.length === 0) return [];
  const hint = 'use trust: pinned to accept these keys only';
  return [problemAt(draft.place('pins'), 'pins have no effect under trust: ca', hint)];
}
