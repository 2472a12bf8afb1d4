// A disk that fails: each step by which a change of trust reaches it, one after the other, fails with an error of the system,
// once or from then on, and writes may be done half; then the same with each step of a start. Whoever was told yes must be
// right after a crash, an answer must come in any case, and once the disk is well again the next change succeeds.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { makeIdentity } from './certificates.mjs';
import { Post, unclear } from './post.mjs';
import { changes, reads, steps } from './shim.mjs';

const errors = ['EIO', 'ENOSPC', 'EROFS', 'EDQUOT'];
const routesOfALife = 24;
const faultsOfALife = 20;
/** However slow the machine is. */
const fewestFaults = 30;
const fewestStarts = 4;
/** A store that could not be read is looked at again after half a second, then after one. */
const recoveryMs = 5000;

export const disk = {
  name: 'disk',
  async run({ build, seconds, chance, folder, signal, say, shim }) {
    if (shim.object === null) return { figures: [['faulty steps', 'skipped']], findings: [] };
    const began = performance.now();
    const until = (part) => () => performance.now() - began < seconds * 1000 * part && !signal.aborted;
    const total = { faults: 0, starts: 0, refused: 0, findings: [] };
    const working = new Working({ build, shim, chance: chance.part('work'), folder: join(folder, 'disk') });
    try {
      await working.run(until(0.55), total);
    } finally {
      await working.close();
    }
    say(`${total.faults} failed steps of changes, ${total.findings.length} findings`);
    await failingStarts({ build, shim, chance: chance.part('start'), folder }, until(1), total);
    say(`${total.starts} failed steps of starts, ${total.findings.length} findings`);
    const figures = [
      ['failed steps of changes', total.faults],
      ['failed steps of starts', total.starts],
      ['starts refused', total.refused],
    ];
    return { figures, findings: total.findings };
  },
};

/** Changes of trust in a running letterlock while one of their steps fails. */
class Working {
  #post;
  #chance;
  #fresh = [];
  #known = [];
  #life = 0;
  /** How many steps each kind of change takes. */
  #lengths = new Map();
  #kinds = ['first use', 'add', 'reject', 'import', 'approve', 'touch'];

  constructor({ build, shim, chance, folder }) {
    this.#chance = chance;
    this.#post = new Post({ build, shim, folder });
  }

