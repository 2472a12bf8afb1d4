// One question to a running daemon: HTTP over its UNIX socket, one connection each, bounded in size and time. What
// comes back is data of the daemon; an error body becomes the CommandError it was.

import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { CommandError, exitCodes } from '../errors.ts';
import type { ExitName } from '../errors.ts';
import { doubtOf } from './find.ts';

export interface Line {
  readonly socketPath: string;
  readonly deadlineMs: number;
  readonly maxAnswerBytes: number;
  readonly silenceMs: number;
  readonly origin: 'cli' | 'admin';
}

export interface Question {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body: unknown;
}

/** So many times the deadline an answer may take that goes on coming. */
const longAnswers = 20;

/** The daemon is one of ours, and the socket's mode says who it is: its answers have the shape of the route. */
export async function exchange<T>(line: Line, question: Question): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new DOMException('no answer', 'TimeoutError')), line.deadlineMs);
  const signal = AbortSignal.any([late.signal, AbortSignal.timeout(longAnswers * line.deadlineMs)]);
  try {
    const response = await ask(line, question, signal);
    const value = parsed(line, await readText(line, response, () => timer.refresh()));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- whoever answers 200 has the shapes of shapes.ts
    return value as T;
  } finally {
    clearTimeout(timer);
  }
}

/** The answer's beginning, once it is known to be one. The signal holds for its body too. @throws CommandError */
export async function ask(line: Line, question: Question, signal: AbortSignal): Promise<IncomingMessage> {
  await vouchFor(line);
  const response = await send(line, question, signal).catch((error: unknown) => {
    throw unreachable(line, error);
  });
  if (response.statusCode === 200) return response;
  const value = parsed(line, await readText(line, response));
  throw toldError(value) ?? oddAnswer(line, `it answered with HTTP status ${response.statusCode ?? 0}`);
}

/** Before each question: while a command runs the daemon may go, and another user put a socket where its was. */
async function vouchFor(line: Line): Promise<void> {
  const doubt = await doubtOf(line.socketPath).catch((error: unknown) => {
    throw unreachable(line, error);
  });
  if (doubt === null) return;
  throw new CommandError('no-daemon', `${line.socketPath} is not trustworthy: ${doubt}`, {
    code: 'socket-doubtful',
    hint: 'Whoever answers there may be anybody. See who put it there; restart the daemon when it is gone.',
  });
}

function send(line: Line, question: Question, signal: AbortSignal): Promise<IncomingMessage> {
  const body = question.body === null ? null : JSON.stringify(question.body);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        socketPath: line.socketPath,
        method: question.method,
        path: question.path,
        agent: false,
        signal,
        headers: {
          Host: 'letterlock',
          'Letterlock-Origin': line.origin,
          ...(body === null
            ? {}
            : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }),
        },
      },
      resolve,
    );
    outgoing.once('error', reject);
    outgoing.end(body ?? undefined);
  });
}

async function readText(
  line: Line,
  response: IncomingMessage,
  heard: () => void = () => undefined,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    const stream: AsyncIterable<Buffer> = response;
    for await (const chunk of stream) {
      heard();
      bytes += chunk.length;
      if (bytes > line.maxAnswerBytes) throw oddAnswer(line, 'its answer is too long');
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof CommandError ? error : unreachable(line, error);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(line: Line, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw oddAnswer(line, 'its answer is not JSON', cause);
  }
}

function toldError(value: unknown): CommandError | null {
  const error = isObject(value) && isObject(value['error']) ? value['error'] : null;
  if (error === null || typeof error['message'] !== 'string' || typeof error['code'] !== 'string')
    return null;
  return new CommandError(exitNamed(error['exit']), error['message'], {
    code: error['code'],
    ...(typeof error['hint'] === 'string' ? { hint: error['hint'] } : {}),
  });
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

const exitNamed = (name: unknown): ExitName => {
  const known = Object.keys(exitCodes).find((exit): exit is ExitName => exit === name);
  return known === undefined || known === 'done' ? 'internal' : known;
};

export const oddAnswer = (line: Line, what: string, cause?: unknown): CommandError =>
  new CommandError('internal', `the program at ${line.socketPath} is no letterlock we know: ${what}`, {
    hint: 'Compare letterlock --version with the version of the daemon.',
    ...(cause === undefined ? {} : { cause }),
  });

export function unreachable(line: Line, cause: unknown): CommandError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : null;
  if (cause instanceof Error && (cause.name === 'AbortError' || cause.name === 'TimeoutError')) {
    return new CommandError(
      'no-daemon',
      `the daemon at ${line.socketPath} did not answer in ${line.deadlineMs / 1000} s`,
      { cause },
    );
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new CommandError('no-daemon', `permission to use ${line.socketPath} was denied`, {
      code: 'socket-denied',
      cause,
    });
  }
  return new CommandError('no-daemon', `no daemon answers at ${line.socketPath}`, { cause });
}
