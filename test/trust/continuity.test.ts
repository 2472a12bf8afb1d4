// continuity: anchor. What is pinned is the anchor at the end of the checked path: which verdicts that gives, and
// that pins of the two kinds never stand in for each other.

import { describe, expect, it } from 'vitest';
import { carryOut } from '../../src/trust/carry-out.ts';
import type { Command } from '../../src/trust/command.ts';
import { commandTarget, sightedKey } from '../../src/trust/continuity.ts';
import type { Evidence, Verdict } from '../../src/trust/evidence.ts';
import { Examiner } from '../../src/trust/examine.ts';
import { spkiOfCertificate } from '../../src/trust/fingerprint.ts';
import { learn } from '../../src/trust/learn.ts';
import { keyEvidenceOf } from '../../src/trust/seen.ts';
import { judge } from '../../src/trust/policy.ts';
import type { EndpointRecord } from '../../src/trust/record.ts';
import {
  caValid,
  day,
  endpoint,
  evidenceOf,
  keyEvidence,
  keyNamed,
  lastCaOf,
  noon,
  pinOf,
  recordOf,
  selfSigned,
  settingsOf,
} from './evidence.ts';
import { anchorsOf, dns, endpointOf, type Forged, forgeCa, forgeLeaf, san } from './forge.ts';

const root = forgeCa('Old Root');
const newRoot = forgeCa('New Root');
// The same key and name, signed by the old root and by itself: a path may end at either.
const crossed = forgeCa('New Root', { issuer: root, keys: newRoot.keys });
const middle = forgeCa('Intermediate', { issuer: newRoot });
const leaf = forgeLeaf({ issuer: middle });
const keyOf = ({ certificate }: Forged): string => spkiOfCertificate(certificate) ?? '';

const examined = (chain: readonly Forged[], anchors: readonly Forged[]) =>
  new Examiner().examine(
    chain.map(({ certificate }) => certificate),
    {
      anchors: anchorsOf(...anchors),
      endpoint: endpointOf('mail.example.org'),
      chainError: null,
      profile: 'modern',
      now: Date.parse('2026-06-01T00:00:00Z'),
      clockSuspect: false,
    },
  );

describe('the anchors of a certificate', () => {
  it('are those that paths without a fault end at, each once', () => {
    expect(examined([leaf, middle], [newRoot]).anchorKeys).toEqual([keyOf(newRoot)]);
    expect(new Set(examined([leaf, middle, crossed], [newRoot, root]).anchorKeys)).toEqual(
      new Set([keyOf(newRoot), keyOf(root)]),
    );
    expect(examined([leaf, middle], [root]).anchorKeys).toBeUndefined();
    expect(examined([leaf], [leaf]).anchorKeys).toEqual([keyOf(leaf)]);
  });

  it('are none of a path with a fault', () => {
    const spent = forgeCa('Spent Root', { to: '2026-02-01T00:00:00Z' });
    expect(examined([forgeLeaf({ issuer: spent })], [spent])).toMatchObject({ faults: ['issuer-expired'] });
    expect(examined([forgeLeaf({ issuer: spent })], [spent]).anchorKeys).toBeUndefined();
  });

  it('are kept with what was seen of a key, where a CA vouched for it', () => {
    const seen = { now: noon, profile: 'modern' } as const;
    expect(keyEvidenceOf({ examined: examined([leaf, middle], [newRoot]), ...seen })?.anchor).toBe(
      keyOf(newRoot),
    );
    const elsewhere = forgeLeaf({ issuer: newRoot, extensions: [san(dns('other.example.org'))] });
    expect(keyEvidenceOf({ examined: examined([elsewhere], [newRoot]), ...seen })).not.toHaveProperty(
      'anchor',
    );
  });
});

const told = (verdict: Verdict): string => (verdict.accept ? `+${verdict.basis}` : verdict.reason);
const anchorPin = (name: string, part: Parameters<typeof pinOf>[1] = {}) =>
  pinOf(name, { kind: 'anchor', ...part });
const pinned = (...pins: ReturnType<typeof pinOf>[]) => recordOf({ basis: 'pinned', pins });
const over = { endedAt: noon - day } as const;

/** Remembered when the key `server` is shown, CA-valid by way of the anchor `root`. */
const states: Readonly<Record<string, EndpointRecord | null>> = {
  nothing: null,
  ca: recordOf({ basis: 'ca', lastCa: lastCaOf('former') }),
  'this-anchor': pinned(anchorPin('root')),
  'this-anchor-among-others': pinned(anchorPin('other'), anchorPin('root')),
  'other-anchor': pinned(anchorPin('other')),
  'leaf-pin-of-the-anchor': pinned(pinOf('root')),
  'anchor-pin-of-the-leaf': pinned(anchorPin('server')),
  'leaf-pin': pinned(pinOf('server')),
  'this-anchor-over': pinned(anchorPin('root', over)),
  'this-anchor-rejected': { ...pinned(anchorPin('root')), rejected: [{ spki: keyNamed('root'), at: noon }] },
  'this-anchor-over-beside-a-leaf': pinned(anchorPin('root', over), pinOf('other')),
};

