// A server with certificates of a week and a CA that changes its intermediates, by real signatures.

import { expect, it } from 'vitest';
import { loadAnchors } from '../../src/net/anchors.ts';
import { spkiOfCertificate } from '../../src/trust/fingerprint.ts';
import { ecKeys, type Forged, forgeCa, forgeLeaf } from '../trust/forge.ts';
import { day, type Identity, selfSigned, World } from './world.ts';

const root = forgeCa('Root');
const other = forgeCa('Other Root');
const rootKey = spkiOfCertificate(root.certificate);

function shown(chain: readonly [Forged, ...Forged[]]): Identity {
  const plain = selfSigned();
  const spki = spkiOfCertificate(chain[0].certificate);
  if (spki === null) throw new Error('a key of this run can be read');
  const certificates = chain.map(({ certificate }) => certificate);
  return { ...plain, spki, peer: { ...plain.peer, chain: certificates, spki, chainError: null } };
}

/** A new key below a new intermediate of this root. */
const week = (issuer: Forged): Identity => {
  const middle = forgeCa('Intermediate', { issuer });
  return shown([forgeLeaf({ keys: ecKeys(), issuer: middle }), middle]);
};

async function open(): Promise<World> {
  const world = await World.open({ policy: 'ca+tofu', continuity: 'anchor' });
  const certificates = [root.certificate, other.certificate];
  world.anchors = { ...(await loadAnchors([])), digest: 'two roots', certificates };
  return world;
}

it('ten keys and intermediates of one root are one anchor, without an alarm', async () => {
  const world = await open();
  expect(await world.meet(week(root))).toBe('first-use');
  for (let renewal = 0; renewal < 9; renewal += 1) {
    world.after(7 * day);
    expect(await world.meet(week(root))).toBe('pin');
  }
  expect(world.record.pins).toMatchObject([{ spki: rootKey, kind: 'anchor', lastSeen: world.now }]);
  expect(world.record.candidates).toEqual([]);
  expect((await world.history()).map(({ event, spki }) => [event, spki])).toEqual([['first-use', rootKey]]);
});

it('fifty first sessions on keys of two roots end with one anchor pinned', async () => {
  const world = await open();
  const identities = Array.from({ length: 50 }, (_, at) => week(at % 2 === 0 ? root : other));
  const ends = await Promise.all(identities.map((identity) => world.meet(identity)));
  expect(world.record.pins).toHaveLength(1);
  expect(ends.filter((end) => end === 'pin-mismatch')).toHaveLength(25);
});

it('another root is refused until approved, and rejecting the old one ends its sessions', async () => {
  const world = await open();
  const first = week(root);
  await world.meet(first);
  const moved = week(other);
  expect(await world.meet(moved)).toBe('pin-mismatch');
  await world.approve(moved);
  expect(await world.meet(week(other))).toBe('pin');
  expect(await world.meet(week(root))).toBe('pin');
  expect(world.told('retiring-key-in-use')).toMatchObject([{ spki: rootKey }]);
  expect(world.told('key-untrusted')).toEqual([]);
  await world.reject({ spki: rootKey ?? '' });
  expect(world.told('key-untrusted').map(({ spki }) => spki)).toContain(first.spki);
  expect(world.told('key-untrusted').map(({ spki }) => spki)).not.toContain(moved.spki);
  expect(await world.meet(week(root))).toBe('pin-mismatch');
  expect(await world.meet(week(other))).toBe('pin');
});

it('taking the setting away trusts no key by itself', async () => {
  const world = await open();
  await world.meet(week(root));
  world.settings = { policy: 'ca+tofu', firstUse: 'accept', configPins: [] };
  expect(await world.meet(week(root))).toBe('pin-mismatch');
});