  async run(goesOn, total) {
    await this.#post.open();
    const faults = this.#faults();
    const isOver = () => total.findings.length > 0 || (total.faults >= fewestFaults && !goesOn());
    while (!isOver()) {
      await this.#begin(total);
      for (let fault = 0; fault < faultsOfALife && !isOver(); fault += 1) {
        total.findings.push(...(await this.#one(faults.next().value)));
        total.faults += 1;
      }
      total.findings.push(...this.#named(await this.#post.examined({ announcements: 'later' })));
      await this.#post.letterlock.kill();
    }
    await this.#begin(total);
    total.findings.push(...this.#named(this.#post.stolen()));
  }

  #named(found, what = `life ${this.#life}`) {
    return found.map((text) => `disk: ${what} (seed ${this.#chance.seed}): ${text}`);
  }

  async #again(what) {
    const found = [];
    await this.#begin({ findings: found });
    return found.map((text) => `${String(text)} (after ${what}, killed)`);
  }

  /** What was recorded by a life that failed in the middle is announced by the next. */
  async #begin(total) {
    const { letterlock, plan } = this.#post;
    plan.disarm();
    this.#life += 1;
    const kept = this.#chance.shuffled(this.#known).slice(0, 4);
    this.#fresh = this.#post.freshRoutes(routesOfALife, { kept });
    letterlock.start();
    if (await letterlock.ready()) total.findings.push(...this.#named(await this.#post.examined()));
    else total.findings.push(...this.#named([`it does not start: ${letterlock.said.slice(-400)}`]));
    for (const kind of this.#kinds)
      if (!this.#lengths.has(kind) && total.findings.length === 0) {
        plan.watch();
        const came = await this.#change(kind);
        this.#lengths.set(kind, Math.max(plan.count, 1));
        if (came !== 'done') total.findings.push(...this.#named([`${kind} on a good disk: ${came}`]));
      }
    plan.disarm();
  }

  /**
   * First the disk that takes nothing from the first, or the third, step of each kind on, and a machine that goes down with
   * it; then every step of every kind of change, with every error, in an order drawn by chance, again and again.
   */
  *#faults() {
    for (const at of [1, 3])
      for (const kind of this.#chance.shuffled(this.#kinds))
        yield { kind, at, error: 'EIO', sticky: true, torn: false, killed: true };
    for (;;) {
      const all = this.#kinds.flatMap((kind) =>
        Array.from({ length: this.#lengths.get(kind) ?? 8 }, (_, index) => ({ kind, at: index + 1 })),
      );
      for (const fault of this.#chance.shuffled(all)) {
        const sticky = this.#chance.next() < 0.4;
        yield {
          ...fault,
          error: this.#chance.pick(errors),
          sticky,
          torn: this.#chance.next() < 0.4,
          killed: sticky && this.#chance.next() < 0.5,
        };
      }
    }
  }

  async #one({ kind, ...fault }) {
    const { plan, letterlock } = this.#post;
    const what = `${kind}, step ${fault.at} ${fault.error}${fault.sticky ? ' and all after it' : ''}`;
    if (this.#fresh.length < 3) return [];
    plan.arm(fault);
    const came = await this.#change(kind);
    // Of two changes one after the other none may have been for nothing, when the machine goes down with its disk.
    if (fault.killed) {
      await this.#change(kind);
      await letterlock.kill();
      return came === 'late' ? this.#named(['no answer came'], what) : this.#again(what);
    }
    plan.disarm();
    if (!letterlock.isRunning) return this.#named([`it ended: ${letterlock.said.slice(-400)}`], what);
    if (came === 'late') return this.#named(['no answer came'], what);
    // The disk is well again: within seconds a change that needs it succeeds.
    const end = performance.now() + recoveryMs;
    let after = await this.#change('add');
    while (after !== 'done' && performance.now() < end) {
      await pause(50);
      after = await this.#change('add');
    }
    return after === 'done' ? [] : this.#named([`afterwards a change comes to ${after}`], what);
  }

  /** `done`, `refused`, or `late` when nobody answered. */
  #change(kind) {
    switch (kind) {
      case 'first use':
        return this.#firstUse();
      case 'add':
        return this.#ordered(this.#post.add(this.#someName(), makeIdentity().spki));
      case 'reject':
        return this.#rejection();
      case 'import':
        return this.#ordered(this.#post.import(this.#orders()));
      case 'approve':
        return this.#approval();
      case 'touch':
        return this.#revisit();
    }
    throw new TypeError(`no change is called ${kind}`);
  }

  async #firstUse() {
    const name = this.#fresh.pop();
    const { came } = await this.#post.visit(name);
    if (came === 'served') this.#known.push(name);
    return outcomeOf(came);
  }

  async #rejection() {
    const [name, { spki }] = [this.#someName(), makeIdentity()];
    const added = await this.#ordered(this.#post.add(name, spki));
    return added === 'done' ? this.#ordered(this.#post.reject(name, spki)) : added;
  }

  /** A key that was refused; a client that waits for the words takes too long. */
  async #approval() {
    const name = this.#someName();
    const endpoint = this.#post.endpoint(name);
    const { spki } = makeIdentity();
    await this.#ordered(this.#post.add(name, spki));
    const again = this.#post.letterlock.approve(endpoint, spki, { keep: true });
    return this.#ordered(this.#post.order(again, { trusted: [[endpoint, spki]] }));
  }

  async #revisit() {
    const name = this.#post.names.find((one) => this.#known.includes(one));
    if (name === undefined) return 'done';
    return outcomeOf((await this.#post.visit(name)).came);
  }

  async #ordered(asked) {
    const { status } = await asked;
    if (status === 200) return 'done';
    return status === 0 ? 'late' : 'refused';
  }

  #someName() {
    return this.#known.length === 0 ? 'first.faults.test' : this.#chance.pick(this.#known);
  }

  #orders() {
    return Array.from({ length: 6 }, () => {
      const { spki } = makeIdentity();
      return [`i${spki.slice(9, 24).toLowerCase().replaceAll(/\W/g, 'x')}.faults.test:993`, spki];
    });
  }

  close() {
    return this.#post.close();
  }
}

const outcomeOf = (came) => (came === 'served' ? 'done' : came === 'late' ? 'late' : 'refused');

const kindsOfStart = [
  { name: 'first start', first: true, mask: changes },
  { name: 'first start, reading', first: true, mask: reads },
  { name: 'start', first: false, mask: changes },
  { name: 'start, reading', first: false, mask: reads },
  { name: 'start, without descriptors', first: false, mask: reads | steps.open, error: 'EMFILE' },
];

/** One step of a start fails; then the disk is well, and it starts. */
async function failingStarts({ build, shim, chance, folder }, goesOn, total) {
  for (let round = 0; round < fewestStarts || goesOn(); round += 1) {
    if (total.findings.length > 0) return;
    const kind = kindsOfStart[round % kindsOfStart.length];
    const post = new Post({ build, shim, folder: join(folder, `start-${round}`) });
    try {
      await post.open();
      const found = await failingStart(post, { kind, chance, total });
      total.findings.push(
        ...found.map((text) => `disk: ${kind.name} (seed ${chance.seed}, ${round}): ${text}`),
      );
    } finally {
      await post.close();
    }
  }
}

async function failingStart(post, { kind, chance, total }) {
  const { letterlock, plan } = post;
  const [known = '', changed = ''] = post.freshRoutes(2, { settings: { shutdownSeconds: 1 } });
  if (!kind.first) {
    letterlock.start();
    if (!(await letterlock.ready())) return ['it does not start'];
    await post.visit(known);
    await post.visit(changed);
    await letterlock.kill();
    post.impersonate(changed);
  }
  plan.watch(kind.mask);
  const length = await lengthOfStart(post, kind);
  const at = 1 + chance.below(length);
  const fault = {
    mask: kind.mask,
    at,
    error: kind.error ?? chance.pick(errors),
    sticky: chance.next() < 0.5,
  };
  const what = `step ${at} of ${length} ${fault.error}${fault.sticky ? ' and all after it' : ''}`;
  plan.arm({ ...fault, torn: chance.next() < 0.3 });
  const found = await startedBadly(post, { kind, known, changed, total });
  plan.disarm();
  await letterlock.kill();
  letterlock.start();
  total.starts += 1;
  if (!(await letterlock.ready()))
    found.push(`afterwards it does not start any more: ${letterlock.said.slice(-300)}`);
  else {
    found.push(...(await post.examined()));
    const { came, text } = await post.visit(known);
    if (came !== 'served') found.push(`afterwards a client is not served: ${came} ${text}`);
  }
  await letterlock.kill();
  return [...found, ...post.stolen()].map((text) => `${what}: ${text}`);
}

/** Measured once for each kind, by a start that does nothing else; a first start leaves nothing behind. */
const lengths = new WeakMap();
async function lengthOfStart(post, kind) {
  if (lengths.has(kind)) return lengths.get(kind);
  const { letterlock, plan } = post;
  letterlock.start();
  await letterlock.ready();
  const { count } = plan;
  await letterlock.kill();
  if (kind.first) rmSync(letterlock.state, { recursive: true, force: true });
  lengths.set(kind, Math.max(count, 1));
  return lengths.get(kind);
}

async function startedBadly(post, { kind, known, changed, total }) {
  const { letterlock } = post;
  letterlock.start();
  if (!(await letterlock.ready())) {
    total.refused += 1;
    const why = unclear(await letterlock.ended(), letterlock.said);
    return why === null ? [] : [why];
  }
  const [right, wrong] = await Promise.all([
    post.visit(known, 4000),
    kind.first ? { came: 'refused' } : post.visit(changed, 4000),
  ]);
  const found = [];
  if (right.came === 'late' || right.came === 'broken')
    found.push(`a client got no answer: ${right.came} ${right.text}`);
  if (wrong.came === 'served') found.push('an impostor was served');
  return found;
}
