// Who may use the page: one-time codes, each exchanged once for a bearer token. Codes and tokens are kept as
// hashes, in memory only, in bounded number and for a bounded time; they end with the process. No text of a
// code or token is ever logged, and none is compared in a time that tells how much of it was right.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { DashboardRequest } from '../shapes.ts';

export type Scope = DashboardRequest['scope'];

/** What a token stands for, while it lives. */
export interface Grant {
  readonly scope: Scope;
  /** Milliseconds since 1970; it ends earlier when it is not used. */
  readonly expiresAt: number;
  /** Aborted when the grant ends before its time. */
  readonly ended: AbortSignal;
  /** Keeps it in use until what is returned is called; not beyond `expiresAt`. */
  use(): () => void;
}

const codeBytes = 24;
const tokenBytes = 32;
/** How long a code is good. */
export const codeMs = 60_000;
const tokenMs = 12 * 3_600_000;
/** A page that is open asks all the time; one that has not asked for so long was left behind. */
const idleMs = 2 * 3_600_000;
/** Whoever may make codes may use the admin socket: the bounds are against a loop, and the oldest goes. */
const maxCodes = 16;
const maxTokens = 32;

interface Code extends DashboardRequest {
  readonly hash: Uint8Array;
  readonly until: number;
}

interface Token {
  readonly hash: Uint8Array;
  readonly scope: Scope;
  readonly expiresAt: number;
  readonly ending: AbortController;
  usedAt: number;
  uses: number;
}

export class Grants {
  readonly #now: () => number;
  #codes: readonly Code[] = [];
  #tokens: readonly Token[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A new code, good once and for a minute. */
  offer(wanted: DashboardRequest): string {
    const code = randomBytes(codeBytes).toString('base64url');
    this.#codes = [
      ...this.#liveCodes(),
      { ...wanted, hash: hashOf(code), until: this.#now() + codeMs },
    ].slice(-maxCodes);
    return code;
  }

  /** What a code stands for; the code stays good. Null for one nobody made, that was used, or that is late. */
  examine(code: string): DashboardRequest | null {
    return matching(this.#liveCodes(), code);
  }

  /** Exchanges a code for a token; null where `examine` gives null. */
  redeem(code: string): { readonly token: string; readonly grant: Grant } | null {
    const found = matching(this.#liveCodes(), code);
    if (found === null) return null;
    this.#codes = this.#liveCodes().filter((other) => other !== found);
    const text = randomBytes(tokenBytes).toString('base64url');
    const now = this.#now();
    const token: Token = {
      hash: hashOf(text),
      scope: found.scope,
      expiresAt: now + tokenMs,
      ending: new AbortController(),
      usedAt: now,
      uses: 0,
    };
    this.#keep([...this.#tokens, token]);
    return { token: text, grant: this.#grantOf(token) };
  }

  /** The grant of a token, which counts as used now; null when there is none. */
  find(token: string): Grant | null {
    this.#keep(this.#tokens);
    const found = matching(this.#tokens, token);
    if (found === null) return null;
    found.usedAt = this.#now();
    return this.#grantOf(found);
  }

  /** Ends a token's grant at once. */
  revoke(token: string): void {
    const found = matching(this.#tokens, token);
    this.#tokens = this.#tokens.filter((other) => other !== found);
    found?.ending.abort();
  }

  /** Ends everything. */
  end(): void {
    this.#codes = [];
    for (const { ending } of this.#tokens) ending.abort();
    this.#tokens = [];
  }

  #liveCodes(): readonly Code[] {
    const now = this.#now();
    // A clock set back must not make anything live longer than it can.
    return this.#codes.filter(({ until }) => until > now && until <= now + codeMs);
  }

  #keep(tokens: readonly Token[]): void {
    const now = this.#now();
    const live = tokens.filter(
      ({ expiresAt, usedAt, uses }) =>
        expiresAt > now && expiresAt <= now + tokenMs && (uses > 0 || usedAt + idleMs > now),
    );
    const kept = live.toSorted((a, b) => a.usedAt - b.usedAt).slice(-maxTokens);
    for (const token of this.#tokens) if (!kept.includes(token)) token.ending.abort();
    this.#tokens = kept;
  }

  #grantOf(token: Token): Grant {
    const use = (): (() => void) => {
      token.uses += 1;
      return () => {
        token.uses -= 1;
        token.usedAt = this.#now();
      };
    };
    return { scope: token.scope, expiresAt: token.expiresAt, ended: token.ending.signal, use };
  }
}

const hashOf = (text: string): Uint8Array => createHash('sha256').update(text).digest();

/** All are compared, the right one too, so that nothing can be told from the time it took. */
function matching<T extends { readonly hash: Uint8Array }>(entries: readonly T[], text: string): T | null {
  const hash = hashOf(text);
  return entries.filter((entry) => timingSafeEqual(entry.hash, hash))[0] ?? null;
}
