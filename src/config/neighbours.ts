// What is wrong between routes: two on one port or socket, two of one name, and two that trust one endpoint differently.
// Trust settings belong to the endpoint: a route that omits one takes what another route of it gives.

import type { ConfigProblem } from '../config.ts';
import { bracketed } from '../endpoint.ts';
import type { Endpoint } from '../endpoint.ts';
import type { ListenPlace } from '../proxy/route.ts';
import { parseFingerprint } from '../trust/fingerprint.ts';
import type { Draft, Drafts, Listening } from './drafts.ts';
import { overlaps, placeText } from './listen-place.ts';
import { placeName, problemAt } from './problem.ts';
import type { Place } from './problem.ts';
import { upstreamUrl } from './upstream.ts';
import { vantagesOf, vantagesText } from './vantages.ts';

/** What else of this daemon listens. */
export interface OtherListener {
  readonly what: string;
  readonly place: ListenPlace;
}

export const neighbourProblems = (
  drafts: Drafts,
  others: readonly OtherListener[],
): readonly ConfigProblem[] => [
  ...placesProblems(drafts),
  ...drafts.flatMap((draft) => otherListenerProblems(draft, others)),
  ...namesProblems(drafts),
  ...drafts.flatMap((draft) => trustProblems(draft, drafts)),
];

interface Taken {
  readonly other: Draft;
  readonly listening: Listening;
}

/** By what two places must have in common to be in each other's way. */
type TakenPlaces = Map<string, Taken[]>;

const commonPart = (place: ListenPlace): string =>
  place.kind === 'tcp' ? `tcp:${place.port}` : placeText(place);

function placesProblems(drafts: readonly Draft[]): readonly ConfigProblem[] {
  const taken: TakenPlaces = new Map();
  return drafts.flatMap((draft) => {
    const problems = placeProblems(draft, taken, drafts);
    for (const listening of draft.listen) {
      const part = commonPart(listening.place);
      taken.set(part, [...(taken.get(part) ?? []), { other: draft, listening }]);
    }
    return problems;
  });
}

function placeProblems(draft: Draft, taken: TakenPlaces, all: readonly Draft[]): readonly ConfigProblem[] {
  return draft.listen.flatMap(({ place, path }) => {
    const first = taken.get(commonPart(place))?.find(({ listening }) => overlaps(listening.place, place));
    if (first === undefined) return [];
    const taker = upstreamUrl(first.other.servers[0].upstream);
    const message = `${placeText(place)} is taken by the route to ${taker}${at(first.other.place(...first.listening.path))}`;
    const written = draft.place(...path);
    return [problemAt(written, message, otherPlace(place, { draft, all, written }))];
  });
}

function otherPlace(
  place: ListenPlace,
  { draft, all, written }: { readonly draft: Draft; readonly all: readonly Draft[]; readonly written: Place },
): string {
  if (place.kind === 'unix') return 'give this one a socket file of its own';
  if (place.kind === 'fd') return 'give this one a socket of its own, with another FileDescriptorName=';
  const port = freePort(place.port, all);
  const url = upstreamUrl(draft.servers[0].upstream);
  return written.line === null
    ? `give this one a port of its own: ${port}=${url}`
    : `listen: ${bracketed(place.host)}:${port} (on the command line: ${port}=${url})`;
}

const at = (place: Place): string => (place.line === null ? '' : ` (${placeName(place)})`);

function freePort(from: number, all: readonly Draft[]): number {
  const taken = new Set(
    all.flatMap((draft) => draft.listen.map(({ place }) => (place.kind === 'tcp' ? place.port : 0))),
  );
  let port = from;
  while (taken.has(port) && port < 65_535) port += 1;
  return port;
}

function otherListenerProblems(draft: Draft, others: readonly OtherListener[]): readonly ConfigProblem[] {
  return draft.listen.flatMap(({ place, path }) => {
    const taker = others.find((other) => overlaps(other.place, place));
    if (taker === undefined) return [];
    const message = `${taker.what} and the route ${draft.name} both listen on ${placeText(taker.place)}`;
    const hint = `give one of them another ${place.kind === 'tcp' ? 'port' : 'path'}`;
    return [problemAt(draft.place(...path), message, hint)];
  });
}

