// How an import is told: each entry by file and line, with what becomes of it, and what keeps it out.

import type { ImportShape } from '../src/admin/shapes.ts';
import { CommandError } from '../src/errors.ts';
import type { ImportFormat } from '../src/formats/by-name.ts';
import { isBlocked, type ImportItem } from '../src/trust/import-order.ts';
import { byEndpoint, type FoundAt, type ReadFiles } from './import-files.ts';
import type { Io } from './io.ts';

const maxShown = 50;

type Place = Pick<FoundAt, 'file' | 'line'> & { readonly text: string };

/** That nothing was imported, and below it what stands where. */
export function located(places: readonly Place[]): string {
  const shown = places.slice(0, maxShown).map(({ file, line, text }) => `  ${file}:${line}: ${text}`);
  const more = places.length - shown.length;
  return ['nothing was imported:', ...shown, ...(more > 0 ? [`  and ${more} more`] : [])].join('\n');
}

interface Result {
  readonly answer: ImportShape;
  readonly read: ReadFiles;
  readonly format: ImportFormat;
}

type Told = Pick<FoundAt, 'file' | 'line' | 'endpoint'> & ImportItem;

/** Says what was done or would be done. @throws CommandError `usage` when something is in the way */
export function report(
  { answer, read, format }: Result,
  { io, json, apply }: { readonly io: Io; readonly json: boolean; readonly apply: boolean },
): void {
  const told = toldOf(answer, read);
  const blocked = told.filter(isBlocked);
  if (apply && blocked.length > 0) throw inTheWay(blocked);
  if (json) {
    const { applied } = answer;
    io.printJson({ applied, format, items: told, skipped: read.skipped });
    return;
  }
  io.print(
    ...told.map(
      ({ file, line, endpoint, does, text }) => `${file}:${line}: ${endpoint}: ${words[does]} ${text}`,
    ),
  );
  if (!apply) io.print(dryRunLine(blocked.length));
  else
    io.print(
      ...answer.endpoints.flatMap(({ endpoint, lines }) =>
        lines.length === 0 ? [] : [`${endpoint}:`, ...lines],
      ),
    );
}

const words: Readonly<Record<ImportItem['does'], string>> = {
  pin: 'pins',
  expect: 'expects',
  restore: 'restores',
  nothing: 'nothing to do:',
  conflict: 'IN THE WAY:',
  rejected: 'REJECTED:',
};

const dryRunLine = (blocked: number): string =>
  blocked === 0
    ? 'This is what would be done; nothing was stored.'
    : `Nothing would be stored: ${blocked} of these would have to be decided first (--keep, --unreject).`;

/** Each item of the answer beside the line it came from. */
function toldOf({ endpoints }: ImportShape, { entries }: ReadFiles): readonly Told[] {
  const found = byEndpoint(entries);
  return endpoints.flatMap(({ endpoint, items }) => {
    const places = found.get(endpoint) ?? [];
    return items.map((item, at) => ({
      file: places[at]?.file ?? '',
      line: places[at]?.line ?? 0,
      endpoint,
      ...item,
    }));
  });
}

function inTheWay(blocked: readonly Told[]): CommandError {
  const places = blocked.map(({ endpoint, text, ...place }) => ({ ...place, text: `${endpoint}: ${text}` }));
  const hints = [
    ...(blocked.some(({ does }) => does === 'conflict')
      ? ['--keep takes the imported keys beside what is trusted already.']
      : []),
    ...(blocked.some(({ does }) => does === 'rejected')
      ? ['--unreject KEY trusts a key that was rejected by mistake.']
      : []),
  ];
  return new CommandError('usage', located(places), { hint: hints.join(' ') });
}
