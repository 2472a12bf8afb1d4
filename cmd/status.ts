// `letterlock status`: what the running proxy does, once or again and again, and what of it needs a person.

import { CommandError } from '../src/errors.ts';
import type { Args } from './args.ts';
import { isSet } from './args.ts';
import type { CommandModule, Run, Parser } from './command.ts';
import { withOperator } from './command.ts';
import { attentionLines, headLines, routeLines } from './overview-lines.ts';
import { troubleFirst } from './overview.ts';

const status: Run = async (args, io) => {
  const everyMs = watchMs(args);
  const { withDaemonOf } = await import('./operator.ts');
  return withDaemonOf({ args, io }, async (operator) => {
    if (everyMs !== null) {
      const { watchUntilStopped } = await import('./watch.ts');
      await watchUntilStopped(operator, { io, everyMs, json: isSet(args, 'json') });
      return 'done';
    }
    const [answer, rows] = await Promise.all([operator.status(), operator.endpoints()]);
    const endpoints = troubleFirst(rows);
    if (isSet(args, 'json')) io.printJson({ ...answer, endpoints });
    else {
      const now = io.now();
      io.print(...headLines(answer, now), '', ...attentionLines(endpoints, now), '', ...routeLines(answer));
    }
    return 'done';
  });
};

const defaultSeconds = 2;

/** Milliseconds between two looks; null without --watch. @throws CommandError `usage` */
function watchMs(args: Args): number | null {
  const { watch } = args;
  if (watch === undefined) return null;
  const text = typeof watch === 'string' && watch !== '' ? watch : String(defaultSeconds);
  const seconds = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (Array.isArray(watch) || !(seconds >= 0.2 && seconds <= 3600))
    throw new CommandError('usage', '--watch takes seconds between 0.2 and 3600', {
      hint: `Without a number it looks every ${defaultSeconds} seconds.`,
    });
  return seconds * 1000;
}

const build = (parser: Parser): Parser =>
  withOperator(parser)
    .option('watch', {
      type: 'string',
      describe: 'look again every so many seconds (default 2), until Ctrl-C',
    })
    .usage(
      'Usage: $0 status [--watch [SECONDS]]\n\nShows what the running daemon does, and what of it waits for you.',
    )
    .example('$0 status', 'of the daemon found')
    .example('$0 status --watch', 'with rates and events, drawn in place')
    .example('$0 status --watch 60 --json', 'one line of JSON a minute')
    .example('$0 status --json --socket /run/letterlock/admin.sock', 'for a script');

export const statusCommand: CommandModule = { build, run: status };
