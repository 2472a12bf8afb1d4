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
