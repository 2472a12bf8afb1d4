// Turns a command line into one exit code. Errors go to stderr with a hint, as JSON where JSON was asked for;
// a result never shares a stream with them.

import { exitCodes } from '../src/errors.ts';
import { readBuild } from '../src/ops/build.ts';
import type { Args } from './args.ts';
import type { Run } from './command.ts';
import { commands } from './commands.ts';
import { reportError } from './failure.ts';
import type { Io } from './io.ts';
import { readPlainLine } from './plain-line.ts';

/** Never rejects. */
export async function runProgram(words: readonly string[], io: Io): Promise<number> {
  try {
    const parsed = await parseWords(words);
    if (parsed.run === null) {
      io.print(...parsed.output.split('\n'));
      return exitCodes.done;
    }
    return exitCodes[await parsed.run(parsed.args, io)];
  } catch (error) {
    return exitCodes[reportError(error, { io, json: asksForJson(words) })];
  }
}

export interface Parsed {
  readonly run: Run | null;
  readonly args: Args;
  /** Help, version or a completion script; empty when a command was chosen. */
  readonly output: string;
}

async function parseWords(words: readonly string[]): Promise<Parsed> {
  if (words.length === 1 && words[0] === '--version')
    return { run: null, args: {}, output: readBuild().version };
  const plain = await readPlainLine(words, commands);
  if (plain !== null) return { ...plain, output: '' };
  const { parseFullLine } = await import('./full-line.ts');
  return parseFullLine(words);
}

function asksForJson(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return (end === -1 ? words : words.slice(0, end)).includes('--json');
}
