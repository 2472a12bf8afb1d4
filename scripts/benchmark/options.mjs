// The words behind scripts/bench.

import { parseArgs } from 'node:util';
import { resolve } from 'node:path';

export const usage = `Usage: scripts/bench [--quick | --full] [options]

Measures letterlock as it is shipped beside stunnel, haproxy, nginx and socat, in one run.

  --quick            a minute, a few workloads, the Node of this machine (the default)
  --full             everything, on Node 20 and 24; takes most of an hour
  --only NAME,...    these workloads, or all whose name begins so; --list prints them
  --reps N           so many repetitions of each
  --against DIR      a second build of letterlock (its dist folder) beside this one
  --node FILE        run letterlock with this Node; may be given more than once
  --without NAME,..  leave out peers: stunnel, haproxy, nginx, socat
  --unpinned         let the processes use all cores, where they share one otherwise
  --json FILE        write everything that was measured there
  --write            keep the results in docs/performance.md and scripts/benchmark/recorded.json
  --show FILE        print the tables of an earlier --json, and measure nothing
  --record FILE      compare with this record instead of scripts/benchmark/recorded.json
`;

const names = (text) => (text === undefined ? [] : text.split(',').filter(Boolean));

/** As seen from where the caller stands; null for none. */
function place(path) {
  return path === undefined ? null : resolve(process.env['LETTERLOCK_CALLED_FROM'] ?? '.', path);
}

/** Throws a TypeError with a sentence for what it does not understand. */
export function readOptions(words) {
  const flag = { type: 'boolean', default: false };
  const { values } = parseArgs({
    args: words,
    options: {
      quick: flag,
      full: flag,
      unpinned: flag,
      write: flag,
      list: flag,
      help: flag,
      only: { type: 'string' },
      reps: { type: 'string' },
      against: { type: 'string' },
      node: { type: 'string', multiple: true, default: [] },
      without: { type: 'string' },
      json: { type: 'string' },
      show: { type: 'string' },
      record: { type: 'string' },
    },
  });
  if (values.quick && values.full) throw new TypeError('--quick or --full, not both');
  const reps = values.reps === undefined ? null : Number(values.reps);
  if (reps !== null && !(Number.isInteger(reps) && reps > 0))
    throw new TypeError('--reps takes a whole number from 1');
  return {
    ...values,
    mode: values.full ? 'full' : 'quick',
    only: names(values.only),
    without: names(values.without),
    reps,
    against: place(values.against),
    node: values.node.map((path) => place(path)),
    json: place(values.json),
    show: place(values.show),
    record: place(values.record),
  };
}

const otherAmount = ({ quick, full }) => full ?? quick;

/** The workloads asked for, each with the amounts of the mode; what --only names is done in either. */
export function chosen(workloads, { mode, only }) {
  const asked = (id) => only.length === 0 || only.some((name) => id === name || id.startsWith(`${name}-`));
  const unknown = only.filter(
    (name) => !workloads.some(({ id }) => id === name || id.startsWith(`${name}-`)),
  );
  if (unknown.length > 0) throw new TypeError(`no workload is called ${unknown.join(', ')}: see --list`);
  return workloads
    .filter(({ id }) => asked(id))
    .map((workload) => ({
      ...workload,
      amount: workload[mode] ?? (only.length > 0 && otherAmount(workload)),
    }))
    .filter(({ amount }) => Boolean(amount));
}