/** V: CA-valid; X: not. The last two columns are those of ca+tofu that pins leaves. */
const table = `
nothing                        | +first-use   ca-invalid   | +first-use   ca-invalid
ca                             | +first-use   ca-lost      | +first-use   ca-lost
this-anchor                    | +pin         pin-mismatch | pin-mismatch pin-mismatch
this-anchor-among-others       | +pin         pin-mismatch | pin-mismatch pin-mismatch
other-anchor                   | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch
leaf-pin-of-the-anchor         | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch
anchor-pin-of-the-leaf         | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch
leaf-pin                       | +pin         ca-lost      | +pin         ca-lost
this-anchor-over               | pins-spent   pins-spent   | pins-spent   pins-spent
this-anchor-rejected           | pins-spent   pins-spent   | pins-spent   pins-spent
this-anchor-over-beside-a-leaf | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch
`;
const cells = table
  .trim()
  .split('\n')
  .flatMap((line) => {
    const [state = '', ...verdicts] = line.trim().split(/[\s|]+/);
    return verdicts.map((verdict, at) => ({ state, verdict, valid: at % 2 === 0, anchors: at < 2 }));
  });

const anchored = settingsOf({ policy: 'ca+tofu', continuity: 'anchor' });
const byRoot = { ...caValid, anchorKeys: [keyNamed('root')] };

describe('the table of continuity: anchor', () => {
  it('has every state', () => {
    expect(cells).toHaveLength(Object.keys(states).length * 4);
  });

  it.each(cells)(
    '$state, CA-valid $valid, pins anchors $anchors: $verdict',
    ({ state, verdict, valid, anchors }) => {
      const settings = anchors ? anchored : settingsOf({ policy: 'ca+tofu' });
      const evidence = evidenceOf({
        settings,
        record: states[state] ?? null,
        examined: valid ? byRoot : selfSigned,
      });
      expect(told(judge(evidence))).toBe(verdict);
    },
  );

  it.each(['auto', 'tofu', 'pinned'] as const)('anchor pins match nothing under %s', (policy) => {
    const settings = settingsOf({ policy, continuity: 'anchor' });
    expect(
      told(judge(evidenceOf({ settings, record: states['this-anchor'] ?? null, examined: byRoot }))),
    ).toBe('pin-mismatch');
  });

  it('makes no first use of an anchor whose key cannot be read', () => {
    expect(told(judge(evidenceOf({ settings: anchored, examined: caValid })))).toBe('first-use-unsafe');
  });
});

const met = (record: EndpointRecord | null, part: Partial<Evidence> = {}): EndpointRecord => {
  const evidence = evidenceOf({ settings: anchored, record, examined: byRoot, ...part });
  const lesson = learn(evidence, judge(evidence));
  return lesson?.record ?? record ?? recordOf();
};
const order = (record: EndpointRecord, command: Command) => {
  const sealed = { rejected: new Set<string>(), until: new Map<string, number>() };
  return carryOut(command, { endpoint, record, settings: anchored, sealed, now: noon, origin: 'cli' });
};
const plain = { forMs: null, as: null, keep: false, endOld: false, unreject: false } as const;
const approving = (key: string): Command => ({ command: 'approve', endpoint, expect: key, ...plain });
const adding = (pin: string): Command => ({ command: 'add', endpoint, pin, forMs: null, unreject: false });

