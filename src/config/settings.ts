// The settings that environment variables and flags can give, generated from the schema, and how their text
// becomes a value. The list is closed: a LETTERLOCK_ variable not on it is an error, because a misspelt
// LETTERLOCK_TRUST must not silently leave the default in force.

import type { ConfigProblem } from '../config.ts';
import { nearest } from './nearest.ts';
import { nowhere, problemAt } from './problem.ts';
import type { Path } from './problem.ts';
import { settingPaths } from './schema-keys.ts';
import type { SettingPath } from './schema-keys.ts';

export interface Setting {
  /** `limits.dialSeconds` */
  readonly key: string;
  readonly path: readonly string[];
  /** `LETTERLOCK_LIMITS_DIAL_SECONDS` */
  readonly variable: string;
  readonly form: SettingPath['form'];
}

/** One value given outside the file. */
export interface GivenSetting {
  readonly path: Path;
  readonly value: unknown;
  /** As `config show --origin` names it: the variable or the flag. */
  readonly origin: string;
  readonly source: 'environment' | 'command line';
}

const upperSnake = (word: string): string => word.replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase();

export const settings = (): readonly Setting[] =>
  settingPaths().map(({ path, form }) => ({
    key: path.join('.'),
    path,
    variable: `LETTERLOCK_${path.map(upperSnake).join('_')}`,
    form,
  }));

/** Variables of the prefix that are not settings: where a daemon listens, and which file to read. */
const otherVariables: readonly string[] = ['LETTERLOCK_SOCKET', 'LETTERLOCK_CONFIG'];

/** What the environment sets, and a problem for each variable of our prefix that means nothing. */
export function settingsFromEnvironment(env: NodeJS.ProcessEnv): {
  readonly given: readonly GivenSetting[];
  readonly problems: readonly ConfigProblem[];
} {
  const known = settings();
  const given = known.flatMap((setting): readonly GivenSetting[] => {
    const text = env[setting.variable];
    if (text === undefined) return [];
    return [givenSetting(setting, text, { origin: setting.variable, source: 'environment' })];
  });
  const names = [...known.map((setting) => setting.variable), ...otherVariables];
  const problems = Object.keys(env)
    .filter((name) => name.startsWith('LETTERLOCK_') && !names.includes(name) && !isServiceLink(name))
    .toSorted()
    .map((name) => unknownVariable(name, names));
  return { given, problems };
}

/** What flags set. Keys are those of `settings()`; undefined values were not given. */
export function settingsFromFlags(
  flags: Readonly<Record<string, { readonly flag: string; readonly text: string | undefined }>>,
): readonly GivenSetting[] {
  return settings().flatMap((setting): readonly GivenSetting[] => {
    const given = flags[setting.key];
    if (given?.text === undefined) return [];
    return [givenSetting(setting, given.text, { origin: given.flag, source: 'command line' })];
  });
}

function givenSetting(
  setting: Setting,
  text: string,
  from: Pick<GivenSetting, 'origin' | 'source'>,
): GivenSetting {
  const { key, path } = setting;
  if (key === 'metrics.listen' && (text === 'off' || text === 'null'))
    return { path: ['metrics'], value: null, ...from };
  if (key === 'admin.listen' && (text === 'off' || text === 'null')) return { path, value: null, ...from };
  if (key === 'admin.socket' && text !== 'default') return { path, value: { path: text }, ...from };
  if (setting.form === 'list') return { path, value: text.split(','), ...from };
  if (setting.form === 'whole' && /^\d{1,15}$/.test(text)) return { path, value: Number(text), ...from };
  return { path, value: text, ...from };
}

/** What Kubernetes puts into every container beside a Service named letterlock; none of it is meant for us. */
const isServiceLink = (name: string): boolean =>
  /_SERVICE_(?:HOST|PORT(?:_\w+)?)$|_PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?$/.test(name);

function unknownVariable(name: string, names: readonly string[]): ConfigProblem {
  const near = nearest(name, names);
  const suggestion =
    near === null ? 'letterlock config show --help lists the variables' : `did you mean ${near}?`;
  return problemAt(nowhere('environment'), `unknown variable ${name}`, suggestion);
}
