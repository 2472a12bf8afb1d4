// The same scripts against another proxy: what leaked, what was relayed, what hung, by kind of attack. Nothing of that is a
// finding; it is what letterlock is held against, and proof that what is looked for can be seen.

import { look } from './sight.mjs';
import { Stage } from './stage.mjs';
import { inTurns } from './turns.mjs';

const atOnce = 200;
/** Longer than that without a word or an end is hanging. */
export const hangMs = 10_000;
const together = 600;

/** Scripts that another proxy can be asked as well: nothing in them is a setting of letterlock or a memory of keys. */
export const comparable = (script) => script.needs === null;

/** Plays as many as `until` (of performance.now) lets it, in batches; gives `{played, good, rows: {kind: counts}}`. */
export async function compare(peerOf, scripts, { authority, signal, until, deadlineMs = hangMs }) {
  const rows = {};
  let played = 0;
  for (
    let from = 0;
    from < scripts.length && performance.now() < until && !signal.aborted;
    from += together
  ) {
    const batch = scripts.slice(from, from + together);
    played += await playBatch(peerOf(), batch, { authority, signal, until, deadlineMs, rows });
  }
  return { played, rows, total: totalOf(rows) };
}

async function playBatch(peer, scripts, { authority, signal, until, deadlineMs, rows }) {
  const about = { identities: authority.identities, tags: peer.tags, deadlineMs };
  const stages = scripts.map((script, index) => new Stage(`s${index}`, script, about));
  const aborted = () => peer.endAtOnce();
  signal.addEventListener('abort', aborted, { once: true });
  let played = 0;
  try {
    for (const stage of stages) await stage.open();
    await peer.start(stages, authority);
    await inTurns(stages, atOnce, {
      signal,
      work: async (stage) => {
        if (performance.now() > until || peer.ended !== null) return;
        await stage.play(peer.port(stage));
        played += 1;
        count(rows, stage);
        stage.close();
      },
    });
  } finally {
    signal.removeEventListener('abort', aborted);
    await peer.end();
    for (const stage of stages) stage.close();
  }
  return played;
}

function count(rows, stage) {
  const { leaked, relayed, hung } = look(stage);
  const served = stage.visits.some(({ end }) => end === 'served');
  addTo(rows, stage.script.kind, { scripts: 1, leaked, relayed, hung, served });
}

/** Adds numbers and truths to the row of a kind. */
export function addTo(rows, kind, counts) {
  const row = (rows[kind] ??= {});
  for (const [name, value] of Object.entries(counts)) row[name] = (row[name] ?? 0) + Number(value);
}

export function totalOf(rows) {
  const total = {};
  for (const row of Object.values(rows)) addTo({ total }, 'total', row);
  return total;
}
