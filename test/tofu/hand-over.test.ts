// A server that signs its next certificate with the key it has, from the first session on, by real signatures.

import { describe, expect, it, vi } from 'vitest';
import { spkiOfCertificate } from '../../src/trust/fingerprint.ts';
import { dns, ecKeys, extendedKeyUsage, type Forged, forgeLeaf, san, serverAuth } from '../trust/forge.ts';
import { day, type Identity, selfSigned, World } from './world.ts';

/** Three keys of one server, each signed by the one before it, as it presents them. */
function line(): readonly [Identity, Identity, Identity] {
  const extensions = [san(dns('mail.example.org')), extendedKeyUsage(serverAuth)];
  const first = forgeLeaf({ keys: ecKeys(), extensions });
  const second = forgeLeaf({ keys: ecKeys(), extensions, issuer: first });
  const third = forgeLeaf({ keys: ecKeys(), extensions, issuer: second });
  return [presented(first, []), presented(second, [first]), presented(third, [second])];
}

function presented({ certificate, keys }: Forged, above: readonly Forged[]): Identity {
  const plain = selfSigned({ keys });
  const chain = [certificate, ...above.map((each) => each.certificate)];
  const spki = spkiOfCertificate(certificate);
  if (spki === null) throw new Error('a key of this run can be read');
  const chainError = above.length === 0 ? 'DEPTH_ZERO_SELF_SIGNED_CERT' : 'SELF_SIGNED_CERT_IN_CHAIN';
  return { ...plain, spki, peer: { ...plain.peer, chain, spki, chainError } };
}

const open = () => World.open({ policy: 'tofu', handOver: true });

describe('a server that rolls its key over', () => {
  it('is followed, and the old key goes in seven days', async () => {
    const world = await open();
    const [first, second, third] = line();
    expect(await world.meet(first)).toBe('first-use');
    world.after(day);
    expect(await world.meet(second)).toBe('pin');
    expect(await world.meet(first)).toBe('pin');
    expect(world.told('retiring-key-in-use')).toHaveLength(1);
    expect((await world.history()).map(({ event, spki }) => [event, spki])).toEqual([
      ['first-use', first.spki],
      ['handed-over', second.spki],
      ['retired', first.spki],
    ]);
    world.after(7 * day);
    expect(await world.meet(first)).toBe('pin-mismatch');
    expect(await world.meet(second)).toBe('pin');
    expect(await world.meet(third)).toBe('pin');
    expect(world.record.pins.map(({ spki, origin, parent }) => [spki, origin, parent])).toEqual([
      [first.spki, 'first-use', undefined],
      [second.spki, 'first-use', first.spki],
      [third.spki, 'first-use', second.spki],
    ]);
    expect(world.tofu.explain(world.endpoint.name).steps.join('\n')).toContain(
      `handed over by ${second.spki}`,
    );
  });

  it('is not followed where that is not switched on', async () => {
    const world = await World.open({ policy: 'tofu' });
    const [first, second] = line();
    await world.meet(first);
    expect(await world.meet(second)).toBe('pin-mismatch');
  });

  it('is followed by fifty sessions at once, with one change of trust', async () => {
    const world = await open();
    const [first, second] = line();
    await world.meet(first);
    const ends = await Promise.all(Array.from({ length: 50 }, () => world.meet(second)));
    expect(new Set(ends)).toEqual(new Set(['pin']));
    expect((await world.history()).map(({ event }) => event)).toEqual([
      'first-use',
      'handed-over',
      'retired',
    ]);
  });

  it('is not vouched for when the hand-over cannot be written', async () => {
    const world = await open();
    const [first, second] = line();
    await world.meet(first);
    const commit = vi.spyOn(world.store, 'commit').mockRejectedValue(new Error('no space'));
    expect(await world.meet(second)).toBe('store-unavailable');
    commit.mockRestore();
    expect(await world.meet(second)).toBe('pin');
  });
});

describe('the key that handed over', () => {
  it('takes its heirs with it when it is rejected, and their sessions', async () => {
    const world = await open();
    const [first, second, third] = line();
    await world.meet(first);
    await world.meet(second);
    await world.meet(third);
    const answer = await world.reject(first);
    expect(answer.lines).toContain(`Ended ${second.spki}: ${first.spki} had handed over to it.`);
    expect(answer.lines).toContain(`Ended ${third.spki}: ${first.spki} had handed over to it.`);
    expect(new Set(world.told('key-untrusted').map(({ spki }) => spki))).toEqual(
      new Set([first.spki, second.spki, third.spki]),
    );
    expect(await world.meet(second)).toBe('pins-spent');
    expect(await world.meet(third)).toBe('pins-spent');
    expect(
      (await world.history()).filter(({ detail }) => detail.startsWith('ended: trusted on')),
    ).toHaveLength(2);
    await world.undo();
    expect(await world.meet(third)).toBe('pin');
  });

  it('leaves alone an heir that an operator approved since', async () => {
    const world = await open();
    const [first, second] = line();
    await world.meet(first);
    await world.meet(second);
    await world.approve(second, { keep: true });
    const { lines } = await world.reject(first);
    expect(lines.some((text) => text.startsWith('Ended'))).toBe(false);
    expect(await world.meet(second)).toBe('pin');
  });

  it('has no heir any more when the command before the hand-over is undone', async () => {
    const world = await open();
    const [first, second] = line();
    await world.meet(first);
    await world.approve(first, { keep: true });
    await world.meet(second);
    expect(world.record.pins.at(-1)).toMatchObject({ spki: second.spki, origin: 'approved' });
    await world.undo();
    expect(world.record.candidates.map(({ spki }) => spki)).toEqual([second.spki]);
    expect(await world.meet(second)).toBe('pin-mismatch');
    expect(await world.meet(first)).toBe('pin');
  });
});
