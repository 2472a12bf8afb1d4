// Which key a person means, and what is known of it.

import { describe, expect, it } from 'vitest';
import { CommandError } from '../../src/errors.ts';
import type { Situation } from '../../src/trust/command.ts';
import { evidenceOf, findKey, knownKey, namedSpki } from '../../src/trust/known-key.ts';
import {
  candidateOf,
  endpoint,
  keyEvidence,
  keyNamed,
  lastCaOf,
  noon,
  pinOf,
  recordOf,
  settingsOf,
  sha256Named,
} from './evidence.ts';

const situation: Situation = {
  endpoint,
  record: recordOf({
    pins: [pinOf('pin'), pinOf('anchor', { kind: 'anchor' }), pinOf('bare', { evidence: null })],
    candidates: [candidateOf('candidate')],
    rejected: [{ spki: keyNamed('rejected'), at: noon }],
    lastCa: lastCaOf('verified'),
  }),
  settings: settingsOf({ configPins: [keyNamed('configured')] }),
  sealed: { rejected: new Set([keyNamed('sealed')]), until: new Map() },
  now: noon,
  origin: 'cli',
};

describe('a key is found', () => {
  const all = ['pin', 'anchor', 'bare', 'candidate', 'rejected', 'verified', 'configured', 'sealed'];
  it.each(all)('by its own fingerprint: %s', (name) => {
    expect(findKey(situation, keyNamed(name))?.spki).toBe(keyNamed(name));
  });

  it.each(['pin', 'candidate', 'verified'])('by that of its certificate: %s', (name) => {
    expect(findKey(situation, sha256Named(name))?.spki).toBe(keyNamed(name));
  });

  it('never as an anchor by the certificate that was kept beside it, which is one below', () => {
    expect(findKey(situation, sha256Named('anchor'))).toBeNull();
  });

  it('nowhere where nothing is remembered', () => {
    const nothing = { ...situation, record: null };
    expect(findKey(nothing, keyNamed('pin'))).toBeNull();
    expect(findKey(nothing, keyNamed('configured'))).toEqual({
      spki: keyNamed('configured'),
      evidence: null,
    });
    expect(() => knownKey(nothing, keyNamed('pin'))).toThrow(CommandError);
    expect(knownKey(situation, keyNamed('pin'))).toEqual(findKey(situation, keyNamed('pin')));
  });

  it('by no part of a fingerprint, also where there is nothing to compare it with', () => {
    const empty = { ...situation, record: null, settings: settingsOf() };
    const wanted = { name: 'CommandError', exit: 'usage' };
    for (const about of [situation, { ...empty, sealed: { rejected: new Set<string>(), until: new Map() } }])
      expect(() => findKey(about, keyNamed('pin').slice(0, 20))).toThrow(expect.objectContaining(wanted));
  });
});

it('a key that nobody has seen yet is named as a key, and by nothing that may be a certificate', () => {
  expect(namedSpki(` ${keyNamed('new')}`)).toBe(keyNamed('new'));
  const wanted = { name: 'CommandError', exit: 'usage' };
  for (const text of [sha256Named('new'), keyNamed('new').slice(0, 20)])
    expect(() => namedSpki(text)).toThrow(expect.objectContaining(wanted));
});

describe('what is known of a key', () => {
  it('is what was last seen of it, as pin or as candidate', () => {
    expect(evidenceOf(situation, keyNamed('pin'))).toEqual(keyEvidence({ sha256: sha256Named('pin') }));
    expect(evidenceOf(situation, keyNamed('candidate'))?.sha256).toBe(sha256Named('candidate'));
  });

  it('is of a CA-verified leaf that was never a pin what the ratchet keeps', () => {
    const { sha256, issuer, notAfter, seenAt, pem } = lastCaOf('verified');
    const facts = { caValid: true, chainsToAnchor: true, faults: [], subject: '', names: [], notBefore: 0 };
    expect(evidenceOf(situation, keyNamed('verified'))).toEqual({
      ...facts,
      sha256,
      issuer,
      notAfter,
      seenAt,
      pem,
    });
  });

  it('is nothing of any other, whatever a CA verified', () => {
    for (const name of ['bare', 'rejected', 'nobody'])
      expect(evidenceOf(situation, keyNamed(name))).toBeNull();
    expect(evidenceOf({ ...situation, record: null }, keyNamed('verified'))).toBeNull();
  });
});
