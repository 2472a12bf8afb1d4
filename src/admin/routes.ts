// Every route of the admin API, in one table: matching, the metrics label, the schemas and docs/api.md are all made
// from it. A route has one method; GET answers HEAD too.

export interface RouteEntry {
  /** Label in metrics; stable. */
  readonly name: string;
  readonly method: 'GET' | 'POST';
  /** `{…}` stands for one segment, percent-encoded. */
  readonly path: string;
  /** The one parameter its query may have. */
  readonly query?: string;
  /** Name of the schema of its body; absent: it takes none. */
  readonly body?: string;
  /** Name of the schema of its answer; null: what it answers is no JSON. */
  readonly answer: string | null;
  readonly says: string;
}

export const routes = [
  {
    name: 'status',
    method: 'GET',
    path: '/v1/status',
    answer: 'Status',
    says: 'The daemon, its routes and its store.',
  },
  {
    name: 'sessions',
    method: 'GET',
    path: '/v1/sessions',
    answer: 'Sessions',
    says: 'Clients connected now, oldest first.',
  },
  {
    name: 'endpoints',
    method: 'GET',
    path: '/v1/endpoints',
    answer: 'Endpoints',
    says: 'Every configured and every known server: how it stands, and what was last judged of it.',
  },
  {
    name: 'pins',
    method: 'GET',
    path: '/v1/pins',
    answer: 'Pins',
    says: 'What is remembered of every endpoint: `letterlock pins list --json`.',
  },
  {
    name: 'pin',
    method: 'GET',
    path: '/v1/pins/{endpoint}',
    answer: 'Pin',
    says: 'One of these with PEM: `letterlock pins show ENDPOINT --json`.',
  },
  {
    name: 'candidate',
    method: 'GET',
    path: '/v1/candidates/{ref}',
    answer: 'Candidate',
    says: 'A key that waits, beside the one that is known: `letterlock pins compare REF --json`.',
  },
  {
    name: 'history',
    method: 'GET',
    path: '/v1/history',
    query: 'endpoint',
    answer: 'History',
    says: 'Changes of trust, oldest first, at most the latest 10 000; `?endpoint=` those of one endpoint.',
  },
  {
    name: 'explain',
    method: 'GET',
    path: '/v1/explain/{target}',
    answer: 'Explanation',
    says: 'Why, step by step: of a code, a reference or an endpoint.',
  },
  {
    name: 'records',
    method: 'GET',
    path: '/v1/records',
    answer: 'Records',
    says: 'Every record whole, as a backup holds it.',
  },
  {
    name: 'events',
    method: 'GET',
    path: '/v1/events',
    query: 'after',
    answer: null,
    says: 'What happens, as it happens: a stream of events (below).',
  },
  {
    name: 'schema',
    method: 'GET',
    path: '/v1/schema',
    answer: 'Schema',
    says: 'This table with JSON Schemas of every body and answer.',
  },
  {
    name: 'commands',
    method: 'POST',
    path: '/v1/commands',
    body: 'Command',
    answer: 'Answer',
    says: 'One change of trust: approve, reject, forget, undo or add.',
  },
  {
    name: 'import',
    method: 'POST',
    path: '/v1/import',
    body: 'Import',
    answer: 'Imported',
    says: 'What an import comes to; with `apply`, all of it at once.',
  },
  {
    name: 'probes',
    method: 'POST',
    path: '/v1/probes',
    body: 'Probe',
    answer: 'Probed',
    says: 'Looks at a configured endpoint now; pins nothing.',
  },
  {
    name: 'reload',
    method: 'POST',
    path: '/v1/reload',
    answer: 'Reload',
    says: 'Reads the configuration again: the whole new one or, with problems listed, the old one.',
  },
  {
    name: 'verify',
    method: 'POST',
    path: '/v1/verify',
    answer: 'Verification',
    says: 'Checks the store and the hash chain of its audit log; changes nothing.',
  },
] as const satisfies readonly RouteEntry[];

export type RouteName = (typeof routes)[number]['name'];

export interface Matched {
  readonly route: RouteName;
  readonly method: 'GET' | 'POST';
  /** The value in the path or of the query, decoded; null for none. */
  readonly argument: string | null;
}

/** The route of a URL as it stands on the request line; null when there is none. */
export function matchRoute(url: string): Matched | null {
  const [path, query = null] = splitOnce(url, '?');
  const segments = path.split('/');
  for (const route of routes) {
    const found = valueIn(segments, route.path.split('/'));
    if (found === null) continue;
    const argument = query === null ? found.value : valueOf(query, route);
    return argument === null && query !== null ? null : { route: route.name, method: route.method, argument };
  }
  return null;
}

/** null unless the path is this one; `value` is what stands for its `{…}`. */
function valueIn(
  segments: readonly string[],
  pattern: readonly string[],
): { readonly value: string | null } | null {
  if (segments.length !== pattern.length) return null;
  const open = pattern.findIndex((part) => part.startsWith('{'));
  if (!pattern.every((part, at) => at === open || part === segments[at])) return null;
  if (open === -1) return { value: null };
  const value = decoded(segments[open] ?? '');
  return value === null ? null : { value };
}

function valueOf(query: string, route: RouteEntry): string | null {
  const [key, value] = splitOnce(query, '=');
  return key === route.query && value !== undefined ? decoded(value) : null;
}

function splitOnce(text: string, mark: string): readonly [string, string?] {
  const at = text.indexOf(mark);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** null for what does not decode, and for what no endpoint, reference or code can be. */
function decoded(text: string): string | null {
  try {
    const value = decodeURIComponent(text);
    return value === '' || value.length > 300 ? null : value;
  } catch {
    return null;
  }
}
