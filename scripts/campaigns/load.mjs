// Load and soak. Thousands of clients stay logged in, others come and go in every way sessions end, mail is carried both
// ways and checked by its hash, a flood drops connections as fast as it can, and one server's key turns in the middle of it
// all (load/turning.mjs). A real Dovecot is one of the servers, where it is installed. All of it is done by processes of their
// own (load/helper.mjs); the daemon is the one that was built, with the probe of the growth benchmark loaded, which tells its
// memory after a collection of garbage.
//
// What must hold: no client loses its session or waits longer than 5 s, each session ends with its client (load/checkpoint.mjs),
// each refusal is right and counted, nothing grows, and a good client is greeted during the flood. Latencies are figures.

import { pause } from '../benchmark/growth-world.mjs';
import { account } from './load/account.mjs';
import { checkpoint } from './load/checkpoint.mjs';
import { laterHalf, slope } from './load/trend.mjs';
import { Turning } from './load/turning.mjs';
import { World } from './load/world.mjs';

const mebibyte = 1_048_576;

/** From five minutes on, what a long soak is; before, what fits into a check of every change. */
const sizesOf = (seconds) =>
  seconds >= 300
    ? {
        idle: 5000,
        dovecot: 200,
        turning: 250,
        perSecond: 50,
        noops: 100,
        checkSeconds: 30,
        floodSeconds: 30,
        turns: 3,
        bulkBytes: 32 * mebibyte,
      }
    : {
        idle: 500,
        dovecot: 20,
        turning: 50,
        perSecond: 20,
        noops: 50,
        checkSeconds: 2,
        floodSeconds: 4,
        turns: 1,
        bulkBytes: 16 * mebibyte,
      };

/**
 * What may come on top in the later half: what is compiled late, how full the allocator's pages are, and that a thousand
 * connections which ended are remembered, in more words than those of a flood.
 */
const allowed = {
  heap: (bytes) => mebibyte + bytes / 50,
  rss: (bytes) => 8 * mebibyte + bytes / 25,
};

const floodPerSecond = 10_000;
/** A good client on the flooded port stands in a queue with the flood; on others it does not. */
const floodedMs = 15_000;
const atStart = 8;
const lastSeconds = 4;

const endings = (table) => Object.entries(table).map(([how, weight]) => ({ how, weight }));
const plainEndings = endings({ logout: 3, end: 2, reset: 2 });
const allEndings = endings({
  logout: 3,
  end: 2,
  reset: 2,
  'break off': 1,
  'server ends': 1,
  'server resets': 1,
  early: 1,
});

class Load {
  #world;
  #findings = new Set();
  #options;
  #sizes;
  #turning;
  #base = null;
  #points = [];
  #lag = 0;
  #flooded = null;

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

  /** The figures. */

