// The engine itself: what is durable before it is acted upon, what happens at the same time, what a failing
// store does, and what is told.

import { describe, expect, it, vi } from 'vitest';
import { openMemoryStore } from '../../src/store/memory.ts';
import type { Change, PinStore, StoreHealth } from '../../src/store/pin-store.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { ClockWatch } from '../../src/tofu/clock.ts';
import { Lanes } from '../../src/tofu/lanes.ts';
import { isVouched } from '../../src/trust/vouched.ts';
import { endpointOf } from '../trust/forge.ts';
import { caSigned, day, hour, minute, noAnchors, selfSigned, start, trusting, World } from './world.ts';

/** A disk that can be slow, full, or somebody else's: the real memory store behind a gate. */
class Disk {
  readonly real = openMemoryStore();
  readonly commits: (readonly Change[])[] = [];
  broken = false;
  damaged = false;
  gate: Promise<void> = Promise.resolve();

  store(): PinStore {
    const { real } = this;
    const commit: PinStore['commit'] = async (changes) => {
      await this.gate;
      if (this.broken) throw new StoreError('store-io', 'no space left on device');
      this.commits.push(changes);
      return real.commit(changes);
    };
    const health = (): StoreHealth => ({
      ...real.health(),
      ...(this.damaged ? { state: 'damaged' as const, detail: 'a record is gone' } : {}),
    });
    return {
      commit,
      health,
      load: () => real.load(),
      changes: (generation, signal) => real.changes(generation, signal),
      history: (endpoint) => real.history(endpoint),
      touch: (touches) => real.touch(touches),
      sealed: (endpoint) => real.sealed(endpoint),
      held: () => real.held(),
      close: () => real.close(),
    };
  }

  /** Holds every commit back until the returned function is called. */
  hold(): () => void {
    const release: (() => void)[] = [];
    this.gate = new Promise((resolve) => void release.push(resolve));
    return () => release.forEach((open) => open());
  }
}

const onDisk = async (
  settings: Parameters<typeof World.open>[0] = {},
): Promise<{ world: World; disk: Disk }> => {
  const disk = new Disk();
  return { disk, world: await World.open(settings, disk.store()) };
};

