import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

interface Planted {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}
interface Campaign {
  readonly name: string;
  readonly short: number;
  readonly long: number;
  readonly planted: readonly Planted[];
}

const root = join(import.meta.dirname, '../..');
const listed = join(root, 'scripts/campaigns/list.mjs');
const { campaigns }: { readonly campaigns: readonly Campaign[] } = await import(/* @vite-ignore */ listed);

interface Outcome {
  readonly findings: readonly string[];
}
const module = join(root, 'scripts/campaigns/settled.mjs');
const {
  settled,
}: {
  readonly settled: (
    run: () => Promise<Outcome>,
    how: { readonly signal: AbortSignal; readonly once: (finding: string) => void },
  ) => Promise<Outcome>;
} = await import(/* @vite-ignore */ module);

describe('what a campaign found on a busy machine', () => {
  const slow = 'Opossum: pop3 starttls: the next good session elsewhere: late after 9000 ms';
  const leak = 'the server of a key that nobody approved was sent 538 bytes';
  const told: string[] = [];
  /** The findings that count, of runs that find `lists` in turn, the last again and again. */
  const counted = async (...lists: readonly string[][]) => {
    told.length = 0;
    const left = [...lists];
    const run = () => Promise.resolve({ findings: (left.length > 1 ? left.shift() : left[0]) ?? [] });
    const once = (finding: string): void => void told.push(finding);
    return (await settled(run, { signal: new AbortController().signal, once })).findings;
  };

  it('is tried once more where all of it was only late, and told', async () => {
    expect(await counted([slow, 'a client got no answer'], [])).toEqual([]);
    expect(told).toEqual([slow, 'a client got no answer']);
    expect(await counted([slow], [slow])).toEqual([slow]);
    expect(await counted([slow], [leak])).toEqual([leak]);
  });

  it.each([
    leak,
    'told timeout, not pin-mismatch',
    'the campaign itself broke: Error: no such file',
    'damage: pins of before: good, and other pins',
    'letterlock ended by itself: SIGABRT',
  ])('counts at once where it is no matter of time: %s', async (finding) => {
    expect(await counted([finding], [])).toEqual([finding]);
    expect(await counted([slow, finding], [])).toEqual([slow, finding]);
    expect(told).toEqual([]);
  });
});

describe.each(campaigns)('the campaign $name', ({ name, short, long, planted }) => {
  it('has a short form that is shorter, and at least two places to be broken on purpose', () => {
    expect(short).toBeLessThan(long);
    expect(planted.length).toBeGreaterThanOrEqual(2);
  });

  it.each(planted)('finds each place that is broken on purpose once: $name', ({ file, find, replace }) => {
    expect(readFileSync(join(root, file), 'utf8').split(find).length - 1).toBe(1);
    expect(replace).not.toBe(find);
  });

  it('is described where its figures stand', () => {
    expect(readFileSync(join(root, 'docs/assurance.md'), 'utf8')).toContain(`| \`${name}\` |`);
  });
});
