// The state of a running proxy as lines for people: what needs a person first, then routes, servers, and what happened.

import type { EndpointRow } from '../src/admin/live-shapes.ts';
import type { StatusShape } from '../src/admin/shapes.ts';
import type { Overview, RouteRate } from './overview.ts';
import { aligned, counted, facts } from './table.ts';

const dayMs = 86_400_000;

/** Of the daemon itself. */
export const headLines = (status: StatusShape, now: number): readonly string[] => [
  `letterlock ${status.version}, pid ${status.pid}, user ${status.user}, up ${spanOf(now - Date.parse(status.startedAt))}, since ${status.startedAt}`,
  ...facts([
    ['state', status.stateDirectory],
    [
      'store',
      `${status.store.state}${status.store.detail === null ? '' : ` (${status.store.detail})`}, ${counted(status.store.records, 'record')}`,
    ],
    ['metrics', status.metrics ?? 'off'],
  ]),
];

/** What waits for a person, and what soon will; a line even where nothing does. */
export function attentionLines(endpoints: readonly EndpointRow[], now: number): readonly string[] {
  const refusing = endpoints.filter((row) => row.refusing);
  const waiting = endpoints.reduce((count, { candidates }) => count + candidates, 0);
  const lines = [
    ...refusing.map(
      ({ endpoint, lastVerdict }) =>
        `REFUSED  ${endpoint}${lastVerdict?.reason == null ? '' : `: ${lastVerdict.reason}`}  (letterlock explain ${endpoint})`,
    ),
    ...(waiting === 0
      ? []
      : [
          `WAITING  ${waiting} ${waiting === 1 ? 'key waits' : 'keys wait'} for a decision  (letterlock pins ${whereToLook(endpoints)})`,
        ]),
    ...endingSoon(endpoints, now).map(
      ({ endpoint, until }) => `ENDING   the certificate of ${endpoint} ${endOf(until, now)}`,
    ),
  ];
  return lines.length === 0 ? ['Nothing waits for you.'] : lines;
}

/** Where only one key waits, its endpoint finds it. */
function whereToLook(endpoints: readonly EndpointRow[]): string {
  const [only, ...others] = endpoints.filter(({ candidates }) => candidates > 0);
  return only?.candidates === 1 && others.length === 0 ? `compare ${only.endpoint}` : 'list';
}

/** Certificates last presented that end within 21 days, or have ended, the first to end first. */
function endingSoon(
  endpoints: readonly EndpointRow[],
  now: number,
): readonly { readonly endpoint: string; readonly until: number }[] {
  return endpoints
    .flatMap(({ endpoint, lastVerdict }) => {
      const end = lastVerdict?.certificate?.notAfter ?? null;
      return end === null ? [] : [{ endpoint, until: Date.parse(end) }];
    })
    .filter(({ until }) => until - now < 21 * dayMs)
    .toSorted((one, other) => one.until - other.until)
    .slice(0, 5);
}

const endOf = (until: number, now: number): string =>
  until <= now ? `ended ${spanOf(now - until)} ago` : `ends in ${spanOf(until - now)}`;

export const routeLines = (
  { routes }: Pick<StatusShape, 'routes'>,
  rates: readonly RouteRate[] | null = null,
): readonly string[] =>
  aligned([
    [
      'ROUTE',
      'LISTEN',
      'UPSTREAM',
      'SESSIONS',
      ...(rates === null ? [] : ['NEW/MIN', 'UP/S', 'DOWN/S']),
      'STATE',
    ],
    ...routes.map((route) => {
      const rate = rates?.find((one) => one.route === route.name);
      const moving =
        rate === undefined
          ? []
          : [String(rate.newPerMinute), bytes(rate.upPerSecond), bytes(rate.downPerSecond)];
      return [route.name, route.listen, route.upstream, String(route.sessions), ...moving, route.state];
    }),
  ]);

const endpointLines = (endpoints: readonly EndpointRow[], now: number): readonly string[] =>
  aligned([
    ['ENDPOINT', 'TRUST', 'WAITING', 'LAST VERDICT', 'CERTIFICATE'],
    ...endpoints.map(({ endpoint, state, candidates, refusing, lastVerdict }) => {
      const end = lastVerdict?.certificate?.notAfter ?? null;
      return [
        endpoint,
        state,
        candidates === 0 ? '-' : String(candidates),
        verdictOf(lastVerdict, refusing),
        end === null ? '-' : endOf(Date.parse(end), now),
      ];
    }),
  ]);

function verdictOf(last: EndpointRow['lastVerdict'], refusing: boolean): string {
  if (last === null) return 'not asked yet';
  const verdict = last.verdict === 'refused' ? `REFUSED ${last.reason ?? ''}`.trim() : last.verdict;
  return `${verdict} ${last.at.slice(11, 19)}Z${last.verdict === 'refused' && !refusing ? ' (decided since)' : ''}`;
}

/** The whole picture, what needs a person first. */
export const overviewLines = ({ at, status, endpoints, rates, events }: Overview): readonly string[] => {
  const now = Date.parse(at);
  return [
    `letterlock ${status.version}  ${at.slice(0, 19).replace('T', ' ')}Z  up ${spanOf(now - Date.parse(status.startedAt))}  store ${status.store.state}`,
    '',
    ...attentionLines(endpoints, now),
    '',
    ...routeLines(status, rates),
    '',
    ...endpointLines(endpoints.slice(0, 12), now),
    ...(endpoints.length > 12 ? [`and ${endpoints.length - 12} more (letterlock pins list)`] : []),
    ...(events.length === 0 ? [] : ['', 'LATEST']),
    ...events
      .slice(-8)
      .map(
        ({ at: when, level, message }) =>
          `${when.slice(11, 19)}Z ${level.toUpperCase().padEnd(5)} ${message}`,
      )
      .toReversed(),
  ];
};

/** `3 d 4 h`, `12 min`, `8 s`: two units at most. */
export function spanOf(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ] as const;
  const first = units.findIndex(([, size]) => seconds >= size);
  if (first === -1) return '0 s';
  let left = seconds;
  const parts = units.slice(first, first + 2).flatMap(([name, size]) => {
    const count = Math.floor(left / size);
    left -= count * size;
    return count === 0 ? [] : [`${count} ${name}`];
  });
  return parts.join(' ');
}

/** `812 B`, `4.1 kB`: decimal, as networks are counted. */
function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB'];
  const power = count < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(count) / 3));
  const value = count / 1000 ** power;
  return `${power === 0 ? Math.round(value) : value.toFixed(1)} ${units[power] ?? 'B'}`;
}
