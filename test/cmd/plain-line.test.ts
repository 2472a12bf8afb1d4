// A plain command line is read without yargs, and exactly as yargs reads it; whatever is not plain is left to yargs.

import { array, assert, asyncProperty, constantFrom, oneof, option, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commands } from '../../cmd/commands.ts';
import { parseFullLine } from '../../cmd/full-line.ts';
import { readPlainLine } from '../../cmd/plain-line.ts';

const options = [
  '--json',
  '--config',
  '-c',
  '--state',
  '--socket',
  '--trust',
  '--first-use',
  '--firstUse',
  '--watch',
  '--expect',
  '--to',
  '--keep',
  '--apply',
  '--metrics',
  '--log-level',
  '--help',
  '-h',
  '--version',
  '--',
  '--no-json',
  '--config=a.yaml',
  '--config=',
  '-c=a',
  '-ca',
  '--json=true',
  '--state=x=y',
  '--bogus',
];
const values = [
  'a.yaml',
  'imaps://imap.example.org',
  '1110=pop3s://pop.example.org',
  'imap.example.org:993',
  '17',

  'true',
  'false',
  '',
  '-',
  '-5',
  '"x"',
  "it's",
  'with space',
  'ca+tofu',
  'off',
  '0x1f',
  'null',
  '[a]',
  'ü',
];
const first = commands.map(({ command }) => command.split(' ')[0] ?? '');
const members = ['list', 'show', 'approve', 'import', 'export', 'schema', 'test', 'events', 'install', 'lst'];

const line = tuple(
  constantFrom(...first, 'pinz', ''),
  option(constantFrom(...members), { nil: undefined }),
  array(oneof(constantFrom(...options), constantFrom(...values)), { maxLength: 6 }),
).map(([name, member, rest]) => [name, ...(member === undefined ? [] : [member]), ...rest]);

/** What commands can see of arguments: an option or positional that was not given is absent or empty. */
const seen = (args: Readonly<Record<string, unknown>>, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, emptyIsAbsent(args[name])]));

const emptyIsAbsent = (value: unknown): unknown =>
  Array.isArray(value) && value.length === 0 ? undefined : value;

/** Names of everything yargs knows of the line, but for the other spellings of what is there. */
const known = (args: Readonly<Record<string, unknown>>, plain: Readonly<Record<string, unknown>>) => {
  const names = Object.keys(args).filter((name) => !['_', '$0', 'c', 'h', 'help', 'version'].includes(name));
  return [...new Set([...Object.keys(plain), ...names.filter((name) => !isCamel(name, args))])];
};
const isCamel = (name: string, args: Readonly<Record<string, unknown>>): boolean =>
  /[A-Z]/.test(name) && name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`) in args;

describe('a plain command line', () => {
  it('is read as yargs reads it', async () => {
    let read = 0;
    await assert(
      asyncProperty(line, async (words) => {
        const plain = await readPlainLine(words, commands);
        if (plain === null) return;
        read += 1;
        const full = await parseFullLine(words);
        expect(full.output).toBe('');
        const names = known(full.args, plain.args);
        expect(seen(plain.args, names)).toEqual(seen(full.args, names));
        // Members of a group are made anew with each reading.
        expect(String(plain.run)).toBe(String(full.run));
      }),
      { numRuns: 3000 },
    );
    expect(read).toBeGreaterThan(100);
  }, 120_000);

  it.each([
    ['run -c letterlock.yaml', { config: 'letterlock.yaml' }],
    ['run --config=letterlock.yaml --json', { config: 'letterlock.yaml', json: true, url: [] }],
    ['run imaps://a.example pop3s://b.example', { url: ['imaps://a.example', 'pop3s://b.example'] }],
    ['status --json --socket /run/x.sock', { json: true, socket: '/run/x.sock' }],
    ['pins list --json', { json: true }],
    ['pins show a.example:993', { endpoint: 'a.example:993' }],
  ])('is %s', async (words, args) => {
    const read = await readPlainLine(words.split(' '), commands);
    expect(read?.args).toMatchObject(args);
  });

  it.each([
    '',
    'pinz',
    '--json status',
    'run --help',
    'run -c',
    'run -c a -c b',
    'run --bogus',
    'run --no-json',
    'status extra',
    'inspect',
    'pins',
    'pins lst',
    'pins show',
    'status --watch',
    'run --trust -x',
    'run -- imaps://a.example',
    'run --json false',
    'run "x"',
    'run --config="x"',
    'run --state=',
  ])('is not %j', async (words) => {
    expect(await readPlainLine(words.split(' '), commands)).toBeNull();
  });
});
