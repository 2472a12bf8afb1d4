// Records as people read them: states in words, dates to the day, keys in full.

import type { HistoryRow, PinRow, PinsRow } from '../src/admin/shapes.ts';
import { corroborationText, type Corroboration } from '../src/trust/corroboration.ts';
import { expectationText } from '../src/trust/expected.ts';
import { aligned, counted } from './table.ts';

const words: Readonly<Record<PinsRow['state'], string>> = {
  none: 'nothing trusted yet',
  ca: 'CA-verified',
  pinned: 'pinned',
  emptied: 'no key left to trust',
  conflict: 'proxies disagree',
  damaged: 'record damaged',
};

export const stateWords = (row: PinsRow): string => {
  const live = row.pins.filter((pin) => pin.live).length;
  const counts = [
    counted(live, 'key'),
    ...(row.expected.length === 0 ? [] : [`${row.expected.length} expected`]),
    ...(row.rejected.length === 0 ? [] : [`${row.rejected.length} rejected`]),
  ];
  if (isByDaneAlone(row)) return byDaneWords;
  return row.state === 'pinned' ? `${words.pinned} (${counts.join(', ')})` : words[row.state];
};

/** Other policies read it as emptied, which is what its state says. */
const isByDaneAlone = ({ byDane, state, pins }: PinsRow): boolean =>
  byDane === true && state === 'emptied' && pins.length === 0;
const byDaneWords = 'known by DANE alone';

const day = (date: string | null): string => date?.slice(0, 10) ?? 'never';

/** `pins list`: one line an endpoint, and one below it for each key that waits. */
export function listLines(rows: readonly PinsRow[]): readonly string[] {
  if (rows.length === 0) return ['no endpoint is known yet'];
  const table = aligned([
    ['ENDPOINT', 'STATE', 'KEYS', 'LAST SEEN', 'WAITING', 'REJECTED'],
    ...rows.map((row) => [
      row.endpoint,
      isByDaneAlone(row) ? byDaneWords : words[row.state],
      String(row.pins.filter((pin) => pin.live).length),
      day(lastSeen(row)),
      row.candidates.length === 0 ? '-' : row.candidates.map(({ ref }) => ref).join(', '),
      row.rejected.length === 0 ? '-' : String(row.rejected.length),
    ]),
  ]);
  const waiting = rows.some((row) => row.candidates.length > 0);
  return [
    ...table,
    ...(waiting ? ['', 'WAITING are keys that were refused: letterlock pins compare REF'] : []),
  ];
}

const lastSeen = ({ pins, lastCa }: PinsRow): string | null =>
  [...pins.map((pin) => pin.lastSeen), lastCa?.seenAt ?? null]
    .filter((date) => date !== null)
    .toSorted()
    .at(-1) ?? null;

/** `pins show`: everything about one endpoint. */
export const showLines = (row: PinsRow): readonly string[] => [
  `${row.endpoint}: ${stateWords(row)}`,
  ...section('Pins', row.pins.flatMap(pinLines)),
  ...section('Waiting for approval', row.candidates.flatMap(candidateLines)),
  ...section(
    'Imported by its hash, and not seen yet',
    row.expected.map(
      (one) => `  ${expectationText(one)}${one.until === null ? '' : ` (until ${one.until})`}`,
    ),
  ),
  ...section(
    'Rejected',
    row.rejected.map((spki) => `  ${spki}`),
  ),
  ...(row.lastCa === null
    ? []
    : section('Last CA-verified certificate', [
        `  ${row.lastCa.spki}`,
        `    seen ${row.lastCa.seenAt}, valid until ${row.lastCa.notAfter}`,
        `    issuer ${row.lastCa.issuer}`,
        `    sha256 ${row.lastCa.sha256}`,
      ])),
];

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ['', title, ...lines];

const originWords: Readonly<Record<PinRow['origin'], string>> = {
  'first-use': 'trusted on first use',
  approved: 'approved',
  added: 'added beforehand',
  imported: 'imported',
  config: 'from the configuration',
};

function pinLines(pin: PinRow): readonly string[] {
  const until = pin.until === null ? 'without an end' : `until ${pin.until}`;
  return [
    `  ${pin.spki}${pin.kind === 'anchor' ? ' (a trust anchor)' : ''}`,
    `    ${originWords[pin.origin]}, ${pin.live ? `trusted ${until}` : `NOT trusted any more${pin.until === null ? '' : ` (ended ${pin.until})`}`}`,
    ...(pin.parent === undefined ? [] : [`    handed over by ${pin.parent}`]),
    `    first seen ${pin.firstSeen ?? 'never'}, last seen ${pin.lastSeen ?? 'never'}`,
    ...(pin.certificate === null ? [] : certificateFacts(pin.certificate)),
  ];
}

function candidateLines(candidate: PinsRow['candidates'][number]): readonly string[] {
  return [
    `  ${candidate.ref}  ${candidate.spki}`,
    `    refused as ${candidate.reason}, seen ${candidate.seenCount} times, last ${candidate.lastSeen}`,
    ...certificateFacts(candidate.certificate),
  ];
}

const differs = ({ where, spki }: Corroboration['differing'][number]): string =>
  `    seen from ${where} it had ${spki ?? 'a key that cannot be read'}`;

const certificateFacts = (seen: NonNullable<PinRow['certificate']>): readonly string[] => [
  `    subject ${seen.subject}`,
  `    issuer ${seen.issuer}`,
  `    names ${seen.names.length === 0 ? 'none' : seen.names.join(', ')}`,
  `    valid ${seen.notBefore} to ${seen.notAfter}`,
  `    sha256 ${seen.sha256}`,
  `    ${seen.caValid ? 'CA-verified' : 'not CA-verified'}${seen.faults.length === 0 ? '' : `: ${seen.faults.join(', ')}`}`,
  ...(seen.corroboration === undefined
    ? []
    : [
        `    at its first use ${corroborationText(seen.corroboration)}`,
        ...seen.corroboration.differing.map(differs),
      ]),
];

/** `pins history`: oldest first. */
export const historyLines = (rows: readonly HistoryRow[]): readonly string[] =>
  rows.length === 0
    ? ['nothing has happened yet']
    : aligned([
        ['AT', 'ENDPOINT', 'EVENT', 'BY', 'KEY', 'DETAIL'],
        ...rows.map((row) => [row.at, row.endpoint, row.event, row.origin, row.spki ?? '-', row.detail]),
      ]);
