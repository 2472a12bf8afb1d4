// What is recalled of a key without the network: as it was seen, and nothing better than that.

import { describe, expect, it } from 'vitest';
import type { Fault } from '../../src/trust/fault.ts';
import { judge } from '../../src/trust/policy.ts';
import { lastEvidence, recalled } from '../../src/trust/seen.ts';
import {
  candidateOf,
  day,
  endpoint,
  evidenceOf,
  keyEvidence,
  keyNamed,
  noon,
  pinOf,
  recordOf,
  settingsOf,
} from './evidence.ts';

const spki = keyNamed('server');
const again = (evidence: Parameters<typeof recalled>[1]['evidence'], policy: 'auto' | 'ca' = 'auto') =>
  judge(recalled(evidenceOf({ settings: settingsOf({ policy }) }), { endpoint, spki, evidence }));

describe('a key that is judged again from memory', () => {
  it('is judged by what it was seen with', () => {
    expect(again(keyEvidence())).toMatchObject({ accept: true, basis: 'first-use' });
    expect(again(keyEvidence({ caValid: true, faults: [] }))).toMatchObject({ accept: true, basis: 'ca' });
    expect(again(keyEvidence({ faults: ['weak-key'] }))).toMatchObject({ reason: 'first-use-unsafe' });
  });

  it('is CA-verified no longer than its certificate', () => {
    const seen = keyEvidence({ caValid: true, faults: [], notBefore: noon - day, notAfter: noon - 1 });
    expect(again(seen, 'ca')).toMatchObject({ reason: 'ca-invalid' });
    expect(again({ ...seen, notAfter: noon }, 'ca')).toMatchObject({ basis: 'ca' });
  });

  it('is no first use with a fault that only another version of letterlock knows', () => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as a newer version may have written it
    const faults: readonly Fault[] = ['self-signed', 'cursed' as Fault];
    const record = recordOf({ candidates: [candidateOf('server', { faults })] });
    const kept = lastEvidence(record, spki);
    expect(again(kept)).toMatchObject({ accept: false, reason: 'first-use-unsafe' });
    expect(kept?.faults).toEqual(['malformed', 'self-signed']);
  });

  it('is nothing good when its certificate was never kept', () => {
    expect(again(null, 'ca')).toMatchObject({ accept: false, reason: 'ca-invalid' });
  });
});

describe('the last evidence of a key', () => {
  it('is the newest, whether it stands with a pin or with a candidate', () => {
    const old = keyEvidence({ seenAt: noon - day });
    const fresh = candidateOf('server', { seenAt: noon });
    const record = recordOf({ pins: [pinOf('server', { evidence: old })], candidates: [fresh] });
    expect(lastEvidence(record, spki)).toBe(fresh.evidence);
    expect(lastEvidence(record, keyNamed('other'))).toBeNull();
  });
});
