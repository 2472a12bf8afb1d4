// A stapled OCSP answer (RFC 6960 section 4.2, RFC 6066 section 8). The bytes come from the server that is being
// judged, so that only what its CA signed, about this very certificate and for now, says anything at all.

import { createHash, type KeyObject } from 'node:crypto';
import { type Der, DerError, elementsOf, Fields, oidOf, readOnly, tags, timeOf } from './der.ts';
import { readFrame } from './frame.ts';
import { type ParsedCertificate, parseCertificate, signedBy } from './parsed-certificate.ts';
import { serialKey } from './crl.ts';
import { isSignedBy, signatureBits, type Signed } from './signed.ts';

/** `nothing`: no answer that counts; no evidence either way. */
export type StapleWord = 'good' | 'revoked' | 'nothing';

/** The certificate asked about, and the one whose key signed it. */
export interface Asked {
  readonly leaf: ParsedCertificate;
  readonly issuer: ParsedCertificate;
}

const maxStaple = 65_536;
const maxAnswers = 64;
const maxResponders = 4;
/** Clocks of responders may be a little ahead. */
const skewMs = 300_000;
/** How long an answer without an end counts. */
const openEndMs = 7 * 86_400_000;

/** What the staple says of `leaf` at `now`. Never throws. */
export const wordOfStaple = (staple: Uint8Array, asked: Asked, now: number): StapleWord => {
  if (staple.length > maxStaple) return 'nothing';
  try {
    const { signed, data, certificates } = readBasic(staple);
    const answers = answersOf(data).filter((answer) => isAbout(answer.id, asked) && isCurrent(answer, now));
    if (answers.length === 0 || !isFromResponder(signed, { asked, certificates, now })) return 'nothing';
    if (answers.some(({ word }) => word === 'revoked')) return 'revoked';
    return answers.every(({ word }) => word === 'good') ? 'good' : 'nothing';
  } catch {
    return 'nothing';
  }
};

interface Basic {
  readonly signed: Signed;
  readonly data: Der;
  readonly certificates: readonly Uint8Array[];
}

const ocspBasic = '1.3.6.1.5.5.7.48.1.1';

const readBasic = (staple: Uint8Array): Basic => {
  const outer = new Fields(readOnly(staple, tags.sequence));
  if (outer.take(0x0a).content.join() !== '0') throw new DerError('the responder did not answer');
  const bytes = new Fields(readOnly(outer.take(0xa0).content, tags.sequence));
  if (oidOf(bytes.take(tags.oid)) !== ocspBasic) throw new DerError('no basic answer');
  const basic = new Fields(readOnly(bytes.take(tags.octetString).content, tags.sequence));
  const data = basic.take(tags.sequence);
  const algorithm = basic.take(tags.sequence);
  const signature = signatureBits(basic.take(tags.bitString));
  const explicit = basic.takeIf(0xa0);
  basic.end();
  const certificates = explicit === null ? [] : elementsOf(readOnly(explicit.content, tags.sequence), 16);
  return {
    signed: { body: data.whole, algorithm, signature },
    data,
    certificates: certificates.map(({ whole }) => whole),
  };
};

interface Answer {
  readonly id: Der;
  readonly word: 'good' | 'revoked' | 'unknown';
  readonly thisUpdate: number;
  readonly nextUpdate: number | null;
}

const words: Readonly<Record<number, Answer['word']>> = { 0x80: 'good', 0xa1: 'revoked', 0x82: 'unknown' };

const answersOf = (data: Der): readonly Answer[] => {
  const fields = new Fields(data);
  fields.takeIf(0xa0);
  fields.take(0xa1, 0xa2);
  fields.take(tags.generalizedTime);
  return elementsOf(fields.take(tags.sequence), maxAnswers).map(answerOf);
};

const answerOf = (single: Der): Answer => {
  const fields = new Fields(single);
  const id = fields.take(tags.sequence);
  const word = words[fields.take(0x80, 0xa1, 0x82).tag] ?? 'unknown';
  const thisUpdate = timeOf(fields.take(tags.generalizedTime));
  const next = fields.takeIf(0xa0);
  return {
    id,
    word,
    thisUpdate,
    nextUpdate: next === null ? null : timeOf(readOnly(next.content, tags.generalizedTime)),
  };
};

const isCurrent = ({ thisUpdate, nextUpdate }: Answer, now: number): boolean =>
  thisUpdate <= now + skewMs && now < (nextUpdate ?? thisUpdate + openEndMs);

const hashes: Readonly<Record<string, string>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/** RFC 6960 section 4.1.1: name and key of the issuer, and the serial number. SHA-1 is only a way to name them here. */
const isAbout = (id: Der, { leaf, issuer }: Asked): boolean => {
  const fields = new Fields(id);
  const hash = hashes[oidOf(new Fields(fields.take(tags.sequence)).take(tags.oid))];
  if (hash === undefined || leaf.serial === null) return false;
  const digest = (bytes: Uint8Array): Buffer => createHash(hash).update(bytes).digest();
  const spki = new Fields(readFrame(issuer.der).spki);
  spki.take(tags.sequence);
  const key = signatureBits(spki.take(tags.bitString));
  const named = fields.take(tags.octetString).content;
  const keyed = fields.take(tags.octetString).content;
  const serial = fields.take(tags.integer).content;
  return (
    Buffer.compare(digest(readFrame(leaf.der).issuer.whole), named) === 0 &&
    Buffer.compare(digest(key), keyed) === 0 &&
    serialKey(serial) === serialKey(leaf.serial)
  );
};

interface Scene {
  readonly asked: Asked;
  readonly certificates: readonly Uint8Array[];
  readonly now: number;
}

/** Signed by the issuer itself, or by whom the issuer made a responder. */
const isFromResponder = (signed: Signed, { asked: { issuer }, certificates, now }: Scene): boolean => {
  const byKey = (key: KeyObject | null): boolean => key !== null && isSignedBy(signed, key);
  return (
    byKey(issuer.publicKey) ||
    certificates
      .slice(0, maxResponders)
      .map(parseCertificate)
      .some((responder) => isDelegate(responder, issuer, now) && byKey(responder.publicKey))
  );
};

const ocspSigning = '1.3.6.1.5.5.7.3.9';

/** RFC 6960 section 4.2.2.2: issued by the very CA it speaks for, for this purpose. */
const isDelegate = (responder: ParsedCertificate, issuer: ParsedCertificate, now: number): boolean => {
  const { extensions, dates, key, signature, malformed } = responder;
  if (malformed || dates === null || key?.weak !== false || signature?.weak !== false) return false;
  if (extensions.unknownCritical || extensions.extendedKeyUsage?.includes(ocspSigning) !== true) return false;
  if (now < dates.notBefore || now >= dates.notAfter + 1000) return false;
  return responder.issuer.key === issuer.subject.key && signedBy(responder, issuer);
};