  async run(until) {
    const { say } = this.#options;
    await this.#warmUp();
    await this.#ramp();
    say(`${this.#sizes.idle} clients stay`);
    await this.#flood();
    say(`flooded with ${Math.round(this.#flooded.perSecond)} connections a second`);
    const steadyMs = Math.max(until - performance.now() - lastSeconds * 1000, 10_000);
    await this.#steady(steadyMs);
    return this.#leave();
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

  async #flood() {
    const { helpers, routes } = this.#world;
    const { flooded, steady } = routes;
    const good = endings({ logout: 1 });
    const mix = [
      { ...flooded, weight: 1, endings: good, withinMs: floodedMs },
      { ...steady, weight: 1, endings: good, label: 'elsewhere' },
    ];
    const before = await this.#dialsAndClients();
    await helpers.fleeting.ask('start', { perSecond: 8, mix, seed: this.#options.seed });
    const { floodSeconds: seconds } = this.#sizes;
    const lag = this.#watchLag();
    const about = { port: flooded.port, perSecond: floodPerSecond, seconds };
    const made = await helpers.flood.ask('flood', about, seconds * 1000 + 30_000);
    const stuck = await helpers.fleeting.ask('pause', { withinMs: floodedMs + 5000 });
    if (stuck > 0) this.found(`${stuck} good clients were stuck behind a flood`);
    this.#flooded = { ...made, lag: await lag.end() };
    if (made.made < 100 * seconds) this.found(`the flood came to ${made.made} connections only`);
    const after = await this.#dialsAndClients();
    const [accepted, dialled] = [after.clients - before.clients, after.dials - before.dials];
    if (dialled > 200 + accepted / 10)
      this.found(`${accepted} connections that were dropped at once made ${dialled} to the server`);
    await this.#check('after the flood');
    await this.#everyone('after the flood');
  }

  async #dialsAndClients() {
    const metrics = await this.#world.metrics();
    const { endpoint, name } = this.#world.routes.flooded;
    return {
      dials: metrics.sum('letterlock_upstream_dials_total', { upstream: endpoint }),
      clients: metrics.sum('letterlock_client_connections_total', { route: name }),
    };
  }

  /** All at once, with a look at everything now and then. */
  async #steady(ms) {
    const since = performance.now();
    const plan = this.#plan(ms);
    this.#points = [];
    await this.#check('before all begins');
    await this.#begin();
    const lag = this.#watchLag();
    while (plan.length > 0 && !this.#options.signal.aborted) {
      const [{ at, act }] = plan.splice(0, 1);
      await pause(Math.max(0, at - (performance.now() - since)));
      await act(lag);
    }
    this.#lag = await lag.end();
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

  /** The longest hold of the daemon's event loop, by its own metrics, a second at a time. */
  #watchLag() {
    let longest = 0;
    let going = Promise.resolve();
    let timer = null;
    const read = async () => {
      const metrics = await this.#world.metrics();
      longest = Math.max(longest, metrics.sum('nodejs_eventloop_lag_max_seconds'));
    };
    const rest = async () => {
      clearInterval(timer);
      await going;
    };
    const go = () => {
      timer = setInterval(() => {
        going = read().catch(() => undefined);
      }, 1000);
    };
    go();
    return { rest, go, end: () => rest().then(() => longest * 1000) };
  }

