// A process that may open few files: clients come until none is left for them, while orders are given. Nobody is served
// wrongly, nobody waits without an end, and when the clients go the same process serves and stores as before.

import { join } from 'node:path';
import { makeIdentity } from './certificates.mjs';
import { Client, visit } from './client.mjs';
import { until } from './letterlock.mjs';
import { Post, secret, unclear } from './post.mjs';

const crowd = 90;
/** A store that could not be read is looked at again every ten seconds at the latest. */
const recoveryMs = 12_000;

export const descriptors = {
  name: 'descriptors',
  async run({ build, seconds, chance, folder, signal, say }) {
    const end = performance.now() + seconds * 1000;
    const total = { floods: 0, refused: 0, starts: 0, findings: [] };
    const limits = [72, 26, ...Array.from({ length: 400 }, () => 22 + chance.below(140))];
    for (const [round, limit] of limits.entries()) {
      if (signal.aborted || total.findings.length > 0 || (round > 1 && performance.now() > end)) break;
      const before = ['prlimit', `--nofile=${limit}:${limit}`];
      const post = new Post({ build, shim: null, folder: join(folder, `descriptors-${round}`), before });
      try {
        await post.open();
        const found = await flooded(post, total);
        total.findings.push(...found.map((text) => `descriptors: of ${limit} descriptors: ${text}`));
      } finally {
        await post.close();
      }
    }
    say(`${total.floods} floods, ${total.findings.length} findings`);
    const figures = [
      ['floods without descriptors', total.floods],
      ['clients turned away', total.refused],
      ['starts refused for descriptors', total.starts],
    ];
    return { figures, findings: total.findings };
  },
};

async function flooded(post, total) {
  const { letterlock } = post;
  const [known, other] = post.freshRoutes(3);
  letterlock.start();
  if (!(await letterlock.ready())) {
    total.starts += 1;
    const why = unclear(await letterlock.ended(), letterlock.said);
    return why === null ? [] : [why];
  }
  // With very few it may not be able to keep a pin, or to serve anybody.
  const first = (await post.visit(known)).came === 'served';
  // What carries out orders is loaded with the first of them: Node never tries again what once could not be loaded.
  await post.add(known, makeIdentity().spki);
  total.floods += 1;
  const clients = Array.from({ length: crowd }, () => new Client(post.place(known)));
  const greeted = await Promise.all(clients.map((client) => client.hears('* OK', 3000)));
  const orders = await Promise.all([
    post.add(known, makeIdentity().spki),
    post.visit(other, 3000),
    post.add(other, makeIdentity().spki),
  ]);
  const waiting = clients.filter((client, index) => !greeted[index] && client.state === 'open');
  total.refused += clients.length - greeted.filter(Boolean).length;
  for (const client of clients) client.leave();
  if (!letterlock.isRunning) return [`it ended: ${letterlock.said.slice(-400)}`];
  const found = [];
  if (waiting.length > 0 && !first) found.push(`${waiting.length} clients were kept waiting`);
  const well = async () => (await visit(post.place(known), { secret, ms: 3000 })).came === 'served';
  if (first)
    await until('a good client to be served again', well, recoveryMs).catch((error) =>
      found.push(error.message),
    );
  const stored = async () => (await post.add(known, makeIdentity().spki)).status === 200;
  if (first)
    await until('an order to be carried out again', stored, recoveryMs).catch((error) =>
      found.push(error.message),
    );
  if (first) found.push(...(await post.examined({ announcements: 'later' })));
  // Whatever it could not do with so few, nothing of it is wrong with enough.
  await letterlock.kill();
  letterlock.before = [];
  letterlock.start();
  if (!(await letterlock.ready())) return [...found, `it does not start again: ${letterlock.said}`];
  return [...found, ...(await post.examined()), ...orders.filter((one) => one === undefined)];
}
