// The events of a running daemon, read as text/event-stream. Each event is bounded; a stream that falls silent for
// longer than the daemon's comments come has broken off.

import type { IncomingMessage } from 'node:http';
import { CommandError } from '../errors.ts';
import { ask, isObject, oddAnswer, unreachable } from './line.ts';
import type { Line } from './line.ts';
import type { FeedEntry, FeedHello, FollowOptions } from './live-shapes.ts';

const maxEventBytes = 262_144;

/** Ends when the signal aborts or the daemon closes. @throws CommandError */
export async function* followRemote(
  line: Line,
  { after, signal, hello }: FollowOptions,
): AsyncGenerator<FeedEntry, void> {
  const stop = new AbortController();
  const beginning = setTimeout(() => stop.abort(), line.deadlineMs);
  const either = AbortSignal.any([signal, stop.signal]);
  try {
    const path = `/v1/events${after === null ? '' : `?after=${after}`}`;
    const response = await ask(line, { method: 'GET', path, body: null }, either);
    clearTimeout(beginning);
    response.setTimeout(line.silenceMs, () => stop.abort());
    for await (const { event, data } of eventsOf(line, response)) {
      if (event === 'hello') hello?.(asHello(data));
      else yield asEntry(data);
    }
  } catch (error) {
    if (signal.aborted) return;
    throw error instanceof CommandError ? error : unreachable(line, error);
  } finally {
    clearTimeout(beginning);
    stop.abort();
  }
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the daemon is one of ours, as in line.ts
const asHello = (data: object): FeedHello => data as FeedHello;
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the daemon is one of ours, as in line.ts
const asEntry = (data: object): FeedEntry => data as FeedEntry;

interface StreamEvent {
  readonly event: string;
  readonly data: object;
}

async function* eventsOf(line: Line, response: IncomingMessage): AsyncGenerator<StreamEvent, void> {
  let rest = Buffer.alloc(0);
  const stream: AsyncIterable<Buffer> = response;
  for await (const chunk of stream) {
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf('\n\n'); end !== -1; end = rest.indexOf('\n\n')) {
      const event = eventOf(line, rest.subarray(0, end).toString('utf8'));
      rest = rest.subarray(end + 2);
      if (event !== null) yield event;
    }
    if (rest.length > maxEventBytes) throw oddAnswer(line, 'an event of it is too long');
  }
}

/** null for a comment. */
function eventOf(line: Line, text: string): StreamEvent | null {
  const fields = new Map(
    text.split('\n').map((each) => {
      const at = each.indexOf(': ');
      return [each.slice(0, at), each.slice(at + 2)] as const;
    }),
  );
  const [event, json] = [fields.get('event'), fields.get('data')];
  if (event === undefined || json === undefined) return null;
  try {
    const data: unknown = JSON.parse(json);
    if (isObject(data)) return { event, data };
  } catch {
    // Told below.
  }
  throw oddAnswer(line, 'an event of it is not JSON');
}
