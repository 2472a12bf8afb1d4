// Certificates that other programs vouched for by a hash that does not carry the key. One of them counts as a pin
// whose key is not known yet: it keeps every other key out, and the certificate that fits shows the key. Pure.

import { createHash } from 'node:crypto';
import type { CertificateDescription } from './certificate.ts';
import { colons, sha256Of, spkiOf } from './fingerprint.ts';
import { readFrame } from './frame.ts';
import type { EndpointRecord, Expectation } from './record.ts';

/** The server's own certificate, as it is described or remembered. */
export type ShownLeaf = Pick<CertificateDescription, 'spki' | 'sha256' | 'pem'>;

/** What of an expectation says whether a certificate fits. */
export type Expected = Pick<Expectation, 'of' | 'algorithm' | 'digest'>;

/** Those whose end has not passed. */
export const liveExpectations = (record: Expecting | null, now: number): readonly Expectation[] =>
  (record?.expected ?? []).filter(({ until }) => until === null || until > now);

/** Those among `expected` that this certificate fits. Nothing fits a certificate that cannot be read. */
export const expectationsMet = <E extends Expected>(expected: readonly E[], leaf: ShownLeaf): readonly E[] =>
  expected.filter((one) => digestOf(leaf, one) === one.digest);

export const isSameExpectation = (one: Expected, other: Expected): boolean =>
  one.of === other.of && one.algorithm === other.algorithm && one.digest === other.digest;

/** `record` with exactly these expectations. */
export function withExpected<R extends Expecting>(record: R, expected: readonly Expectation[]): R {
  const { expected: _, ...rest } = record;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (expected.length === 0 ? rest : { ...rest, expected }) as R;
}

/** `record` without those whose end has passed, also where `undo` would bring them back; the same when none has. */
export function withoutOver(record: EndpointRecord, now: number): EndpointRecord {
  const { undo } = record;
  const hasOver = (one: Expecting | null): boolean =>
    one !== null && liveExpectations(one, now).length < (one.expected ?? []).length;
  if (!hasOver(record) && !hasOver(undo?.before ?? null)) return record;
  const left = withExpected(record, liveExpectations(record, now));
  if (undo === null) return left;
  return {
    ...left,
    undo: { ...undo, before: withExpected(undo.before, liveExpectations(undo.before, now)) },
  };
}

type Expecting = Pick<EndpointRecord, 'expected'>;

/** For people: `the certificate with SHA-256 AB:CD:…`. */
export const expectationText = ({ of, algorithm, digest }: Expected): string =>
  `the ${of} with ${algorithm.toUpperCase().replace(/^SHA/, 'SHA-')} ${colons(digest)}`;

function digestOf(leaf: ShownLeaf, { of, algorithm }: Expected): string | null {
  if (of === 'certificate' && algorithm === 'sha256') return leaf.sha256.replaceAll(':', '').toLowerCase();
  const octets = of === 'certificate' ? certificateOf(leaf) : keyOf(leaf);
  return octets === null ? null : createHash(algorithm).update(octets).digest('hex');
}

/** What is hashed must be the certificate that was shown, whatever stands in the text beside it. */
function certificateOf({ pem, sha256 }: ShownLeaf): Uint8Array | null {
  const der = Buffer.from(pem.replace(/-----[A-Z ]*-----/g, ''), 'base64');
  return sha256Of(der) === sha256 ? der : null;
}

function keyOf(leaf: ShownLeaf): Uint8Array | null {
  const der = certificateOf(leaf);
  if (der === null) return null;
  try {
    const spki = readFrame(der).spki.whole;
    return spkiOf(spki) === leaf.spki ? spki : null;
  } catch {
    return null;
  }
}