describe('a first use', () => {
  it('is vouched for only after its record is durable', async () => {
    const { world, disk } = await onDisk();
    const own = selfSigned();
    const release = disk.hold();
    const order: string[] = [];
    const settled = world.settle(own).then((answer) => {
      order.push('vouched');
      return answer;
    });
    await disk.real.history(null)[Symbol.asyncIterator]().next();
    expect(world.tofu.record(world.endpoint.name)).toBeNull();
    order.push('released');
    release();
    const answer = await settled;
    expect(order).toEqual(['released', 'vouched']);
    expect(answer.accept && isVouched(answer.vouched) && answer.vouched).toMatchObject({
      spki: own.spki,
      basis: 'first-use',
      epoch: 1,
    });
  });

  it('of fifty sessions at once on two keys pins one key and refuses the other half', async () => {
    const world = await World.open();
    const keys = [selfSigned(), selfSigned()] as const;
    const endings = await Promise.all(
      Array.from({ length: 50 }, (_, at) => world.meet(keys[at % 2 === 0 ? 0 : 1])),
    );
    expect(endings.filter((_, at) => at % 2 === 0)).toEqual(['first-use', ...Array<string>(24).fill('pin')]);
    expect(endings.filter((_, at) => at % 2 === 1)).toEqual(Array<string>(25).fill('pin-mismatch'));
    expect(world.record.pins.map(({ spki }) => spki)).toEqual([keys[0].spki]);
    expect(world.record.candidates).toMatchObject([{ spki: keys[1].spki }]);
    expect(world.told('judged').filter(({ verdict }) => verdict === 'first-use')).toHaveLength(1);
    expect(world.told('judged')).toHaveLength(50);
  });

  it('meets a record another process wrote meanwhile and judges again by that', async () => {
    const { world, disk } = await onDisk();
    const theirs = await World.open({}, disk.real);
    const mine = selfSigned();
    const other = selfSigned();
    expect(await theirs.meet(other)).toBe('first-use');
    expect(await world.meet(mine)).toBe('pin-mismatch');
    expect(await world.meet(other)).toBe('pin');
    expect(world.record.pins).toMatchObject([{ spki: other.spki }]);
  });

  it('that was judged but never settled, as after a bad greeting, leaves nothing behind', async () => {
    const world = await World.open();
    expect(world.judge(selfSigned()).verdict).toMatchObject({ accept: true, basis: 'first-use' });
    await world.tofu.close();
    expect(world.tofu.records()).toEqual([]);
    expect(world.events.filter(({ type }) => type !== 'store-health')).toEqual([]);
  });

  it('does not happen on the strength of a pin that was forgotten meanwhile: such a session proved too little', async () => {
    const world = await World.open();
    const own = selfSigned();
    await world.meet(own);
    const judged = world.judge(own);
    await world.forget();
    expect(await world.tofu.settle(judged)).toMatchObject({ accept: false, reason: 'first-use-unsafe' });
    expect(world.record.pins).toEqual([]);
    expect(await world.meet(own)).toBe('first-use');
  });

  it('waits for the operator where the store says so, and goes on after forget', async () => {
    const held = openMemoryStore({ held: ['mail.example.org:993'] });
    const world = await World.open({}, held);
    const own = selfSigned();
    expect(await world.meet(own)).toBe('first-use-held');
    await world.forget();
    expect(await world.meet(own)).toBe('first-use');
  });

  it('needs trust anchors under auto', async () => {
    const world = await World.open();
    world.anchors = noAnchors;
    expect(await world.meet(selfSigned())).toBe('first-use-unsafe');
    expect(world.record.candidates).toHaveLength(1);
  });
});

describe('what an operator approved or pinned', () => {
  it('counts for its endpoint and its key, for no other', async () => {
    const world = await World.open({ policy: 'pinned' });
    const [own, other] = [selfSigned(), selfSigned()];
    const verdictOf = (identity: typeof own): string => {
      const { verdict } = world.judge(identity);
      return verdict.accept ? verdict.basis : verdict.reason;
    };
    await world.settle(own);
    await world.approve(own);
    expect([verdictOf(own), verdictOf(other)]).toEqual(['pin', 'pin-mismatch']);
    world.endpoint = endpointOf('other.example.org');
    expect(verdictOf(own)).toBe('not-pinned');
  });
});

describe('a clock that cannot be right', () => {
  it('before the build date learns nothing and trusts no CA; a live pin goes on', async () => {
    const world = await World.open();
    const own = selfSigned();
    await world.meet(own);
    world.now = start - 2 * day;
    world.endpoint = endpointOf('other.example.org');
    expect(await world.meet(selfSigned({ host: 'other.example.org', from: '2026-01-01T00:00:00Z' }))).toBe(
      'first-use-unsafe',
    );
    world.endpoint = endpointOf('mail.example.org');
    expect(await world.meet(own)).toBe('pin');
  });

  it('is suspected when every one of three endpoints shows impossible dates, and not for two', async () => {
    const world = await World.open();
    const endings: string[] = [];
    for (const host of ['one.example.org', 'two.example.org', 'three.example.org']) {
      world.endpoint = endpointOf(host);
      endings.push(
        await world.meet(selfSigned({ host, from: '2020-01-01T00:00:00Z', to: '2021-01-01T00:00:00Z' })),
      );
    }
    expect(endings).toEqual(['first-use', 'first-use', 'first-use-unsafe']);
    world.endpoint = endpointOf('four.example.org');
    expect(await world.meet(selfSigned({ host: 'four.example.org' }))).toBe('first-use');
  });
});

