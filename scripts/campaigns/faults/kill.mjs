// Killed at any moment: while it starts, makes first uses, takes orders, imports and reloads. Half of the moments are
// drawn by the clock, half are steps on the disk, of which the last may be done half. Each life begins with the state the
// one before left, and with a look at all of it.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { makeIdentity } from './certificates.mjs';
import { Client } from './client.mjs';
import { Letterlock } from './letterlock.mjs';
import { MailServer } from './servers.mjs';
import { Plan } from './shim.mjs';
import { examined, Promised } from './trust.mjs';

const port = 993;
const freshNames = 5;
const livesOfAState = 25;
const mostLives = 500;
/** However slow the machine is. */
const fewestLives = 12;

export const kill = {
  name: 'kill',
  async run({ build, seconds, chance, folder, signal, say, shim }) {
    const end = performance.now() + seconds * 1000;
    const goesOn = (lives) => !signal.aborted && (lives < fewestLives || performance.now() < end);
    const total = { lives: 0, promises: 0, changes: 0, findings: [] };
    for (let state = 0; goesOn(total.lives) && total.lives < mostLives; state += 1) {
      if (total.findings.length > 0) break;
      const lineage = new Lineage({ build, shim, chance, folder: join(folder, `kill-${state}`) });
      try {
        await lineage.live(Math.min(livesOfAState, mostLives - total.lives), (lives) =>
          goesOn(total.lives + lives),
        );
      } finally {
        await lineage.close();
      }
      total.lives += lineage.lives;
      total.promises += lineage.promised.count;
      total.changes += lineage.changes;
      total.findings.push(...lineage.findings);
      say(`${total.lives} kills, ${total.findings.length} findings`);
    }
    const figures = [
      ['kills', total.lives],
      ['changes kept', total.changes],
      ['promises kept', total.promises],
    ];
    return { figures, findings: total.findings };
  },
};

/** One state directory and the processes that have it one after the other. */
class Lineage {
  findings = [];
  lives = 0;
  changes = 0;
  promised = new Promised();
  #chance;
  #letterlock;
  #plan;
  #server;
  #folder;
  /** The key each name shows. */
  #shown = new Map();
  /** Keys that nobody ever trusted. */
  #impostors = new Set();
  /** Names of which a key is trusted. */
  #settled = new Set();
  #names = 0;
  #life = new AbortController();

