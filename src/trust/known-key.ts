// Finds the key a person means by a full fingerprint, among the keys an endpoint is known by. People compare
// badly, so the comparing is done here; a reference or a part of a fingerprint names no key.

import { CommandError } from '../errors.ts';
import type { Situation } from './command.ts';
import type { KeyEvidence } from './record.ts';
import { matchesFingerprint, requireFingerprint } from './fingerprint.ts';
import { lastEvidence } from './seen.ts';

export interface KnownKey {
  readonly spki: string;
  readonly evidence: KeyEvidence | null;
}

/** The key that `expect` names. @throws CommandError `usage` for no full fingerprint, `not-found` for an unknown key */
export function knownKey(situation: Situation, expect: string): KnownKey {
  const key = findKey(situation, expect);
  if (key !== null) return key;
  throw new CommandError('not-found', `no key of ${situation.endpoint} has this fingerprint`, {
    hint: 'letterlock pins show ENDPOINT lists its keys; letterlock pins add names one in advance.',
  });
}

/** As knownKey, or null for an unknown key. @throws CommandError `usage` */
export function findKey(situation: Situation, expect: string): KnownKey | null {
  const named = shownKeys(situation).find((shown) => asUsage(() => matchesFingerprint(expect, shown)));
  if (named !== undefined) return { spki: named.spki, evidence: evidenceOf(situation, named.spki) };
  asUsage(() => requireFingerprint(expect));
  return null;
}

/** The canonical `sha256//…` of a key nobody has seen yet. @throws CommandError `usage` */
export function namedSpki(text: string): string {
  const fingerprint = asUsage(() => requireFingerprint(text));
  if (fingerprint.kind === 'spki') return fingerprint.value;
  throw new CommandError('usage', 'this fingerprint may be that of a certificate, and a pin names a key', {
    hint: 'Give the key as sha256//BASE64=; letterlock cert FILE prints it.',
  });
}

/** The last evidence of a key; of a CA-verified leaf that was never a pin, what the ratchet keeps of it. */
export function evidenceOf({ record }: Situation, spki: string): KeyEvidence | null {
  const seen = lastEvidence(record, spki);
  const lastCa = record?.lastCa ?? null;
  if (seen !== null || lastCa === null || lastCa.spki !== spki) return seen;
  const { sha256, issuer, notAfter, seenAt, pem } = lastCa;
  const facts = { caValid: true, chainsToAnchor: true, faults: [], subject: '', names: [] };
  return { ...facts, seenAt, sha256, issuer, notBefore: 0, notAfter, pem };
}

function shownKeys({
  record,
  settings,
  sealed,
}: Situation): readonly { spki: string; sha256: string | null }[] {
  const withCertificate = [...(record?.pins ?? []), ...(record?.candidates ?? [])].map((key) => ({
    spki: key.spki,
    // The certificate kept beside an anchor's pin is one below it: its fingerprint does not name the anchor.
    sha256: 'kind' in key && key.kind === 'anchor' ? null : (key.evidence?.sha256 ?? null),
  }));
  const lastCa = record?.lastCa ?? null;
  const bare = [
    ...(record?.rejected ?? []).map((key) => key.spki),
    ...sealed.rejected,
    ...settings.configPins,
  ];
  return [
    ...withCertificate,
    ...(lastCa === null ? [] : [lastCa]),
    ...bare.map((spki) => ({ spki, sha256: null })),
  ];
}

function asUsage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) throw new CommandError('usage', error.message, { cause: error });
    throw error;
  }
}
