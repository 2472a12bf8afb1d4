// The lives of mail servers, told from the first session on. Each story uses the engine as a proxy does, and
// the commands as a person would.

import { describe, expect, it } from 'vitest';
import { caSigned, day, hour, inLegacy, issuedAt, minute, selfSigned, World } from './world.ts';

describe('a self-signed server that moves to a CA', () => {
  it('with the key it had is promoted without an alarm, and the CA decides from then on', async () => {
    const world = await World.open();
    const own = selfSigned();
    expect(await world.meet(own)).toBe('first-use');
    expect(await world.meet(own)).toBe('pin');

    world.after(30 * day);
    const certified = issuedAt(world.now, own.keys);
    expect(certified.spki).toBe(own.spki);
    expect(await world.meet(certified)).toBe('pin');
    expect(world.record.basis).toBe('ca');
    expect(world.record.pins.every((pin) => pin.endedAt !== null)).toBe(true);
    expect((await world.history()).map(({ event }) => event)).toEqual(['first-use', 'promoted']);
    expect(world.told('key-untrusted')).toEqual([]);

    expect(await world.meet(certified)).toBe('ca');
    world.after(60 * day);
    expect(await world.meet(issuedAt(world.now))).toBe('ca');
    expect(await world.meet(own)).toBe('ca-lost');
  });

  it('with a new key is refused until approved as CA, and then renews three times without an alarm', async () => {
    const world = await World.open();
    const own = selfSigned();
    await world.meet(own);

    world.after(30 * day);
    const first = issuedAt(world.now);
    expect(await world.meet(first)).toBe('pin-mismatch');
    await expect(world.approve(first)).rejects.toMatchObject({
      exit: 'usage',
      hint: expect.stringMatching(/^Choose: --as ca/),
    });
    expect(await world.meet(first)).toBe('pin-mismatch');
    const answer = await world.approve(first, { as: 'ca' });
    expect(answer.record).toMatchObject({ basis: 'ca', candidates: [] });
    expect(world.told('key-untrusted')).toEqual([expect.objectContaining({ spki: own.spki })]);
    expect(await world.meet(first)).toBe('ca');

    const told = world.events.length;
    for (let renewal = 0; renewal < 3; renewal += 1) {
      world.after(60 * day);
      expect(await world.meet(issuedAt(world.now))).toBe('ca');
    }
    const alarms = world.events
      .slice(told)
      .filter((event) => event.type === 'pin-changed' || (event.type === 'judged' && event.reason !== null));
    expect(alarms).toEqual([]);
    expect(await world.meet(own)).toBe('ca-lost');
    expect(await world.meet(selfSigned())).toBe('ca-lost');
  });
});

describe('a certificate renewed on the same key', () => {
  it('is accepted, told of once, and moves no trust', async () => {
    const world = await World.open();
    const own = selfSigned();
    await world.meet(own);
    const { epoch } = world.record;
    world.after(40 * day);
    const renewed = selfSigned({ keys: own.keys, to: '2027-01-01T00:00:00Z' });
    expect(await world.meet(renewed)).toBe('pin');
    expect(await world.meet(renewed)).toBe('pin');
    expect(await world.meet(own)).toBe('pin');
    expect(world.told('certificate-renewed')).toEqual([
      {
        type: 'certificate-renewed',
        endpoint: 'mail.example.org:993',
        spki: own.spki,
        sha256: renewed.sha256,
      },
    ]);
    await world.tofu.close();
    expect(world.record.epoch).toBe(epoch);
    expect(world.record.pins[0]?.evidence?.sha256).toBe(renewed.sha256);
  });

  it('is told of under a CA too, and its expiry never lets another key in', async () => {
    const world = await World.open();
    const first = caSigned();
    expect(await world.meet(first)).toBe('ca');
    world.after(50 * day);
    const renewed = issuedAt(world.now, first.keys);
    expect(await world.meet(renewed)).toBe('ca');
    expect(world.told('certificate-renewed')).toHaveLength(1);
    world.after(100 * day);
    expect(await world.meet(selfSigned({ to: '2028-01-01T00:00:00Z' }))).toBe('ca-lost');
  });

  it('that runs out stops no live pin', async () => {
    const world = await World.open();
    const own = selfSigned();
    await world.meet(own);
    world.after(200 * day);
    expect(await world.meet(own)).toBe('pin');
    expect(await world.meet(selfSigned())).toBe('pin-mismatch');
  });
});

