// The events of an Operator as text/event-stream (WHATWG HTML, section 9.2): one `hello`, then one event for each
// entry, and a comment now and then so that both sides notice when the other went. Nobody is waited for long.

import type { ServerResponse } from 'node:http';
import type { Operator } from './operator.ts';
import type { FeedEntry, FeedHello } from './live-shapes.ts';
import { taken, whenOver } from './over.ts';

export interface StreamOptions {
  readonly after: number | null;
  /** Called when the stream begins. */
  readonly began: () => void;
  /** Between comments; default 15 000. */
  readonly heartbeatMs?: number;
  /** How long a reader may take for what was written; default 30 000. */
  readonly drainMs?: number;
}

/** Ends with the reader, the daemon, or a reader that is too slow. @throws CommandError, before anything is written */
export async function streamEvents(
  operator: Operator,
  response: ServerResponse,
  options: StreamOptions,
): Promise<void> {
  const { after, began, heartbeatMs = 15_000, drainMs = 30_000 } = options;
  const left = new AbortController();
  whenOver(response, () => left.abort());
  const beat = setInterval(() => {
    if (response.headersSent && !response.writableNeedDrain) response.write(': \n\n');
  }, heartbeatMs).unref();
  const hello = (greeting: FeedHello): void => {
    began();
    begin(response, greeting);
  };
  try {
    for await (const entry of operator.follow({ after, signal: left.signal, hello })) {
      if (!response.write(frameOf(entry))) await taken(response, { drainMs, signal: left.signal });
    }
    response.end();
  } catch (error) {
    if (!response.headersSent) throw error;
    response.destroy();
  } finally {
    clearInterval(beat);
  }
}

/** No id: whoever comes again after it wants what it has not seen. */
function begin(response: ServerResponse, hello: FeedHello): void {
  response.writeHead(200, {
    'Content-Type': 'text/event-stream',
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
  });
  response.write(`event: hello\ndata: ${JSON.stringify(hello)}\n\n`);
}

/** JSON has no line ends, and an event's type is one of ours. */
const frameOf = (entry: FeedEntry): string =>
  `id: ${entry.id}\nevent: ${entry.event}\ndata: ${JSON.stringify(entry)}\n\n`;
