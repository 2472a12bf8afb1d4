// Which parts of a target's files have run: V8's block coverage, by Node's own inspector. Binary: whether, not how often.

import { Session } from 'node:inspector';

export class Coverage {
  #session = new Session();
  #isWanted;
  /** By function: a byte for each of its characters, 1 where it has run. */
  #functions = new Map();
  blocks = 0;

  /** `isWanted(url)`: whether a script counts. */
  constructor(isWanted) {
    this.#isWanted = isWanted;
    this.#session.connect();
    this.#post('Profiler.enable');
    this.#post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** How many blocks ran since the last call that were never taken before; from now on they were. */
  take() {
    const fresh = this.#count(true);
    this.blocks += fresh;
    return fresh;
  }

  /** The same, and they are still new to whoever takes. */
  look() {
    return this.#count(false);
  }

  close() {
    this.#post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }

  #count(marks) {
    let fresh = 0;
    for (const { url, functions } of this.#post('Profiler.takePreciseCoverage').result) {
      if (!this.#isWanted(url)) continue;
      for (const { ranges } of functions) fresh += this.#freshIn(url, { ranges, marks });
    }
    return fresh;
  }

  #freshIn(url, { ranges, marks }) {
    const [{ startOffset: start, endOffset: end }] = ranges;
    const key = `${url} ${start} ${end}`;
    const seen = this.#functions.get(key) ?? { characters: new Uint8Array(end - start), left: end - start };
    this.#functions.set(key, seen);
    if (seen.left === 0) return 0;
    const ran = new Uint8Array(end - start);
    // The inner ones come later, and know better.
    for (const { startOffset, endOffset, count } of ranges)
      ran.fill(count > 0 ? 1 : 0, startOffset - start, endOffset - start);
    return newRuns(seen, ran, marks);
  }

  #post(method, parameters) {
    let outcome = null;
    this.#session.post(method, parameters, (error, result) => {
      if (error !== null) throw new Error(`${method}: ${error.message}`);
      outcome = result;
    });
    return outcome;
  }
}

function newRuns(seen, ran, marks) {
  let runs = 0;
  let within = false;
  for (let at = 0; at < ran.length; at += 1) {
    const fresh = ran[at] === 1 && seen.characters[at] === 0;
    if (fresh && !within) runs += 1;
    if (fresh && marks) {
      seen.characters[at] = 1;
      seen.left -= 1;
    }
    within = fresh;
  }
  return runs;
}
