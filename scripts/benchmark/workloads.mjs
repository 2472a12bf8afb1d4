// Everything that is measured, by name. `kind` says how: see measure.mjs. The amounts are those of a repetition, for
// the quick and the full mode; none for the quick mode means that it is left out there.

import { download, sessions, upload } from './loads.mjs';

const cpu = (id, title, rest) => ({ kind: 'cpu', id, title, ...rest });
const perGigabyte = { unit: 's CPU/GB', perUnit: 1 / 1000 };
const perSession = { unit: 'ms CPU', perUnit: 1 };

function bulk(leg, prefix, where) {
  const down = (name, title, { record, connections = 1, quick, full = 512 }) =>
    cpu(`${prefix}down-${name}`, `${title}${where}`, {
      ...perGigabyte,
      leg,
      load: download,
      quick: quick && { megabytes: quick, connections, record },
      full: { megabytes: full, connections, record },
    });
  const up = (name, title, { connections, quick }) =>
    cpu(`${prefix}up-${name}`, `${title}${where}`, {
      ...perGigabyte,
      leg,
      load: upload,
      quick: quick && { megabytes: quick, connections },
      full: { megabytes: 512, connections },
    });
  const quick = leg === 'ec' ? 128 : undefined;
  return [
    down('16k', 'download, 16 KiB records, 1 connection', { record: 16_384, quick }),
    down('4k', 'download, 4 KiB records, 1 connection', { record: 4096 }),
    down('1400', 'download, 1400 B records, 1 connection', { record: 1400, quick: quick && 64, full: 256 }),
    down('16k-8', 'download, 16 KiB records, 8 connections', { record: 16_384, connections: 8 }),
    up('1', 'upload, 1 connection', { connections: 1, quick }),
    up('8', 'upload, 8 connections', { connections: 8 }),
  ];
}

const session = (leg, title, quick) =>
  cpu(`session-${leg}`, `session, full handshake, ${title}`, {
    ...perSession,
    leg,
    load: sessions,
    quick: quick && { count: quick },
    full: { count: 300 },
    perPolicy: true,
  });

export const workloads = [
  ...bulk('ec', '', ''),
  ...bulk('starttls', 'starttls-', ', STARTTLS'),
  session('ec', 'EC certificate', 80),
  session('rsa', 'RSA certificate'),
  session('starttls', 'EC certificate, STARTTLS'),
  { kind: 'latency', id: 'latency', title: 'added latency', unit: 'µs', leg: 'ec', full: { count: 10_000 } },
  {
    kind: 'memory',
    id: 'memory-500',
    title: 'memory per idle session, 500 sessions',
    unit: 'KiB',
    leg: 'ec',
    quick: { count: 500, settleMs: 1000 },
  },
  {
    kind: 'memory',
    id: 'memory-1000',
    title: 'memory per idle session, 1 000 sessions',
    unit: 'KiB',
    leg: 'ec',
    full: { count: 1000, settleMs: 3000, idleMs: 5000 },
  },
  {
    kind: 'memory',
    id: 'memory-5000',
    title: 'memory per idle session, 5 000 sessions',
    unit: 'KiB',
    leg: 'ec',
    full: { count: 5000, settleMs: 3000, idleMs: 5000, reps: 1 },
    noForks: true,
  },
  {
    kind: 'start',
    id: 'start',
    title: 'start',
    unit: 'ms',
    leg: 'ec',
    quick: { reps: 5 },
    full: { reps: 25 },
  },
  {
    kind: 'greeting',
    id: 'greeting',
    title: 'time to greeting, 40 ms round trip',
    unit: 'ms',
    leg: 'ec',
    full: { roundTripMs: 40, connections: 50 },
  },
];
