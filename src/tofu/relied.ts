// Keys that sessions of this process rely on, with what they were last judged on. When the trust of an endpoint
// changes they are judged again, so that sessions on a key that is no longer trusted can be reset at once.

import type { Evidence } from '../trust/evidence.ts';

const maxKeysOfEndpoint = 64;

export class ReliedKeys {
  readonly #endpoints = new Map<string, Map<string, Evidence>>();

  /** The latest evidence of a key that was just vouched for. */
  keep(evidence: Evidence, spki: string): void {
    const keys = this.#endpoints.get(evidence.endpoint) ?? new Map<string, Evidence>();
    keys.delete(spki);
    keys.set(spki, evidence);
    const oldest = keys.keys().next();
    if (keys.size > maxKeysOfEndpoint && oldest.done !== true) keys.delete(oldest.value);
    this.#endpoints.set(evidence.endpoint, keys);
  }

  drop(endpoint: string, spki: string): void {
    this.#endpoints.get(endpoint)?.delete(spki);
  }

  of(endpoint: string): ReadonlyMap<string, Evidence> {
    return this.#endpoints.get(endpoint) ?? new Map<string, Evidence>();
  }

  /** Every endpoint with its keys, as they are now. */
  all(): readonly (readonly [string, ReadonlyMap<string, Evidence>])[] {
    return [...this.#endpoints];
  }
}
