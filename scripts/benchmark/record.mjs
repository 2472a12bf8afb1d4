// What was measured once and is kept, and how a run of today looks beside it. Pure.

import { median } from './statistics.mjs';
import { goals } from './goals.mjs';

/** Slower than the record by more than this is told of loudly. */
export const alarming = 1.5;

const nameOf = (major) => `letterlock (Node ${major})`;

/** The record with this run put into the place of its mode, its numbers cut to what they are worth. */
export function withRun(record, outcome) {
  const results = Object.entries(outcome.results).map(([id, { title, unit, samples }]) => {
    const lists = Object.entries(samples).map(([name, numbers]) => [
      name,
      numbers.map((number) => cut(number)),
    ]);
    return [id, { title, unit, samples: Object.fromEntries(lists) }];
  });
  return { ...record, [outcome.mode]: { ...outcome, results: Object.fromEntries(results) } };
}

const cut = (number) => Number(number.toPrecision(4));

/**
 * A row for each goal that both have measured: `{title, name, peer, now, before, excess}`. Machines differ, and peers cost
 * more or less on each; so ratios to peers are compared, never figures, and a row's `excess` is that towards the
 * peer that is kindest: one peer that had a good day says nothing yet.
 */
export function comparison(outcome, record) {
  const before = record?.[outcome.mode] ?? record?.full;
  if (before === undefined) return [];
  return outcome.runtimes.flatMap((major) =>
    goals.flatMap(({ workload }) => {
      const today = outcome.results[workload];
      const once = before.results[workload];
      if (today === undefined || once === undefined) return [];
      const known = before.runtimes.includes(major) ? major : before.runtimes[0];
      return row({ today, once }, { ours: nameOf(major), theirs: nameOf(known) });
    }),
  );
}

function row({ today, once }, { ours, theirs }) {
  const peers = Object.keys(today.samples).filter((name) => !/letterlock|other build|direct/.test(name));
  const seen = peers
    .map((peer) => ({
      peer,
      now: quotient(today.samples[ours], today.samples[peer]),
      before: quotient(once.samples[theirs], once.samples[peer]),
    }))
    .filter(({ now, before }) => now > 0 && before > 0)
    .map((one) => ({ ...one, excess: one.now / one.before }))
    .toSorted((a, b) => a.excess - b.excess);
  return seen.length === 0 ? [] : [{ title: today.title, name: ours, ...seen[0] }];
}

/** NaN where there is nothing to divide. */
function quotient(ours, theirs) {
  if (ours === undefined || theirs === undefined) return Number.NaN;
  return median(ours) / median(theirs);
}