  constructor({ build, shim, chance, folder }) {
    this.#chance = chance;
    this.#folder = folder;
    const state = join(folder, 'state');
    this.#letterlock = new Letterlock({ build, folder, plan: null, state });
    if (shim.object !== null) {
      this.#plan = new Plan({ object: shim.object, file: join(folder, 'plan'), under: state });
      this.#letterlock.plan = this.#plan;
    }
    this.#server = new MailServer(({ name }) => ({
      act: 'serve',
      identity: this.#shown.get(name) ?? this.#strange(name),
    }));
  }

  /** A connection may ask for no name at all, or one that went. */
  #strange(name) {
    const identity = makeIdentity({ name: 'nobody' });
    this.#impostors.add(identity.spki);
    this.#shown.set(name, identity);
    return identity;
  }

  async live(lives, goesOn) {
    await this.#server.listen();
    for (let life = 0; life < lives && goesOn(life); life += 1) {
      await this.#oneLife(life);
      this.lives += 1;
      if (this.findings.length > 0) return;
    }
    await this.#lookAtTheEnd();
  }

  async #oneLife(life) {
    const letterlock = this.#letterlock;
    const routes = this.#newRoutes();
    letterlock.configure(routes);
    const how = this.#drawn();
    if (how.at === 'start' && how.step !== null) this.#plan.arm({ ...how, at: how.step, error: 'KILL' });
    letterlock.start();
    this.#life = new AbortController();
    // What is looked at must hold still; whoever comes while it starts is looked at in the next life.
    if (how.at === 'work' && (await this.#isReady(life))) {
      this.findings.push(...(await this.#examined(life)));
      if (how.step !== null) this.#plan.arm({ ...how, at: how.step, error: 'KILL' });
    }
    const busy = this.#drive(routes);
    await Promise.race([letterlock.ended(60_000).catch(() => undefined), this.#moment(how)]);
    await letterlock.kill();
    this.#life.abort();
    this.#plan?.disarm();
    await busy;
  }

  /** By the clock, or a moment after so many changes were announced: a busy machine gets as far as an idle one. */
  async #moment({ ms, changes }) {
    if (changes === null) return pause(ms);
    const { lifeBegan, log } = this.#letterlock;
    const end = performance.now() + 2000;
    const announced = () => log.slice(lifeBegan).filter(({ event }) => event === 'pin-changed').length;
    while (announced() < changes && performance.now() < end && this.#letterlock.isRunning) await pause(2);
    return pause(ms);
  }

  #drawn() {
    const chance = this.#chance;
    const at = chance.next() < 0.25 ? 'start' : 'work';
    const byStep = this.#plan !== undefined && chance.next() < 0.5;
    const torn = chance.next() < 0.5;
    const step = 1 + chance.below(at === 'start' ? 40 : 60);
    const changes = at === 'start' || byStep ? null : chance.below(40);
    const ms = byStep ? 1000 : chance.below(at === 'start' ? 500 : 20);
    return { at, ms, changes, torn, step: byStep ? step : null };
  }

  async #isReady(life) {
    if (await this.#letterlock.ready()) return true;
    const { code, signal } = await this.#letterlock.ended();
    this.findings.push(
      `kill: life ${life} does not start after the last was killed: ${code ?? signal} ${this.#letterlock.said.slice(-400)}`,
    );
    return false;
  }

  async #examined(life) {
    const found = await examined(this.#letterlock, { promised: this.promised });
    return found.map((text) => `kill: life ${life} (seed ${this.#chance.seed}): ${text}`);
  }

  async #lookAtTheEnd() {
    this.#letterlock.configure(this.#newRoutes());
    this.#letterlock.start();
    if (!(await this.#isReady(this.lives))) return;
    this.findings.push(...(await this.#examined(this.lives)));
    const { body } = await this.#letterlock.ask('GET', '/v1/history');
    this.changes = Array.isArray(body) ? body.length : 0;
    const stolen = this.#server.heardBy((spki) => this.#impostors.has(spki));
    for (const { name } of stolen)
      this.findings.push(`kill: an impostor of ${name} heard what a client said`);
  }

  /** Some that nobody knows, and some that are known: of these one is an impostor's in this life, and others have new keys. */
  #newRoutes() {
    const fresh = Array.from({ length: freshNames }, () => `n${(this.#names += 1)}.faults.test`);
    const old = this.#chance.shuffled([...this.#settled]).slice(0, 4);
    for (const name of [...fresh, ...old]) this.#shown.set(name, makeIdentity({ name }));
    const [impersonated] = old;
    if (impersonated !== undefined) this.#impostors.add(this.#shown.get(impersonated).spki);
    return [...fresh, ...old].map((name) => ({
      name,
      listen: `unix:${join(this.#folder, name)}`,
      // Of no protocol: who is refused is reset at once, and need not be said goodbye to.
      upstream: `tls://${name}:${port}`,
      address: `127.0.0.1:${this.#server.port}`,
      trust: 'tofu',
    }));
  }

  /** All that goes on at once, until the life is over. */
  async #drive(routes) {
    const { signal } = this.#life;
    const again = async (work, ms) => {
      while (!signal.aborted) {
        await work().catch((error) => this.findings.push(`kill: ${error.stack}`));
        await pause(ms, null, { signal }).catch(() => undefined);
      }
    };
    const rounds = { client: 0 };
    await Promise.all([
      ...Array.from({ length: 3 }, () =>
        again(() => this.#connect(routes[(rounds.client += 1) % routes.length]), 4),
      ),
      again(() => this.#add(), 10),
      again(() => this.#replace(this.#someName()), 15),
      again(() => this.#import(), 40),
      again(() => this.#reload(routes), 50),
    ]);
  }

  async #connect({ name, listen }) {
    const client = new Client(listen.slice('unix:'.length));
    const { spki } = this.#shown.get(name);
    const greeted = await client.hears('* OK', 300);
    // What a client was greeted on is trusted, and has to stay so.
    if (greeted) {
      this.promised.trusted(`${name}:${port}`, spki, 'served');
      this.#settled.add(name);
    }
    client.say('a1 LOGIN me secret\r\n');
    if (greeted) await client.hears('a1 OK', 300);
    client.leave();
  }

  #someName() {
    return this.#settled.size === 0 ? null : this.#chance.pick([...this.#settled]);
  }

  async #add() {
    const name = this.#someName();
    if (name === null) return;
    const [endpoint, { spki }] = [`${name}:${port}`, makeIdentity()];
    const pin = { command: 'add', endpoint, pin: spki, forMs: null, unreject: false };
    const added = await this.#letterlock.command(pin);
    if (added.status !== 200) return;
    this.promised.trusted(endpoint, spki, 'added');
    if (this.#chance.next() < 0.5) return;
    // It may be written and its answer be lost.
    this.promised.unsure(endpoint, spki);
    const { status } = await this.#letterlock.reject(endpoint, spki);
    if (status === 200) this.promised.rejected(endpoint, spki);
  }

  /** A key that was refused is approved. */
  async #replace(name) {
    if (name === null) return;
    const { body } = await this.#letterlock.ask('GET', `/v1/pins/${encodeURIComponent(`${name}:${port}`)}`);
    const candidate = body.candidates?.find(({ spki }) => !this.#impostors.has(spki));
    if (candidate === undefined) return;
    const { status } = await this.#letterlock.approve(`${name}:${port}`, candidate.spki);
    if (status === 200) this.promised.trusted(`${name}:${port}`, candidate.spki, 'approved');
  }

  async #import() {
    const orders = Array.from({ length: 12 }, (_, index) => [
      `i${(this.#names += 1)}-${index}.faults.test:${port}`,
      makeIdentity().spki,
    ]);
    const { status, body } = await this.#letterlock.import(orders);
    if (status !== 200 || !body.applied) return;
    for (const [endpoint, spki] of orders) this.promised.trusted(endpoint, spki, 'imported');
  }

  async #reload(routes) {
    const some = routes.filter(() => this.#chance.next() < 0.8);
    this.#letterlock.configure(some.length === 0 ? routes : some);
    if (this.#chance.next() < 0.5 && this.#letterlock.entries.some(({ event }) => event === 'ready'))
      this.#letterlock.signal('SIGHUP');
    else await this.#letterlock.ask('POST', '/v1/reload');
    this.#letterlock.configure(routes);
  }

  async close() {
    this.#life.abort();
    await this.#letterlock.kill();
    await this.#server.close();
    this.#plan?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
