// Describes certificates offline, without trust and without throwing for bad ones.

import type { Fault } from './fault.ts';

/** One certificate, described. Dates are ISO 8601 in UTC. `null` where it could not be read. */
export interface CertificateDescription {
  /** `sha256//BASE64=` of the SubjectPublicKeyInfo. */
  readonly spki: string | null;
  /** `AB:CD:…` SHA-256 of the DER certificate. */
  readonly sha256: string;
  readonly subject: string;
  readonly issuer: string;
  readonly serial: string;
  readonly version: number | null;
  readonly names: readonly { readonly type: 'dns' | 'ip' | 'srv' | 'uri' | 'email' | 'other'; readonly value: string }[];
  readonly notBefore: string | null;
  readonly notAfter: string | null;
  /** Such as `RSA 2048`, `EC P-256`, `Ed25519`. */
  readonly key: string;
  /** Such as `ecdsa-with-SHA256`. */
  readonly signature: string;
  readonly keyUsage: readonly string[];
  readonly extendedKeyUsage: readonly string[];
  readonly ca: boolean;
  /** Faults that show in this certificate alone. */
  readonly faults: readonly Fault[];
  readonly pem: string;
}
