import { describe, expect, it } from 'vitest';
import { ConnectionIds, connectionIdIn } from '../../src/proxy/connection-id.ts';

describe('the name of a connection', () => {
  it('counts up within a run and says which were given out', () => {
    const ids = new ConnectionIds('K7Q');
    expect([ids.next(), ids.next()]).toEqual(['K7Q-1', 'K7Q-2']);
    expect(['K7Q-1', 'K7Q-2', 'K7Q-3', 'K7Q-0', 'ZZZ-1'].map((id) => ids.gave(id))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it('begins with letters of its own at each start, which nobody misreads', () => {
    const runs = new Set(Array.from({ length: 200 }, () => new ConnectionIds().next()));
    expect(runs.size).toBeGreaterThan(190);
    for (const id of runs) expect(id).toMatch(/^[0-9A-HJKMNP-TV-Z]{3}-1$/);
  });

  it.each([
    ['#K7Q-123', 'K7Q-123'],
    [' k7q-123 ', 'K7Q-123'],
    ['#OIL-7', '011-7'],
    ['K7Q-0', null],
    ['K7Q123', null],
    ['7F3AK2QM', null],
    ['imap.example.org:993', null],
    ['pin-mismatch', null],
    [`K7Q-${'9'.repeat(40)}`, null],
  ])('%s is read as %s', (text, id) => {
    expect(connectionIdIn(text)).toBe(id);
  });
});
