// What is wrong between routes: two on one port, two of one name, and two that trust one endpoint differently.
// Trust settings belong to the endpoint: a route that omits one takes what another route of it gives.

import type { ConfigProblem } from '../config.ts';
import { bracketed } from '../endpoint.ts';
import { parseFingerprint } from '../trust/fingerprint.ts';
import type { Draft } from './drafts.ts';
import { placeName, problemAt } from './problem.ts';
import type { Place } from './problem.ts';
import { upstreamUrl } from './upstream.ts';
import type { Address } from './upstream.ts';

/** The metrics listener, where there is one, with its place. */
export interface OtherListener {
  readonly address: Address;
  readonly place: Place;
}

export const neighbourProblems = (
  drafts: readonly Draft[],
  metrics: OtherListener | null,
): readonly ConfigProblem[] => [
  ...drafts.flatMap((draft, at) => portProblem(draft, drafts.slice(0, at), drafts)),
  ...metricsProblem(drafts, metrics),
  ...drafts.flatMap((draft, at) => nameProblem(draft, drafts.slice(0, at))),
  ...drafts.flatMap((draft, at) => trustProblems(draft, drafts.slice(0, at))),
];

/** Whether binding one address takes what the other needs. */
function overlaps(one: Address, other: Address): boolean {
  if (one.port !== other.port || one.port === 0) return false;
  return one.host === other.host || covers(one.host, other.host) || covers(other.host, one.host);
}

function covers(wide: string, host: string): boolean {
  if (wide === '::') return true;
  if (wide === '0.0.0.0') return !host.includes(':');
  return wide === 'localhost' && (host === '127.0.0.1' || host === '::1');
}

const shown = ({ host, port }: Address): string => `${bracketed(host)}:${port}`;

function portProblem(
  draft: Draft,
  before: readonly Draft[],
  all: readonly Draft[],
): readonly ConfigProblem[] {
  const first = before.find((other) => overlaps(other.listen, draft.listen));
  if (first === undefined) return [];
  const port = freePort(draft.listen.port, all);
  const url = upstreamUrl(draft.upstream);
  const place = draft.place('listen');
  const onCommandLine = place.line === null;
  const suggestion = onCommandLine
    ? `give this one a port of its own: ${port}=${url}`
    : `listen: ${bracketed(draft.listen.host)}:${port} (on the command line: ${port}=${url})`;
  const message = `${shown(draft.listen)} is taken by the route to ${upstreamUrl(first.upstream)}${at(first.place('listen'))}`;
  return [problemAt(place, message, suggestion)];
}

const at = (place: Place): string => (place.line === null ? '' : ` (${placeName(place)})`);

function freePort(from: number, all: readonly Draft[]): number {
  const taken = new Set(all.map((draft) => draft.listen.port));
  let port = from;
  while (taken.has(port) && port < 65_535) port += 1;
  return port;
}

function metricsProblem(drafts: readonly Draft[], metrics: OtherListener | null): readonly ConfigProblem[] {
  if (metrics === null) return [];
  const taken = drafts.find((draft) => overlaps(draft.listen, metrics.address));
  if (taken === undefined) return [];
  const message = `metrics and the route ${taken.name} both listen on ${shown(metrics.address)}`;
  return [problemAt(taken.place('listen'), message, 'give one of them another port')];
}

function nameProblem(draft: Draft, before: readonly Draft[]): readonly ConfigProblem[] {
  const first = before.find((other) => other.name === draft.name);
  if (first === undefined || overlaps(first.listen, draft.listen)) return [];
  const message = `two routes are named ${draft.name}${at(first.place('name'))}`;
  return [
    problemAt(draft.place('name'), message, `give this one its own: name: ${draft.name}-${draft.index + 1}`),
  ];
}

/** The trust settings a route can give, each in a form that compares. */
const trustKeys = {
  trust: (draft: Draft) => draft.raw.trust ?? null,
  firstUse: (draft: Draft) => draft.raw.firstUse ?? null,
  pins: (draft: Draft) =>
    draft.raw.pins === undefined ? null : sortedList(draft.raw.pins.map(canonicalPin)),
  caFile: (draft: Draft) => (draft.raw.caFile === undefined ? null : sortedList([draft.raw.caFile].flat())),
} as const;
type TrustKey = keyof typeof trustKeys;
const trustKeyNames: readonly TrustKey[] = ['trust', 'firstUse', 'pins', 'caFile'];

export const canonicalPin = (text: string): string => parseFingerprint(text)?.value ?? text;

const sortedList = (values: readonly string[]): string => `[${[...new Set(values)].toSorted().join(', ')}]`;

function trustProblems(draft: Draft, before: readonly Draft[]): readonly ConfigProblem[] {
  return trustKeyNames.flatMap((key) => {
    const here = trustKeys[key](draft);
    const other = here === null ? null : giverOf(key, draft, before);
    const there = other === null ? null : trustKeys[key](other);
    if (other === null || here === there) return [];
    const message =
      `two routes disagree on ${key} of ${draft.endpoint.name}: ${here ?? ''} here, ` +
      `${there ?? ''} in ${placeName(other.place(key))}${quotedLine(other.place(key))}`;
    return [
      problemAt(draft.place(key), message, 'trust belongs to the server: give it once, or the same in both'),
    ];
  });
}

const quotedLine = (place: Place): string =>
  place.excerpt === null ? '' : ` (${place.excerpt.trim().slice(0, 80)})`;

/** The route of this endpoint that gives `key`, the first that does. */
export const giverOf = (key: TrustKey, draft: Draft, all: readonly Draft[]): Draft | null =>
  all.find((other) => other.endpoint.name === draft.endpoint.name && trustKeys[key](other) !== null) ?? null;
