// What a command module gives to the command line. yargs only parses: a handler notes which command was chosen,
// and it runs after the whole line was found to be right. (With yargs, a handler can run after an error.)

import type { Argv } from 'yargs';
import type { ExitName } from '../src/errors.ts';
import type { Args } from './args.ts';
import type { Io } from './io.ts';

export type Run = (args: Args, io: Io) => Promise<ExitName>;
/** Notes `run` as the chosen command. */
export type Choose = (run: Run) => (args: Args) => void;

export interface CommandModule {
  /** Options, positionals and examples; a group of commands registers its members with `choose`. */
  readonly build: (parser: Argv, choose: Choose) => Argv;
  /** Absent for a group. */
  readonly run?: Run;
}

export interface CommandEntry {
  /** As yargs reads it: `inspect <target>`. */
  readonly command: string;
  readonly describe: string;
  readonly load: () => Promise<CommandModule>;
}

export const withJson = (parser: Argv): Argv =>
  parser.option('json', { type: 'boolean', describe: 'print the result as JSON' });

export const withConfig = (parser: Argv): Argv =>
  parser.option('config', { alias: 'c', type: 'string', requiresArg: true, describe: 'configuration file' });

export const withState = (parser: Argv): Argv =>
  parser.option('state', { type: 'string', requiresArg: true, describe: 'state directory' });

/** Options by which a command finds the daemon or the store. */
export const withOperator = (parser: Argv): Argv =>
  withState(withConfig(withJson(parser))).option('socket', {
    type: 'string',
    requiresArg: true,
    describe: 'admin socket of the daemon',
  });
