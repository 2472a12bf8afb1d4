// Evidence made by hand, for tests of what is decided on it: keys, pins, records and examined certificates.

import type { Evidence, Examined, TrustSettings } from '../../src/trust/evidence.ts';
import type { Fault } from '../../src/trust/fault.ts';
import {
  emptyRecord,
  type Candidate,
  type EndpointRecord,
  type Expectation,
  type KeyEvidence,
  type LastCa,
  type Pin,
} from '../../src/trust/record.ts';

export const endpoint = 'imap.example.org:993';
export const noon = Date.parse('2026-11-23T12:00:00Z');
export const hour = 3_600_000;
export const day = 24 * hour;

export const keyNamed = (name: string): string =>
  `sha256//${Buffer.from(name.padEnd(32, '.')).toString('base64')}`;
/** A certificate's SHA-256 that belongs to nothing else. */
export const sha256Named = (name: string): string =>
  Buffer.from(name.padEnd(32, '#'))
    .toString('hex')
    .toUpperCase()
    .replace(/..(?=.)/g, '$&:');

export const examinedAs = (part: Partial<Examined> & { readonly sha256?: string } = {}): Examined => ({
  caValid: false,
  faults: part.caValid === true ? [] : ['self-signed'],
  chainsToAnchor: part.caValid === true,
  pathNotAfter: null,
  chain: [
    {
      spki: keyNamed('server'),
      sha256: part.sha256 ?? sha256Named('server'),
      subject: 'CN=imap.example.org',
      issuer: 'CN=Some CA',
      serial: '01',
      version: 3,
      names: [{ type: 'dns', value: 'imap.example.org' }],
      notBefore: new Date(noon - 10 * day).toISOString(),
      notAfter: new Date(noon + 80 * day).toISOString(),
      key: 'EC P-256',
      signature: 'ecdsa-with-SHA256',
      keyUsage: [],
      extendedKeyUsage: [],
      ca: false,
      faults: [],
      pem: 'PEM',
    },
  ],
  ...part,
});

export const caValid: Examined = examinedAs({ caValid: true });
export const selfSigned: Examined = examinedAs();
export const withFaults = (...faults: readonly Fault[]): Examined => examinedAs({ faults });

export const keyEvidence = (part: Partial<KeyEvidence> = {}): KeyEvidence => ({
  seenAt: noon - day,
  caValid: false,
  faults: part.caValid === true ? [] : ['self-signed'],
  chainsToAnchor: part.caValid === true,
  sha256: sha256Named('server'),
  subject: 'CN=imap.example.org',
  issuer: 'CN=Some CA',
  names: ['imap.example.org'],
  notBefore: noon - 10 * day,
  notAfter: noon + 80 * day,
  pem: 'PEM',
  ...part,
});

export const pinOf = (name: string, part: Partial<Pin> = {}): Pin => ({
  spki: keyNamed(name),
  kind: 'leaf',
  origin: 'first-use',
  firstSeen: noon - 5 * day,
  lastSeen: noon - day,
  until: null,
  endedAt: null,
  evidence: keyEvidence({ sha256: sha256Named(name) }),
  ...part,
});

/** Of the certificate that `examinedAs` describes when its key is `server`. */
export const expectation = (name: string, part: Partial<Expectation> = {}): Expectation => ({
  of: 'certificate',
  algorithm: 'sha256',
  digest: sha256Named(name).replaceAll(':', '').toLowerCase(),
  importedAt: noon - day,
  until: null,
  ...part,
});

export const candidateOf = (name: string, part: Partial<KeyEvidence> = {}): Candidate => ({
  spki: keyNamed(name),
  firstSeen: noon - hour,
  lastSeen: noon - hour,
  seenCount: 1,
  reason: 'pin-mismatch',
  evidence: keyEvidence({ sha256: sha256Named(name), ...part }),
});

export const lastCaOf = (name: string, part: Partial<LastCa> = {}): LastCa => ({
  spki: keyNamed(name),
  sha256: sha256Named(name),
  issuer: 'CN=Some CA',
  notAfter: noon + 80 * day,
  seenAt: noon - day,
  pem: 'PEM',
  ...part,
});

export const recordOf = (part: Partial<EndpointRecord> = {}): EndpointRecord => ({
  ...emptyRecord(endpoint),
  epoch: 3,
  ...part,
});

export const settingsOf = (part: Partial<TrustSettings> = {}): TrustSettings => ({
  policy: 'auto',
  firstUse: 'accept',
  configPins: [],
  ...part,
});

/** The key `server` with a self-signed certificate, nothing remembered, everything well. */
export const evidenceOf = (part: Partial<Evidence> = {}): Evidence => ({
  endpoint,
  settings: settingsOf(),
  now: noon,
  spki: keyNamed('server'),
  resumed: false,
  profile: 'modern',
  examined: selfSigned,
  anchors: 140,
  record: null,
  recordVerified: true,
  store: 'good',
  sealed: { rejected: new Set(), until: new Map() },
  ...part,
});

/** Freezes all the way down, so that whoever changes what it was given fails. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
