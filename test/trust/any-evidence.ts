// Evidence nobody would think of, for what must hold of every verdict.

import * as fc from 'fast-check';
import { firstUses, policies, type Evidence } from '../../src/trust/evidence.ts';
import { faults, isFault } from '../../src/trust/fault.ts';
import type { EndpointRecord, Pin } from '../../src/trust/record.ts';
import { day, endpoint, examinedAs, keyEvidence, keyNamed, lastCaOf, noon } from './evidence.ts';

export const names = ['server', 'second', 'attacker'] as const;
export const spki = fc.constantFrom(...names).map(keyNamed);
export const when = fc.constantFrom(noon - day, noon - 1, noon, noon + 1, noon + day);
export const fault = fc.constantFrom(...Object.keys(faults).filter(isFault));

export const pin: fc.Arbitrary<Pin> = fc.record({
  spki,
  kind: fc.constantFrom('leaf' as const, 'leaf' as const, 'anchor' as const),
  origin: fc.constantFrom('first-use', 'approved', 'added', 'imported', 'config'),
  firstSeen: when,
  lastSeen: fc.option(when),
  until: fc.constantFrom(null, null, null, noon - 1, noon, noon + day),
  endedAt: fc.constantFrom(null, null, null, null, noon - day),
  evidence: fc.constantFrom(null, keyEvidence(), keyEvidence({ caValid: true })),
});

const record: fc.Arbitrary<EndpointRecord> = fc.record({
  endpoint: fc.constant(endpoint),
  epoch: fc.nat(9),
  basis: fc.constantFrom('none', 'ca', 'pinned'),
  pins: fc.array(pin, { maxLength: 4 }),
  rejected: fc.array(fc.record({ spki, at: when }), { maxLength: 1 }),
  candidates: fc.constant([]),
  lastCa: fc.constantFrom(null, null, lastCaOf('server')),
  undo: fc.constant(null),
});

const examined = fc.oneof(
  fc.boolean().map((valid) => examinedAs({ caValid: valid })),
  fc
    .tuple(fc.boolean(), fc.boolean(), fc.array(fault, { maxLength: 3 }))
    .map(([valid, chainsToAnchor, found]) => examinedAs({ caValid: valid, chainsToAnchor, faults: found })),
);

export const anyEvidence: fc.Arbitrary<Evidence> = fc.record({
  endpoint: fc.constant(endpoint),
  settings: fc.record({
    policy: fc.constantFrom(...policies),
    firstUse: fc.constantFrom(...firstUses),
    configPins: fc.oneof(fc.constant([]), fc.constant([]), fc.array(spki, { maxLength: 2 })),
  }),
  now: fc.constantFrom(...Array<number>(16).fill(noon), -1, 0, Number.MAX_SAFE_INTEGER),
  spki: fc.option(spki, { freq: 20 }),
  resumed: fc.constantFrom(false, false, false, false, false, false, false, false, false, true),
  profile: fc.constantFrom('modern', 'modern', 'modern', 'modern', 'legacy'),
  examined: fc.option(examined, { freq: 20 }),
  anchors: fc.constantFrom(0, 140),
  record: fc.option(record, { freq: 8 }),
  recordVerified: fc.constantFrom(true, true, true, true, true, true, true, false),
  store: fc.constantFrom('good', 'good', 'good', 'good', 'good', 'good', 'damaged', 'unavailable'),
  sealed: fc.record({
    rejected: fc.array(spki, { maxLength: 1 }).map((keys) => new Set(keys)),
    until: fc.array(fc.tuple(spki, when), { maxLength: 1 }).map((ends) => new Map(ends)),
  }),
});
