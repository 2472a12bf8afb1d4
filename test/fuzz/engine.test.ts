// What the fuzzing campaign finds with (scripts/campaigns/fuzz/engine/): mutants, coverage, and what becomes of a finding.

import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { runInThisContext } from 'node:vm';
import { expect, it } from 'vitest';

type Random = (below: number) => number;
interface Engine {
  readonly Broken: new (rule: string, detail?: string) => Error;
  readonly Judge: new (
    target: { readonly run: (bytes: Buffer) => unknown },
    tools: { readonly now: (bytes: Buffer) => void; readonly signal: AbortSignal },
  ) => {
    run(bytes: Buffer): Promise<boolean>;
    readonly findings: readonly { readonly what: string; readonly bytes: Buffer }[];
  };
  readonly Coverage: new (wanted: (url: string) => boolean) => {
    take(): number;
    look(): number;
    close(): void;
  };
  readonly mutant: (
    bytes: Buffer,
    random: Random,
    from: { readonly others: readonly Buffer[]; readonly words: readonly Buffer[]; readonly longest: number },
  ) => Buffer;
  readonly randomFrom: (seed: number) => Random;
  readonly cutByChance: (bytes: Buffer, random: Random) => readonly Buffer[];
}

const folder = join(
  dirname(dirname(dirname(fileURLToPath(import.meta.url)))),
  'scripts/campaigns/fuzz/engine',
);
const parts = ['broken', 'judge', 'coverage', 'mutate', 'random'].map(
  (name): Promise<object> => import(/* @vite-ignore */ pathToFileURL(join(folder, `${name}.mjs`)).href),
);
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- plain modules without types
const { Broken, Coverage, Judge, cutByChance, mutant, randomFrom } = Object.assign(
  {},
  ...(await Promise.all(parts)),
) as Engine;

it('tells an input that breaks a rule once, and as small as it can be made', async () => {
  const judge = new Judge(
    {
      run: (bytes) => {
        if (bytes.includes('bad')) throw new Broken('nothing is bad', bytes.toString());
        if (bytes.includes('null')) throw new TypeError('of null');
      },
    },
    { now: () => undefined, signal: new AbortController().signal },
  );
  for (const text of ['good', 'something bad stands here', 'another bad thing', 'and a null'])
    await judge.run(Buffer.from(text));
  expect(judge.findings.map(({ what, bytes }) => [what, bytes.toString()])).toEqual([
    ['nothing is bad: bad', 'bad'],
    ['of null', 'null'],
  ]);
});

const made = (seed: number): readonly string[] => {
  const random = randomFrom(seed);
  const others = [Buffer.from('one'), Buffer.from('two\r\n')];
  return Array.from({ length: 500 }, () =>
    mutant(Buffer.from('a line\r\n'), random, {
      others,
      words: [Buffer.from('word')],
      longest: 40,
    }).toString('hex'),
  );
};

it('makes the same mutants of the same seed, none longer than it may be', () => {
  expect(made(7)).toEqual(made(7));
  expect(made(7)).not.toEqual(made(8));
  expect(Math.max(...made(7).map(({ length }) => length / 2))).toBeLessThanOrEqual(40);
});

it('cuts bytes in pieces that are the bytes', () => {
  const bytes = Buffer.from('some bytes, and a few more of them');
  for (let seed = 0; seed < 50; seed += 1)
    expect(Buffer.concat([...cutByChance(bytes, randomFrom(seed))])).toEqual(bytes);
});

it('sees a branch that was never taken before, and no other', () => {
  const fuzzed: unknown = runInThisContext('(yes) => (yes ? "one way" : "the other")', {
    filename: 'fuzzed.js',
  });
  const run = (yes: boolean): unknown =>
    typeof fuzzed === 'function' ? Reflect.apply(fuzzed, null, [yes]) : null;
  const coverage = new Coverage((url) => url.endsWith('fuzzed.js'));
  run(true);
  expect(coverage.look()).toBeGreaterThan(0);
  run(true);
  expect(coverage.take()).toBeGreaterThan(0);
  run(true);
  expect(coverage.take()).toBe(0);
  run(false);
  expect(coverage.take()).toBeGreaterThan(0);
  coverage.close();
});
