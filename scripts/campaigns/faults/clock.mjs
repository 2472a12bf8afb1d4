// The wall clock jumps, forward and back, by seconds and by decades, while letterlock runs and between two of its lives.
// Keys without an end stay what they are; what has an end has it; a rejected or unknown key is nobody's at any time; and with
// a clock that shows a time before letterlock was built nothing new is trusted.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeIdentity } from './certificates.mjs';
import { visit } from './client.mjs';
import { Post, secret } from './post.mjs';

const hour = 3600;
const year = 365 * 24 * hour;
const approvedFor = 2 * hour;
const jumps = [0, 3 * hour, 0, -20 * year, 10 * year, -hour, 8 * 24 * hour, 0];

export const clock = {
  name: 'clock',
  async run({ build, seconds, chance, folder, signal, say, shim }) {
    if (shim.object === null) return { figures: [['clock', 'skipped']], findings: [] };
    const end = performance.now() + seconds * 1000;
    const total = { jumps: 0, lives: 0, findings: [] };
    for (let round = 0; !signal.aborted && total.findings.length === 0; round += 1) {
      if (round > 0 && performance.now() > end) break;
      const world = new Jumping({ build, shim, chance, folder: join(folder, `clock-${round}`), total });
      try {
        await world.open();
        const own = round === 0 ? jumps : Array.from({ length: 12 }, () => drawn(chance));
        for (const [index, offset] of own.entries()) {
          if (signal.aborted || total.findings.length > 0 || (round > 0 && performance.now() > end)) break;
          const found = await world.jump(offset, { restarted: index % 3 === 2 });
          total.findings.push(...found.map((text) => `clock: ${offset} s (seed ${chance.seed}): ${text}`));
        }
        total.findings.push(...world.stolen());
      } finally {
        await world.close();
      }
    }
    say(`${total.jumps} jumps, ${total.findings.length} findings`);
    const figures = [
      ['jumps of the clock', total.jumps],
      ['restarts at another time', total.lives],
    ];
    return { figures, findings: total.findings };
  },
};

const drawn = (chance) =>
  Math.round((chance.next() < 0.5 ? -1 : 1) * 10 ** (chance.next() * 9)) * (chance.next() < 0.2 ? 0 : 1);

const port = 993;
const kinds = ['pinned', 'impostor', 'rejected', 'timed', 'retired', 'ca', 'ca-impostor'];

const make = (name, more = {}) => makeIdentity({ name, ...more });

class Jumping {
  #post;
  #total;
  #folder;
  #ports;
  #fresh = 0;
  #offset = 0;
  #keys;

  constructor({ build, shim, folder, total }) {
    this.#folder = folder;
    this.#post = new Post({ build, shim, folder });
    this.#total = total;
  }

  async open() {
    const { shown, letterlock } = this.#post;
    await this.#post.open();
    const authority = makeIdentity({ name: 'authority', authority: true });
    writeFileSync(join(this.#folder, 'ca.pem'), authority.cert);
    this.#keys = {
      pinned: make('pinned'),
      impostor: make('impostor'),
      rejected: make('rejected'),
      timed: make('timed'),
      retired: make('retired'),
      ca: make('ca', { issuer: authority }),
      'ca-impostor': make('ca-impostor'),
    };
    for (const name of kinds) shown.set(`${name}.faults.test`, this.#keys[name]);
    // What was known before somebody else came: these two are pinned, or CA-verified, first.
    shown.set('impostor.faults.test', make('before'));
    shown.set('ca-impostor.faults.test', make('before', { issuer: authority }));
    this.#configure();
    await this.#begin();
    for (const name of ['pinned', 'impostor', 'ca', 'ca-impostor']) await this.#known(name);
    for (const name of ['impostor', 'ca-impostor'])
      shown.set(`${name}.faults.test`, this.#post.impersonate(`${name}.faults.test`));
    await this.#order({ command: 'add', pin: this.#keys.rejected.spki }, 'rejected');
    await letterlock.reject(`rejected.faults.test:${port}`, this.#keys.rejected.spki);
    await this.#order({ command: 'add', pin: this.#keys.timed.spki, forMs: approvedFor * 1000 }, 'timed');
    await this.#order({ command: 'add', pin: this.#keys.retired.spki }, 'retired');
    // The other key stays for seven days.
    await this.#order({ command: 'add', pin: make('next').spki }, 'retired');
    const { spki } = make('later');
    await this.#order({ command: 'add', pin: spki }, 'retired');
    await letterlock.approve(`retired.faults.test:${port}`, spki);
  }

  async #order(words, name) {
    const answer = await this.#post.letterlock.command({
      endpoint: `${name}.faults.test:${port}`,
      forMs: null,
      unreject: false,
      ...words,
    });
    if (answer.status !== 200) throw new Error(`${name}: ${JSON.stringify(answer.body)}`);
  }

  async #known(name) {
    const { came } = await this.#visit(name);
    if (came !== 'served') throw new Error(`${name} was not served at first: ${came}`);
  }

