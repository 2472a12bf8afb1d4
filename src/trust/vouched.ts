// Unforgeable proof that the judge accepted this very key for this endpoint at this trust epoch. The class
// is private to this module; only tofu.ts may import `mint` (scripts/rules.mjs sees to it).

import type { AcceptBasis } from './evidence.ts';

class VouchedPeer {
  readonly #brand = true;
  readonly endpoint: string;
  readonly spki: string;
  readonly basis: AcceptBasis;
  readonly epoch: number;

  constructor(facts: {
    readonly endpoint: string;
    readonly spki: string;
    readonly basis: AcceptBasis;
    readonly epoch: number;
  }) {
    this.endpoint = facts.endpoint;
    this.spki = facts.spki;
    this.basis = facts.basis;
    this.epoch = facts.epoch;
    Object.freeze(this);
  }

  static is(value: unknown): value is VouchedPeer {
    return typeof value === 'object' && value !== null && #brand in value && value.#brand;
  }
}

export type Vouched = VouchedPeer;

export const mint = (facts: {
  readonly endpoint: string;
  readonly spki: string;
  readonly basis: AcceptBasis;
  readonly epoch: number;
}): Vouched => new VouchedPeer(facts);

/** True only for a value made by `mint`; a look-alike object or a deserialised copy is not one. */
export const isVouched = (value: unknown): value is Vouched => VouchedPeer.is(value);
