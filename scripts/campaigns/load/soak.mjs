// The load campaign from its beginning to its end: all come, a flood passes, then everything goes on at once, with a look at
// it now and then, until all leave. What is wrong is found by those who look; this says when.

import { pause } from '../../benchmark/growth-world.mjs';
import { account } from './account.mjs';
import { checkpoint } from './checkpoint.mjs';
import { figuresOf } from './figures.mjs';
import { flooded } from './flooding.mjs';
import { watchLag } from './lag.mjs';
import { allEndings, mebibyte, plainEndings, sizesOf } from './sizes.mjs';
import { trendOf } from './trend.mjs';
import { Turning } from './turning.mjs';

const atStart = 8;
const lastSeconds = 4;

export class Soak {
  #world;
  #findings = new Set();
  #options;
  #sizes;
  #turning;
  #base = null;
  #points = [];
  #lagMs = 0;

  constructor(world, options) {
    this.#world = world;
    this.#options = options;
    this.#sizes = sizesOf(options.seconds);
    this.#turning = new Turning(world, { found: this.found, stay: this.#sizes.turning });
  }

  get sizes() {
    return this.#sizes;
  }

  get findings() {
    return [...this.#findings];
  }

  found = (sentence) => void this.#findings.add(sentence);

  /** Until about then, by performance.now(); gives the figures. */
  async run(until) {
    const { say } = this.#options;
    await this.#warmUp();
    await this.#ramp();
    say(`${this.#sizes.idle} clients stay`);
    const { floodSeconds: seconds } = this.#sizes;
    const flood = await flooded(this.#world, { seconds, seed: this.#options.seed, found: this.found });
    say(`flooded with ${Math.round(flood.perSecond)} connections a second`);
    await this.#check('after the flood');
    await this.#everyone('after the flood');
    const steadyMs = Math.max(until - performance.now() - lastSeconds * 1000, 10_000);
    await this.#steady(steadyMs);
    return this.#leave(flood);
  }

  /** Its own descriptors are counted when everything has been used once. */
  async #warmUp() {
    const { helpers, routes } = this.#world;
    const { bulk } = routes;
    await helpers.bulk.ask('start', {
      port: bulk.port,
      bytesPerSecond: mebibyte,
      seed: 1,
      mailbox: this.#mailbox(),
    });
    await helpers.fleeting.ask('start', { perSecond: atStart, mix: this.#mix(), seed: 1 });
    await pause(1500);
    this.#base = await this.#checkpoint('at the start');
  }

  /** The last of them are opened by all who can. */
  async #ramp() {
    const { helpers, routes } = this.#world;
    const { idle, turning, dovecot } = this.#sizes;
    const stay = { turning, ...(routes.dovecot === undefined ? {} : { dovecot }) };
    const counts = { ...stay, steady: idle - Object.values(stay).reduce((sum, count) => sum + count, 0) };
    const within = this.#options.seconds * 1000;
    for (const [name, count] of Object.entries(counts)) {
      const { port, login, mailbox } = routes[name];
      const open = await helpers.idle.ask('open', { name, port, count, login, mailbox }, within);
      if (open !== count) this.found(`${open} of ${count} clients could stay with ${name}`);
    }
    await this.#check('when all had come');
  }

  /** All at once, with a look at everything now and then. */
  async #steady(ms) {
    const since = performance.now();
    const plan = this.#plan(ms);
    this.#points = [];
    await this.#check('before all begins');
    await this.#begin();
    const lag = watchLag(this.#world);
    while (plan.length > 0 && !this.#options.signal.aborted) {
      const [{ at, act }] = plan.splice(0, 1);
      await pause(Math.max(0, at - (performance.now() - since)));
      await act(lag);
    }
    this.#lagMs = await lag.end();
    await this.#check('at the end');
  }

  /** What is done, and when: milliseconds from the beginning. */
  #plan(ms) {
    const { checkSeconds, turns } = this.#sizes;
    const turning = this.#turning;
    const plan = [{ at: ms * 0.1, act: () => turning.approveHeld() }];
    for (let turn = 0; turn < turns; turn += 1) {
      const at = (share) => ((turn + share) * ms) / turns;
      plan.push({ at: at(0.25), act: () => turning.changeKey() });
      plan.push({ at: at(0.5), act: () => turning.approveKey() });
      plan.push({ at: at(0.7), act: () => turning.showOldKey() });
      plan.push({ at: at(0.8), act: () => turning.showNewKey() });
    }
    const looks = Math.floor(ms / 1000 / checkSeconds);
    for (let look = 1; look < looks; look += 1)
      plan.push({ at: (look * ms) / looks, act: (lag) => this.#look(lag) });
    return [...plan.toSorted((a, b) => a.at - b.at), { at: ms, act: () => undefined }];
  }

  /** The collection of garbage for it is no hold of the daemon's own. */
  async #look(lag) {
    await lag.rest();
    await this.#check('in the middle of it');
    lag.go();
    await this.#begin();
  }

  async #begin() {
    const { helpers, routes } = this.#world;
    const { perSecond, noops, bulkBytes } = this.#sizes;
    const seed = this.#options.seed + this.#points.length;
    await helpers.bulk.ask('start', {
      port: routes.bulk.port,
      bytesPerSecond: bulkBytes,
      seed,
      mailbox: this.#mailbox(),
    });
    await helpers.fleeting.ask('start', { perSecond, mix: this.#mix(), seed });
    await helpers.idle.ask('measure', { names: ['steady'], perSecond: noops, seed });
  }

  #mailbox() {
    const { dovecot } = this.#world.routes;
    return dovecot === undefined ? null : { port: dovecot.port, login: dovecot.login };
  }

  #mix() {
    const { steady, turning, held, dovecot } = this.#world.routes;
    return [
      { ...steady, weight: 10, endings: allEndings },
      { ...turning, weight: 5, endings: plainEndings, watched: true },
      { ...held, weight: 2, endings: plainEndings, watched: true },
      ...(dovecot === undefined ? [] : [{ ...dovecot, weight: 3, endings: plainEndings }]),
    ];
  }

  /** What the processes of clients tell; their faults are found. */
  async faults() {
    const { idle, fleeting, bulk } = this.#world.helpers;
    const all = await Promise.all([idle, fleeting, bulk].map((helper) => helper.ask('tell')));
    for (const fault of all.flatMap(({ faults }) => faults)) this.found(fault);
    return all;
  }

  async #check(when) {
    this.#points.push(await this.#checkpoint(when));
  }

