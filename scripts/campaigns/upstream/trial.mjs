// A batch of scripts against letterlock: good sessions where there has to be a record, then all scripts, many at a time and
// each followed by a good session elsewhere, then a good session on each of their own routes. One daemon has all routes.

import { setTimeout as delay } from 'node:timers/promises';
import { Letterlock } from './letterlock.mjs';
import { anySecret } from './mail-client.mjs';
import { judgeCounters, judgeVisits, late } from './oracle.mjs';
import { goodSteps, pairs, script } from './script.mjs';
import { Resolver } from './resolver.mjs';
import { look } from './sight.mjs';
import { Stage } from './stage.mjs';
import { inTurns } from './turns.mjs';
import { judgeWarm } from './warm-oracle.mjs';

const atOnce = 48;
const fewAtOnce = 16;
/** A refusal is repeated from memory for so long; a good session on the same route has to wait for its end. */
const holdMs = 2100;
/** How much the daemon may grow while it is attacked, and what of it may stay, MiB. */
const mostGrowth = { peak: 256, after: 128 };

/** Where in a log a byte stands that a terminal would obey: a control, or the beginning of a bidirectional one; or -1. */
function escapeIn(log) {
  for (let at = 0; at < log.length; at += 1) {
    const code = log.charCodeAt(at);
    if ((code < 0x20 && code !== 0x0a) || code === 0x7f) return at;
    if (code === 0xe2 && /^\u00e2\u0080[\u00aa-\u00ae]/.test(log.slice(at, at + 3))) return at;
  }
  return -1;
}

const goodScript = (pair) =>
  script({
    kind: 'good',
    name: 'a good server',
    ...pair,
    steps: goodSteps(pair.protocol, pair.mode),
    ends: 'accept',
  });

export class Trial {
  findings = [];
  /** Milliseconds of each good session elsewhere. */
  nextMs = [];
  memory = { before: 0, peak: 0, after: 0 };
  /** That the resolver was asked. */
  questions = 0;
  stages;
  #good;
  #letterlock;
  #tools;

  /** `tools`: authority, read (of the build), build, folder, signal. */
  constructor(scripts, tools) {
    this.#tools = tools;
    this.#letterlock = new Letterlock(tools);
    const about = { identities: tools.authority.identities, tags: this.#letterlock.tags };
    this.stages = scripts.map((one, index) => new Stage(`s${index}`, one, about));
    this.#good = pairs.map(
      (pair) => new Stage(`good-${pair.protocol}-${pair.mode}`, goodScript(pair), about),
    );
  }

  async run() {
    const { signal, authority } = this.#tools;
    const all = [...this.stages, ...this.#good];
    const aborted = () => this.#letterlock.endAtOnce();
    const byName = new Map(all.map((stage) => [stage.name, stage]));
    const { identities } = authority;
    const resolver = new Resolver({ zoneOf: (name) => byName.get(name)?.zone ?? null, identities });
    signal.addEventListener('abort', aborted, { once: true });
    try {
      await resolver.open();
      for (const stage of all) await stage.open();
      await this.#letterlock.start(all, { ...authority, resolver: resolver.port });
      for (const phase of [
        () => this.#learn(),
        () => this.#attack(),
        () => this.#afterwards(),
        () => this.#again(),
      ])
        if (!signal.aborted) await phase();
      if (!signal.aborted) this.#judgeProcess();
    } catch (error) {
      // Whoever is ended in the middle breaks off somewhere.
      if (!signal.aborted) throw error;
    } finally {
      signal.removeEventListener('abort', aborted);
      await this.#letterlock.end();
      this.questions = resolver.asked;
      resolver.close();
      for (const stage of all) stage.close();
    }
  }

  #found(stage, sentences) {
    this.findings.push(...sentences.map((words) => `${stage.script.title ?? stage.name}: ${words}`));
  }

  #each(stages, width, work) {
    return inTurns(stages, width, {
      signal: this.#tools.signal,
      work: (stage) => work(stage, this.#letterlock.port(stage)),
    });
  }