  #configure() {
    const route = (name) => ({
      name,
      listen: '127.0.0.1:0',
      upstream: `tls://${name}.faults.test:${port}`,
      address: `127.0.0.1:${this.#post.server.port}`,
      trust: name.startsWith('ca') ? 'auto' : 'tofu',
    });
    const fresh = Array.from({ length: 16 }, (_, index) => `fresh-${index}`);
    for (const name of fresh) this.#post.shown.set(`${name}.faults.test`, makeIdentity({ name }));
    this.#post.letterlock.configure([...kinds, ...fresh].map(route), {
      caFile: join(this.#folder, 'ca.pem'),
    });
  }

  async #begin() {
    const { letterlock } = this.#post;
    letterlock.start();
    if (!(await letterlock.ready())) throw new Error(`it does not start: ${letterlock.said.slice(-300)}`);
    this.#ports = await letterlock.ports();
  }

  #visit(name) {
    return visit(this.#ports.get(name), { secret, ms: 5000 });
  }

  async jump(offset, { restarted }) {
    const { letterlock, plan } = this.#post;
    this.#total.jumps += 1;
    if (restarted) await letterlock.kill();
    plan.clock = offset;
    this.#offset = offset;
    if (restarted) {
      this.#total.lives += 1;
      await this.#begin();
    }
    const came = {};
    await Promise.all(kinds.map(async (name) => (came[name] = (await this.#visit(name)).came)));
    const { body } = await letterlock.ask('GET', '/v1/history');
    return [...this.#wrong(came, body), ...(await this.#firstUse()), ...(await this.#whole())];
  }

  #wrong(came, history) {
    const found = [];
    const never = (name) => {
      if (came[name] !== 'served') return;
      found.push(`${name} was served`);
    };
    for (const [name, one] of Object.entries(came)) if (one === 'late') found.push(`${name} got no answer`);
    for (const name of ['impostor', 'rejected', 'ca-impostor']) never(name);
    if (came.pinned !== 'served') found.push(`a pin without an end: ${came.pinned}`);
    if (this.#offset > approvedFor) never('timed');
    if (this.#offset > 8 * 24 * hour - 1) never('retired');
    const ended = new Set(history.filter(({ event }) => event === 'expired').map(({ spki }) => spki));
    for (const name of ['timed', 'retired']) if (ended.has(this.#keys[name].spki)) never(name);
    if (this.#offset === 0 && came.ca !== 'served') found.push(`a CA-verified server: ${came.ca}`);
    return found;
  }

  async #firstUse() {
    if (this.#fresh >= 16) return [];
    const { came } = await this.#visit(`fresh-${(this.#fresh += 1) - 1}`);
    if (this.#offset < -year && came === 'served') return ['a first use while the clock cannot be right'];
    if (this.#offset === 0 && came !== 'served') return [`a first use at the right time: ${came}`];
    return [];
  }

  /** Dates of audit entries need not rise, but pins and log have to agree and the chain to hold. */
  async #whole() {
    const found = await this.#post.examined({ announcements: 'later' });
    return this.#post.letterlock.isRunning ? found : ['it ended', ...found];
  }

  stolen() {
    return this.#post.stolen().map((text) => `clock: ${text}`);
  }

  close() {
    return this.#post.close();
  }
}
