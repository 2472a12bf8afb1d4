// `letterlock check`: everything that is wrong with a configuration, without starting anything.

import type { Argv } from 'yargs';
import type { CommandModule } from './command.ts';
import { withConfig, withJson } from './command.ts';
import { isSet, usage } from './args.ts';
import { soundConfig, sourcesOf } from './settings.ts';
import { loadConfig } from '../src/config/load.ts';
import { defaultFiles, thisHome } from '../src/config/paths.ts';
import type { CommandError } from '../src/errors.ts';
import type { Io } from './io.ts';

const build = (parser: Argv): Argv =>
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

export const checkCommand: CommandModule = {
  build,
  run: async (args, io) => {
    const sources = await sourcesOf(args, io, { urls: [], needsRoutes: true });
    if (sources.file === null) throw nothingToCheck(io);
    const { config, warnings } = soundConfig(await loadConfig(sources), io);
    const { length } = config.routes;
    if (isSet(args, 'json')) io.printJson({ ok: true, routes: length, warnings });
    else
      io.print(`${sources.file}: the configuration is good (${length} ${length === 1 ? 'route' : 'routes'})`);
    return 'done';
  },
};
