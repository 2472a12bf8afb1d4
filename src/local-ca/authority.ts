// What the certificate of a local CA says of itself, and how it stands to what is wanted of it today. Pure:
// nothing here reads a key or a file.

import { describeParsed } from '../trust/certificate.ts';
import { readExtensions, readFrame } from '../trust/frame.ts';
import { parseCertificate, type ParsedCertificate } from '../trust/parsed-certificate.ts';
import { constraintsOid, decodeConstraints, notPermitted, type Constraints } from './constraints.ts';
import type { LocalNames } from './names.ts';

export interface Authority {
  readonly parsed: ParsedCertificate;
  readonly subject: string;
  /** The common name, by which lists of authorities show it. */
  readonly name: string;
  /** `sha256//BASE64=` */
  readonly spki: string;
  /** `AB:CD:…` */
  readonly sha256: string;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** null: it may vouch for any name. */
  readonly constraints: Constraints | null;
}

/** Throws RangeError that says in words to follow a file name why this is no CA's certificate. */
export function readAuthority(der: Uint8Array): Authority {
  const parsed = parseCertificate(der);
  const { spki, dates, malformed, extensions } = parsed;
  if (malformed || spki === null || dates === null)
    throw new RangeError('is not a certificate that can be read');
  if (extensions.basicConstraints?.ca !== true) throw new RangeError('is not the certificate of a CA');
  const { subject, sha256 } = describeParsed(parsed);
  const [name = subject] = parsed.subject.commonNames;
  return { parsed, subject, name, spki, sha256, ...dates, constraints: constraintsOf(der) };
}

function constraintsOf(der: Uint8Array): Constraints | null {
  const found = readExtensions(readFrame(der).extensions).find(({ oid }) => oid === constraintsOid);
  try {
    return found === undefined ? null : decodeConstraints(found.value);
  } catch (cause) {
    throw new RangeError('has name constraints that cannot be read', { cause });
  }
}

/** How long before its end a CA is worth a warning: clients must import the next one. */
const endingMs = 90 * 86_400_000;

export type Standing =
  | { readonly state: 'good' }
  /** Good still, with less than 90 days to go. */
  | { readonly state: 'ending' }
  /** Its time has not come: the clock is wrong, or was when it was made. No certificate of it is valid. */
  | { readonly state: 'early' }
  | { readonly state: 'ended' }
  /** Names are wanted that it must not vouch for. */
  | { readonly state: 'narrow'; readonly names: readonly string[] };

/** `ended` and `narrow` ask for a new CA. */
export function standingOf(
  { notBefore, notAfter, constraints }: Authority,
  { names, now }: { readonly names: LocalNames; readonly now: number },
): Standing {
  const missing = notPermitted(constraints, names);
  if (missing.length > 0) return { state: 'narrow', names: missing };
  if (now >= notAfter) return { state: 'ended' };
  if (now < notBefore) return { state: 'early' };
  return { state: notAfter - now < endingMs ? 'ending' : 'good' };
}