it('a stolen key that is replaced and rejected is never accepted again, not even after forget', async () => {
  const world = await World.open();
  const stolen = selfSigned();
  const fresh = selfSigned();
  await world.meet(stolen);
  const settled = await world.settle(stolen);

  expect(await world.meet(fresh)).toBe('pin-mismatch');
  await world.approve(fresh, { endOld: true });
  await world.reject(stolen);
  expect(settled.accept && world.tofu.isCurrent(settled.vouched)).toBe(false);
  expect(world.told('key-untrusted').map(({ spki }) => spki)).toContain(stolen.spki);

  expect(await world.meet(stolen)).toBe('key-rejected');
  expect(await world.meet(fresh)).toBe('pin');
  await world.forget();
  expect(await world.meet(stolen)).toBe('key-rejected');
  expect(await world.meet(fresh)).toBe('first-use');
  const later = await world.restarted();
  expect(await later.meet(stolen)).toBe('key-rejected');
});

describe('a pool of two servers with a key each', () => {
  it('works with both keys once the second is approved with --keep', async () => {
    const world = await World.open();
    const one = selfSigned();
    const two = selfSigned();
    await world.meet(one);
    expect(await world.meet(two)).toBe('pin-mismatch');
    const { lines } = await world.approve(two, { keep: true });
    expect(lines.filter((line) => line.includes('without an end'))).toHaveLength(2);
    world.after(30 * day);
    expect(await world.meet(one)).toBe('pin');
    expect(await world.meet(two)).toBe('pin');
    expect(world.told('retiring-key-in-use')).toEqual([]);
  });

  it('approved plainly loses the first key after 7 days, is warned on the way and told what to do at the end', async () => {
    const world = await World.open();
    const one = selfSigned();
    const two = selfSigned();
    await world.meet(one);
    await world.meet(two);
    await world.approve(two);
    expect(await world.meet(one)).toBe('pin');
    expect(await world.meet(one)).toBe('pin');
    expect(world.told('retiring-key-in-use')).toEqual([
      expect.objectContaining({
        spki: one.spki,
        until: world.now + 7 * day,
        advice: expect.stringContaining('--keep'),
      }),
    ]);
    world.after(7 * day);
    expect(await world.meet(one)).toBe('pin-mismatch');
    expect(await world.meet(two)).toBe('pin');
    await expect(world.approve(one)).rejects.toMatchObject({
      exit: 'usage',
      hint: expect.stringContaining('--keep'),
    });
    await world.approve(one, { keep: true });
    expect(await world.meet(one)).toBe('pin');
    expect(await world.meet(two)).toBe('pin');
  });
});

it('when the only pin is rejected nothing is trusted, first use included, until a key is approved', async () => {
  const world = await World.open();
  const own = selfSigned();
  await world.meet(own);
  const { lines } = await world.reject(own);
  expect(lines.join('\n')).toContain('No key is trusted any more');
  expect(await world.meet(own)).toBe('key-rejected');
  const next = selfSigned();
  expect(await world.meet(next)).toBe('pins-spent');
  expect(await world.meet(caSigned())).toBe('pins-spent');
  await world.approve(next);
  expect(await world.meet(next)).toBe('pin');
});

