// The process stands still (SIGSTOP) while it has a client in each phase, and goes on later, before or after the limits of
// what it waited for have passed. Meanwhile servers become impostors and clients queue up. Afterwards everybody gets an
// answer, nobody a wrong one, and a good client is served at once.

import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, visit } from './client.mjs';
import { Phases, phases } from './phases.mjs';
import { secret } from './post.mjs';

const limitMs = 2000;
const settings = {
  shutdownSeconds: 1,
  limits: { dialSeconds: 2, handshakeSeconds: 2, greetingSeconds: 2 },
};
const answerMs = limitMs + 4000;
const promptMs = 1500;
const queued = 50;

export const stalls = {
  name: 'stalls',
  async run({ build, seconds, chance, folder, signal, say }) {
    const end = performance.now() + seconds * 1000;
    const total = { stalls: 0, sessions: 0, longestMs: 0, findings: [] };
    const world = await new Phases({ build, folder: join(folder, 'stalls'), settings }).open();
    try {
      await world.start();
      total.promptMs = Math.max(promptMs, 6 * (await usualMs(world)));
      const lengths = [2500, 200];
      for (let round = 0; !signal.aborted && total.findings.length === 0; round += 1) {
        if (round > 1 && performance.now() > end) break;
        const ms = lengths[round] ?? 50 + chance.below(4000);
        const found = await stalled(world, { ms, total });
        total.findings.push(...found.map((text) => `stalls: ${ms} ms (seed ${chance.seed}): ${text}`));
      }
      total.findings.push(...world.stolen().map((text) => `stalls: ${text}`));
      say(`${total.stalls} stalls, ${total.findings.length} findings`);
    } finally {
      world.letterlock.signal('SIGCONT');
      await world.close();
    }
    const figures = [
      ['stalls', total.stalls],
      ['sessions stalled', total.sessions],
      ['slowest after a stall', `${Math.round(total.longestMs)} ms`],
    ];
    return { figures, findings: total.findings };
  },
};

/** How long a good client waits beside such a crowd when nothing stalls: what is slow here is not letterlock alone. */
async function usualMs(world) {
  const crowd = Array.from({ length: queued }, () => new Client(world.ports.get('good')));
  const began = performance.now();
  await visit(world.ports.get('good'), { secret });
  for (const client of crowd) client.leave();
  return performance.now() - began;
}

async function stalled(world, { ms, total }) {
  const { letterlock, servers, impostor, right } = world;
  const clients = await world.enter();
  letterlock.signal('SIGSTOP');
  // Whoever is asked from now on is somebody else, and some of them talk at last.
  servers.handshake.plan = () => ({ act: 'serve', identity: impostor });
  servers.login.plan = () => ({ act: 'serve', identity: impostor });
  const crowd = Array.from({ length: queued }, () => new Client(world.ports.get('good')));
  await pause(ms);
  const began = performance.now();
  letterlock.signal('SIGCONT');
  const good = await visit(world.ports.get('good'), { secret, ms: 10_000 });
  const took = performance.now() - began;
  total.longestMs = Math.max(total.longestMs, took);
  const found = [];
  if (good.came !== 'served') found.push(`a good client afterwards: ${good.came} ${good.text}`);
  else if (took > total.promptMs) found.push(`a good client waited ${Math.round(took)} ms`);
  const greeted = await Promise.all(crowd.map((client) => client.hears('* OK', 5000)));
  if (!greeted.every(Boolean))
    found.push(`${greeted.filter((one) => !one).length} of ${queued} who queued were not greeted`);
  for (const client of crowd) client.leave();
  found.push(...(await answered(clients)));
  servers.handshake.plan = () => ({ act: 'silent', identity: right });
  servers.login.plan = () => ({ act: 'serve', identity: right });
  total.stalls += 1;
  total.sessions += phases.length;
  return found;
}

/** Those who are served go on; those who waited for a server hear of it in time; nobody else is greeted. */
async function answered(clients) {
  const found = [];
  for (const name of ['login', 'relay']) {
    clients[name].say('b1 NOOP\r\n');
    if (!(await clients[name].hears('b1 OK', answerMs))) found.push(`the client in ${name} was cut off`);
  }
  for (const name of ['dial', 'handshake', 'prologue', 'greeting', 'refused']) {
    if (!(await clients[name].isOver(answerMs))) found.push(`the client in ${name} got no answer`);
    if (clients[name].text.startsWith('* OK')) found.push(`the client in ${name} was greeted`);
  }
  for (const client of Object.values(clients)) client.leave();
  return found;
}