it.each([
  ['over 30 days expired', -100, -31, true],
  ['less than 30 days expired', -100, -29, false],
  ['not yet valid', 1, 90, true],
  ['valid', -1, 90, false],
])('three endpoints whose certificates are %s make the clock suspect or not', (_, from, to, suspect) => {
  const watch = new ClockWatch(start - day);
  for (const name of ['one', 'two', 'three']) {
    expect(watch.isSuspect(start)).toBe(false);
    watch.note(name, { notBefore: start + from * day, notAfter: start + to * day });
  }
  expect(watch.isSuspect(start)).toBe(suspect);
  watch.note('four', { notBefore: start - day, notAfter: start + day });
  expect(watch.isSuspect(start)).toBe(false);
});

describe('one lane', () => {
  it('runs strictly one after the other, also after one that failed, while another lane goes ahead', async () => {
    const lanes = new Lanes();
    const order: string[] = [];
    const gates = new Map<string, () => void>();
    const work = (name: string) => async (): Promise<string> => {
      order.push(`${name} begins`);
      await new Promise<void>((resolve) => void gates.set(name, resolve));
      order.push(`${name} ends`);
      if (name === 'first') throw new Error('first failed');
      return name;
    };
    const first = lanes.run('a', work('first'));
    const second = lanes.run('a', work('second'));
    const aside = lanes.run('b', work('aside'));
    await expect.poll(() => order).toEqual(['first begins', 'aside begins']);
    gates.get('aside')?.();
    expect(await aside).toBe('aside');
    gates.get('first')?.();
    await expect(first).rejects.toThrow('first failed');
    await expect.poll(() => order.at(-1)).toBe('second begins');
    gates.get('second')?.();
    expect(await second).toBe('second');
    await lanes.idle();
    expect(order).toEqual([
      'first begins',
      'aside begins',
      'aside ends',
      'first ends',
      'second begins',
      'second ends',
    ]);
  });
});

describe('Vouched', () => {
  it('is out of date as soon as the trust of its endpoint changes, and not for sightings and evidence', async () => {
    const world = await World.open();
    const own = selfSigned();
    const settled = await world.settle(own);
    if (!settled.accept) throw new Error('a first use');
    expect(world.tofu.isCurrent(settled.vouched)).toBe(true);
    await world.meet(own);
    await world.meet(selfSigned());
    await world.meet(selfSigned({ keys: own.keys, to: '2027-06-01T00:00:00Z' }));
    await world.tofu.sweep();
    expect(world.tofu.isCurrent(settled.vouched)).toBe(true);
    await world.add(selfSigned().spki);
    expect(world.tofu.isCurrent(settled.vouched)).toBe(false);
  });

  it('does not fit again after forget and a new first use', async () => {
    const world = await World.open();
    const own = selfSigned();
    const settled = await world.settle(own);
    await world.forget();
    await world.meet(own);
    expect(settled.accept && world.tofu.isCurrent(settled.vouched)).toBe(false);
  });

  it('cannot be copied', async () => {
    const world = await World.open();
    const settled = await world.settle(selfSigned());
    if (!settled.accept) throw new Error('a first use');
    expect(isVouched(Object.assign({}, settled.vouched))).toBe(false);
    expect(isVouched(structuredClone(settled.vouched))).toBe(false);
    expect(isVouched(settled.vouched)).toBe(true);
  });
});