  async #leave() {
    const { helpers, routes } = this.#world;
    await this.#everyone('in the end');
    const { open } = await helpers.idle.ask('tell');
    for (const name of Object.keys(open)) await helpers.idle.ask('leave', { name }, 60_000);
    await this.#checkpoint('when all had left');
    const [idle, fleeting, bulk] = await Promise.all(
      ['idle', 'fleeting', 'bulk'].map((name) => helpers[name].ask('tell')),
    );
    for (const fault of [idle, fleeting, bulk].flatMap(({ faults }) => faults)) this.found(fault);
    const metrics = await this.#world.metrics();
    for (const problem of account(metrics, { routes, idle, fleeting, bulk })) this.found(problem);
    const judged = this.#turning.judge(fleeting.told);
    for (const sentence of judged.wrong.slice(0, 5)) this.found(sentence);
    const trend = this.#trend();
    return this.#figures({ metrics, idle, fleeting, bulk, judged, trend });
  }

  /** What the line through the later half rises by in all of it. */
  #trend() {
    const later = laterHalf(this.#points);
    const [first, last] = [later[0], later.at(-1)];
    const seconds = (last.at - first.at) / 1000;
    const of = (what) => {
      const perSecond = slope(later.map((point) => ({ at: point.at / 1000, value: point[what] })));
      const most = allowed[what === 'rss' ? 'rss' : 'heap'](first[what]);
      if (perSecond * seconds > most)
        this.found(
          `${what} grew by ${kibibytes(perSecond)} KiB/s over the last ${Math.round(seconds)} s, in which ${last.ended - first.ended} sessions ended`,
        );
      return perSecond;
    };
    return { rss: of('rss'), heap: of('heapUsed') };
  }

  #figures({ metrics, idle, fleeting, bulk, judged, trend }) {
    const { dovecot } = this.#world.routes;
    const refused = Object.values(fleeting.counts).flatMap((counts) => Object.values(counts.refused));
    const [first, last] = [this.#points[0], this.#points.at(-1)];
    const { steady, flooded, elsewhere } = fleeting.greeting;
    return [
      ['idle sessions', this.#sizes.idle],
      ['with Dovecot', dovecot === undefined ? 'none, it is not installed' : this.#sizes.dovecot],
      ['sessions in all', metrics.sum('letterlock_client_connections_total')],
      ['RSS MiB first', mebibytes(first.rss)],
      ['last', mebibytes(last.rss)],
      ['RSS KiB/s in the later half', kibibytes(trend.rss)],
      ['heap KiB/s', kibibytes(trend.heap)],
      ['descriptors', last.descriptors],
      ['sockets', last.sockets ?? 'not counted'],
      ['for sessions', last.sessions],
      ['refused', refused.reduce((sum, count) => sum + count, 0)],
      ['had to be', judged.due],
      ['counted', metrics.sum('letterlock_refusals_total')],
      ['keys turned', this.#sizes.turns],
      ['transfers', bulk.transfers + bulk.mails],
      ['MiB checked', mebibytes(bulk.bytes + bulk.mailBytes)],
      ['NOOP ms', latency(idle.noop)],
      ['greeting ms', latency(steady)],
      ['dropped a second', Math.round(this.#flooded.perSecond)],
      ['dropped', this.#flooded.made],
      ['accepted', metrics.sum('letterlock_client_connections_total', { route: 'flooded' })],
      ['greeting ms behind them', latency(flooded)],
      ['beside them', latency(elsewhere)],
      ['longest hold ms then', Math.round(this.#flooded.lag)],
      ['else', Math.round(this.#lag)],
    ];
  }
}

const mebibytes = (bytes) => Math.round(bytes / mebibyte);
const kibibytes = (bytes) => (bytes / 1024).toFixed(1);
/** Median, 99th and 99.9th of a hundred, and the longest, of so many. */
const latency = (took) =>
  took === null || took === undefined
    ? 'none'
    : `${[took.p50, took.p99, took.p999, took.most].map((ms) => ms.toFixed(1)).join('/')} of ${took.count}`;

const planted = [
  {
    name: 'forgets no session whose client has gone',
    file: 'src/proxy/proxy.ts',
    find: '      this.#sessions.delete(session);\n',
    replace: '      if (!client.destroyed) this.#sessions.delete(session);\n',
  },
  {
    name: 'leaves the server’s side open when the client broke off',
    file: 'src/net/relay.ts',
    find: '    else reset(clientRaw, client);\n    reset(raw, upstream);\n',
    replace: "    else reset(clientRaw, client);\n    if (end.state !== 'broken') reset(raw, upstream);\n",
  },
  {
    name: 'keeps something of each session that was relayed',
    file: 'src/net/relay.ts',
    find: '    this.#doubt?.close();\n',
    replace: '',
  },
  {
    name: 'takes the verdict on a server that it reached a moment before',
    file: 'src/tofu.ts',
    find: '  judge(question: Question): Judged {\n    const judged = this.#judgeNow(question);\n',
    replace: `  readonly #lately = new Map<string, Judged>();
  judge(question: Question): Judged {
    const judged = this.#lately.get(question.endpoint.name) ?? this.#judgeNow(question);
    if (judged.verdict.accept && judged.verdict.basis === 'pin') this.#lately.set(question.endpoint.name, judged);
`,
  },
  {
    name: 'repeats a refusal after the key was approved',
    file: 'src/proxy/hold.ts',
    find: '    if (memory.era !== at.era) {\n',
    replace: '    if (memory.era !== at.era && at.now >= memory.until) {\n',
  },
  {
    name: 'dials for clients that left at once',
    file: 'src/proxy/session.ts',
    find: '    for (let turns = 0; turns < 2; turns += 1) await turn();\n',
    replace: '    if (this.desk.outdated) await turn();\n',
  },
];

async function run({ build, folder, seconds, seed, signal, say }) {
  const until = performance.now() + seconds * 1000;
  const world = new World();
  const load = new Load(world, { seconds, seed, signal, say });
  try {
    await world.open({ build, folder, sizes: load.sizes });
    if (world.dovecot === null && process.env.CI) load.found('Dovecot is not installed');
    return { figures: await load.run(until), findings: load.findings };
  } catch (error) {
    // What was found before it stopped is most likely why.
    load.found(`it could not go on: ${error.stack}`);
    return { figures: [], findings: load.findings };
  } finally {
    await world.close();
  }
}

export const campaign = {
  name: 'load',
  title: 'thousands of sessions, a key that turns, a flood',
  short: 30,
  long: 1800,
  planted,
  run,
};
