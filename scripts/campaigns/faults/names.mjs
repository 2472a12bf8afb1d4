// Name look-ups that fail, come late, never come, or say something else each time: a client is told in time, other names
// are not held up, and wherever a name leads, only the key that is known is served.

import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { makeIdentity } from './certificates.mjs';
import { visit } from './client.mjs';
import { until } from './letterlock.mjs';
import { Post, secret } from './post.mjs';
import { MailServer } from './servers.mjs';

const dialMs = 2000;
/** A refusal is repeated from memory for so long. */
const holdMs = 2500;
const promptMs = 2500;
const elsewhere = '127.0.0.2';

export const names = {
  name: 'names',
  async run({ build, seconds, folder, signal, say, shim, chance }) {
    if (shim.object === null) return { figures: [['names', 'skipped']], findings: [] };
    const end = performance.now() + seconds * 1000;
    const total = { visits: 0, findings: [] };
    const world = await new Names({ build, shim, folder: join(folder, 'names'), total }).open();
    try {
      const rounds = ['failing', 'slow', 'hanging', 'moving', 'many'];
      const order = [...rounds, ...chance.shuffled(rounds)];
      for (let round = 0; !signal.aborted && total.findings.length === 0; round += 1) {
        if (round >= rounds.length && performance.now() > end) break;
        const name = order[round % order.length];
        total.findings.push(...(await world[name]()).map((text) => `names: ${name}: ${text}`));
      }
      total.findings.push(...world.stolen().map((text) => `names: ${text}`));
      say(`${total.visits} visits, ${total.findings.length} findings`);
    } finally {
      await world.close();
    }
    return { figures: [['visits by broken names', total.visits]], findings: total.findings };
  },
};

const route = (name, port, more = {}) => ({
  name,
  listen: '127.0.0.1:0',
  upstream: `tls://${name}.faults.test:${port}`,
  trust: 'tofu',
  ...more,
});

class Names {
  #post;
  #total;
  /** Who answers at the other address: nobody who is trusted. */
  #other;
  /** At the usual address alone. */
  #alone;
  #right = makeIdentity({ name: 'right' });
  #impostor = makeIdentity({ name: 'impostor' });
  #ports;

  constructor({ build, shim, folder, total }) {
    this.#post = new Post({ build, shim, folder });
    this.#post.impostors.add(this.#impostor.spki);
    this.#total = total;
  }

  async open() {
    const { letterlock, server } = this.#post;
    await this.#post.open();
    server.plan = () => ({ act: 'serve', identity: this.#right });
    this.#other = await new MailServer(() => ({ act: 'serve', identity: this.#impostor })).listen(
      elsewhere,
      server.port,
    );
    this.#alone = await new MailServer(server.plan).listen();
    const all = ['calm', 'failing', 'slow', 'hanging', 'moving'].map((name) => route(name, server.port));
    letterlock.configure([...all, route('many', this.#alone.port)], {
      limits: { dialSeconds: dialMs / 1000 },
    });
    letterlock.start();
    if (!(await letterlock.ready())) throw new Error(`letterlock does not start: ${letterlock.said}`);
    this.#ports = await letterlock.ports();
    return this;
  }

  /** `came` and how long it took. */
  async #visit(name, ms = 10_000) {
    const began = performance.now();
    this.#total.visits += 1;
    const { came } = await visit(this.#ports.get(name), { secret, ms });
    return { came, ms: performance.now() - began };
  }

  async #isKnown(name) {
    this.#post.plan.names('asIs');
    const { came } = await this.#visit(name);
    return came === 'served' ? [] : [`with an address: ${came}`];
  }

  async failing() {
    const found = await this.#isKnown('failing');
    for (const mode of ['again', 'unknown', 'broken']) {
      this.#post.plan.names(mode);
      const [failed, calm] = await Promise.all([this.#visit('failing'), this.#visit('calm')]);
      if (failed.came === 'served' || failed.came === 'late') found.push(`${mode}: ${failed.came}`);
      if (failed.ms > dialMs + 2000) found.push(`${mode}: told after ${Math.round(failed.ms)} ms`);
      if (calm.came !== 'served') found.push(`${mode}: another name: ${calm.came}`);
    }
    return [...found, ...(await this.#isKnown('failing'))];
  }

  async slow() {
    const found = await this.#isKnown('slow');
    this.#post.plan.names('slow', 400);
    const little = await this.#visit('slow');
    if (little.came !== 'served' || little.ms < 400)
      found.push(`400 ms late: ${little.came} after ${little.ms}`);
    this.#post.plan.names('slow', dialMs + 1500);
    const [much, calm] = await Promise.all([this.#visit('slow'), this.#visit('calm')]);
    if (much.came === 'served' || much.ms > dialMs + 2000)
      found.push(`too late: ${much.came} after ${Math.round(much.ms)} ms`);
    if (calm.came !== 'served' || calm.ms > promptMs)
      found.push(`another name: ${calm.came} after ${Math.round(calm.ms)} ms`);
    await pause(2000);
    return [...found, ...(await this.#isKnown('slow'))];
  }

  /** Many clients of one name that hangs must not stand before those of others. */
  async hanging() {
    const found = await this.#isKnown('hanging');
    this.#post.plan.names('hangs');
    const stuck = Array.from({ length: 30 }, () => this.#visit('hanging'));
    await pause(100);
    const calm = await this.#visit('calm');
    if (calm.came !== 'served' || calm.ms > promptMs)
      found.push(`another name: ${calm.came} after ${Math.round(calm.ms)} ms`);
    for (const { came, ms } of await Promise.all(stuck))
      if (came === 'served' || came === 'late' || ms > dialMs + 2500)
        found.push(`a client came to ${came} after ${Math.round(ms)} ms`);
    this.#post.plan.names('asIs');
    const again = () => this.#visit('hanging').then(({ came }) => came === 'served');
    await until('a name that hung to be looked up again', again, 20_000).catch((error) =>
      found.push(error.message),
    );
    return found;
  }

  /** The name leads to somebody else, then back. */
  async moving() {
    const found = await this.#isKnown('moving');
    for (const mode of ['moved', 'both']) {
      this.#post.plan.names(mode);
      const away = await this.#visit('moving');
      if (away.came === 'served' || away.came === 'late') found.push(`${mode}: ${away.came}`);
      await pause(holdMs * (mode === 'moved' ? 1 : 2));
      found.push(...(await this.#isKnown('moving')));
    }
    return found;
  }

  /** The first of two addresses answers to nobody. */
  async many() {
    const found = await this.#isKnown('many');
    this.#post.plan.names('both');
    const { came } = await this.#visit('many');
    if (came !== 'served') found.push(`with a dead address before the right one: ${came}`);
    return found;
  }

  stolen() {
    return this.#other
      .heardBy(() => true)
      .map(({ text }) => `an impostor at another address heard ${JSON.stringify(text)}`);
  }

  async close() {
    this.#post.plan.names('asIs');
    await this.#post.close();
    await Promise.all([this.#other?.close(), this.#alone?.close()]);
  }
}
