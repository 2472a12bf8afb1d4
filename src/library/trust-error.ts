// The error of a connection that was refused: which server, what it showed, what was expected, everything that is
// wrong with it, and how to look it up. Programs can decide on `code`; people read `message` and `lines`.

import type { Endpoint } from '../endpoint.ts';
import { Refusal, refusals, type RefusalReason } from '../errors.ts';
import type { CertificateDescription } from '../trust/certificate.ts';
import { escapeText } from '../trust/escape.ts';
import type { Evidence } from '../trust/evidence.ts';
import { faults, type Fault } from '../trust/fault.ts';
import type { Pin } from '../trust/record.ts';
import { refusalSentence } from '../trust/refusal.ts';
import { liveKeys } from '../trust/standing.ts';

export interface TrustFacts {
  readonly endpoint: Endpoint;
  readonly reason: RefusalReason;
  readonly reference: string | null;
  /** null where the connection was refused before there was a certificate. */
  readonly evidence: Evidence | null;
  readonly why: string;
}

/** A key that counted when the server was refused. */
export type KnownPin = Pick<Pin, 'spki' | 'kind' | 'origin'>;

/** `code` is the reason; see docs/codes.md. Nothing of the program's was sent to the server. */
export class TrustError extends Refusal {
  /** Canonical `host:port`. */
  readonly endpoint: string;
  readonly reason: RefusalReason;
  /** The server's own certificate; null where none came or none could be read. */
  readonly certificate: CertificateDescription | null;
  /** As sent, the server's own first; at most 16. */
  readonly chain: readonly CertificateDescription[];
  /** The keys that count for this endpoint. */
  readonly pins: readonly KnownPin[];
  /** Everything that is wrong with the certificate, also what did not decide. */
  readonly faults: readonly Fault[];
  /** 8 characters that find the refused key: `letterlock explain REFERENCE`; null where it was not remembered. */
  readonly reference: string | null;
  /** For people: what was shown, what is known, what is wrong; made printable. */
  readonly lines: readonly string[];

  constructor(
    { endpoint, reason, reference, evidence, why }: TrustFacts,
    options: { readonly cause?: unknown } = {},
  ) {
    super(reason, refusalSentence(endpoint, { reason, reference }), options);
    this.endpoint = endpoint.name;
    this.reason = reason;
    this.chain = evidence?.examined?.chain ?? [];
    this.certificate = this.chain[0] ?? null;
    this.pins = evidence === null ? [] : liveKeys(evidence);
    this.faults = evidence?.examined?.faults ?? [];
    this.reference = reference;
    this.lines = [why, ...this.#certificateLines(), refusals[reason].advice];
  }

  #certificateLines(): readonly string[] {
    const shown = this.certificate;
    if (shown === null) return [];
    const names = shown.names.slice(0, 8).map(({ value }) => escapeText(value));
    return [
      `The server showed the key ${shown.spki ?? 'that cannot be read'} in a certificate of ${escapeText(shown.subject)}, for ${names.length === 0 ? 'no name' : names.join(', ')}, issued by ${escapeText(shown.issuer)}, valid ${shown.notBefore ?? '?'} to ${shown.notAfter ?? '?'}.`,
      `SHA-256 of the certificate: ${shown.sha256}`,
      ...this.pins.map(({ spki, origin }) => `Pinned: ${spki} (${origin})`),
      ...this.faults.map((fault) => `${fault}: ${faults[fault].sentence}`),
    ];
  }
}
