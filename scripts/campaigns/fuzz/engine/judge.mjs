// Runs one input and says what is wrong with what came of it: a rule that breaks, anything else that is thrown, too
// long a time. Each kind is kept once, as small as it can be made.

import { performance } from 'node:perf_hooks';
import { Broken } from './broken.mjs';
import { minimised } from './minimise.mjs';

const mostFindings = 4;
const mostRssBytes = 700 * 1024 * 1024;
/** Enough for anything that goes through its input once, on a slow machine. */
const usualMs = (length) => 150 + length / 20;

export class Judge {
  #target;
  #now;
  #signal;
  findings = [];
  executions = 0;
  slowest = { ms: 0, bytes: 0 };

  /** `now(bytes)` is called before each run. */
  constructor(target, { now, signal }) {
    this.#target = target;
    this.#now = now;
    this.#signal = signal;
  }

  get isOver() {
    return this.findings.length >= mostFindings || this.#signal.aborted;
  }

  /** Whether it is as it should be. */
  async run(bytes) {
    this.executions += 1;
    this.#now(bytes);
    const from = performance.now();
    const error = await this.errorOf(bytes);
    const took = performance.now() - from;
    if (error !== null) await this.#found(bytes, error);
    else if (took > this.#most(bytes)) await this.#slow(bytes);
    else this.#note(took, bytes);
    return error === null;
  }

  async errorOf(bytes) {
    try {
      // A copy: what wipes its input must not wipe anybody else's.
      await this.#target.run(Buffer.from(bytes));
      return null;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  async kindOf(bytes) {
    const error = await this.errorOf(bytes);
    return error === null ? null : kindOf(error);
  }

  watchMemory(inputs) {
    const rss = process.memoryUsage.rss();
    if (rss < mostRssBytes || this.findings.some(({ kind }) => kind === 'memory')) return;
    const [bytes] = inputs.toSorted((one, other) => other.length - one.length);
    const what = `the process has ${Math.round(rss / 1024 / 1024)} MiB after this or one run with it`;
    this.findings.push({ kind: 'memory', what, at: null, bytes });
  }

  #most = (bytes) => (this.#target.mostMs ?? usualMs)(bytes.length);

  #note(ms, bytes) {
    if (ms > this.slowest.ms) this.slowest = { ms, bytes: bytes.length };
  }

  /** The least of several, in CPU time: a busy machine is no finding. */
  async #slow(bytes) {
    const most = this.#most(bytes);
    let least = Infinity;
    for (let again = 0; again < 3 && least > most; again += 1) {
      const from = process.cpuUsage();
      await this.errorOf(bytes);
      const { user, system } = process.cpuUsage(from);
      least = Math.min(least, (user + system) / 1000);
    }
    if (least <= most) return this.#note(least, bytes);
    const what = `it takes ${Math.round(least)} ms of CPU for ${bytes.length} bytes, and may take ${Math.round(most)}`;
    if (!this.findings.some(({ kind }) => kind === 'slow'))
      this.findings.push({ kind: 'slow', what, at: null, bytes: Buffer.from(bytes) });
  }

  async #found(bytes, error) {
    const kind = kindOf(error);
    if (this.findings.some((finding) => finding.kind === kind)) return;
    const finding = { kind, what: error.message, at: placeOf(error), bytes: Buffer.from(bytes) };
    this.findings.push(finding);
    const isSame = async (candidate) => (await this.kindOf(candidate)) === kind;
    finding.bytes = await minimised(finding.bytes, isSame);
    finding.what = (await this.errorOf(finding.bytes))?.message ?? finding.what;
  }
}

/** Without what differs from input to input. */
const kindOf = (error) => (error instanceof Broken ? error.rule : `${error.name} ${placeOf(error)}`);

/** Where it was thrown: the first line of the stack that is ours. */
function placeOf({ stack = '' }) {
  const line = stack.split('\n').find((one) => /^\s+at .*\/(?:src|fuzz)\//.test(one));
  if (line === undefined) return null;
  return line
    .trim()
    .replace(/(?:file:\/\/)?\/\S*\/(?=(?:src|fuzz)\/)/, '')
    .replace(/:\d+\)?$/, '');
}
