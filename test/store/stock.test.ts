import { describe, expect, it } from 'vitest';
import { chainStart } from '../../src/store/audit.ts';
import { encodeRow, hashOf } from '../../src/store/codec.ts';
import { keys } from '../../src/store/database.ts';
import { addWeight, digestText, noDigest, weightOf, type Head } from '../../src/store/head.ts';
import { newHead } from '../../src/store/ledger.ts';
import { Stock, type Checksums, type Entry, type Stocktaking } from '../../src/store/stock.ts';
import type { EndpointRecord } from '../../src/trust/record.ts';
import { pinOf, recordOf } from './fixtures.ts';

const nameOf = (index: number): string => `mail-${index}.example:993`;

const entryOf = (endpoint: string, record: EndpointRecord | null): Entry => {
  const key = keys.record(endpoint);
  return [key, encodeRow(key, { endpoint, revision: 3, generation: 7, record })];
};

/** Records of different lengths: plain ones, removed ones, ones with letters of more than one byte. */
const entries = Array.from({ length: 30 }, (_, index): Entry => {
  const name = nameOf(index);
  if (index % 7 === 3) return entryOf(name, null);
  const pins = [pinOf(index % 5 === 2 ? `schlüssel-${index}` : 'k'.repeat(index + 1))];
  return entryOf(name, recordOf(name, { pins, epoch: index }));
});

const [altered, alteredName] = [4, nameOf(4)];
const withAltered = entries.with(altered, [
  keys.record(alteredName),
  (entries[altered]?.[1] ?? '').replace('"leaf"', '"root"'),
]);

/** A head that tells of just these, whatever they are. */
const headOf = (stored: readonly Entry[]): Head => ({
  ...newHead('', chainStart),
  count: stored.length,
  digest: digestText(
    stored.reduce((sum, [key, text]) => addWeight(sum, weightOf(hashOf(key, text))), noDigest),
  ),
});

async function taken(
  stored: readonly Entry[],
  { head, checksums }: { readonly head: Head | null; readonly checksums: Checksums },
): Promise<Stocktaking> {
  const stock = new Stock();
  for (let at = 0; at < stored.length; at += 11) stock.add(stored.slice(at, at + 11));
  return stock.taken(head, checksums);
}

const bodyOf = (text: string): unknown => JSON.parse(text.slice(65));

const recordsIn = ({ rows }: Stocktaking) =>
  [...rows.values()].map(({ endpoint, revision, generation, record }) => ({
    endpoint,
    revision,
    generation,
    record,
  }));

describe('the records of a database', () => {
  it.each(['all', 'in-doubt'] as const)(
    'are read as they were written, checksums asked: %s',
    async (checksums) => {
      const stock = await taken(entries, { head: headOf(entries), checksums });
      expect(recordsIn(stock)).toEqual(entries.map(([, text]) => bodyOf(text)));
      expect(stock.unverified).toEqual([]);
      expect(digestText(stock.digest)).toBe(headOf(entries).digest);
    },
  );

  it.each([
    ['the head tells of others', headOf(entries)],
    ['there is no head to rely on', null],
    ['the head tells of more', { ...headOf(withAltered), count: entries.length + 1 }],
  ])('are each asked for their checksum where %s', async (_, head) => {
    const stock = await taken(withAltered, { head, checksums: 'in-doubt' });
    expect(stock.unverified).toEqual([alteredName]);
    expect(stock.rows.has(alteredName)).toBe(false);
    expect(stock.rows.size).toBe(entries.length - 1);
    expect(stock.weights.size).toBe(entries.length);
  });

  it('are each asked for their checksum in a full check, whatever the head says', async () => {
    const stock = await taken(withAltered, { head: headOf(withAltered), checksums: 'all' });
    expect(stock.unverified).toEqual([alteredName]);
  });

  it('are counted once, though they come twice', async () => {
    const stock = await taken([...entries, ...entries], { head: headOf(entries), checksums: 'in-doubt' });
    expect(digestText(stock.digest)).toBe(headOf(entries).digest);
    expect(stock.rows.size).toBe(entries.length);
  });
});