describe('what is learnt and ordered', () => {
  it('a first use pins the anchor, and another key below it is no news but its certificate', () => {
    const first = met(null);
    expect(first.pins).toMatchObject([
      { spki: keyNamed('root'), kind: 'anchor', origin: 'first-use', until: null },
    ]);
    const renewed = {
      ...byRoot,
      chain: byRoot.chain.map((entry) => ({ ...entry, sha256: 'AB', notAfter: '2027-06-01T00:00:00Z' })),
    };
    const next = met(first, { spki: keyNamed('second'), examined: renewed });
    expect(next.pins).toMatchObject([{ spki: keyNamed('root'), evidence: { sha256: 'AB' } }]);
    expect(next).toMatchObject({ epoch: first.epoch, candidates: [] });
  });

  it('a refused key is approved by its own fingerprint, and its anchor is what is pinned', () => {
    const refused = met(pinned(anchorPin('other')));
    expect(refused.candidates).toMatchObject([
      { spki: keyNamed('server'), evidence: { anchor: keyNamed('root') } },
    ]);
    const { record, lines } = order(refused, approving(keyNamed('server')));
    expect(record.pins).toMatchObject([
      { spki: keyNamed('other'), kind: 'anchor', until: noon + 7 * day },
      { spki: keyNamed('root'), kind: 'anchor', origin: 'approved' },
    ]);
    expect(lines[0]).toContain(`${keyNamed('root')}, the anchor of ${keyNamed('server')},`);
    expect(record.candidates).toEqual([]);
    expect(
      told(judge(evidenceOf({ settings: anchored, record, spki: keyNamed('third'), examined: byRoot }))),
    ).toBe('+pin');
  });

  it('an approval of a key that no CA vouches for helps nobody, and is not stored', () => {
    const candidate = {
      spki: keyNamed('server'),
      firstSeen: noon,
      lastSeen: noon,
      seenCount: 1,
      reason: 'pin-mismatch',
    };
    const record = { ...pinned(anchorPin('other')), candidates: [{ ...candidate, evidence: keyEvidence() }] };
    expect(() => order(record, approving(keyNamed('server')))).toThrow('this would not help');
  });

  it('a key added beforehand is an anchor, unless it was seen', () => {
    const { record, lines } = order(recordOf(), adding(keyNamed('root')));
    expect(record.pins).toMatchObject([{ spki: keyNamed('root'), kind: 'anchor', origin: 'added' }]);
    expect(lines[0]).toContain('an anchor');
    const seen = met(pinned(anchorPin('other')));
    expect(order(seen, adding(keyNamed('server'))).record.pins.at(-1)).toMatchObject({
      spki: keyNamed('root'),
      kind: 'anchor',
    });
  });

  it('the fingerprint of a certificate below an anchor does not name the anchor', () => {
    const record = pinned(anchorPin('root'));
    const sha256 = record.pins[0]?.evidence?.sha256 ?? '';
    expect(() => order(record, { command: 'reject', endpoint, expect: sha256 })).toThrow('no key of');
    const rejected = order(record, { command: 'reject', endpoint, expect: keyNamed('root') }).record;
    expect(told(judge(evidenceOf({ settings: anchored, record: rejected, examined: byRoot })))).toBe(
      'pins-spent',
    );
  });

  it('undo ends an anchor learnt since, and makes no candidate of it', () => {
    const emptied = order(pinned(anchorPin('other')), adding(keyNamed('third'))).record;
    const learnt = { ...emptied, pins: [...emptied.pins, anchorPin('root')] };
    const { record } = order(learnt, { command: 'undo', endpoint });
    expect(record.pins.find(({ spki }) => spki === keyNamed('root'))?.endedAt).toBe(noon);
    expect(record.candidates).toEqual([]);
  });
});

describe('the key that is meant', () => {
  const vouched = keyEvidence({ anchor: keyNamed('root') });
  it.each([
    ['the anchor, where anchors are pinned', anchored, vouched, anchorPin('root')],
    ['the key, where no anchor vouched for it', anchored, keyEvidence(), pinOf('server')],
    ['the key, where keys are pinned', settingsOf({ policy: 'ca+tofu' }), vouched, pinOf('server')],
    [
      'the key, under another policy',
      settingsOf({ policy: 'auto', continuity: 'anchor' }),
      vouched,
      pinOf('server'),
    ],
  ])('by a command is %s', (_, settings, evidence, { spki, kind }) => {
    expect(commandTarget(keyNamed('server'), evidence, settings)).toEqual({ spki, kind });
  });

  it.each([
    ['the anchor that is pinned', pinned(anchorPin('root')), 'root'],
    ['the key, where the pin of its anchor is over', pinned(anchorPin('root', over)), 'server'],
    ['the key, where another anchor is pinned', pinned(anchorPin('other')), 'server'],
    ['the key, where it is the one that is pinned', pinned(pinOf('server')), 'server'],
    ['the key, where nothing is', null, 'server'],
  ])('by a sighting is %s', (_, record, seen) => {
    const evidence = evidenceOf({ settings: anchored, record, examined: byRoot });
    expect(sightedKey(evidence, keyNamed('server'))).toBe(keyNamed(seen));
  });
});

describe('a key in two roles', () => {
  it('counts in each for itself', () => {
    const both = pinned(pinOf('root', over), anchorPin('root'));
    const evidence = evidenceOf({ settings: anchored, record: both, examined: byRoot });
    expect(told(judge(evidence))).toBe('+pin');
    expect(told(judge({ ...evidence, record: pinned(pinOf('root'), anchorPin('root', over)) }))).toBe(
      'pin-mismatch',
    );
  });
});