describe('a store that fails', () => {
  it('refuses a first use, and pins it once the store works again', async () => {
    const { world, disk } = await onDisk();
    const own = selfSigned();
    disk.broken = true;
    expect(await world.meet(own)).toBe('store-unavailable');
    expect(world.tofu.records()).toEqual([]);
    expect(world.told('store-operation')).toMatchObject([{ ok: false }]);
    expect(world.told('pin-changed')).toEqual([]);
    disk.broken = false;
    expect(await world.meet(own)).toBe('first-use');
  });

  it('still lets a known key through, which needs no write', async () => {
    const { world, disk } = await onDisk();
    const own = selfSigned();
    await world.meet(own);
    disk.broken = true;
    expect(await world.meet(own)).toBe('pin');
    expect(await world.meet(selfSigned())).toBe('pin-mismatch');
  });

  it('does not stop policy ca, which needs no record', async () => {
    const { world, disk } = await onDisk({ policy: 'ca' });
    disk.broken = true;
    expect(await world.meet(caSigned())).toBe('ca');
    expect(await world.meet(selfSigned())).toBe('ca-invalid');
  });

  it('makes a command fail and changes nothing', async () => {
    const { world, disk } = await onDisk();
    const own = selfSigned();
    await world.meet(own);
    disk.broken = true;
    await expect(world.reject(own)).rejects.toMatchObject({ exit: 'store' });
    expect(await world.meet(own)).toBe('pin');
    expect(world.told('key-untrusted')).toEqual([]);
    disk.broken = false;
    await world.reject(own);
    expect(await world.meet(own)).toBe('key-rejected');
  });

  it('damaged accepts a pin that survived, learns nothing, records no candidate and takes no command', async () => {
    const { world, disk } = await onDisk();
    const own = selfSigned();
    await world.meet(own);
    disk.damaged = true;
    const written = disk.commits.length;
    expect(await world.meet(own)).toBe('pin');
    const refused = world.judge(selfSigned());
    expect(refused).toMatchObject({ reference: null, verdict: { reason: 'store-damaged' } });
    world.endpoint = endpointOf('new.example.org');
    expect(await world.meet(caSigned({ host: 'new.example.org' }))).toBe('store-damaged');
    await expect(world.add(own.spki)).rejects.toMatchObject({ exit: 'store' });
    expect(disk.commits).toHaveLength(written);
    expect(world.told('store-health').map(({ health }) => health.state)).toEqual(['good', 'damaged']);
  });
});

describe('candidates', () => {
  it('are found by a reference that means nothing for another endpoint or store', async () => {
    const world = await World.open();
    await world.meet(selfSigned());
    const other = selfSigned();
    const judged = world.judge(other);
    await world.tofu.settle(judged);
    expect(judged.reference).toMatch(/^[0-9A-HJKMNP-TV-Z]{8}$/);
    expect(world.tofu.byReference(judged.reference?.toLowerCase() ?? '')).toEqual({
      endpoint: world.endpoint.name,
      spki: other.spki,
    });
    expect(world.tofu.reference('other.example.org:993', other.spki)).not.toBe(judged.reference);
    expect(world.tofu.byReference('00000000')).toBeNull();
    await expect(world.approve({ spki: judged.reference ?? '' }, { keep: true })).rejects.toMatchObject({
      exit: 'usage',
    });
    await world.reject(other);
    expect(world.tofu.byReference(judged.reference ?? '')?.spki).toBe(other.spki);
    expect(world.judge(other).reference).toBe(judged.reference);
  });

  it('are one audit entry each; counts stay in memory and are written at most once a minute', async () => {
    const { world, disk } = await onDisk();
    await world.meet(selfSigned());
    const other = selfSigned();
    for (let at = 0; at < 5; at += 1) await world.meet(other);
    expect(world.record.candidates).toMatchObject([{ spki: other.spki, seenCount: 5 }]);
    expect((await world.history()).map(({ event }) => event)).toEqual(['first-use', 'candidate']);
    expect(disk.commits).toHaveLength(2);
    await world.tofu.sweep();
    await world.meet(other);
    await world.tofu.sweep();
    expect((await World.open({}, disk.real)).record.candidates).toMatchObject([{ seenCount: 5 }]);
    world.after(minute);
    await world.tofu.sweep();
    expect((await World.open({}, disk.real)).record.candidates).toMatchObject([{ seenCount: 6 }]);
  });

  it('under a flood of keys stay sixteen', async () => {
    const world = await World.open({ firstUse: 'hold' });
    const keys = Array.from({ length: 20 }, () => selfSigned());
    for (const key of keys) expect(await world.meet(key)).toBe('first-use-held');
    const kept = world.record.candidates.map(({ spki }) => spki);
    expect(kept).toEqual([...keys.slice(0, 8), ...keys.slice(12)].map(({ spki }) => spki));
  });
});

