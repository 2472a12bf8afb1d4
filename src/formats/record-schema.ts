// The shape of a record outside the store: in a backup and over the admin socket. Every field is named and bounded;
// a field that is missing here is an error of the compiler below, so that no backup forgets one.

import * as z from 'zod';
import { parseEndpoint } from '../endpoint.ts';
import { isFault, type Fault } from '../trust/fault.ts';
import { parseFingerprint } from '../trust/fingerprint.ts';
import {
  hashAlgorithms,
  hashOctets,
  type Candidate,
  type EndpointRecord,
  type Expectation,
  type KeyEvidence,
  type LastCa,
  type Pin,
  type UndoPoint,
} from '../trust/record.ts';

export const endpointName = z
  .string()
  .max(300)
  .refine(isCanonical, 'not a canonical endpoint such as imap.example.org:993');
export const spki = z
  .string()
  .max(64)
  .refine((text) => parseFingerprint(text)?.kind === 'spki' && parseFingerprint(text)?.value === text, {
    message: 'not the fingerprint of a key, sha256//BASE64=',
  });
/** Milliseconds since 1970. */
export const time = z.number().min(-8.64e15).max(8.64e15).describe('Milliseconds since 1970.');
const text = z.string().max(1024);
const pem = z.string().max(262_144);
export const fault = z.custom<Fault>(
  (value) => typeof value === 'string' && isFault(value),
  'not a known fault',
);

const places = z.array(text).max(64);
const corroboration = z.strictObject({
  spki,
  agreed: places,
  differing: z.array(z.strictObject({ where: text, spki: spki.nullable() })).max(64),
  unreached: places,
});

/** The last thing seen of one key. */
export const keyEvidence = z.strictObject({
  seenAt: time,
  caValid: z.boolean(),
  faults: z.array(fault).max(64),
  chainsToAnchor: z.boolean(),
  sha256: text,
  subject: text,
  issuer: text,
  names: z.array(text).max(1000),
  notBefore: time,
  notAfter: time,
  pem,
  legacy: z.literal(true).optional(),
  anchor: spki.optional(),
  corroboration: corroboration.optional(),
});

const pin = z.strictObject({
  spki,
  kind: z.enum(['leaf', 'anchor']),
  origin: z.enum(['first-use', 'approved', 'added', 'imported', 'config']),
  firstSeen: time,
  lastSeen: time.nullable(),
  until: time.nullable(),
  endedAt: time.nullable(),
  retiring: z.literal(true).optional(),
  parent: spki.optional(),
  evidence: keyEvidence.nullable(),
});

const candidate = z.strictObject({
  spki,
  firstSeen: time,
  lastSeen: time,
  seenCount: z.number().int().nonnegative(),
  reason: text,
  evidence: keyEvidence,
});

const lastCa = z.strictObject({ spki, sha256: text, issuer: text, notAfter: time, seenAt: time, pem });

/** The fields of an expectation that say what is expected. */
export const expectedFields = {
  of: z.enum(['certificate', 'key']),
  algorithm: z.enum(hashAlgorithms),
  digest: z.string().regex(/^(?:[0-9a-f]{2}){16,64}$/),
};
export const fitsAlgorithm = ({ algorithm, digest }: Pick<Expectation, 'algorithm' | 'digest'>): boolean =>
  digest.length === hashOctets[algorithm] * 2;
const expectation = z
  .strictObject({ ...expectedFields, importedAt: time, until: time.nullable() })
  .refine(fitsAlgorithm, 'the digest has another length than its algorithm makes');

const trust = {
  basis: z.enum(['none', 'ca', 'pinned']),
  byDane: z.literal(true).optional(),
  pins: z.array(pin).max(1024),
  rejected: z.array(z.strictObject({ spki, at: time })).max(16_384),
  candidates: z.array(candidate).max(16),
  expected: z.array(expectation).max(64).optional(),
};

const undoPoint = z.strictObject({
  command: z.string().max(64),
  at: time,
  before: z.strictObject(trust),
  acceptedSince: z.boolean(),
});

const recordShape = z.strictObject({
  endpoint: endpointName,
  epoch: z.number().int().nonnegative(),
  ...trust,
  lastCa: lastCa.nullable(),
  undo: undoPoint.nullable(),
});

/** A whole record, as it is in the store. */
export const recordSchema = recordShape.transform((value) => asRecord(value));

type Missing<Real, Schema extends z.ZodType> = Exclude<keyof Real, keyof z.infer<Schema>>;
/** Fields of a record that the schemas above do not name: with one of them this file does not compile. */
type Forgotten = [
  Missing<EndpointRecord, typeof recordShape>,
  Missing<Pin, typeof pin>,
  Missing<Candidate, typeof candidate>,
  Missing<KeyEvidence, typeof keyEvidence>,
  Missing<LastCa, typeof lastCa>,
  Missing<Expectation, typeof expectation>,
  Missing<UndoPoint, typeof undoPoint>,
  Missing<UndoPoint['before'], typeof undoPoint.shape.before>,
];
type WholeRecord = Forgotten extends never[] ? z.infer<typeof recordShape> : never;

// Optional fields differ only in that Zod would let `undefined` stand in them; JSON has no undefined.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it differs in `undefined` alone
const asRecord = (value: WholeRecord): EndpointRecord => value as EndpointRecord;

function isCanonical(name: string): boolean {
  try {
    return parseEndpoint(name).name === name;
  } catch {
    return false;
  }
}
