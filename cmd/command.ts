// What a command module gives to the command line. Parsing only notes which command was chosen; it runs after the
// whole line was found to be right.

import type { ExitName } from '../src/errors.ts';
import type { Args } from './args.ts';
import type { Io } from './io.ts';

export type Run = (args: Args, io: Io) => Promise<ExitName>;
/** Notes `run` as the chosen command. */
export type Choose = (run: Run) => (args: Args) => void;

/** What is said of an option. */
export interface OptionWords {
  readonly type: 'string' | 'boolean';
  readonly describe: string;
  readonly alias?: string;
  /** Without it a text may be left out. */
  readonly requiresArg?: true;
}

export interface PositionalWords {
  readonly type: 'string';
  readonly describe: string;
  readonly array?: true;
  /** As the command line of it says too. */
  readonly demandOption?: true;
}

/** One of a group of commands. */
export interface MemberWords {
  readonly command: string;
  readonly describe: string;
  readonly builder: (parser: Parser) => Parser | Promise<Parser>;
  readonly handler: (args: Args) => void;
}

/** What commands say of their command lines: to yargs, or to whoever reads a plain one (plain-line.ts). */
export interface Parser {
  option(name: string, words: OptionWords): Parser;
  positional(name: string, words: PositionalWords): Parser;
  command(member: MemberWords): Parser;
  demandCommand(least: number, message: string): Parser;
  usage(text: string): Parser;
  example(line: string, text: string): Parser;
  epilogue(text: string): Parser;
}

export interface CommandModule {
  /** Options, positionals and examples; a group of commands registers its members with `choose`. */
  readonly build: (parser: Parser, choose: Choose) => Parser;
  /** Absent for a group. */
  readonly run?: Run;
}

export interface CommandEntry {
  /** As yargs reads it: `inspect <target>`. */
  readonly command: string;
  readonly describe: string;
  readonly load: () => Promise<CommandModule>;
}

export const withJson = (parser: Parser): Parser =>
  parser.option('json', { type: 'boolean', describe: 'print the result as JSON' });

export const withConfig = (parser: Parser): Parser =>
  parser.option('config', { alias: 'c', type: 'string', requiresArg: true, describe: 'configuration file' });

export const withState = (parser: Parser): Parser =>
  parser.option('state', { type: 'string', requiresArg: true, describe: 'state directory' });

/** Options by which a command finds the daemon or the store. */
export const withOperator = (parser: Parser): Parser =>
  withState(withConfig(withJson(parser))).option('socket', {
    type: 'string',
    requiresArg: true,
    describe: 'admin socket of the daemon',
  });
