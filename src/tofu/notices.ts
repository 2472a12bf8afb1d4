// Tells of verdicts and of what an accepted key gives reason to tell. Each thing is told when it happens, not
// with every session: a renewed certificate once, a retiring key hourly.

import { boundText, type CertificateDescription } from '../trust/certificate.ts';
import type { Evidence, Verdict } from '../trust/evidence.ts';
import type { Pin } from '../trust/record.ts';
import { sightedKey } from '../trust/continuity.ts';
import { isOver } from '../trust/standing.ts';
import type { Listener, PresentedLeaf, TrustEvent } from './event.ts';

const retiringEveryMs = 3_600_000;

export class Notices {
  readonly #on: Listener<TrustEvent>;
  /** By endpoint and key: the certificate last told of. Only accepted keys come in. */
  readonly #renewed = new Map<string, string>();
  readonly #retiring = new Map<string, number>();
  /** A certificate shown again is told of as before. */
  readonly #presented = new WeakMap<CertificateDescription, PresentedLeaf>();

  constructor(on: Listener<TrustEvent>) {
    this.#on = on;
  }

  judged({ endpoint, session, spki, examined, dane, by }: Evidence, verdict: Verdict): void {
    const leaf = examined?.chain[0];
    this.#on({
      type: 'judged',
      ...(session === undefined ? {} : { session }),
      endpoint,
      verdict: verdict.accept ? verdict.basis : 'refused',
      reason: verdict.accept ? null : verdict.reason,
      spki,
      faults: examined?.faults ?? [],
      ...(dane === undefined || dane === null ? {} : { dane: dane.state }),
      notBefore: timeOf(leaf?.notBefore),
      notAfter: timeOf(leaf?.notAfter),
      pathNotAfter: examined?.pathNotAfter ?? null,
      by: by ?? 'session',
      leaf: leaf === undefined ? null : this.#leafOf(leaf),
    });
  }

  #leafOf(leaf: CertificateDescription): PresentedLeaf {
    const known = this.#presented.get(leaf) ?? presented(leaf);
    this.#presented.set(leaf, known);
    return known;
  }

  /** `evidence` is what was judged, with the record as it was before. */
  accepted(evidence: Evidence, spki: string): void {
    const { endpoint, record, examined } = evidence;
    const shown = sightedKey(evidence, spki);
    const pin = record?.pins.find((known) => known.spki === shown && !isOver(known, evidence));
    if (pin !== undefined) this.#tellRetiring(evidence, pin);
    const sha256 = examined?.chain[0]?.sha256;
    if (sha256 !== undefined && isRenewal(evidence, { spki, sha256 }))
      this.#tellRenewed(endpoint, { spki, sha256 });
  }

  #tellRenewed(endpoint: string, { spki, sha256 }: { readonly spki: string; readonly sha256: string }): void {
    const key = `${endpoint}\0${spki}`;
    if (this.#renewed.get(key) === sha256) return;
    this.#renewed.delete(key);
    this.#renewed.set(key, sha256);
    forgetOldest(this.#renewed);
    this.#on({ type: 'certificate-renewed', endpoint, spki, sha256 });
  }

  #tellRetiring({ endpoint, now }: Evidence, { spki, until, retiring }: Pin): void {
    if (retiring !== true || until === null) return;
    const key = `${endpoint}\0${spki}`;
    const told = this.#retiring.get(key);
    if (told !== undefined && Math.abs(now - told) < retiringEveryMs) return;
    this.#retiring.delete(key);
    this.#retiring.set(key, now);
    forgetOldest(this.#retiring);
    const advice = `letterlock pins approve ${endpoint} --expect ${spki} --keep`;
    this.#on({ type: 'retiring-key-in-use', endpoint, spki, until, advice });
  }
}

/** A listener may keep it: what a certificate can hold is far more. */
const presented = ({ sha256, subject, issuer, names }: CertificateDescription): PresentedLeaf => ({
  sha256,
  subject,
  issuer,
  names: names.slice(0, 16).map(({ value }) => boundText(value, 253)),
});

/** The key is known and its certificate is another, newer one than was known. */
function isRenewal(
  { record, examined }: Evidence,
  { spki, sha256 }: { readonly spki: string; readonly sha256: string },
): boolean {
  const pins = (record?.pins ?? []).filter((pin) => pin.spki === spki).flatMap((pin) => pin.evidence ?? []);
  const lastCa = record?.lastCa ?? null;
  const known = [...pins, ...(lastCa !== null && lastCa.spki === spki ? [lastCa] : [])];
  const notAfter = timeOf(examined?.chain[0]?.notAfter) ?? 0;
  return known.length > 0 && known.every((before) => before.sha256 !== sha256 && before.notAfter < notAfter);
}

const maxTold = 4096;

function forgetOldest(told: Map<string, unknown>): void {
  const oldest = told.keys().next();
  if (told.size > maxTold && oldest.done !== true) told.delete(oldest.value);
}

function timeOf(iso: string | null | undefined): number | null {
  if (iso === null || iso === undefined) return null;
  const time = Date.parse(iso);
  return Number.isNaN(time) ? null : time;
}
