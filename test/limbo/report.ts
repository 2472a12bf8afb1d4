// `scripts/limbo.mjs`: runs every time-free case of the corpus through letterlock and four others and prints what each
// made of them. With --ratchet it also writes down what letterlock made of each, for ratchet.test.ts.

import { writeFile } from 'node:fs/promises';
import { timeFreeCases, type Case } from './corpus.ts';
import { type Answer, letterlockSays } from './letterlock.ts';
import { count, type Outcome, outcomeOf, row } from './outcome.ts';
import { goAccepts, gnutls, nodeAccepts, opensslStrict, programAccepts } from './rivals.ts';
import { presenting } from './server.ts';

interface Told {
  readonly id: string;
  readonly ours: Answer;
  readonly outcomes: ReadonlyMap<string, Outcome>;
}

const go = 'Go crypto/x509';

async function told(testcase: Case, goTakes: ReadonlySet<string>): Promise<Told> {
  const server = await presenting(testcase);
  try {
    const ours = await letterlockSays(testcase, server);
    const answers = {
      letterlock: ours.accept,
      [`Node ${process.version}`]: await nodeAccepts(testcase, server),
      'OpenSSL, strict': programAccepts(testcase, opensslStrict),
      'GnuTLS certtool': programAccepts(testcase, gnutls),
      [go]: goTakes.has(testcase.id),
    };
    const outcomes = Object.entries(answers).map(
      ([who, accept]) => [who, outcomeOf(testcase, accept)] as const,
    );
    return { id: testcase.id, ours, outcomes: new Map(outcomes) };
  } finally {
    server.close();
  }
}

function table(rows: readonly Told[]): readonly string[] {
  const who = [...(rows[0]?.outcomes.keys() ?? [])];
  return [
    row(['validator', 'agrees', 'accepts what is invalid', 'refuses what is valid']),
    row(['---', '---', '---', '---']),
    ...who.map((name) => row([name, ...count(rows.flatMap(({ outcomes }) => outcomes.get(name) ?? []))])),
  ];
}

const words: Readonly<Record<Outcome, string>> = {
  accept: 'ok',
  refuse: 'ok',
  'false accept': 'ACCEPTS',
  'false refuse': 'REFUSES',
};

/** Every case at which somebody is wrong, side by side. */
const differences = (rows: readonly Told[]): readonly string[] =>
  rows.flatMap(({ id, ours, outcomes }) => {
    const said = [...outcomes.values()].map((outcome) => words[outcome]);
    return said.every((word) => word === 'ok') ? [] : [row([id, ...said, ours.why.join(', ')])];
  });

const [path, goProgram, ratchet] = process.argv.slice(2);
if (path === undefined || goProgram === undefined) throw new TypeError('report.js CORPUS GO-FILE [RATCHET]');
const cases = await timeFreeCases(path);
const goTakes = goAccepts(cases, goProgram);
const rows: Told[] = [];
for (const testcase of cases) rows.push(await told(testcase, goTakes));
const list = [...table(rows), '', `Of ${rows.length} cases, those at which somebody is wrong:`, ''];
process.stdout.write(`${[...list, ...differences(rows)].join('\n')}\n`);
if (ratchet !== undefined) {
  const ours = rows.map(({ id, outcomes }) => [id, outcomes.get('letterlock')]);
  await writeFile(ratchet, `${JSON.stringify(Object.fromEntries(ours), null, 2)}\n`);
}
