// Reads and checks the whole configuration before anything starts. It returns a configuration or every
// problem there is; never part of one, and never a guess.

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Config, ConfigProblem } from '../config.ts';
import { anchorProblems } from './anchor-files.ts';
import { buildConfig, commonTrust, type CommonTrust } from './build.ts';
import { continuityProblems } from './continuity-rules.ts';
import { crlProblems } from './crl-problems.ts';
import { readDocument } from './document.ts';
import type { SourceDocument } from './document.ts';
import { daneProblems } from './dane-rules.ts';
import { draftRoutes } from './drafts.ts';
import type { Drafts } from './drafts.ts';
import type { Ground } from './ground.ts';
import { readHooks } from './hooks.ts';
import { problemsOf } from './issues.ts';
import type { Places } from './issues.ts';
import { keyFileFindings } from './key-files.ts';
import { layered } from './layers.ts';
import type { Layers } from './layers.ts';
import { localProblems } from './local-rules.ts';
import { neighbourProblems } from './neighbours.ts';
import type { OriginRow } from './origin-row.ts';
import { originRows } from './origins.ts';
import { ownListeners, socketProblems } from './own-listeners.ts';
import { pageProblems } from './page-listen.ts';
import { readPasswordFiles } from './password-files.ts';
import type { Home } from './paths.ts';
import { listOf } from './plain.ts';
import type { Mapping } from './plain.ts';
import { nowhere, problemAt, sortProblems } from './problem.ts';
import { configSchema } from './schema.ts';
import type { RawConfig } from './schema.ts';
import { legacyPolicyProblems, serverProblems } from './server-rules.ts';
import { settingsFromEnvironment, settingsFromFlags } from './settings.ts';
import { splitRouteArgument } from './upstream.ts';
import { readUsers } from './users.ts';
import { routeWarnings } from './warnings.ts';

/** Where a configuration comes from. */
export interface ConfigSources {
  /** Path as given, shown so in problems; null for none. */
  readonly file: string | null;
  /** `URL` or `[ADDR:]PORT=URL` from the command line. */
  readonly routes: readonly string[];
  /** The proxy of all of these, as a URL. */
  readonly proxy?: string;
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
      /** For servers that no route names. */
      readonly common: CommonTrust;
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
  const layers = layered(
    document,
    given,
    sources.routes.map((text) => ({
      ...splitRouteArgument(text),
      ...(sources.proxy === undefined ? {} : { proxy: sources.proxy }),
    })),
  );
  const ground: Ground = {
    raw: soundPart(layers.value),
    layers,
    home: sources.home,
    cwd: sources.cwd,
    file: sources.file === null ? null : resolve(sources.cwd, sources.file),
  };
  const { drafts, problems } = draftRoutes(ground);
  return finish(ground, drafts, [
    ...layers.problems,
    ...environment.problems,
    ...schemaProblems(document, layers),
    ...problems,
    ...drafts.flatMap((draft) => [...localProblems(draft), ...serverProblems(draft)]),
    ...noRoutes(sources, layers),
  ]);
}

/** What can only be said of a whole configuration, and needs the disk. */
async function finish(
  ground: Ground,
  drafts: Drafts,
  found: readonly ConfigProblem[],
): Promise<LoadedConfig> {
  const [users, passwords, keys, anchors, hooks] = await Promise.all([
    readUsers(drafts),
    readPasswordFiles(ground, drafts),
    keyFileFindings(ground, drafts),
    anchorProblems(ground, drafts),
    readHooks(ground),
  ]);
  const config = buildConfig(ground, drafts, {
    users: users.users,
    vias: passwords.vias,
    hooks: hooks.hooks,
  });
  const built = config.routes.flatMap((route, index) => {
    const draft = drafts[index];
    return draft === undefined ? [] : [{ draft, route }];
  });
  const crls = await crlProblems(ground, drafts, config.routes);
  const problems = sortProblems([
    ...found,
    ...crls,
    ...neighbourProblems(drafts, ownListeners(ground, config)),
    ...socketProblems(ground, config),
    ...pageProblems(ground, config),
    ...built.flatMap(({ draft, route }) => [
      ...legacyPolicyProblems(draft, route),
      ...continuityProblems(draft, route),
    ]),
    ...daneProblems(ground, { drafts, built }),
    ...users.problems,
    ...passwords.problems,
    ...keys.problems,
    ...anchors,
    ...hooks.problems,
  ]);
  const warnings = sortProblems([
    ...built.flatMap(({ draft, route }) => routeWarnings(draft, route)),
    ...passwords.warnings,
    ...keys.warnings,
    ...hooks.warnings,
  ]);
  if (problems.length > 0) return { ok: false, problems, warnings };
  return {
    ok: true,
    config,
    common: commonTrust(ground),
    warnings,
    get origins() {
      return originRows(config, { ground, drafts });
    },
  };
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
