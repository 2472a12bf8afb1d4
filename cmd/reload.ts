// `letterlock reload`: the daemon takes the whole new configuration or keeps the old one, and says which.

import { isSet } from './args.ts';
import type { CommandModule, Run, Parser } from './command.ts';
import { withOperator } from './command.ts';
import { ConfigError } from './failure.ts';

const reload: Run = async (args, io) => {
  const { withDaemonOf } = await import('./operator.ts');
  return withDaemonOf({ args, io }, async (operator) => {
    const answer = await operator.reload();
    if (!answer.reloaded) throw new ConfigError(answer.problems, 'The daemon keeps its old configuration.');
    if (isSet(args, 'json')) io.printJson(answer);
    else io.print('the new configuration is in force; open sessions go on');
    return 'done';
  });
};

const build = (parser: Parser): Parser =>
  withOperator(parser)
    .usage('Usage: $0 reload\n\nMakes the daemon read its configuration again, as SIGHUP does.')
    .example('$0 check && $0 reload', 'never reload what was not checked');

export const reloadCommand: CommandModule = { build, run: reload };