describe('an approval for one day', () => {
  it('runs out, is written down, and a clock set back revives nothing', async () => {
    const world = await World.open({ firstUse: 'hold' });
    const own = selfSigned();
    expect(await world.meet(own)).toBe('first-use-held');
    await world.approve(own, { forMs: day });
    expect(await world.meet(own)).toBe('pin');
    world.after(day - minute);
    expect(await world.meet(own)).toBe('pin');
    world.after(minute);
    expect(await world.meet(own)).toBe('pins-spent');
    expect((await world.history()).map(({ event }) => event)).toContain('expired');
    expect(world.told('key-untrusted').map(({ spki }) => spki)).toEqual([own.spki]);
    world.after(-2 * hour);
    expect(await world.meet(own)).toBe('pins-spent');
  });

  it('running out is noticed without any session, so that open ones are reset', async () => {
    const world = await World.open({ firstUse: 'hold' });
    const own = selfSigned();
    await world.meet(own);
    await world.approve(own, { forMs: day });
    const settled = await world.settle(own);
    world.after(day);
    await world.tofu.sweep();
    expect(world.told('key-untrusted').map(({ spki }) => spki)).toEqual([own.spki]);
    expect(settled.accept && world.tofu.isCurrent(settled.vouched)).toBe(false);
  });
});

describe('a policy changed in the configuration', () => {
  it('from auto to ca refuses the pinned self-signed key, and back again it is still pinned', async () => {
    const world = await World.open();
    const own = selfSigned();
    await world.meet(own);
    world.settings = { ...world.settings, policy: 'ca' };
    expect(await world.meet(own)).toBe('ca-invalid');
    world.settings = { ...world.settings, policy: 'auto' };
    expect(await world.meet(own)).toBe('pin');
    expect(await world.meet(caSigned())).toBe('pin-mismatch');
  });

  it('from auto to tofu pins the next CA-valid key of a CA-verified server, and nothing less', async () => {
    const world = await World.open();
    expect(await world.meet(caSigned())).toBe('ca');
    world.settings = { ...world.settings, policy: 'tofu' };
    expect(await world.meet(selfSigned())).toBe('ca-lost');
    const next = caSigned();
    expect(await world.meet(next)).toBe('first-use');
    expect(await world.meet(next)).toBe('pin');
    expect(await world.meet(caSigned())).toBe('pin-mismatch');
  });

  it('that removes the only configured pin leaves an emptied endpoint, never a first use', async () => {
    const own = selfSigned();
    const world = await World.open({ configPins: [own.spki] });
    expect(await world.meet(selfSigned())).toBe('pin-mismatch');
    expect(await world.meet(own)).toBe('pin');
    expect((await world.history()).map(({ event }) => event)).toEqual(['candidate', 'config-pinned']);
    world.settings = { ...world.settings, configPins: [] };
    expect(await world.meet(selfSigned())).toBe('pins-spent');
    expect(await world.meet(own)).toBe('pins-spent');
    expect(await world.meet(caSigned())).toBe('pins-spent');
  });
});

describe('an exception beside the CA', () => {
  it('lets a lapsed server through for 7 days, and leaves the CA in charge', async () => {
    const world = await World.open();
    const good = caSigned();
    await world.meet(good);
    world.after(91 * day);
    expect(await world.meet(good)).toBe('ca-lost');
    const { lines } = await world.approve(good);
    expect(lines.join('\n')).toContain('beside the CA');
    expect(world.record.basis).toBe('ca');
    expect(await world.meet(good)).toBe('pin');
    expect(await world.meet(issuedAt(world.now))).toBe('ca');
    world.after(7 * day);
    expect(await world.meet(good)).toBe('ca-lost');
  });

  it('becomes a pin without an end with --as pin, and the CA no longer decides', async () => {
    const world = await World.open();
    await world.meet(caSigned());
    const own = selfSigned();
    expect(await world.meet(own)).toBe('ca-lost');
    await world.approve(own, { as: 'pin' });
    expect(world.record).toMatchObject({ basis: 'pinned', pins: [{ spki: own.spki, until: null }] });
    expect(await world.meet(own)).toBe('pin');
    expect(await world.meet(caSigned())).toBe('pin-mismatch');
  });
});

