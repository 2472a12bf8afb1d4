// A comparison as people read it: what changed first, then what differs, then what is the same. Nothing in colour and
// nothing side by side: two fingerprints do not fit beside each other, and people compare badly anyway.

import type { ComparisonShape } from '../src/admin/shapes.ts';
import type { ComparedField, Side } from '../src/trust/comparison.ts';
import { corroborationText } from '../src/trust/corroboration.ts';
import { aligned, counted, facts } from './table.ts';

const labels: Readonly<Record<ComparedField, string>> = {
  key: 'key',
  keyType: 'kind of key',
  subject: 'subject',
  issuer: 'issuer',
  names: 'names',
  notBefore: 'valid from',
  notAfter: 'valid until',
  serial: 'serial',
  signature: 'signature',
  selfSigned: 'self-signed',
};

const bases: Readonly<Record<Side['basis'], string>> = {
  pinned: 'pinned',
  ca: 'vouched for by a CA before',
  ended: 'trusted before, its pin has ended',
  candidate: 'waits for a decision',
};

/** What changed, what to note, and every field. */
export const comparisonLines = (shown: ComparisonShape): readonly string[] => [
  shown.sentence,
  ...shown.notes.map((note) => `  - ${note}`),
  '',
  ...(shown.known === null ? presentedAlone(shown) : bothSides(shown)),
  ...(shown.faults.length === 0
    ? []
    : [
        '',
        'Wrong with the presented certificate:',
        ...aligned(shown.faults.map(({ code, meaning }) => [`  ${code}`, meaning])),
      ]),
  ...(shown.corroboration === null ? [] : ['', `Elsewhere: ${corroborationText(shown.corroboration)}.`]),
];

const presentedAlone = ({ differences }: ComparisonShape): readonly string[] => [
  'Presented:',
  ...facts(differences.map(({ field, presented }) => [labels[field], presented ?? 'unreadable'])),
];

function bothSides({ differences, known }: ComparisonShape): readonly string[] {
  const differing = differences.filter(({ same }) => !same);
  const equal = differences.filter(({ same }) => same);
  const rows = differing.flatMap(({ field, known: one, presented }) => [
    [`  ${labels[field]}`, 'known', one ?? 'never seen'],
    ['', 'presented', presented ?? 'unreadable'],
  ]);
  return [
    `Differs from the known key (${bases[known?.basis ?? 'candidate']}):`,
    ...(rows.length === 0 ? ['  nothing'] : aligned(rows)),
    ...(equal.length === 0
      ? []
      : ['', 'The same:', ...facts(equal.map(({ field, presented }) => [labels[field], presented ?? '']))]),
  ];
}

/** The whole of `pins compare REF`. */
export const comparedLines = (shown: ComparisonShape): readonly string[] => [
  `${shown.endpoint}: the key ${shown.ref} ${bases.candidate}`,
  `  refused as ${shown.reason}, seen ${counted(shown.seenCount, 'time')}, first ${shown.firstSeen}, last ${shown.lastSeen}`,
  '',
  ...comparisonLines(shown),
  '',
  shown.proof,
  `  If it is the same:  letterlock pins approve ${shown.endpoint} --expect FINGERPRINT (as it was given to you)`,
  `  If it is not:       letterlock pins reject ${shown.endpoint} --expect ${shown.presented.spki}`,
];
