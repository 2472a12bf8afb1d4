// Rates from counters: what the sessions carried between two looks, kept for as long as a sparkline is wide. Pure.

import type { SessionRow } from '../wire.ts';

export interface Sample {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly sessions: number;
  /** Bytes per second, both ways. */
  readonly rate: number;
}

export interface Rates {
  readonly samples: readonly Sample[];
  readonly carried: ReadonlyMap<string, number>;
  readonly at: number | null;
}

export const noRates: Rates = { samples: [], carried: new Map(), at: null };

const kept = 150;
/** A gap longer than this (a hidden page, a machine that slept) begins anew instead of drawing a slope. */
const longestGapMs = 15_000;

export function withSessions(rates: Rates, sessions: readonly SessionRow[], at: number): Rates {
  const carried = new Map(sessions.map(({ id, bytesUp, bytesDown }) => [id, bytesUp + bytesDown]));
  const seconds = rates.at === null ? 0 : (at - rates.at) / 1000;
  if (seconds <= 0 || seconds * 1000 > longestGapMs) return { samples: [], carried, at };
  let moved = 0;
  for (const [id, bytes] of carried) moved += Math.max(0, bytes - (rates.carried.get(id) ?? 0));
  const sample = { at, sessions: sessions.length, rate: moved / seconds };
  return { samples: [...rates.samples, sample].slice(-kept), carried, at };
}
