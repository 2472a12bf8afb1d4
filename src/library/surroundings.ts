// What a preloaded process goes by: the configuration file and the LETTERLOCK_ variables that `letterlock run` reads, with
// the same checks. Without either nothing but the defaults is loaded.

import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { defaultFiles, defaultState, thisHome } from '../config/paths.ts';
import type { ResolverPlace } from '../net/open-tlsa.ts';
import { targetsOf } from '../proxy/route.ts';
import { CommandError } from '../errors.ts';
import type { ReadyTrust, SettingsOptions } from './settings.ts';

/** Plain data: a worker is given a copy. */
export interface Surroundings {
  /** For servers that no route of the configuration names. */
  readonly common: SettingsOptions;
  readonly ready: readonly (readonly [string, ReadyTrust])[];
  readonly resolver: ResolverPlace | null;
  /** Absolute; null where nobody named one: a daemon that is found has its own. */
  readonly state: string | null;
  /** What of the environment says where pins are, as it was at the start. */
  readonly env: Readonly<Record<string, string>>;
  readonly level: 'error' | 'warn' | 'info' | 'debug';
}

/** A program and its children that change their directory go on with the same file and the same pins. */
function makeAbsolute(env: NodeJS.ProcessEnv): void {
  for (const name of ['LETTERLOCK_STATE', 'LETTERLOCK_CONFIG']) {
    const path = env[name];
    if (path !== undefined && path !== '') env[name] = resolve(path);
  }
}

/** The directories that a service manager gives are the program's, not letterlock's. */
const placesIn = (env: NodeJS.ProcessEnv): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value !== undefined && (name.startsWith('LETTERLOCK_') || placeNames.has(name)) ? [[name, value]] : [],
    ),
  );

const placeNames: ReadonlySet<string> = new Set([
  'HOME',
  'XDG_STATE_HOME',
  'XDG_CONFIG_HOME',
  'XDG_RUNTIME_DIR',
]);

/** @throws CommandError `config` with every problem */
export async function readSurroundings(whole: NodeJS.ProcessEnv): Promise<Surroundings> {
  makeAbsolute(whole);
  const env = placesIn(whole);
  const home = thisHome(env);
  const file = await fileOf(env);
  if (file === null && !Object.keys(env).some((name) => name.startsWith('LETTERLOCK_'))) {
    return { common: {}, ready: [], resolver: null, state: null, env, level: 'warn' };
  }
  const { loadConfig } = await import('../config/load.ts');
  const { renderProblem } = await import('../config/problem.ts');
  const cwd = process.cwd();
  const read = await loadConfig({ file, routes: [], flags: {}, home, cwd, needsRoutes: false });
  if (!read.ok) {
    const problems = read.problems.map(renderProblem).join('\n');
    throw new CommandError('config', `the configuration of letterlock cannot be used:\n${problems}`);
  }
  const { config, common } = read;
  // Of routes the configuration itself says so.
  if (config.resolver === null && (common.policy === 'dane' || common.dane === 'prefer'))
    throw new CommandError('config', 'DANE is asked for, and no resolver is named', {
      hint: 'Add resolver: 127.0.0.1, with the address of one on this machine that checks DNSSEC.',
    });
  const targets = config.routes.flatMap(targetsOf);
  return {
    common: {
      ...(common.policy === null ? {} : { trust: common.policy }),
      firstUse: common.firstUse,
      caFile: common.anchors,
      crlFile: common.crlFiles,
      dane: common.dane,
    },
    ready: targets.map(({ endpoint, trust, anchors, crlFiles = [] }) => [
      endpoint.name,
      { trust, anchors, crlFiles },
    ]),
    resolver: config.resolver,
    state: config.state === defaultState(home) ? null : config.state,
    env,
    level: config.log.level,
  };
}

async function fileOf(env: NodeJS.ProcessEnv): Promise<string | null> {
  const named = env['LETTERLOCK_CONFIG'];
  if (named !== undefined && named !== '') return named;
  for (const file of defaultFiles(thisHome(env))) {
    const found = await access(file).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  return null;
}
