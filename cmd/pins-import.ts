// `letterlock pins import FILE`: takes over what another program or a backup knows. The file is read whole and the
// whole of it is planned before anything is stored; what is in the way is named by file and line, and then
// nothing is stored at all.

import { basename } from 'node:path';
import type { ImportShape } from '../src/admin/shapes.ts';
import { parseEndpoint } from '../src/endpoint.ts';
import { CommandError } from '../src/errors.ts';
import { formatOf, isImportFormat, readers, type ImportFormat } from '../src/formats/by-name.ts';
import type { Source } from '../src/formats/reading.ts';
import { defaultSettings } from '../src/tofu/settings.ts';
import { parseFingerprint } from '../src/trust/fingerprint.ts';
import { planImport, type ImportOrder } from '../src/trust/import-order.ts';
import { asUsage, isSet, requiredText, textOf, textsOf, usage, type Args } from './args.ts';
import { withOperator, type Parser, type Run } from './command.ts';
import { byEndpoint, readImport, readText, type FoundAt, type ReadFiles } from './import-files.ts';
import { located, report } from './import-report.ts';
import type { Io } from './io.ts';
import { withOperatorOf } from './operator.ts';
import { configFor, type GoodConfig } from './settings.ts';

export const importPins: Run = async (args, io) => {
  // yargs makes an empty text of a lone hyphen.
  const file = args['file'] === '' && io.words.includes('-') ? '-' : requiredText(args, 'file');
  const source = sourceOf(args, io, await readText(file, io));
  const format = formatFor(args, { file, source });
  const read = await readImport({ file, read: readers[format], source }, io);
  for (const { file: where, line, text } of read.skipped) io.note(`${where}:${line}: left out: ${text}`);
  if (read.problems.length > 0) throw unreadable(read.problems);
  if (read.entries.length === 0)
    throw new CommandError('not-found', `${file} holds nothing to import as ${format}`, {
      hint: 'Name another format with --format.',
    });
  const wanted = { orders: ordersOf(args, read.entries), apply: !isSet(args, 'dry-run') };
  const answer = await answerFor({ args, io, wanted });
  report({ answer, read, format }, { io, json: isSet(args, 'json'), apply: wanted.apply });
  return 'done';
};

interface Wanted {
  readonly orders: readonly ImportOrder[];
  readonly apply: boolean;
}

function sourceOf(args: Args, io: Io, text: string): Source {
  return {
    text,
    endpoints: textsOf(args, 'endpoint').map((name) => asUsage(() => parseEndpoint(name))),
    weak: isSet(args, 'weak'),
    now: io.now(),
  };
}

function formatFor(
  args: Args,
  { file, source }: { readonly file: string; readonly source: Source },
): ImportFormat {
  const named = textOf(args, 'format');
  const names = Object.keys(readers).join(', ');
  if (named !== null && isImportFormat(named)) return named;
  if (named !== null) throw usage(`--format ${named} is not known`, `use one of ${names}`);
  const guessed = formatOf(basename(file), source.text);
  if (guessed === null)
    throw usage(`${file} does not show which program it is of`, `give --format: ${names}`);
  return guessed;
}

function ordersOf(args: Args, entries: readonly FoundAt[]): readonly ImportOrder[] {
  const keep = isSet(args, 'keep');
  const unreject = textsOf(args, 'unreject').map(keyNamed);
  return [...byEndpoint(entries)].map(([endpoint, found]) => ({
    endpoint,
    entries: found.map(({ entry }) => entry),
    keep,
    unreject,
  }));
}

function keyNamed(text: string): string {
  const fingerprint = parseFingerprint(text);
  if (fingerprint?.kind === 'spki') return fingerprint.value;
  throw usage(
    `--unreject ${text} is not the fingerprint of a key`,
    'name the rejected key as sha256//BASE64=',
  );
}

const unreadable = (problems: ReadFiles['problems']): CommandError =>
  new CommandError('usage', located(problems), {
    hint: 'Correct or take out these lines. letterlock pins import --help tells what each format needs.',
  });

async function answerFor({
  args,
  io,
  wanted,
}: {
  readonly args: Args;
  readonly io: Io;
  readonly wanted: Wanted;
}): Promise<ImportShape> {
  let answer: ImportShape | null = null;
  // To look makes no store.
  const create = wanted.apply ? 'if-missing' : 'never';
  try {
    await withOperatorOf({ args, io, needs: { create } }, async (operator) => {
      answer = await operator.import(wanted);
      return 'done';
    });
  } catch (error) {
    if (wanted.apply || !(error instanceof CommandError) || error.code !== 'store-missing') throw error;
    return planned(wanted.orders, { io, good: await configFor(args, io, { urls: [], needsRoutes: false }) });
  }
  if (answer === null) throw new TypeError('an operator answers');
  return answer;
}

/** What the import would come to where there is no store yet. */
function planned(
  orders: readonly ImportOrder[],
  { io, good }: { readonly io: Io; readonly good: GoodConfig },
): ImportShape {
  const settings = new Map(good.config.routes.map(({ endpoint, trust }) => [endpoint.name, trust]));
  const sealed = { rejected: new Set<string>(), until: new Map<string, number>() };
  const endpoints = orders.map((order) => {
    const { endpoint } = order;
    const trust = settings.get(endpoint) ?? defaultSettings(endpoint);
    const situation = {
      endpoint,
      record: null,
      settings: trust,
      sealed,
      now: io.now(),
      origin: 'cli',
    } as const;
    const { items, outcome } = planImport(order, situation);
    return { endpoint, items, lines: outcome?.lines ?? [] };
  });
  return { applied: false, endpoints };
}

export const buildImport = (parser: Parser): Parser =>
  withOperator(parser)
    .positional('file', { type: 'string', demandOption: true, describe: 'the file, - for standard input' })
    .option('format', {
      type: 'string',
      requiresArg: true,
      describe: `what wrote it: ${Object.keys(readers).join(', ')}`,
    })
    .option('endpoint', {
      type: 'string',
      requiresArg: true,
      describe: 'HOST:PORT the keys are of, where the file does not say (again for another)',
    })
    .option('dry-run', { type: 'boolean', describe: 'say what would be done, store nothing' })
    .option('weak', { type: 'boolean', describe: 'take MD5 and SHA-1 for fingerprints' })
    .option('keep', { type: 'boolean', describe: 'imported keys come beside what is trusted already' })
    .option('unreject', {
      type: 'string',
      requiresArg: true,
      describe: 'sha256//BASE64= of a key that was rejected by mistake (again for another)',
    })
    .example('$0 pins import ~/.msmtprc --dry-run', 'what msmtp knows')
    .example('$0 pins import server.pem --endpoint imap.example.org:993', 'the key of a certificate')
    .example('$0 pins import pins.json', 'a backup');
