// Reads a command line that is plain: a command, options spelled out in full, words. It is what services and scripts
// write, and reading it takes no library. Of everything else, mistakes and help among them, it says nothing: then yargs
// reads the line (full-line.ts), and what both can read they read alike.

import type { Args } from './args.ts';
import type {
  Choose,
  CommandEntry,
  MemberWords,
  OptionWords,
  Parser,
  PositionalWords,
  Run,
} from './command.ts';

export interface ReadLine {
  readonly run: Run;
  readonly args: Args;
}

/** Null when the line is not plain. */
export async function readPlainLine(
  words: readonly string[],
  entries: readonly CommandEntry[],
): Promise<ReadLine | null> {
  const entry = entries.find(({ command }) => nameOf(command) === words[0]);
  if (entry === undefined) return null;
  const { build, run } = await entry.load();
  const chosen: { run: Run | null } = { run: null };
  const choose: Choose = (member) => () => {
    chosen.run = member;
  };
  const group = new Declared();
  build(group, choose);
  if (group.members.length === 0)
    return run === undefined ? null : lineOf(run, readArgs(words.slice(1), entry.command, group));
  const member = group.members.find(({ command }) => nameOf(command) === words[1]);
  if (member === undefined || group.options.size > 0) return null;
  const inner = new Declared();
  await member.builder(inner);
  const args = readArgs(words.slice(2), member.command, inner);
  if (args === null) return null;
  member.handler(args);
  return lineOf(chosen.run, args);
}

const nameOf = (command: string): string => command.split(' ')[0] ?? command;

const lineOf = (run: Run | null, args: Args | null): ReadLine | null =>
  run === null || args === null ? null : { run, args };

/** Takes down what a command says of its line. */
class Declared implements Parser {
  readonly options = new Map<string, OptionWords>();
  /** By the one letter, the full name. */
  readonly letters = new Map<string, string>();
  readonly members: MemberWords[] = [];

  option(name: string, words: OptionWords): this {
    this.options.set(name, words);
    if (words.alias !== undefined) this.letters.set(`-${words.alias}`, name);
    return this;
  }
  command(member: MemberWords): this {
    this.members.push(member);
    return this;
  }
  /** The command's own words say which there are. */
  positional(_name: string, _words: PositionalWords): this {
    return this;
  }
  demandCommand(): this {
    return this;
  }
  usage(): this {
    return this;
  }
  example(): this {
    return this;
  }
  epilogue(): this {
    return this;
  }
}

/** Null when a word is not plain. */
function readArgs(words: readonly string[], command: string, declared: Declared): Args | null {
  const args: Record<string, unknown> = {};
  const others: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (!word.startsWith('-')) {
      if (!isValue(word)) return null;
      others.push(word);
      continue;
    }
    const [name, joined] = optionOf(word, declared);
    const option = declared.options.get(name);
    if (option === undefined || name in args) return null;
    if (option.type === 'boolean') {
      // The next word would be taken for its value.
      if (joined !== null || /^(?:true|false)$/.test(words[at + 1] ?? '')) return null;
      args[name] = true;
      continue;
    }
    const value = joined ?? words[at + 1] ?? '';
    if (option.requiresArg === undefined || !isValue(value)) return null;
    args[name] = value;
    if (joined === null) at += 1;
  }
  const positions = positionsOf(command, others);
  return positions === null ? null : { ...args, ...positions };
}

/** Full name and value of `--name`, `--name=value` or `-n`. */
function optionOf(word: string, { letters }: Declared): readonly [string, string | null] {
  const equals = word.indexOf('=');
  if (!word.startsWith('--')) return [letters.get(word) ?? '', null];
  return equals === -1 ? [word.slice(2), null] : [word.slice(2, equals), word.slice(equals + 1)];
}

/** Quotes mean something to yargs. */
const isValue = (word: string): boolean => /^[^-'"`][^'"`]*$/.test(word);

/** The words of `run [url..]` or `show <endpoint>`, by their names; null when there are too many or too few. */
function positionsOf(command: string, words: readonly string[]): Args | null {
  const positions: Record<string, unknown> = {};
  let at = 0;
  for (const [, bracket, name = '', many] of command.matchAll(/([<[])([\w-]+)(\.\.)?[>\]]/g)) {
    const taken = words.slice(at, many === undefined ? at + 1 : words.length);
    at += taken.length;
    if (taken.length === 0 && bracket === '<') return null;
    if (many !== undefined) positions[name] = taken;
    else if (taken.length > 0) [positions[name]] = taken;
  }
  return at === words.length ? positions : null;
}