  /** A good session of each kind, which loads what is loaded late, and where a script needs a record. */
  async #learn() {
    const learners = this.stages.filter((stage) => stage.script.learns);
    await this.#each([...this.#good, ...learners], fewAtOnce, async (stage, port) => {
      const { end } = await stage.learn(port);
      if (end !== 'served') this.#found(stage, [`the good session before it: ${end}`]);
    });
  }

  async #attack() {
    const before = await this.#letterlock.quiet(5000);
    const watch = this.#watchMemory();
    try {
      await this.#each(this.stages, atOnce, async (stage, port) => {
        await stage.play(port);
        await this.#next(stage);
      });
      if (this.#tools.signal.aborted) return;
      const after = await this.#letterlock.quiet(15_000);
      for (const stage of this.stages) this.#judge(stage, { before, after });
    } finally {
      watch.end();
    }
  }

  #watchMemory() {
    this.memory.before = this.#letterlock.memory;
    const timer = setInterval(() => {
      if (this.#letterlock.ended === null)
        this.memory.peak = Math.max(this.memory.peak, this.#letterlock.memory);
    }, 50);
    return { end: () => clearInterval(timer) };
  }

  /** The next good session, of the same kind on another route. */
  async #next({ script: { protocol, mode, title } }) {
    const next = this.#good.find((one) => one.script.protocol === protocol && one.script.mode === mode);
    const { end, ms } = await next.learn(this.#letterlock.port(next));
    this.nextMs.push(ms);
    if (end !== 'served')
      this.findings.push(`${title}: the next good session elsewhere: ${end} after ${Math.round(ms)} ms`);
  }

  #judge(stage, { before, after }) {
    const { read } = this.#tools;
    const rows = { before: before.get(stage.name) ?? {}, after: after.get(stage.name) ?? {}, read };
    const judged = stage.script.fills === null ? judgeVisits(stage, read) : judgeWarm(stage, read);
    stage.findings = [...judged, ...judgeCounters(stage, rows)];
    stage.sight = look(stage);
    this.#found(
      stage,
      stage.findings.filter((words) => !words.startsWith(late)),
    );
  }

  /** The same route, with a good server behind it. */
  async #afterwards() {
    await delay(holdMs);
    const stages = this.stages.filter((stage) => stage.script.after === 'same');
    await this.#each(stages, fewAtOnce, async (stage, port) => {
      const { end, heard } = await stage.after(port);
      if (end !== 'served')
        this.#found(stage, [
          `the next good session on the same route: ${end} ${JSON.stringify(heard.toString('latin1').slice(0, 200))}`,
        ]);
    });
  }

  /** What was late, alone: a busy machine is no finding. */
  async #again() {
    const slow = this.stages.filter(
      (stage) => stage.findings?.some((words) => words.startsWith(late)) && !stage.script.learns,
    );
    this.lateOnce = slow.length;
    if (slow.length > 0) await delay(holdMs);
    await this.#each(slow, 4, async (stage, port) => {
      await stage.replay(port);
      this.#found(
        stage,
        judgeVisits(stage, this.#tools.read).filter((words) => words.startsWith(late)),
      );
    });
  }

  #judgeProcess() {
    const { before, peak } = this.memory;
    const letterlock = this.#letterlock;
    if (letterlock.ended !== null)
      return void this.findings.push(`letterlock ended by itself: ${letterlock.ended}`);
    this.memory.after = letterlock.memory;
    const grown = { peak: (peak - before) / 1024, after: (this.memory.after - before) / 1024 };
    for (const [when, most] of Object.entries(mostGrowth))
      if (grown[when] > most)
        this.findings.push(`memory grew by ${Math.round(grown[when])} MiB (${when}), ${most} at most`);
    const { log } = letterlock;
    if (anySecret.test(log)) this.findings.push('a password stands in the log');
    const escape = escapeIn(log);
    if (escape >= 0)
      this.findings.push(
        `a control character stands in the log: ${JSON.stringify(log.slice(Math.max(0, escape - 80), escape + 20))}`,
      );
  }
}