function namesProblems(drafts: readonly Draft[]): readonly ConfigProblem[] {
  const first = new Map<string, Draft>();
  for (const draft of drafts) if (!first.has(draft.name)) first.set(draft.name, draft);
  return drafts.flatMap((draft) => nameProblem(draft, first.get(draft.name) ?? draft));
}

function nameProblem(draft: Draft, first: Draft): readonly ConfigProblem[] {
  if (first === draft || shareAPlace(first, draft)) return [];
  const message = `two routes are named ${draft.name}${at(first.place('name'))}`;
  return [
    problemAt(draft.place('name'), message, `give this one its own: name: ${draft.name}-${draft.index + 1}`),
  ];
}

/** Then that is the problem, and their usual names are the same for it. */
const shareAPlace = (one: Draft, other: Draft): boolean =>
  one.listen.some((here) => other.listen.some((there) => overlaps(here.place, there.place)));

/** The trust settings a route can give, each in a form that compares. */
const trustKeys = {
  trust: (draft: Draft) => draft.raw.trust ?? null,
  firstUse: (draft: Draft) => draft.raw.firstUse ?? null,
  pins: (draft: Draft) =>
    draft.raw.pins === undefined ? null : sortedList(draft.raw.pins.map(canonicalPin)),
  dane: (draft: Draft) => draft.raw.dane ?? null,
  caFile: (draft: Draft) => (draft.raw.caFile === undefined ? null : sortedList([draft.raw.caFile].flat())),
  crlFile: (draft: Draft) =>
    draft.raw.crlFile === undefined ? null : sortedList([draft.raw.crlFile].flat()),
  handOver: (draft: Draft) => (draft.raw.handOver === undefined ? null : String(draft.raw.handOver)),
  continuity: (draft: Draft) => draft.raw.continuity ?? null,
  corroborate: (draft: Draft) =>
    draft.raw.corroborate === undefined ? null : vantagesText(vantagesOf(draft.raw.corroborate)),
} as const;
export type TrustKey = keyof typeof trustKeys;
const trustKeyNames: readonly TrustKey[] = [
  'trust',
  'firstUse',
  'pins',
  'dane',
  'caFile',
  'crlFile',
  'handOver',
  'continuity',
  'corroborate',
];

export const canonicalPin = (text: string): string => parseFingerprint(text)?.value ?? text;

const sortedList = (values: readonly string[]): string => `[${[...new Set(values)].toSorted().join(', ')}]`;

/** One for each key: a route of several servers may disagree on more than one of them for the same reason. */
function trustProblems(draft: Draft, drafts: Drafts): readonly ConfigProblem[] {
  return trustKeyNames.flatMap((key) => {
    const here = trustKeys[key](draft);
    if (here === null) return [];
    for (const { endpoint } of draft.servers) {
      const giver = giverOf(key, endpoint, drafts);
      // Of two the later one is told.
      const other = giver === null || giver.index >= draft.index ? null : giver;
      const there = other === null ? null : trustKeys[key](other);
      if (other === null || here === there) continue;
      const message =
        `two routes disagree on ${key} of ${endpoint.name}: ${here} here, ` +
        `${there ?? ''} in ${placeName(other.place(key))}${quotedLine(other.place(key))}`;
      const hint = 'trust belongs to the server: give it once, or the same in both';
      return [problemAt(draft.place(key), message, hint)];
    }
    return [];
  });
}

const quotedLine = (place: Place): string =>
  place.excerpt === null ? '' : ` (${place.excerpt.trim().slice(0, 80)})`;

/** The route of this endpoint that gives `key`, the first that does. What a route gives holds for all its servers. */
export function giverOf(key: TrustKey, { name }: Endpoint, all: Drafts): Draft | null {
  const asked = `${key} ${name}`;
  const known = all.givers.get(asked);
  if (known !== undefined) return known;
  const giver = all.of(name).find((other) => trustKeys[key](other) !== null) ?? null;
  all.givers.set(asked, giver);
  return giver;
}
