// What letterlock makes of each case of the corpus x509-limbo is written down in ratchet.json; docs/strictness.md shows
// the sums. Where LETTERLOCK_LIMBO names the corpus, which is no part of this project, every case is run again.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { timeFreeCases } from './corpus.ts';
import { letterlockSays } from './letterlock.ts';
import { count, outcomeOf, ratchetOf, row } from './outcome.ts';
import { presenting } from './server.ts';

const here = import.meta.dirname;
const ratchet = ratchetOf.parse(JSON.parse(await readFile(join(here, 'ratchet.json'), 'utf8')));
const page = await readFile(join(here, '../../docs/strictness.md'), 'utf8');

describe('the page on strictness', () => {
  test('shows the sums of what is written down', () => {
    expect(page).toContain(row(['letterlock', ...count(Object.values(ratchet))]));
    expect(page).toContain(`${Object.keys(ratchet).length} cases`);
  });

  test('gives a reason for every case that is written down as wrong', () => {
    const wrong = Object.entries(ratchet).flatMap(([id, outcome]) =>
      outcome.startsWith('false') ? [id] : [],
    );
    expect(wrong.length).toBeGreaterThan(0);
    expect(wrong.filter((id) => !page.includes(`\`${id}\``))).toEqual([]);
  });

  test('names a test of our own for every class of cases', () => {
    const classes = new Set(Object.keys(ratchet).map((id) => id.split('::').slice(0, -1).join('::')));
    expect([...classes].filter((one) => !page.includes(`| \`${one}\` |`))).toEqual([]);
  });
});

const corpus = process.env['LETTERLOCK_LIMBO'];
if (corpus !== undefined) {
  test('every case comes out as it is written down', { timeout: 120_000 }, async () => {
    const found: Record<string, string> = {};
    for (const testcase of await timeFreeCases(corpus)) {
      const server = await presenting(testcase);
      const { accept } = await letterlockSays(testcase, server);
      server.close();
      found[testcase.id] = outcomeOf(testcase, accept);
    }
    expect(found).toEqual(ratchet);
  });
}
