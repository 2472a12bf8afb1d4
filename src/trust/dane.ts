// What TLSA records say of a presented chain (RFC 6698, 7671). Pure: net/tlsa.ts looks records up and says how far
// they are proven, dane-verdict.ts decides what follows. Usages 0 and 1 (PKIX-TA, PKIX-EE) are unusable here, as for mail
// servers (RFC 7672 section 3.1.3): they could only narrow what CAs say, and no CA list is common to both sides.

import { createHash, X509Certificate } from 'node:crypto';
import type { Endpoint } from '../endpoint.ts';
import type { Examiner } from './examine.ts';
import { readFrame } from './frame.ts';

/** One TLSA record as it stands in the DNS, numbers unchecked (RFC 6698 section 2.1). */
export interface TlsaRecord {
  readonly usage: number;
  readonly selector: number;
  readonly matching: number;
  readonly data: Uint8Array;
}

/** What a look-up ended with. */
export type TlsaAnswer =
  /** Proven by DNSSEC. `names`: the TLSA base domain, then other names the certificate may be for. */
  | {
      readonly state: 'records';
      readonly records: readonly TlsaRecord[];
      readonly names: readonly [string, ...string[]];
      /** Milliseconds since 1970. */
      readonly expires: number;
    }
  /** Proven that there are none; or nothing proven at all, because the zone is not signed. */
  | { readonly state: 'absent' | 'insecure'; readonly detail: string; readonly expires: number }
  /** Signatures that do not verify; or no answer that could be used. */
  | { readonly state: 'bogus' | 'failed'; readonly detail: string };

export type DaneState = 'match' | 'mismatch' | 'unusable' | 'absent' | 'insecure' | 'bogus' | 'failed';

/** What DANE says of a presented chain; evidence. */
export interface DaneResult {
  readonly state: DaneState;
  /** For people: the record that matched, or what is missing. Printable ASCII. */
  readonly detail: string;
}

export interface Presented {
  /** DER, leaf first, as sent. */
  readonly chain: readonly Uint8Array[];
  readonly endpoint: Endpoint;
  readonly now: number;
  readonly clockSuspect: boolean;
  readonly examiner: Pick<Examiner, 'examine'>;
}

/** Never throws for what a peer or a resolver sent. */
export function daneResult(answer: TlsaAnswer, presented: Presented): DaneResult {
  if (answer.state !== 'records') return { state: answer.state, detail: answer.detail };
  const records = withStrongestDigest(answer.records.filter(isUsable));
  if (records.length === 0) {
    const seen = answer.records.map(({ usage, selector, matching }) => `${usage} ${selector} ${matching}`);
    return {
      state: 'unusable',
      detail: `no usable record among ${[...new Set(seen)].slice(0, 8).join(', ')}`,
    };
  }
  const match =
    records.find((record) => record.usage === 3 && isOfLeaf(record, presented)) ??
    matchingAnchor(records, presented, answer.names);
  if (match !== null && match !== undefined) return { state: 'match', detail: recordText(match) };
  return { state: 'mismatch', detail: records.slice(0, 8).map(recordText).join(', ') };
}

const digests: Readonly<Record<number, { readonly name: string; readonly length: number }>> = {
  1: { name: 'sha256', length: 32 },
  2: { name: 'sha512', length: 64 },
};

/** Of a kind we know and of the length its kind has (RFC 7671 section 4.1: all others are as if they were not there). */
function isUsable({ usage, selector, matching, data }: TlsaRecord): boolean {
  if ((usage !== 2 && usage !== 3) || (selector !== 0 && selector !== 1)) return false;
  return matching === 0 ? data.length > 0 : data.length === digests[matching]?.length;
}

/** Digest agility (RFC 7671 section 9): of each usage and selector only the strongest digest counts, beside full values. */
function withStrongestDigest(records: readonly TlsaRecord[]): readonly TlsaRecord[] {
  const isOutdone = ({ usage, selector, matching }: TlsaRecord): boolean =>
    matching === 1 &&
    records.some((other) => other.usage === usage && other.selector === selector && other.matching === 2);
  return records.filter((record) => !isOutdone(record));
}

/** Usage 3: this very certificate or key. Its name and dates do not count (RFC 7671 section 5.1). */
function isOfLeaf(record: TlsaRecord, { chain: [leaf] }: Presented): boolean {
  return leaf !== undefined && isOf(record, leaf);
}

function isOf({ selector, matching, data }: TlsaRecord, certificate: Uint8Array): boolean {
  const selected = selector === 0 ? certificate : spkiOctets(certificate);
  if (selected === null) return false;
  const digest = digests[matching];
  const value = digest === undefined ? selected : createHash(digest.name).update(selected).digest();
  return Buffer.compare(value, data) === 0;
}

/** As they stand in the certificate; what our reader cannot cut apart is taken from OpenSSL. */
function spkiOctets(certificate: Uint8Array): Uint8Array | null {
  try {
    return readFrame(certificate).spki.whole;
  } catch {
    return spkiByOpenssl(certificate);
  }
}

function spkiByOpenssl(certificate: Uint8Array): Uint8Array | null {
  try {
    return new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  } catch {
    return null;
  }
}

/**
 * Usage 2: a certificate above the server's, sent with it or standing in full in the record, is the trust anchor of this one
 * name; all that a CA-verified chain must be, this one must be too. A server's own certificate is no anchor of itself.
 */
function matchingAnchor(
  records: readonly TlsaRecord[],
  { chain, endpoint, now, clockSuspect, examiner }: Presented,
  names: readonly string[],
): TlsaRecord | null {
  const [leaf, ...above] = chain;
  if (above.some(constrainsNames)) return null;
  const named = names.map((host): Endpoint => ({ ...endpoint, host, kind: 'dns' }));
  const holds = (anchor: Uint8Array): boolean => {
    const anchors = {
      digest: `tlsa ${createHash('sha256').update(anchor).digest('hex')}`,
      certificates: [anchor],
    };
    return named.some(
      (name) => examiner.examine(chain, { anchors, endpoint: name, now, clockSuspect }).caValid,
    );
  };
  const anchorsOf = (record: TlsaRecord): readonly Uint8Array[] =>
    [...above.filter((certificate) => isOf(record, certificate)), ...inFull(record)].filter(
      (anchor) => leaf !== undefined && Buffer.compare(anchor, leaf) !== 0,
    );
  return records.find((record) => record.usage === 2 && anchorsOf(record).some(holds)) ?? null;
}

/** The certificate that stands in the record itself. */
const inFull = ({ selector, matching, data }: TlsaRecord): readonly Uint8Array[] =>
  selector === 0 && matching === 0 && !constrainsNames(data) ? [data] : [];

/** The identifier of the extension as it stands in a certificate, 2.5.29.30. */
const nameConstraints = Buffer.from('0603551d1e', 'hex');

/**
 * Elsewhere two readers must agree on name constraints, and here OpenSSL was asked about other anchors: such a chain is proven
 * for no name. Looked for among the octets, so that a certificate that cannot be taken apart hides nothing.
 */
const constrainsNames = (certificate: Uint8Array): boolean =>
  Buffer.from(certificate).includes(nameConstraints);

/** `3 1 1 2c26b46b68ffc68f...`. */
function recordText({ usage, selector, matching, data }: TlsaRecord): string {
  const hex = Buffer.from(data.subarray(0, 8)).toString('hex');
  return `${usage} ${selector} ${matching} ${hex}${data.length > 8 ? '...' : ''}`;
}
