// How many endpoints are shown as what, in an order that stays. Pure.

import type { EndpointRow } from '../wire.ts';
import { signOf, type Sign, type Tone } from './signs.ts';

export interface Kind {
  readonly sign: Sign;
  readonly count: number;
}

const order: readonly Tone[] = ['good', 'dane', 'pin', 'first', 'plain', 'odd', 'bad'];

export function byKind(rows: readonly EndpointRow[]): readonly Kind[] {
  const kinds = new Map<string, Kind>();
  for (const row of rows) {
    const sign = signOf(row);
    kinds.set(sign.word, { sign, count: (kinds.get(sign.word)?.count ?? 0) + 1 });
  }
  return [...kinds.values()].toSorted(
    (one, other) => order.indexOf(one.sign.tone) - order.indexOf(other.sign.tone),
  );
}