describe('what is written down', () => {
  it('the last CA-verified leaf, when it changes and at most hourly, without moving the trust epoch', async () => {
    const world = await World.open();
    const [one, two, three] = [caSigned(), caSigned(), caSigned()];
    await world.meet(one);
    const { epoch } = world.record;
    await world.meet(two);
    await world.tofu.close();
    expect(world.record.lastCa?.spki).toBe(one.spki);
    world.after(hour);
    await world.meet(three);
    await world.tofu.close();
    expect(world.record.lastCa?.spki).toBe(three.spki);
    expect(world.record.epoch).toBe(epoch);
  });

  it('when a pin was last seen, at most hourly, also after the clock was set back', async () => {
    const world = await World.open();
    const touch = vi.spyOn(world.store, 'touch');
    const server = selfSigned();
    await world.meet(server);
    for (const ms of [minute, 30 * minute, hour, -300 * day, minute]) {
      world.after(ms);
      await world.meet(server);
      await world.tofu.sweep();
    }
    const [first, , third, fourth] = [1, 31, 91, 91 - 300 * 1440].map((minutes) => start + minutes * minute);
    expect(touch.mock.calls.flat(2).map(({ spki, lastSeen }) => [spki, lastSeen])).toEqual(
      [first, third, fourth].map((lastSeen) => [server.spki, lastSeen]),
    );
  });

  it('the first session after a command, so that undo knows somebody relied on it', async () => {
    const world = await World.open({ firstUse: 'hold' });
    const own = selfSigned();
    await world.meet(own);
    await world.approve(own);
    expect(world.record.undo?.acceptedSince).toBe(false);
    await world.meet(own);
    expect((await world.restarted()).record.undo?.acceptedSince).toBe(true);
  });

  it('every change of trust and nothing else as one audit entry, told of after it is durable', async () => {
    const world = await World.open();
    const own = selfSigned();
    await world.meet(own);
    await world.meet(own);
    await world.reject(own);
    await world.undo();
    await world.forget();
    const events = ['first-use', 'rejected', 'undone', 'forgotten'];
    expect((await world.history()).map(({ event }) => event)).toEqual(events);
    expect(world.told('pin-changed').map(({ event, origin }) => [event, origin])).toEqual(
      events.map((event, at) => [event, at === 0 ? 'proxy' : 'cli']),
    );
  });
});

describe('sessions that lost their trust', () => {
  it('on a key the CA vouched for are told of when pins take over', async () => {
    const world = await World.open();
    const certified = caSigned();
    await world.meet(certified);
    const own = selfSigned();
    await world.meet(own);
    await world.approve(own, { as: 'pin' });
    expect(world.told('key-untrusted').map(({ spki }) => spki)).toEqual([certified.spki]);
  });

  it('are not told of when a change leaves their key trusted', async () => {
    const world = await World.open();
    const own = selfSigned();
    await world.meet(own);
    const other = selfSigned();
    await world.meet(other);
    await world.approve(other);
    await world.add(selfSigned().spki);
    await world.reject(other);
    expect(world.told('key-untrusted').map(({ spki }) => spki)).toEqual([other.spki]);
  });

  it('are told of when a reload leaves their key without trust, and not when it changes nothing for it', async () => {
    const world = await World.open();
    const own = selfSigned();
    await world.meet(own);
    const settingsOf = (part: Parameters<typeof trusting>[0]) =>
      new Map([[world.endpoint.name, trusting(part)]]);
    world.tofu.configure(settingsOf({ firstUse: 'refuse' }));
    world.tofu.configure(settingsOf({ configPins: [own.spki] }));
    world.tofu.configure(settingsOf({ configPins: [selfSigned().spki] }));
    expect(world.told('key-untrusted')).toEqual([]);
    world.tofu.configure(settingsOf({ policy: 'ca' }));
    expect(world.told('key-untrusted').map(({ spki }) => spki)).toEqual([own.spki]);
  });

  it('are told of by forget and by undo', async () => {
    const world = await World.open();
    const own = selfSigned();
    await world.meet(own);
    await world.forget();
    expect(world.told('key-untrusted').map(({ spki }) => spki)).toEqual([own.spki]);
    const next = selfSigned();
    await world.meet(next);
    await world.undo();
    expect(world.told('key-untrusted').map(({ spki }) => spki)).toEqual([own.spki, next.spki]);
    expect(await world.meet(next)).toBe('pin-mismatch');
    expect(await world.meet(own)).toBe('pin');
  });
});

