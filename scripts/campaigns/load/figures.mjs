// The one line of the load campaign.

import { mebibyte } from './sizes.mjs';

/** `[label, value]` each. `points` as checkpoints give them, `flood` as `flooded` does, and what the processes of clients tell. */
export function figuresOf({
  world,
  sizes,
  points,
  trend,
  judged,
  lagMs,
  flood,
  metrics,
  idle,
  fleeting,
  bulk,
}) {
  const refused = Object.values(fleeting.counts).flatMap((counts) => Object.values(counts.refused));
  const [first, last] = [points[0], points.at(-1)];
  const { steady, flooded, elsewhere } = fleeting.greeting;
  return [
    ['idle sessions', sizes.idle],
    ['with Dovecot', world.dovecot === null ? 'none, it is not installed' : sizes.dovecot],
    ['sessions in all', metrics.sum('letterlock_client_connections_total')],
    ['RSS MiB first', mebibytes(first.rss)],
    ['last', mebibytes(last.rss)],
    ['RSS KiB/s in the later half', kibibytes(trend.rss)],
    ['heap KiB/s', kibibytes(trend.heap)],
    ['for sessions', last.sessions],
    ['descriptors', last.descriptors],
    ['sockets', last.sockets ?? 'not counted'],
    ['refused', refused.reduce((sum, count) => sum + count, 0)],
    ['had to be', judged.due],
    ['counted', metrics.sum('letterlock_refusals_total')],
    ['keys turned', sizes.turns],
    ['transfers', bulk.transfers + bulk.mails],
    ['MiB checked', mebibytes(bulk.bytes + bulk.mailBytes)],
    ['NOOP ms', latency(idle.noop)],
    ['greeting ms', latency(steady)],
    ['dropped a second', Math.round(flood.perSecond)],
    ['dropped', flood.made],
    ['accepted', flood.accepted],
    ['greeting ms behind them', latency(flooded)],
    ['beside them', latency(elsewhere)],
    ['longest hold ms then', Math.round(flood.lagMs)],
    ['else', Math.round(lagMs)],
  ];
}

const mebibytes = (bytes) => Math.round(bytes / mebibyte);
const kibibytes = (bytes) => (bytes / 1024).toFixed(1);

/** Median, 99th and 99.9th percentile, and the longest, of so many. */
const latency = (took) =>
  took === null || took === undefined
    ? 'none'
    : `${[took.p50, took.p99, took.p999, took.most].map((ms) => ms.toFixed(1)).join('/')} of ${took.count}`;
