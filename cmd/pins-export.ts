// `letterlock pins export`: the backup, files of keys for other programs, and the lines that let another program go
// to a pinned server without letterlock. Only keys that count now are given away; rejections only in the backup.

import type { Operator } from '../src/admin/operator.ts';
import type { PinRow, PinsRow } from '../src/admin/shapes.ts';
import { parseEndpoint } from '../src/endpoint.ts';
import { CommandError, type ExitName } from '../src/errors.ts';
import { filePrinters, isFileFormat, isTool, printers } from '../src/formats/by-name.ts';
import { printBackup } from '../src/formats/own-json.ts';
import type { ExportedPin, Printed, Printer } from '../src/formats/printing.ts';
import { asUsage, isSet, textOf, textsOf, usage, type Args } from './args.ts';
import { withOperator, type Parser, type Run } from './command.ts';
import type { Io } from './io.ts';
import { withOperatorOf } from './operator.ts';

export const exportPins: Run = async (args, io) => {
  const endpoints = textsOf(args, 'endpoint').map((name) => asUsage(() => parseEndpoint(name).name));
  const printer = printerOf(args);
  return withOperatorOf({ args, io, needs: { create: 'never' } }, (operator) =>
    printer === null
      ? exportBackup(operator, { endpoints, io })
      : exportLines(operator, {
          endpoints,
          printer,
          weak: isSet(args, 'weak'),
          json: isSet(args, 'json'),
          io,
        }),
  );
};

/** null for the backup. */
function printerOf(args: Args): Printer | null {
  const format = textOf(args, 'format');
  const tool = textOf(args, 'for');
  if (format !== null && tool !== null)
    throw usage('--format and --for are different things', 'give one of them');
  if (tool !== null) {
    if (isTool(tool)) return printers[tool];
    throw usage(`--for ${tool} is not known`, `use one of ${Object.keys(printers).join(', ')}`);
  }
  if (format === null || format === 'json') return null;
  if (isFileFormat(format)) return filePrinters[format];
  throw usage(`--format ${format} is not known`, `use one of json, ${Object.keys(filePrinters).join(', ')}`);
}

async function exportBackup(
  operator: Operator,
  { endpoints, io }: { readonly endpoints: readonly string[]; readonly io: Io },
): Promise<ExitName> {
  const { records, damaged } = await operator.backup();
  const wanted =
    endpoints.length === 0 ? records : records.filter(({ endpoint }) => endpoints.includes(endpoint));
  const missing = endpoints.find((name) => !wanted.some(({ endpoint }) => endpoint === name));
  if (missing !== undefined) throw new CommandError('not-found', `nothing is known of ${missing}`);
  io.printJson(printBackup(wanted, io.now()));
  if (damaged.length === 0) return 'done';
  io.note(
    `letterlock: the records of ${damaged.join(', ')} are damaged: of them only rejected keys are in the backup`,
    'hint: letterlock pins repair shows the ways back.',
  );
  return 'store';
}

interface Job {
  readonly endpoints: readonly string[];
  readonly printer: Printer;
  readonly weak: boolean;
  readonly json: boolean;
  readonly io: Io;
}

async function exportLines(operator: Operator, job: Job): Promise<ExitName> {
  const { endpoints, io } = job;
  const all = endpoints.length === 0 ? (await operator.pins()).filter(hasPins) : [];
  const names = endpoints.length === 0 ? all.map(({ endpoint }) => endpoint) : endpoints;
  const printed: { readonly endpoint: string; readonly lines: readonly string[] }[] = [];
  const problems: string[] = [];
  for (const endpoint of names) {
    const result = printedRow(await operator.pin(endpoint), job);
    if ('lines' in result) printed.push({ endpoint, lines: result.lines });
    else problems.push(result.problem);
  }
  if (printed.length === 0)
    throw new CommandError(
      'not-found',
      problems.length === 0 ? 'no pinned key counts now' : problems.join('\n'),
    );
  if (job.json) io.printJson(printed);
  else io.printFile(...printed.flatMap(({ lines }) => lines));
  io.note(...problems.map((problem) => `letterlock: left out: ${problem}`));
  return problems.length === 0 ? 'done' : 'not-found';
}

const counts = ({ live, kind }: PinRow): boolean => live && kind === 'leaf';
const hasPins = ({ pins }: PinsRow): boolean => pins.some(counts);

function printedRow(row: PinsRow, { printer, weak }: Job): Printed {
  const pins = row.pins.filter(counts).toSorted(bySighting).map(exportedPin);
  if (pins.length === 0) return { problem: `${row.endpoint}: no pinned key of it counts now` };
  return printer({ endpoint: parseEndpoint(row.endpoint), pins, weak });
}

/** The one seen last first; those never seen stand last. */
const bySighting = (one: PinRow, other: PinRow): number =>
  (other.lastSeen ?? '').localeCompare(one.lastSeen ?? '');

const exportedPin = ({ spki, until, certificate }: PinRow): ExportedPin => ({
  spki,
  until: until === null ? null : Date.parse(until),
  pem: certificate?.pem ?? null,
});

export const buildExport = (parser: Parser): Parser =>
  withOperator(parser)
    .positional('endpoint', { type: 'string', describe: 'HOST:PORT; none for every one' })
    .option('format', {
      type: 'string',
      requiresArg: true,
      describe: `json (the backup, default), ${Object.keys(filePrinters).join(', ')}`,
    })
    .option('for', {
      type: 'string',
      requiresArg: true,
      describe: `lines for the configuration of ${Object.keys(printers).join(', ')}`,
    })
    .option('weak', { type: 'boolean', describe: 'print MD5 for fetchmail, which compares nothing else' })
    .example('$0 pins export > pins.json', 'a backup; letterlock pins import puts it back')
    .example('$0 pins export --for msmtp mail.example.org:587', 'msmtp without letterlock');
