// The admin API without its transport: which request asks which question of an Operator. It holds no policy
// and no state; every answer is JSON, every error has the one shape {error: {code, message, hint, exit}}.

import { CommandError } from '../errors.ts';
import type { ExitName } from '../errors.ts';
import type { Operator } from './operator.ts';
import type { ErrorShape } from './shapes.ts';
import { commandErrorOf } from './tofu-operator.ts';

export interface ApiRequest {
  readonly method: string;
  /** As on the request line: still encoded, query included. */
  readonly url: string;
  /** The parsed body; null for none. */
  readonly body: unknown;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
  /** Name of the route for metrics; `none` when no route matched. */
  readonly route: string;
}

type RouteName =
  'status' | 'pins' | 'pin' | 'history' | 'explain' | 'verify' | 'commands' | 'import' | 'records' | 'reload';

interface Matched {
  readonly route: RouteName;
  readonly method: 'GET' | 'POST';
  readonly argument: string | null;
}

const statuses: Readonly<Record<ExitName, number>> = {
  done: 200,
  internal: 500,
  usage: 400,
  config: 422,
  refused: 409,
  network: 502,
  store: 503,
  'not-found': 404,
  'no-daemon': 503,
};

/** Never rejects. */
export async function answerRequest(operator: Operator, request: ApiRequest): Promise<ApiAnswer> {
  const matched = matchRoute(request.url);
  if (matched === null) return failed(new CommandError('not-found', 'no such route'), 'none');
  if (request.method !== matched.method) {
    return {
      ...failed(new CommandError('usage', `this route answers ${matched.method} only`), matched.route),
      status: 405,
    };
  }
  try {
    return { status: 200, body: await ask(operator, matched, request.body), route: matched.route };
  } catch (error) {
    return failed(commandErrorOf(error), matched.route);
  }
}

/** An error as it crosses the socket. */
export const errorShape = (error: CommandError): ErrorShape => ({
  error: { code: error.code, message: error.message, hint: error.hint, exit: error.exit },
});

function failed(error: CommandError, route: string): ApiAnswer {
  return { status: statuses[error.exit], body: errorShape(error), route };
}

async function ask(operator: Operator, { route, argument }: Matched, body: unknown): Promise<unknown> {
  switch (route) {
    case 'status':
      return operator.status();
    case 'pins':
      return operator.pins();
    case 'pin':
      return operator.pin(argument ?? '');
    case 'history':
      return operator.history(argument);
    case 'explain':
      return operator.explain(argument ?? '');
    case 'verify':
      return operator.verify();
    case 'reload':
      return operator.reload();
    case 'records':
      return operator.backup();
    case 'import': {
      const { parseImport } = await import('./import-schema.ts');
      return operator.import(parseImport(body));
    }
    case 'commands': {
      const { parseCommand } = await import('./command-schema.ts');
      return operator.command(parseCommand(body));
    }
  }
}

function matchRoute(url: string): Matched | null {
  const [path, query = null] = splitOnce(url, '?');
  const segments = path.split('/').slice(1);
  if (segments[0] !== 'v1' || segments.length > 3) return null;
  const argument = segments.length === 3 ? decoded(segments[2] ?? '') : null;
  if (segments.length === 3 && (argument === null || argument === '')) return null;
  if (query !== null && segments[1] !== 'history') return null;
  return routeNamed(segments[1] ?? '', { argument, query });
}

function routeNamed(
  name: string,
  { argument, query }: { readonly argument: string | null; readonly query: string | null },
): Matched | null {
  const plain = argument === null;
  if (name === 'pins') return { route: plain ? 'pins' : 'pin', method: 'GET', argument };
  if (name === 'explain') return plain ? null : { route: 'explain', method: 'GET', argument };
  if (!plain) return null;
  if (name === 'records') return { route: 'records', method: 'GET', argument: null };
  if (name === 'status') return { route: 'status', method: 'GET', argument: null };
  if (name === 'history') return historyRoute(query);
  if (name === 'commands' || name === 'import' || name === 'reload' || name === 'verify')
    return { route: name, method: 'POST', argument: null };
  return null;
}

function historyRoute(query: string | null): Matched | null {
  if (query === null) return { route: 'history', method: 'GET', argument: null };
  const [key, value] = splitOnce(query, '=');
  const endpoint = key === 'endpoint' && value !== undefined ? decoded(value) : null;
  return endpoint === null || endpoint === ''
    ? null
    : { route: 'history', method: 'GET', argument: endpoint };
}

function splitOnce(text: string, mark: string): readonly [string, string?] {
  const at = text.indexOf(mark);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** null for what does not decode, and for what no endpoint, reference or code can be. */
function decoded(text: string): string | null {
  try {
    const value = decodeURIComponent(text);
    return value.length > 300 ? null : value;
  } catch {
    return null;
  }
}
