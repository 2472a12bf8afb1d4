// Reads any command line, with yargs, which also writes the help. It only parses: a handler notes which command was
// chosen. (With yargs, a handler can run after an error.)

import yargs from 'yargs';
import type { Argv } from 'yargs';
import { nearest } from '../src/config/nearest.ts';
import { readBuild } from '../src/ops/build.ts';
import type { Args } from './args.ts';
import { usage } from './args.ts';
import type { Choose, CommandEntry, Parser, Run } from './command.ts';
import { commands } from './commands.ts';
import type { Parsed } from './program.ts';

/** @throws CommandError usage */
export async function parseFullLine(words: readonly string[]): Promise<Parsed> {
  let chosen: Run | null = null;
  const choose: Choose = (run) => () => {
    chosen = run;
  };
  const parser = commands.reduce((all, entry) => register(all, entry, choose), base(words));
  let output = '';
  // Synchronous where no command module was loaded: yargs throws then instead of rejecting.
  const parse = async (): Promise<Args> =>
    parser.parseAsync([...words], {}, (error: Error | null | undefined, _args: unknown, text: string) => {
      if (error) throw error;
      output = text;
    });
  const args = await parse().catch((error: unknown) => {
    throw usageError(error, words);
  });
  if (chosen === null && output === '')
    throw usage('no command was given', 'letterlock --help lists the commands');
  return { run: output === '' ? chosen : null, args, output };
}

const base = (words: readonly string[]): Argv =>
  yargs([...words])
    .scriptName('letterlock')
    .locale('en')
    .exitProcess(false)
    .parserConfiguration({
      'boolean-negation': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
    })
    .usage(
      'letterlock checks the TLS of mail servers for clients that cannot, and remembers their keys.\n\nUsage: $0 COMMAND',
    )
    .example('$0 run imaps://imap.example.org submission://mail.example.org', 'a proxy for one account')
    .example('$0 inspect imaps://imap.example.org', 'see what a server presents')
    .completion('completion', 'print a completion script for bash or zsh ($SHELL decides)')
    .demandCommand(1, 'no command was given')
    .strict()
    .help()
    .alias('help', 'h')
    .version(readBuild().version)
    .wrap(100);

const register = (parser: Argv, entry: CommandEntry, choose: Choose): Argv =>
  parser.command(
    entry.command,
    entry.describe,
    async (inner) => {
      (await entry.load()).build(parserOver(inner), choose);
      return inner;
    },
    async (args) => {
      const { run } = await entry.load();
      if (run !== undefined) choose(run)(args);
    },
  );

/** yargs changes what it is called on. */
const parserOver = (argv: Argv): Parser => ({
  option: (name, words) => parserOver(argv.option(name, words)),
  positional: (name, words) => parserOver(argv.positional(name, words)),
  demandCommand: (least, message) => parserOver(argv.demandCommand(least, message)),
  usage: (text) => parserOver(argv.usage(text)),
  example: (line, text) => parserOver(argv.example(line, text)),
  epilogue: (text) => parserOver(argv.epilogue(text)),
  command: ({ command, describe, builder, handler }) => {
    const member = {
      command,
      describe,
      builder: async (inner: Argv): Promise<Argv> => {
        await builder(parserOver(inner));
        return inner;
      },
      handler,
    };
    return parserOver(argv.command(member));
  },
});

/** yargs says what is wrong and nothing else; the command named first has the help that fits. */
function usageError(error: unknown, words: readonly string[]): unknown {
  if (!(error instanceof Error) || (error.name !== 'YError' && error.name !== 'Error')) return error;
  const names = commands.map(({ command }) => command.split(' ')[0] ?? command);
  const [first = ''] = words.filter((word) => !word.startsWith('-'));
  const isNamed = names.includes(first);
  if (!isNamed && first !== '') {
    const near = nearest(first, names);
    return usage(
      `there is no command ${first}`,
      near === null ? 'letterlock --help lists the commands' : `did you mean letterlock ${near}?`,
    );
  }
  const message = error.message.replaceAll('\n', '; ');
  return usage(message, `letterlock ${isNamed ? `${first} ` : ''}--help shows how it is used`);
}
