// `letterlock status`: what the running proxy does.

import type { Argv } from 'yargs';
import type { StatusShape } from '../src/admin/shapes.ts';
import { isSet } from './args.ts';
import type { CommandModule, Run } from './command.ts';
import { withOperator } from './command.ts';
import { aligned, facts } from './table.ts';

const status: Run = async (args, io) => {
  const { withDaemonOf } = await import('./operator.ts');
  return withDaemonOf({ args, io }, async (operator) => {
    const answer = await operator.status();
    if (isSet(args, 'json')) io.printJson(answer);
    else io.print(...statusLines(answer));
    return 'done';
  });
};

const statusLines = (answer: StatusShape): readonly string[] => [
  `letterlock ${answer.version}, pid ${answer.pid}, user ${answer.user}, since ${answer.startedAt}`,
  ...facts([
    ['state', answer.stateDirectory],
    [
      'store',
      `${answer.store.state}${answer.store.detail === null ? '' : ` (${answer.store.detail})`}, ${answer.store.records} records`,
    ],
    ['metrics', answer.metrics ?? 'off'],
  ]),
  '',
  ...aligned([
    ['ROUTE', 'LISTEN', 'UPSTREAM', 'SESSIONS', 'STATE'],
    ...answer.routes.map((route) => [
      route.name,
      route.listen,
      route.upstream,
      String(route.sessions),
      route.state,
    ]),
  ]),
];

const build = (parser: Argv): Argv =>
  withOperator(parser)
    .usage('Usage: $0 status\n\nShows the routes, sessions and store of the running daemon.')
    .example('$0 status', 'of the daemon found')
    .example('$0 status --json --socket /run/letterlock/admin.sock', 'for a script');

export const statusCommand: CommandModule = { build, run: status };