describe('explain', () => {
  it('tells of a refused key by its reference: what stands, why, and the command that would help', async () => {
    const world = await World.open();
    await world.meet(selfSigned());
    const other = selfSigned();
    const judged = world.judge(other);
    await world.tofu.settle(judged);
    const { summary, steps, advice } = world.tofu.explain(judged.reference ?? '');
    expect(summary).toContain('its key changed (pin-mismatch)');
    expect(steps.join('\n')).toContain(other.sha256);
    expect(advice.join('\n')).toContain('letterlock pins approve mail.example.org:993 --expect FINGERPRINT');
    // Whoever pastes a command from here approves nothing.
    expect(advice.join('\n')).not.toContain(other.spki);
  });

  it('tells of an endpoint and of a code, and knows when it knows nothing', async () => {
    const world = await World.open();
    await world.meet(selfSigned());
    expect(world.tofu.explain('MAIL.example.org.:993')).toMatchObject({
      kind: 'endpoint',
      summary: 'mail.example.org:993 is pinned.',
    });
    expect(world.tofu.explain('pin-mismatch')).toMatchObject({ kind: 'code', endpoint: null });
    expect(world.tofu.explain('dns')).toMatchObject({ kind: 'code' });
    expect(() => world.tofu.explain('7F3AK2QM')).toThrow(expect.objectContaining({ exit: 'not-found' }));
    expect(() => world.tofu.explain('unknown.example.org:993')).toThrow(
      expect.objectContaining({ exit: 'not-found' }),
    );
  });
});

it('the settings of the configuration decide what a command means before any session', async () => {
  const world = await World.open();
  const endpoint = world.endpoint.name;
  world.tofu.configure(new Map([[endpoint, { policy: 'ca', firstUse: 'accept', configPins: [] }]]));
  const { lines } = await world.add(selfSigned().spki);
  expect(lines).toContain('Under trust: ca pins are not looked at.');
});

const configured = (world: World, part: Parameters<typeof trusting>[0]) =>
  world.tofu.configure(new Map([[world.endpoint.name, trusting(part)]]));

describe('settings read anew between verdict and record', () => {
  it('decide, and nothing is learnt by those that went', async () => {
    const world = await World.open();
    configured(world, {});
    const judged = world.judge(selfSigned());
    configured(world, { policy: 'pinned' });
    expect(await world.tofu.settle(judged)).toMatchObject({ accept: false });
    expect(world.tofu.record(world.endpoint.name)?.pins ?? []).toEqual([]);
    await world.tofu.close();
  });

  it('of other endpoints do not, and what the caller gave holds where nothing is configured', async () => {
    const world = await World.open();
    const judged = world.judge(selfSigned());
    world.tofu.configure(new Map([['other.example.org:993', trusting({ policy: 'pinned' })]]));
    expect(await world.tofu.settle(judged)).toMatchObject({ accept: true });
    await world.tofu.close();
  });
});
