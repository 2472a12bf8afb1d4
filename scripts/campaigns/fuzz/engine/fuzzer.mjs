// Gives one target inputs for a while: those that are known, values made by fast-check, and mutants of whatever reached
// something new.

import { performance } from 'node:perf_hooks';
import * as fastCheck from 'fast-check';
import { mutant } from './mutate.mjs';
import { randomFrom } from './random.mjs';
import { bytesOf } from './rows.mjs';

const batch = 24;
const sliceMs = 250;

export class Fuzzer {
  #target;
  #judge;
  #coverage;
  #random;
  #words;
  /** What reached something new. */
  corpus = [];
  /** Blocks that were reached by what is no known input. */
  fresh = 0;

  constructor(target, { judge, coverage, seed }) {
    this.#target = target;
    this.#judge = judge;
    this.#coverage = coverage;
    this.#random = randomFrom(seed);
    this.#words = (target.dictionary ?? []).map(bytesOf);
  }

  /** `told()` is called now and then, and lets others have a turn. */
  async run({ until, known, told }) {
    for (const bytes of known) {
      await this.#judge.run(bytes);
      this.#coverage.take();
      this.corpus.push(bytes);
      await told();
    }
    if (this.corpus.length === 0) this.corpus.push(Buffer.alloc(0));
    const before = this.#coverage.blocks;
    const share = this.#target.values === undefined ? 0 : (this.#target.structured ?? 0.4);
    while (this.#goesOn(until)) {
      const end = Math.min(until, performance.now() + sliceMs);
      if (share > 0) await this.#values(performance.now() + sliceMs * share);
      while (this.#goesOn(end)) await this.#mutants();
      await told();
    }
    this.fresh = this.#coverage.blocks - before;
  }

  #goesOn = (until) => performance.now() < until && !this.#judge.isOver;

  async #mutants() {
    const { longest = 8192 } = this.#target;
    const made = Array.from({ length: batch }, () =>
      mutant(this.#pick(), this.#random, { others: this.corpus, words: this.#words, longest }),
    );
    await this.#each(made);
  }

  /** The latest finds more often than the others. */
  #pick() {
    const { length } = this.corpus;
    const back = this.#random(2) === 0 ? this.#random(length) : this.#random(Math.min(length, 16));
    return this.corpus[length - 1 - back];
  }

  /** Coverage is asked for once in a batch: which of them it was is found out only where there was something. */
  async #each(inputs) {
    let sound = true;
    for (const bytes of inputs) sound = (await this.#judge.run(bytes)) && sound;
    this.#judge.watchMemory(inputs);
    if (this.#coverage.look() === 0) return sound;
    for (const bytes of inputs) {
      await this.#judge.errorOf(bytes);
      if (this.#coverage.take() > 0) this.corpus.push(bytes);
    }
    return sound;
  }

  async #values(until) {
    const values = this.#target.values(fastCheck);
    while (this.#goesOn(until)) {
      const made = fastCheck.sample(values, { numRuns: batch, seed: this.#random(2 ** 31) });
      if (!(await this.#each(made.map(written)))) await this.#shrink(values);
    }
  }

  /** fast-check makes a smaller value than bytes cut off one. */
  async #shrink(values) {
    const finding = this.#judge.findings.at(-1);
    if (finding === undefined || finding.shrunk === true) return;
    finding.shrunk = true;
    const breaksNot = async (value) => (await this.#judge.kindOf(written(value))) !== finding.kind;
    const { counterexample } = await fastCheck.check(fastCheck.asyncProperty(values, breaksNot), {
      seed: this.#random(2 ** 31),
      numRuns: 2000,
      interruptAfterTimeLimit: 2000,
    });
    const small = counterexample == null ? finding.bytes : written(counterexample[0]);
    if (small.length < finding.bytes.length) finding.bytes = small;
  }
}

/** Values are given to targets as JSON. */
const written = (value) => Buffer.from(JSON.stringify(value));
