// Where the page is served: an address of loopback and no other, whatever is in front of it.

import { bracketed } from '../endpoint.ts';
import type { Config, ConfigProblem } from '../config.ts';
import type { Ground } from './ground.ts';
import { overlaps } from './listen-place.ts';
import { problemAt } from './problem.ts';
import { UnusableValue } from './unusable.ts';
import { isLoopback, parseListen } from './upstream.ts';
import type { Address } from './upstream.ts';

/** @throws UnusableValue or RangeError */
export function parsePageListen(text: string): Address {
  const listen = parseListen(text);
  if (!isLoopback(listen.host))
    throw new UnusableValue(
      `the page is served on loopback only, and ${bracketed(listen.host)} is not`,
      `write 127.0.0.1:${listen.port}, and reach it from elsewhere with ssh -L ${listen.port}:127.0.0.1:${listen.port}`,
    );
  return listen;
}

export function pageListenOf({ raw }: Ground): Config['admin']['listen'] {
  const listen = raw.admin?.listen ?? null;
  return listen === null ? null : parsePageListen(listen);
}

/** The page and the metrics are two servers: one port cannot be both. */
export function pageProblems({ layers }: Ground, config: Config): readonly ConfigProblem[] {
  const { metrics } = config;
  const { listen } = config.admin;
  if (listen === null || metrics === null) return [];
  if (!overlaps({ kind: 'tcp', ...listen }, { kind: 'tcp', ...metrics })) return [];
  const message = `metrics and the page both listen on ${bracketed(listen.host)}:${listen.port}`;
  return [problemAt(layers.locate(['admin', 'listen']), message, 'give one of them another port')];
}
