// The admin API without its transport: which request asks which question of an Operator. It holds no policy
// and no state; every answer is JSON or a stream of events, every error has the one shape
// {error: {code, message, hint, exit}}.

import { CommandError } from '../errors.ts';
import type { ExitName } from '../errors.ts';
import type { Operator } from './operator.ts';
import { matchRoute } from './routes.ts';
import type { Matched } from './routes.ts';
import type { ErrorShape } from './shapes.ts';
import { commandErrorOf } from './tofu-operator.ts';

export interface ApiRequest {
  readonly method: string;
  /** As on the request line: still encoded, query included. */
  readonly url: string;
  /** The parsed body; null for none. */
  readonly body: unknown;
  /** The header Last-Event-ID; null for none. */
  readonly lastEventId?: string | null;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
  /** Name of the route for metrics; `none` when no route matched. */
  readonly route: string;
  /** What a method that is not this route's may be instead; absent otherwise. */
  readonly allow?: string;
}

/** Instead of one answer: whoever serves follows the Operator's events from there. */
export interface ApiStream {
  readonly route: 'events';
  readonly after: number | null;
}

/** HTTP status of an error, by the exit code that the command line gives it. */
export const statuses: Readonly<Record<ExitName, number>> = {
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
export async function answerRequest(operator: Operator, request: ApiRequest): Promise<ApiAnswer | ApiStream> {
  const matched = matchRoute(request.url);
  if (matched === null) return failedAnswer(new CommandError('not-found', 'no such route'), 'none');
  const allow = matched.method === 'GET' ? 'GET, HEAD' : matched.method;
  if (!allow.split(', ').includes(request.method)) {
    const error = new CommandError('usage', `this route answers ${allow} only`);
    return { ...failedAnswer(error, matched.route), status: 405, allow };
  }
  try {
    if (matched.route === 'events') return { route: 'events', after: afterOf(matched, request) };
    return { status: 200, body: await ask(operator, matched, request.body), route: matched.route };
  } catch (error) {
    return failedAnswer(commandErrorOf(error), matched.route);
  }
}

/** An error as it crosses the socket. */
export const errorShape = (error: CommandError): ErrorShape => ({
  error: { code: error.code, message: error.message, hint: error.hint, exit: error.exit },
});

/** The answer an error makes of a request to this route. */
export function failedAnswer(error: CommandError, route: string): ApiAnswer {
  return { status: statuses[error.exit], body: errorShape(error), route };
}

/** The header is sent by a reader that comes again, and says more than the address it came to at first. */
function afterOf({ argument }: Matched, { lastEventId = null }: ApiRequest): number | null {
  const text = lastEventId ?? argument;
  if (text === null) return null;
  if (!/^\d{1,15}$/.test(text)) throw new CommandError('usage', 'the id of an event is a whole number');
  return Number(text);
}

async function ask(operator: Operator, { route, argument }: Matched, body: unknown): Promise<unknown> {
  switch (route) {
    case 'status':
      return operator.status();
    case 'sessions':
      return operator.sessions();
    case 'endpoints':
      return operator.endpoints();
    case 'pins':
      return operator.pins();
    case 'pin':
      return operator.pin(argument ?? '');
    case 'candidate':
      return operator.candidate(argument ?? '');
    case 'history':
      return operator.history(argument);
    case 'explain':
      return operator.explain(argument ?? '');
    case 'records':
      return operator.backup();
    case 'verify':
      return operator.verify();
    case 'reload':
      return operator.reload();
    case 'import':
    case 'commands':
    case 'probes':
    case 'dashboard':
      return order(operator, route, body);
    case 'schema':
      return (await import('./api-schema.ts')).apiSchema();
    case 'events':
      throw new TypeError('events are followed, not asked for');
  }
}

/** What reads a body is loaded when one comes. */
async function order(
  operator: Operator,
  route: 'import' | 'commands' | 'probes' | 'dashboard',
  body: unknown,
): Promise<unknown> {
  switch (route) {
    case 'import': {
      const { parseImport } = await import('./import-schema.ts');
      return operator.import(parseImport(body));
    }
    case 'commands': {
      const { parseCommand } = await import('./command-schema.ts');
      return operator.command(parseCommand(body));
    }
    case 'probes': {
      const { parseProbe } = await import('./command-schema.ts');
      return operator.probe(parseProbe(body));
    }
    case 'dashboard': {
      const { parseDashboard } = await import('./command-schema.ts');
      return operator.dashboard(parseDashboard(body));
    }
  }
}