describe('a server that speaks nothing but old TLS', () => {
  it.each([
    ['self-signed', selfSigned()],
    ['CA-signed', caSigned()],
  ])('%s, is refused until its key is approved, and relayed on that pin alone', async (_, identity) => {
    const world = await World.open();
    const old = inLegacy(identity);
    expect(await world.meet(old)).toBe('legacy-unpinned');
    expect(await world.meet(old)).toBe('legacy-unpinned');
    expect(world.record).toMatchObject({ basis: 'none', lastCa: null, candidates: [{ spki: old.spki }] });
    expect(world.tofu.explain(world.tofu.reference(world.endpoint.name, old.spki))).toMatchObject({
      summary: expect.stringContaining('(legacy-unpinned)'),
      advice: expect.arrayContaining([expect.stringContaining('--expect FINGERPRINT')]),
    });

    await expect(world.approve(old, { as: 'ca' })).rejects.toMatchObject({ exit: 'refused' });
    await world.approve(old);
    expect(await world.meet(old)).toBe('pin');
    expect(world.record).toMatchObject({ basis: 'pinned', lastCa: null, pins: [{ origin: 'approved' }] });
    expect(await world.meet(inLegacy(caSigned()))).toBe('pin-mismatch');
    await world.tofu.close();
  });

  it('is relayed from the first session on where its pin was added before', async () => {
    const world = await World.open();
    const old = inLegacy(selfSigned());
    await world.add(old.spki);
    expect(await world.meet(old)).toBe('pin');
    await world.tofu.close();
  });
});

const asked = (world: World): boolean => world.tofu.isEstablished(world.question(selfSigned()));

describe('whether a server is established', () => {
  it('is not before a first use, is after it, is not while the last key was refused, and is when that is pinned', async () => {
    const world = await World.open();
    const [own, moved] = [selfSigned(), selfSigned()];
    const first = world.judge(own);
    expect(asked(world)).toBe(false);
    await world.tofu.settle(first);
    expect(asked(world)).toBe(true);
    expect(await world.meet(moved)).toBe('pin-mismatch');
    expect(asked(world)).toBe(false);
    expect(await world.meet(own)).toBe('pin');
    expect(asked(world)).toBe(true);
    await world.meet(moved);
    await world.approve(moved);
    expect(asked(world)).toBe(true);
    expect(await world.meet(moved)).toBe('pin');
    await world.reject(moved);
    expect(asked(world)).toBe(false);
    expect(world.record.pins.some(({ spki, endedAt }) => spki === own.spki && endedAt === null)).toBe(true);
    await world.tofu.close();
  });

  it('is not by what a probe met, neither at first nor after a session was refused', async () => {
    const world = await World.open();
    const probe = async (identity: ReturnType<typeof selfSigned>): Promise<boolean> =>
      (await world.tofu.observe({ ...world.question(identity), by: 'probe' })).verdict.accept;
    const [own, attacker] = [caSigned(), selfSigned()];
    expect(await probe(own)).toBe(true);
    expect(world.record.lastCa?.spki).toBe(own.spki);
    expect(asked(world)).toBe(false);
    expect(await world.meet(own)).toBe('ca');
    expect(asked(world)).toBe(true);
    expect(await world.meet(attacker)).toBe('ca-lost');
    expect(await probe(own)).toBe(true);
    expect(asked(world)).toBe(false);
    expect(await world.meet(own)).toBe('ca');
    world.tofu.refused(world.endpoint.name);
    expect(await probe(own)).toBe(true);
    expect(asked(world)).toBe(false);
    expect(await world.meet(own)).toBe('ca');
    expect(asked(world)).toBe(true);
    expect(await probe(attacker)).toBe(false);
    expect(asked(world)).toBe(false);
    await world.tofu.close();
  });

  it('is by a CA, and by a pin of the configuration', async () => {
    const world = await World.open();
    await world.meet(caSigned());
    expect(asked(world)).toBe(true);
    await world.tofu.close();
    const configured = await World.open({ configPins: [selfSigned().spki] });
    expect(asked(configured)).toBe(true);
    await configured.tofu.close();
  });

  it('is asked anew when the settings were read again', async () => {
    const world = await World.open();
    await world.meet(selfSigned());
    await world.meet(selfSigned());
    expect(asked(world)).toBe(false);
    world.tofu.configure(new Map());
    expect(asked(world)).toBe(true);
    await world.tofu.close();
  });
});