  /** Once something was found, what else is wrong is not waited for. */
  #checkpoint(when) {
    const patienceMs = this.#findings.size > 0 ? 300 : 6000;
    return checkpoint(this.#world, { base: this.#base, found: this.found, when, patienceMs });
  }

  async #everyone(when) {
    const { idle } = this.#world.helpers;
    const { lost, open } = await idle.ask('tell');
    for (const name of Object.keys(open)) await idle.ask('everyone', { name }, 120_000);
    if (lost.length > 0) this.found(`${lost.length} idle sessions were lost ${when}, such as ${lost[0]}`);
  }

  async #leave(flood) {
    const { helpers, routes } = this.#world;
    await this.#everyone('in the end');
    const { open } = await helpers.idle.ask('tell');
    for (const name of Object.keys(open)) await helpers.idle.ask('leave', { name }, 60_000);
    await this.#checkpoint('when all had left');
    const [idle, fleeting, bulk] = await this.faults();
    const metrics = await this.#world.metrics();
    for (const problem of account(metrics, { routes, idle, fleeting, bulk })) this.found(problem);
    const judged = this.#turning.judge(fleeting.told);
    for (const sentence of judged.wrong.slice(0, 5)) this.found(sentence);
    const trend = {
      rss: trendOf(this.#points, { what: 'rss', found: this.found }),
      heap: trendOf(this.#points, { what: 'heapUsed', found: this.found }),
    };
    const seen = { points: this.#points, lagMs: this.#lagMs, flood, judged, trend };
    return figuresOf({ ...seen, world: this.#world, sizes: this.#sizes, metrics, idle, fleeting, bulk });
  }
}
