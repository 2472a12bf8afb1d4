// Real processes at one state directory.

import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compiled } from '../store/child.ts';
import { collected, spkiOf, temporaryDirectory } from '../store/fixtures.ts';
import type { Told } from './sibling.ts';
import { sibling, type Sibling } from './siblings.ts';
import { shared } from './world.ts';

const endpoint = 'imap.example.org:993';
let folder = '';
let script = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'letterlock-sibling-'));
  script = compiled(folder, 'test/sharing/sibling.ts');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const roles = async (siblings: readonly Sibling[]): Promise<readonly string[]> =>
  (await Promise.all(siblings.map((one) => one.first))).map((told) =>
    told.told === 'open' ? told.role : told.told,
  );

const tally = (told: readonly Told[], word: Told['told']): number =>
  told.filter((one) => one.told === word).length;

/** Asks until it says so; the test's own time limit ends it. */
async function until(one: Sibling, role: string, state: string): Promise<void> {
  for (;;) {
    const told = await one.ask({ do: 'settle' });
    if (told.told === 'look' && told.role === role && told.state === state) return;
  }
}

describe('processes of one user at one state directory', () => {
  it('share it: one holds the database, the other asks it, both know the same secret', async () => {
    const state = temporaryDirectory();
    const one = sibling(script, state);
    expect(await roles([one])).toEqual(['holder']);
    const two = sibling(script, state);
    expect(await roles([two])).toEqual(['guest']);
    const secrets = [await one.first, await two.first].map((told) =>
      told.told === 'open' ? told.secret : '',
    );
    expect(secrets).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), secrets[0]]);
    expect(await two.ask({ do: 'write', endpoint, expected: 0, key: spkiOf('a') })).toMatchObject({
      told: 'committed',
    });
    expect(await one.ask({ do: 'load' })).toEqual({ told: 'loaded', keys: { [endpoint]: [spkiOf('a')] } });
    expect(statSync(join(state, 'pins.sock')).mode & 0o777).toBe(0o600);
    expect(await two.end()).toBe(0);
    expect(await one.end()).toBe(0);
    expect(existsSync(join(state, 'pins.sock'))).toBe(false);
  });

  it('start at the same moment: one holds it, nobody is turned away', async () => {
    const state = temporaryDirectory();
    const all = [1, 2, 3, 4].map(() => sibling(script, state));
    expect((await roles(all)).toSorted()).toEqual(['guest', 'guest', 'guest', 'holder']);
  });

  it('make fifty first uses with two keys from four processes, and end with one key pinned', async () => {
    const state = temporaryDirectory();
    const all = [1, 2, 3, 4].map(() => sibling(script, state));
    await roles(all);
    const keys = [spkiOf('one'), spkiOf('two')];
    const counts = [13, 13, 12, 12];
    const answers = await Promise.all(
      all.map((one, index) => one.order({ do: 'first-uses', endpoint, keys, count: counts[index] ?? 0 })),
    );
    const told = answers.flat();
    expect(told).toHaveLength(50);
    expect([tally(told, 'committed'), tally(told, 'conflict')]).toEqual([1, 49]);
    const winner = told.find((one) => one.told === 'committed');
    const pinned = winner?.told === 'committed' ? winner.keys : [];
    for (const one of told) if (one.told === 'conflict') expect(one.keys).toEqual(pinned);
    for (const one of all)
      expect(await one.ask({ do: 'load' })).toEqual({ told: 'loaded', keys: { [endpoint]: pinned } });
  });

  it('end by themselves when they have nothing to do, holder and guest', async () => {
    const state = temporaryDirectory();
    const alone = sibling(script, state, 'idle');
    expect(await alone.end()).toBe(0);
    const holder = sibling(script, state);
    await roles([holder]);
    const guest = sibling(script, state, 'idle');
    expect(await roles([guest])).toEqual(['guest']);
    expect(await guest.end()).toBe(0);
  });

  it('end by themselves with others still connected, and those go on', async () => {
    const state = temporaryDirectory();
    const holder = sibling(script, state, 'unclosed');
    await roles([holder]);
    const [one, two] = [sibling(script, state, 'unclosed'), sibling(script, state)];
    await roles([one, two]);
    expect(await one.end()).toBe(0);
    expect(await two.ask({ do: 'write', endpoint, expected: 0, key: spkiOf('a') })).toMatchObject({
      told: 'committed',
    });
    expect(await holder.end()).toBe(0);
    await until(two, 'holder', 'good');
    expect(await two.ask({ do: 'load' })).toEqual({ told: 'loaded', keys: { [endpoint]: [spkiOf('a')] } });
  });

  it('go on when the holder is killed: another one takes over, and nothing acknowledged is lost', async () => {
    const state = temporaryDirectory();
    const holder = sibling(script, state);
    await roles([holder]);
    const [one, two] = [sibling(script, state), sibling(script, state)];
    await roles([one, two]);
    await one.ask({ do: 'write', endpoint, expected: 0, key: spkiOf('kept') });
    await holder.kill('SIGKILL');
    const looks = await Promise.all([one, two].map((each) => each.ask({ do: 'settle' })));
    expect(looks.map((told) => (told.told === 'look' ? told.state : told.told))).toEqual(['good', 'good']);
    const now = looks.map((told) => (told.told === 'look' ? told.role : told.told));
    expect(now.toSorted()).toEqual(['guest', 'holder']);
    for (const each of [one, two])
      expect(await each.ask({ do: 'load' })).toEqual({
        told: 'loaded',
        keys: { [endpoint]: [spkiOf('kept')] },
      });
    expect(await two.ask({ do: 'write', endpoint, expected: 1, key: spkiOf('next') })).toMatchObject({
      told: 'committed',
      revision: 2,
    });
    expect(await one.ask({ do: 'load' })).toEqual({ told: 'loaded', keys: { [endpoint]: [spkiOf('next')] } });
  });

  it('survive kill after kill of the holder while all of them write', async () => {
    const state = temporaryDirectory();
    const acknowledged = new Map<string, string>();
    let holder = sibling(script, state);
    await roles([holder]);
    for (let round = 0; round < 5; round += 1) {
      const guest = sibling(script, state);
      await guest.first;
      const names = Array.from({ length: 10 }, (_, index) => `host-${round}-${index}.example:993`);
      const writing = names.map((name) =>
        guest.ask({ do: 'write', endpoint: name, expected: 0, key: spkiOf(name) }),
      );
      await writing[round];
      await holder.kill('SIGKILL');
      for (const [index, told] of (await Promise.all(writing)).entries()) {
        const name = names[index] ?? '';
        if (told.told === 'committed') acknowledged.set(name, spkiOf(name));
      }
      await until(guest, 'holder', 'good');
      holder = guest;
    }
    const told = await holder.ask({ do: 'load' });
    const keys = told.told === 'loaded' ? told.keys : {};
    expect(acknowledged.size).toBeGreaterThan(0);
    for (const [name, key] of acknowledged) expect([name, keys[name]]).toEqual([name, [key]]);
  });

  it('do not believe a holder that was stopped: silence makes the store unavailable', async () => {
    const state = temporaryDirectory();
    const holder = sibling(script, state);
    await roles([holder]);
    const guest = await shared(state, { timing: { silenceMs: 2500, callMs: 500 } });
    expect([guest.role, guest.health().state]).toEqual(['guest', 'good']);
    holder.signal('SIGSTOP');
    await expect.poll(() => guest.health().state).toBe('unavailable');
    await expect(collected(guest.load())).rejects.toMatchObject({ code: 'store-unavailable' });
    holder.signal('SIGCONT');
    await expect.poll(() => guest.health().state).toBe('good');
    expect(guest.role).toBe('guest');
  });
});
