// `letterlock local-ca show|export|install`: the CA that vouches for letterlock to the mail clients of this
// machine. These commands make nothing and change nothing; the key is never read.

import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { LeafDescription, LocalCaDescription } from '../src/local-ca/description.ts';
import type { Args } from './args.ts';
import { isSet, textOf, usage } from './args.ts';
import { withOperator } from './command.ts';
import type { Choose, CommandModule, Run, Parser } from './command.ts';
import type { Io } from './io.ts';
import { chosen, guideLines, guideNamed, guideNames } from './local-ca-guides.ts';
import { localCaOf, quoted } from './local-ca-place.ts';
import { facts } from './table.ts';

const show: Run = async (args, io) => {
  const found = await localCaOf(args, io);
  if (isSet(args, 'json')) io.printJson(found);
  else io.print(...showLines(found));
  return 'done';
};

const showLines = (found: LocalCaDescription): readonly string[] => [
  'Local CA',
  ...facts([
    ['subject', found.subject],
    ['sha256', found.sha256],
    ['key pin', found.spki],
    ['valid', `${found.notBefore} to ${found.notAfter}`],
    ...permittedFacts(found),
    ['file', found.file],
    ...found.kept.map((file) => ['replaced', file] as const),
  ]),
  ...leafLines('Shown to clients', found.leaf),
  ...leafLines('Shown to clients that know RSA only', found.rsaLeaf),
];

function permittedFacts({ permitted }: LocalCaDescription): readonly (readonly [string, string])[] {
  if (permitted === null)
    return [['may vouch for', 'ANY NAME: it has no name constraints and was not made by letterlock']];
  const { dns, networks } = permitted;
  return [
    ['may vouch for', [...dns.map((name) => `${name} and names below it`), ...networks].join(', ')],
    ['', 'and for no other name or address'],
  ];
}

const leafLines = (title: string, leaf: LeafDescription | null): readonly string[] =>
  leaf === null
    ? []
    : [
        title,
        ...facts([
          ['names', leaf.names.join(', ')],
          ['valid', `${leaf.notBefore ?? 'unreadable'} to ${leaf.notAfter ?? 'unreadable'}`],
          ['sha256', leaf.sha256],
          ['key pin', leaf.spki ?? 'unreadable'],
          ['file', leaf.file],
        ]),
      ];

const exportCa: Run = async (args, io) => {
  const file = fileOf(args, io);
  const isDer = isSet(args, 'der');
  if (isDer && file === null)
    throw usage('DER is not for a terminal', 'name a file: letterlock local-ca export --der FILE');
  const { pem, subject, spki, sha256 } = await localCaOf(args, io);
  if (file !== null) {
    await write(resolve(io.cwd, file), isDer ? new X509Certificate(pem).raw : Buffer.from(pem));
    if (!isSet(args, 'json')) io.note(`${file}: ${subject}`, `sha256 ${sha256}`);
  }
  if (isSet(args, 'json')) io.printJson({ file, subject, spki, sha256, pem });
  else if (file === null) io.print(...pem.trimEnd().split('\n'));
  return 'done';
};

/** null for standard output. yargs makes an empty text of a lone hyphen. */
function fileOf(args: Args, io: Io): string | null {
  if (args['file'] === '' && io.words.includes('-')) return null;
  return textOf(args, 'file');
}

/** Everybody may read it. Another certificate, or whatever stands there, is never written over. */
async function write(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(path, bytes, { flag: 'wx', mode: 0o644 });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    if (code !== 'EEXIST')
      throw usage(`${path} cannot be written (${code})`, 'Name a file in a folder that is there and yours.');
    const present = await readFile(path).catch(() => null);
    if (present?.equals(bytes) !== true)
      throw usage(`${path} exists already, and is something else`, 'Remove it, or name another file.');
  }
}

const install: Run = async (args, io) => {
  if (!isSet(args, 'print'))
    throw usage(
      'letterlock installs no CA by itself: whom your programs trust is yours to decide',
      'letterlock local-ca install --print says what to do for each program and system',
    );
  const wanted = textOf(args, 'for');
  const guide = wanted === null ? null : guideNamed(wanted);
  const found = await localCaOf(args, io);
  if (isSet(args, 'json')) io.printJson(chosen(guide));
  else io.print(...guideLines(found, { guide, program: io.program, place: placeOf(args) }));
  return 'done';
};

/** The words by which the user said which state is meant, to be said again. */
const placeOf = (args: Args): string =>
  ['state', 'config', 'socket']
    .flatMap((name) => {
      const text = textOf(args, name);
      return text === null ? [] : [` --${name} ${quoted(text)}`];
    })
    .join('');

const build = (parser: Parser, choose: Choose): Parser =>
  parser
    .usage('Usage: $0 local-ca show|export|install')
    .command({
      command: 'show',
      describe: 'the CA that vouches for letterlock to mail clients, and what they are shown',
      builder: (inner: Parser) =>
        withOperator(inner)
          .example('$0 local-ca show', 'names, dates, fingerprints, files')
          .example('$0 local-ca show --json', 'for a script'),
      handler: choose(show),
    })
    .command({
      command: 'export [file]',
      describe: 'write the certificate of the CA, for clients to import; never its key',
      builder: (inner: Parser) =>
        withOperator(inner)
          .positional('file', { type: 'string', describe: 'file to write, - for standard output' })
          .option('der', { type: 'boolean', describe: 'DER instead of PEM' })
          .example('$0 local-ca export letterlock-ca.crt', 'a PEM file')
          .example('$0 local-ca export --der letterlock-ca.cer', 'for devices that want DER'),
      handler: choose(exportCa),
    })
    .command({
      command: 'install',
      describe: 'say how each program and system is told to trust the CA',
      builder: (inner: Parser) =>
        withOperator(inner)
          .option('print', { type: 'boolean', describe: 'print the instructions; nothing is changed' })
          .option('for', {
            type: 'string',
            requiresArg: true,
            describe: `one of ${guideNames.join(', ')}`,
          })
          .example('$0 local-ca install --print --for thunderbird', 'one program')
          .example('$0 local-ca install --print', 'all of them'),
      handler: choose(install),
    })
    .demandCommand(1, 'say what to do: show, export or install');

export const localCaCommand: CommandModule = { build };
