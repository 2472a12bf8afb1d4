// What the tests of src/trust and src/mail take from vitest, made for thousands of runs in one process: one at a time, in the order in which
// they stand, until one fails. The same `expect` (@vitest/expect); no snapshots, no clock that is moved, no concurrency.

import {
  ASYMMETRIC_MATCHERS_OBJECT,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  customMatchers,
  getState,
  setState,
} from '@vitest/expect';
import { spyOn } from '@vitest/spy';
import * as chai from 'chai';

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin);

const patience = 5000;

/** Until `check` throws no more. */
async function waitFor(check, { timeout = patience, interval = 20 } = {}) {
  const end = performance.now() + timeout;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, interval));
    }
  }
}

export function expect(value, message) {
  return chai.expect(value, message);
}
Object.assign(expect, chai.expect, globalThis[ASYMMETRIC_MATCHERS_OBJECT], {
  getState: () => getState(expect),
  setState: (state) => setState(state, expect),
  extend: (matchers) => chai.expect.extend(expect, matchers),
  unreachable: (message) => chai.assert.fail(message),
  fail: (message) => chai.assert.fail(message),
  poll: (get, options) =>
    new Proxy(
      {},
      {
        get:
          (_, matcher) =>
          (...given) =>
            waitFor(async () => expect(await get())[matcher](...given), options),
      },
    ),
});
setState({ assertionCalls: 0, isExpectingAssertions: false, expectedAssertionsNumber: null }, expect);
expect.extend(customMatchers);

export const vi = { spyOn, waitFor };

/** `{tests, before, after, beforeAll, afterAll}` of one `describe`, its parent in `above`. */
const suite = (above) => ({ above, entries: [], beforeEach: [], afterEach: [], beforeAll: [], afterAll: [] });
let current = suite(null);
let finishing = [];

export function describe(name, first, second) {
  const body = typeof first === 'function' ? first : second;
  const inner = suite(current);
  current.entries.push({ name, inner });
  current = inner;
  try {
    body();
  } finally {
    current = inner.above;
  }
}

export function it(name, first, second) {
  const body = typeof first === 'function' ? first : second;
  current.entries.push({ name, body });
}
const spread = (row) => (Array.isArray(row) ? row : [row]);
const eachOf = (define) => (rows) => (name, first, second) => {
  const body = typeof first === 'function' ? first : second;
  for (const row of rows) define(name, () => body(...spread(row)));
};
it.each = eachOf(it);
describe.each = eachOf(describe);
it.skipIf = (skipped) => (skipped ? () => undefined : it);
it.runIf = (wanted) => it.skipIf(!wanted);
describe.skipIf = (skipped) => (skipped ? () => undefined : describe);
export const test = it;

export const beforeAll = (body) => void current.beforeAll.push(body);
export const afterAll = (body) => void current.afterAll.push(body);
export const beforeEach = (body) => void current.beforeEach.push(body);
export const afterEach = (body) => void current.afterEach.push(body);
export const onTestFinished = (body) => void finishing.push(body);

const around = (at, which) => (at === null ? [] : [...around(at.above, which), ...at[which]]);
const inTime = (work, ms) => {
  let timer;
  const late = new Promise(
    (_, reject) => (timer = setTimeout(() => reject(new Error(`no end after ${ms} ms`)), ms)),
  );
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
};

async function runTest({ body }, at) {
  finishing = [];
  try {
    for (const hook of around(at, 'beforeEach')) await hook();
    await inTime(Promise.resolve(body()), 4 * patience);
  } finally {
    for (const hook of around(at, 'afterEach').toReversed()) await hook();
    for (const hook of finishing.toReversed()) await hook();
  }
}

async function runSuite(at) {
  try {
    for (const hook of at.beforeAll) await hook();
    for (const entry of at.entries) {
      try {
        await (entry.inner === undefined ? runTest(entry, at) : runSuite(entry.inner));
      } catch (error) {
        throw error instanceof Failed ? error : new Failed(entry.name, error);
      }
    }
  } finally {
    for (const hook of at.afterAll.toReversed()) await hook();
  }
}

class Failed extends Error {
  constructor(name, cause) {
    super(name, { cause });
  }
}

/** Runs what importing a file of tests defined. Rejects with the first that fails; resolves with the number of tests. */
export async function run(load) {
  current = suite(null);
  await load();
  const top = current;
  await runSuite(top);
  const count = ({ entries }) =>
    entries.reduce((sum, { inner }) => sum + (inner === undefined ? 1 : count(inner)), 0);
  return count(top);
}
