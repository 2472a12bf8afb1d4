// `letterlock doctor`: is everything as it should be that letterlock stands on? It looks and changes nothing.

import type { Config, ConfigProblem } from '../src/config.ts';
import { loadConfig, type ConfigSources, type LoadedConfig } from '../src/config/load.ts';
import { defaultFiles, thisHome } from '../src/config/paths.ts';
import type { ConfigurationFacts, ConfigurationLine } from '../src/doctor/checks/configuration.ts';
import type { Patient } from '../src/doctor/examination.ts';
import { exitFor, levels, type Finding, type Level } from '../src/doctor/finding.ts';
import { isSet } from './args.ts';
import type { CommandModule, Run, Parser } from './command.ts';
import { withOperator } from './command.ts';
import { ConfigError } from './failure.ts';
import type { Io } from './io.ts';
import { sourcesOf } from './settings.ts';
import type { GoodConfig } from './settings.ts';

const doctor: Run = async (args, io) => {
  const { examine } = await import('../src/doctor/examination.ts');
  const { readBuild } = await import('../src/ops/build.ts');
  const { lookupOf } = await import('./operator.ts');
  const sources = await sourcesOf(args, io, { urls: [], needsRoutes: false });
  const read = await loadConfig(sources);
  const good = read.ok ? read : await defaultConfig(sources);
  const build = readBuild();
  const patient: Patient = {
    config: good.config,
    configuration: await configurationFacts({ sources, read, good }, io),
    secrets: read.ok ? secretsOf(read) : { fileHoldsPasswords: false, passwordFiles: [] },
    lookup: lookupOf({ args, io }, good),
    build,
    env: io.env,
    execArgv: io.execArgv,
    now: io.now(),
    network: isSet(args, 'offline') ? 'offline' : 'online',
  };
  const findings = await examine(patient);
  if (isSet(args, 'json'))
    io.printJson(report(findings, { version: build.version, file: sources.file, now: io.now() }));
  else io.print(...reportLines(findings, build.version));
  return exitFor(findings);
};

/** What is looked at where the configuration is not one: the places of the defaults. @throws ConfigError for flags */
async function defaultConfig({ flags, home, cwd }: ConfigSources): Promise<GoodConfig> {
  const { env, uid } = home;
  const plain = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('LETTERLOCK_')));
  const given = { file: null, routes: [], cwd, needsRoutes: false, home: { env: plain, uid } };
  const loaded = await loadConfig({ ...given, flags });
  if (!loaded.ok) throw new ConfigError(loaded.problems);
  return loaded;
}

interface Read {
  readonly sources: ConfigSources;
  readonly read: LoadedConfig;
  readonly good: GoodConfig;
}

async function configurationFacts({ sources, read, good }: Read, io: Io): Promise<ConfigurationFacts> {
  return {
    file: sources.file,
    lookedAt: defaultFiles(thisHome(io.env)),
    routes: good.config.routes.length,
    problems: read.ok ? [] : read.problems.map(lineOf),
    warnings: [...read.warnings.map(lineOf), ...(read.ok ? await localLines(good.config, io.now()) : [])],
  };
}

const lineOf = ({ source, line, column, message, suggestion }: ConfigProblem): ConfigurationLine => ({
  text: `${line === null ? source : `${source}:${line}:${column ?? 1}`}: ${message}`,
  advice: suggestion,
});

/** What `check` says of the certificates that clients are shown. */
async function localLines(config: Config, now: number): Promise<readonly ConfigurationLine[]> {
  const { localOutlook, ownFileProblems } = await import('../src/local-ca/outlook.ts');
  const advice = [...(await ownFileProblems(config.routes)), ...(await localOutlook(config, now))];
  return advice.map(({ file, message, hint }) => ({
    text: file === null ? message : `${file}: ${message}`,
    advice: hint,
  }));
}

/** Passwords of proxies: in files of their own, or in the configuration itself. */
function secretsOf({ config, origins }: GoodConfig): Patient['secrets'] {
  const files = origins.filter(({ path }) => path.at(-1) === 'passwordFile');
  const own = config.routes.some(
    ({ via }, index) =>
      (via?.login?.password ?? '') !== '' &&
      !files.some(({ path }) => path[0] === 'routes' && path[1] === index),
  );
  return {
    fileHoldsPasswords: own,
    passwordFiles: files.flatMap(({ value }) => (typeof value === 'string' ? [value] : [])),
  };
}

interface About {
  readonly version: string;
  readonly file: string | null;
  readonly now: number;
}

const report = (findings: readonly Finding[], { version, file, now }: About): Record<string, unknown> => ({
  version,
  at: new Date(now).toISOString(),
  configuration: file,
  summary: Object.fromEntries(levels.map((level) => [level, countOf(findings, level)])),
  findings,
});

const countOf = (findings: readonly Finding[], wanted: Level): number =>
  findings.filter(({ level }) => level === wanted).length;

const words: Readonly<Record<Level, string>> = {
  ok: 'ok',
  note: 'note',
  warning: 'WARNING',
  fault: 'FAULT',
};

function reportLines(findings: readonly Finding[], version: string): readonly string[] {
  const indent = ' '.repeat(26);
  const counted = levels
    .toReversed()
    .map((level) => [level, countOf(findings, level)] as const)
    .filter(([, count]) => count > 0)
    .map(([level, count]) => `${count} ${level}${level !== 'ok' && count > 1 ? 's' : ''}`);
  return [
    `letterlock ${version}`,
    '',
    ...findings.flatMap(({ check, level, message, meaning, advice }) => [
      `  ${words[level].padEnd(8)} ${check.padEnd(14)} ${message}`,
      ...(level === 'ok' || meaning === null ? [] : [`${indent}${meaning}`]),
      ...(level === 'ok' || advice === null ? [] : [`${indent}-> ${advice}`]),
    ]),
    '',
    counted.join(', '),
  ];
}

const build = (parser: Parser): Parser =>
  withOperator(parser)
    .option('offline', { type: 'boolean', describe: 'look up no name and dial nobody' })
    .usage(
      'Usage: $0 doctor [-c FILE]\n\nLooks at everything letterlock stands on and says what is wrong, what that means and what to do. ' +
        'It changes nothing and trusts nobody. Exits 0 unless there is a FAULT; then 3 (configuration, Node, clock, CA bundle), 5 (ports, names, servers) or 6 (store, permissions, disk), by the first one.',
    )
    .example('$0 doctor', 'of the usual configuration, and of the running daemon')
    .example('$0 doctor -c letterlock.yaml --offline', 'before a start, without a network')
    .example('$0 doctor --json', 'for a script');

export const doctorCommand: CommandModule = { build, run: doctor };
