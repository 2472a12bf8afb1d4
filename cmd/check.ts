// `letterlock check`: everything that is wrong with a configuration, without starting anything.

import type { CommandModule, Parser } from './command.ts';
import { withConfig, withJson } from './command.ts';
import { isSet, usage } from './args.ts';
import { ConfigError } from './failure.ts';
import { noteWarnings, soundConfig, sourcesOf } from './settings.ts';
import type { Config, ConfigProblem } from '../src/config.ts';
import { loadConfig } from '../src/config/load.ts';
import { defaultFiles, thisHome } from '../src/config/paths.ts';
import { nowhere, problemAt } from '../src/config/problem.ts';
import type { CommandError } from '../src/errors.ts';
import { localOutlook, ownFileProblems } from '../src/local-ca/outlook.ts';
import type { Advice } from '../src/local-ca/outlook.ts';
import type { Io } from './io.ts';

const build = (parser: Parser): Parser =>
  withJson(withConfig(parser))
    .usage(
      'Usage: $0 check [-c FILE]\n\nChecks the whole configuration, names every problem, starts nothing.',
    )
    .example('$0 check -c letterlock.yaml', 'before a reload')
    .example('$0 check -c letterlock.yaml --json', 'for an editor or a pipeline');

const nothingToCheck = (io: Io): CommandError =>
  usage(
    `there is no configuration at ${defaultFiles(thisHome(io.env)).join(' or ')}`,
    'name one: letterlock check -c FILE',
  );

/** What the next start will do about the certificates clients are shown. @throws ConfigError for files it could not use */
async function localAdvice(config: Config, io: Io): Promise<readonly ConfigProblem[]> {
  const problems = await ownFileProblems(config.routes);
  if (problems.length > 0) throw new ConfigError(problems.map(problemOf));
  const advice = (await localOutlook(config, io.now())).map(problemOf);
  noteWarnings(advice, io);
  return advice;
}

const problemOf = ({ file, message, hint }: Advice): ConfigProblem =>
  problemAt(nowhere(file ?? 'clientTls'), message, hint);

export const checkCommand: CommandModule = {
  build,
  run: async (args, io) => {
    const sources = await sourcesOf(args, io, { urls: [], needsRoutes: true });
    if (sources.file === null) throw nothingToCheck(io);
    const { config, warnings } = soundConfig(await loadConfig(sources), io);
    const local = await localAdvice(config, io);
    const { length } = config.routes;
    if (isSet(args, 'json')) io.printJson({ ok: true, routes: length, warnings: [...warnings, ...local] });
    else
      io.print(`${sources.file}: the configuration is good (${length} ${length === 1 ? 'route' : 'routes'})`);
    return 'done';
  },
};
