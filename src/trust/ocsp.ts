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

/** What a staple says of one certificate whatever the time, signatures checked. */
export interface StapledAnswer {
  readonly answers: readonly Omit<Answer, 'id'>[];
  /** When each who signed it may speak; null: the issuer itself, at any time. */
  readonly signers: readonly (ParsedCertificate['dates'] | null)[];
}

/** What the staple says of `leaf`; null when nothing of it counts. Never throws. */
export const readStaple = (staple: Uint8Array, asked: Asked): StapledAnswer | null => {
  if (staple.length > maxStaple) return null;
  try {
    const { signed, data, certificates } = readBasic(staple);
    const answers = answersOf(data).filter(({ id }) => isAbout(id, asked));
    if (answers.length === 0) return null;
    const told = answers.map(({ word, thisUpdate, nextUpdate }) => ({ word, thisUpdate, nextUpdate }));
    return { answers: told, signers: signersOf(signed, { asked, certificates }) };
  } catch {
    return null;
  }
};

/** What an answer comes to at `now`. */
export const wordAt = (answer: StapledAnswer | null, now: number): StapleWord => {
  if (answer === null || !answer.signers.some((dates) => maySpeak(dates, now))) return 'nothing';
  const current = answer.answers.filter((told) => isCurrent(told, now));
  if (current.some(({ word }) => word === 'revoked')) return 'revoked';
  return current.length > 0 && current.every(({ word }) => word === 'good') ? 'good' : 'nothing';
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

const isCurrent = ({ thisUpdate, nextUpdate }: Omit<Answer, 'id'>, now: number): boolean =>
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
}

/** The issuer itself, or whom the issuer made a responder. */
const signersOf = (signed: Signed, { asked: { issuer }, certificates }: Scene): StapledAnswer['signers'] => {
  const byKey = (key: KeyObject | null): boolean => key !== null && isSignedBy(signed, key);
  if (byKey(issuer.publicKey)) return [null];
  return certificates
    .slice(0, maxResponders)
    .map(parseCertificate)
    .filter((responder) => isDelegate(responder, issuer) && byKey(responder.publicKey))
    .map(({ dates }) => dates);
};

const ocspSigning = '1.3.6.1.5.5.7.3.9';

/** RFC 6960 section 4.2.2.2: issued by the very CA it speaks for, for this purpose. */
const isDelegate = (responder: ParsedCertificate, issuer: ParsedCertificate): boolean => {
  const { extensions, dates, key, signature, malformed } = responder;
  if (malformed || dates === null || key?.weak !== false || signature?.weak !== false) return false;
  if (extensions.unknownCritical || extensions.extendedKeyUsage?.includes(ocspSigning) !== true) return false;
  return responder.issuer.key === issuer.subject.key && signedBy(responder, issuer);
};

const maySpeak = (dates: ParsedCertificate['dates'], now: number): boolean =>
  dates === null || (now >= dates.notBefore && now < dates.notAfter + 1000);
