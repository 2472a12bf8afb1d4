// What a record must look like before anything here judges by it, when it came from another process. Fields
// nobody here knows are kept: whoever wrote them may read them again. A word nobody here knows is refused: a
// record that is half understood may be one that takes trust away.

import * as z from 'zod';
import { fault } from '../formats/record-schema.ts';
import type { AuditEntry, ChangeOrigin } from '../trust/change.ts';
import {
  hashAlgorithms,
  type Basis,
  type Candidate,
  type EndpointRecord,
  type Expectation,
  type KeyEvidence,
  type LastCa,
  type Pin,
  type PinKind,
  type PinOrigin,
  type Rejection,
  type UndoPoint,
} from '../trust/record.ts';

// Written so that a new word of the types is an error here until it is added.
const bases: Record<Basis, Basis> = { none: 'none', ca: 'ca', pinned: 'pinned' };
const kinds: Record<PinKind, PinKind> = { leaf: 'leaf', anchor: 'anchor' };
const pinOrigins: Record<PinOrigin, PinOrigin> = {
  'first-use': 'first-use',
  approved: 'approved',
  added: 'added',
  imported: 'imported',
  config: 'config',
};
const changeOrigins: Record<ChangeOrigin, ChangeOrigin> = {
  proxy: 'proxy',
  cli: 'cli',
  admin: 'admin',
  config: 'config',
  library: 'library',
};

export const name = z.string().min(1).max(300);
export const count = z.number().int().nonnegative();
const word = z.string().min(1).max(100);
const key = z.string().min(1).max(300);
/** Bounded by the line alone: a server that shows a huge certificate must not keep anybody from his pins. */
const text = z.string();
const time = z.number();
const mark = z.literal(true).optional();

const corroboration = z.looseObject({
  spki: key,
  agreed: z.array(text),
  differing: z.array(z.looseObject({ where: text, spki: key.nullable() })),
  unreached: z.array(text),
});

const keyEvidence = z.looseObject({
  seenAt: time,
  caValid: z.boolean(),
  faults: z.array(fault),
  chainsToAnchor: z.boolean(),
  sha256: text,
  subject: text,
  issuer: text,
  names: z.array(text),
  notBefore: time,
  notAfter: time,
  pem: text,
  legacy: mark,
  anchor: key.optional(),
  corroboration: corroboration.optional(),
});

const pin = z.looseObject({
  spki: key,
  kind: z.enum(kinds),
  origin: z.enum(pinOrigins),
  firstSeen: time,
  lastSeen: time.nullable(),
  until: time.nullable(),
  endedAt: time.nullable(),

  retiring: mark,
  parent: key.optional(),
  evidence: keyEvidence.nullable(),
});

const rejection = z.looseObject({ spki: key, at: time });

const candidate = z.looseObject({
  spki: key,
  firstSeen: time,
  lastSeen: time,
  seenCount: count,
  reason: word,
  evidence: keyEvidence,
});

const lastCa = z.looseObject({
  spki: key,
  sha256: text,
  issuer: text,
  notAfter: time,
  seenAt: time,
  pem: text,
});

const expectation = z.looseObject({
  of: z.enum(['certificate', 'key']),
  algorithm: z.enum(hashAlgorithms),
  digest: key,
  importedAt: time,
  until: time.nullable(),
});

const trusted = {
  basis: z.enum(bases),
  byDane: mark,
  pins: z.array(pin),
  rejected: z.array(rejection),
  candidates: z.array(candidate),
  expected: z.array(expectation).optional(),
};

const before = z.looseObject(trusted);
const undoPoint = z.looseObject({ command: word, at: time, before, acceptedSince: z.boolean() });

const shape = z.looseObject({
  ...trusted,
  endpoint: name,
  epoch: count,
  lastCa: lastCa.nullable(),
  undo: undoPoint.nullable(),
});

type Missing<Real, Schema extends z.ZodObject> = Exclude<keyof Real, keyof Schema['shape']>;
/** Fields that the schemas above do not look at: with one of them this file does not compile. */
type Unseen = [
  Missing<EndpointRecord, typeof shape>,
  Missing<Pin, typeof pin>,
  Missing<Rejection, typeof rejection>,
  Missing<Candidate, typeof candidate>,
  Missing<KeyEvidence, typeof keyEvidence>,
  Missing<LastCa, typeof lastCa>,
  Missing<Expectation, typeof expectation>,
  Missing<UndoPoint, typeof undoPoint>,
  Missing<UndoPoint['before'], typeof before>,
];

/** The record as it came, once it has the shape of one. */
export const recordSchema = z.custom<Unseen extends never[] ? EndpointRecord : never>(
  (value) => shape.safeParse(value).success,
  'not a record of an endpoint',
);

const auditShape = z.looseObject({
  at: time,
  endpoint: name,
  event: z.string().regex(/^[a-z][a-z-]{1,39}$/),
  origin: z.enum(changeOrigins),
  spki: key.nullable(),
  detail: text,
});

export const auditSchema = z.custom<AuditEntry>(
  (value) => auditShape.safeParse(value).success,
  'not an entry of the audit log',
);
