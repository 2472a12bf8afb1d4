// SIGTERM in each phase of a session: who is served is let finish within shutdownSeconds, nobody else is let in, everything is
// over a moment later, the exit code is 0 and nothing stays behind. A second one ends at once. Signals while it starts.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, visit } from './client.mjs';
import { until } from './letterlock.mjs';
import { Phases, phases } from './phases.mjs';
import { secret } from './post.mjs';

const shutdownSeconds = 2;
const settings = {
  shutdownSeconds,
  limits: { dialSeconds: 10, handshakeSeconds: 10, greetingSeconds: 10 },
};
/** On top of what is promised; the machine may be busy. */
const slackMs = 6000;
const downloaded = 2 * 1024 * 1024;

export const signals = {
  name: 'signals',
  async run({ build, seconds, chance, folder, signal, say }) {
    const end = performance.now() + seconds * 1000;
    const total = { phases: 0, starts: 0, findings: [] };
    const world = await new Phases({ build, folder: join(folder, 'signals'), settings }).open();
    try {
      const rounds = [
        () => terminated(world, phases),
        () => hurried(world),
        ...chance.shuffled(phases).map((name) => () => terminated(world, [name])),
      ];
      for (let round = 0; !signal.aborted && total.findings.length === 0; round += 1) {
        if (round > 1 && performance.now() > end) break;
        const { what, entered, found } = await rounds[round % rounds.length]();
        total.phases += entered;
        total.findings.push(...found.map((text) => `signals: ${what}: ${text}`));
        total.findings.push(...(await whileStarting(world, { chance, total })));
      }
      total.findings.push(...world.stolen().map((text) => `signals: ${text}`));
      say(`${total.phases} sessions, ${total.findings.length} findings`);
    } finally {
      await world.close();
    }
    const figures = [
      ['sessions terminated', total.phases],
      ['signals at a start', total.starts],
    ];
    return { figures, findings: total.findings };
  },
};

async function terminated(world, wanted) {
  await world.start();
  const { letterlock } = world;
  const clients = await world.enter(wanted);
  // Begun before, and taken slowly enough not to be over at once.
  clients.relay?.say(`a2 XDOWN ${downloaded}\r\n`).socket.pause();
  const began = performance.now();
  letterlock.signal('SIGTERM');
  const found = [];
  await pause(300);
  const late = new Client(world.ports.get('good'));
  clients.relay?.socket.resume();
  if (clients.relay !== undefined && !(await clients.relay.hears('a2 OK sent', 5000)))
    found.push(`a transfer that was under way ended after ${clients.relay.text.length} bytes`);
  const { code, signal } = await letterlock.ended(15_000);
  const took = performance.now() - began;
  if (code !== 0) found.push(`it ended with ${code ?? signal}`);
  if (took > shutdownSeconds * 1000 + slackMs) found.push(`it took ${Math.round(took)} ms`);
  if (late.text !== '') found.push('a client that came after SIGTERM was served');
  late.leave();
  for (const [name, client] of Object.entries(clients)) {
    if (!(await client.isOver(3000))) found.push(`the client in ${name} is still connected`);
    if (!['login', 'relay'].includes(name) && client.text.startsWith('* OK') && name !== 'client-starttls')
      found.push(`the client in ${name} was greeted`);
    client.leave();
  }
  found.push(...leftBehind(letterlock));
  const what = `SIGTERM with a client in ${wanted.length === 1 ? wanted[0] : 'each phase'}`;
  return { what, entered: wanted.length, found: [...found, ...(await startsAgain(world))] };
}

function leftBehind({ socket, state }) {
  const left = [socket, join(state, 'holder'), join(state, 'pins.sock')].filter((path) => existsSync(path));
  return left.map((path) => `${path} was left behind`);
}

async function startsAgain(world) {
  await world.start();
  const { body } = await world.letterlock.ask('POST', '/v1/verify');
  const { came } = await visit(world.ports.get('good'), { secret });
  await world.letterlock.kill();
  return [
    ...(body.ok === true ? [] : [`afterwards the store does not verify: ${JSON.stringify(body)}`]),
    ...(came === 'served' ? [] : [`afterwards a client comes to ${came}`]),
  ];
}

async function hurried(world) {
  await world.start();
  const { letterlock } = world;
  const clients = await world.enter();
  letterlock.signal('SIGTERM');
  await pause(200);
  const began = performance.now();
  letterlock.signal('SIGTERM');
  const { code, signal } = await letterlock.ended(15_000);
  const found = [];
  if (code !== 1) found.push(`it ended with ${code ?? signal}, not 1`);
  if (performance.now() - began > 3000) found.push('it did not end at once');
  for (const [name, client] of Object.entries(clients)) {
    if (!(await client.isOver(3000))) found.push(`the client in ${name} is still connected`);
    client.leave();
  }
  return {
    what: 'a second SIGTERM',
    entered: phases.length,
    found: [...found, ...(await startsAgain(world))],
  };
}

/** SIGHUP asks for another reading of the configuration, whenever it comes; SIGTERM for an end. */
async function whileStarting(world, { chance, total }) {
  const { letterlock } = world;
  const found = [];
  for (const name of ['SIGHUP', 'SIGTERM']) {
    const ms = chance.below(name === 'SIGHUP' ? 150 : 500);
    letterlock.start();
    // Before a line of it has run, a signal is Node's.
    if (name === 'SIGHUP') await until('it to hear signals', () => hearsHangup(letterlock.child.pid));
    await pause(ms);
    letterlock.signal(name);
    total.starts += 1;
    const came = await (name === 'SIGHUP' ? letterlock.ready() : letterlock.ended().then(() => true));
    if (!came) found.push(`signals: ${name} ${ms} ms after the start ended it`);
    await letterlock.kill();
  }
  return found;
}

function hearsHangup(pid) {
  const [, caught] = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
  return caught !== undefined && (Number.parseInt(caught.slice(-1), 16) & 1) === 1;
}
