// What needs a person, the most urgent first: the top of the overview. Pure; `now` in milliseconds since 1970.

import type { EndpointRow, StatusShape } from '../wire.ts';
import { lifetimeOf, spanText } from './format.ts';
import type { IconName, Tone } from './signs.ts';
import { addressOf } from './route.ts';

export interface Concern {
  readonly id: string;
  readonly icon: IconName;
  readonly tone: Tone;
  readonly title: string;
  readonly text: string;
  readonly href: string;
  /** The word on its link. */
  readonly action: string;
  /** Whether it asks for a decision that only a person can make. */
  readonly decides?: true;
}

export function concernsOf(
  { status, endpoints }: { readonly status: StatusShape | null; readonly endpoints: readonly EndpointRow[] },
  now: number,
): readonly Concern[] {
  return [
    ...(status === null ? [] : storeConcerns(status)),
    ...endpoints.flatMap(brokenConcern),
    ...endpoints.flatMap(waitingConcern),
    ...endpoints.flatMap(refusingConcern),
    ...(status === null ? [] : routeConcerns(status)),
    ...endpoints.flatMap((row) => endingConcern(row, now)),
  ];
}

function storeConcerns({ store }: StatusShape): readonly Concern[] {
  if (store.state === 'good') return [];
  return [
    {
      id: 'store',
      icon: 'broken',
      tone: 'bad',
      title: `The pin store is ${store.state}`,
      text: `${store.detail ?? 'There is no detail.'} Nothing new is trusted until this is mended: letterlock pins verify says what is wrong.`,
      href: addressOf({ view: 'about' }),
      action: 'Store',
    },
  ];
}

const hrefOf = ({ endpoint }: EndpointRow): string => addressOf({ view: 'endpoint', endpoint });

function brokenConcern(row: EndpointRow): readonly Concern[] {
  const { state, endpoint } = row;
  if (state !== 'conflict' && state !== 'damaged') return [];
  const told =
    state === 'conflict'
      ? 'Several proxies saw different keys of it. Nothing is accepted until somebody decides.'
      : 'Its record does not verify, so that nothing new is learnt of it.';
  return [
    {
      id: `${state} ${endpoint}`,
      icon: state === 'conflict' ? 'conflict' : 'broken',
      tone: state === 'conflict' ? 'odd' : 'bad',
      title: `${endpoint} is ${state === 'conflict' ? 'in conflict' : 'damaged'}`,
      text: told,
      href: hrefOf(row),
      action: 'Look at it',
    },
  ];
}

function waitingConcern(row: EndpointRow): readonly Concern[] {
  if (row.candidates === 0) return [];
  const keys = row.candidates === 1 ? 'A refused key waits' : `${row.candidates} refused keys wait`;
  return [
    {
      id: `waiting ${row.endpoint}`,
      icon: 'alert',
      tone: row.refusing ? 'bad' : 'first',
      title: `${keys} for your decision`,
      text: row.refusing
        ? `${row.endpoint} is refused until then${reasonText(row)}.`
        : `${row.endpoint} goes on with the keys it is known by.`,
      href: addressOf({ view: 'decision', reference: row.endpoint }),
      action: 'Compare and decide',
      decides: true,
    },
  ];
}

const reasonText = ({ lastVerdict }: EndpointRow): string =>
  lastVerdict?.reason == null ? '' : ` (${lastVerdict.reason})`;

function refusingConcern(row: EndpointRow): readonly Concern[] {
  if (row.candidates > 0 || row.state === 'conflict' || row.state === 'damaged') return [];
  if (!row.refusing && row.state !== 'emptied') return [];
  return [
    {
      id: `refusing ${row.endpoint}`,
      icon: 'refused',
      tone: 'bad',
      title: `${row.endpoint} is refused`,
      text:
        row.state === 'emptied'
          ? 'Every pin of it was rejected or has ended.'
          : `Mail programs cannot reach it now${reasonText(row)}.`,
      href: hrefOf(row),
      action: 'See why',
    },
  ];
}

/** A route that refuses is told of by its server already. */
function routeConcerns({ routes }: StatusShape): readonly Concern[] {
  return routes
    .filter(({ state }) => state === 'failing')
    .map(({ name, upstream, endpoint }) => ({
      id: `route ${name}`,
      icon: 'broken',
      tone: 'first',
      title: `Route ${name} does not reach its server`,
      text: `${upstream} could not be reached when a mail program last asked; that is no verdict on it.`,
      href: addressOf({ view: 'endpoint', endpoint }),
      action: 'See why',
    }));
}

function endingConcern(row: EndpointRow, now: number): readonly Concern[] {
  const certificate = row.lastVerdict?.certificate ?? null;
  const life = certificate === null ? null : lifetimeOf(certificate, now);
  const notAfter = certificate?.notAfter ?? null;
  if (notAfter === null || (life?.phase !== 'ending' && life?.phase !== 'over')) return [];
  const byPin = row.state === 'pinned';
  const over = life.phase === 'over';
  return [
    {
      id: `ending ${row.endpoint}`,
      icon: 'clock',
      tone: 'first',
      title: over
        ? `The certificate of ${row.endpoint} ran out ${spanText(now - Date.parse(notAfter))} ago`
        : `The certificate of ${row.endpoint} ends in ${spanText(Date.parse(notAfter) - now)}`,
      text: byPin
        ? 'Its key is pinned, so letterlock goes on; other programs may not.'
        : `The operator of the server has to renew it${over ? '' : ' before then'}, or letterlock refuses it.`,
      href: hrefOf(row),
      action: 'Certificate',
    },
  ];
}
