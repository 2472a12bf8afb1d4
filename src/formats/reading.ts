// What reading a file of another program gives: what it says of endpoints, what was left out and why, and what is
// wrong. Every finding knows its line. Readers are pure and total: no text makes one throw.

import { endpointOf, type Endpoint } from '../endpoint.ts';
import type { ImportEntry } from '../trust/import-order.ts';
import { readHash } from './hash-text.ts';

export interface Source {
  readonly text: string;
  /** Where the keys belong when the file does not say so. */
  readonly endpoints: readonly Endpoint[];
  /** MD5 and SHA-1 count as fingerprints. */
  readonly weak: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface Finding {
  readonly line: number;
  /** Canonical endpoint name. */
  readonly endpoint: string;
  readonly entry: ImportEntry;
}

export interface Remark {
  readonly line: number;
  readonly text: string;
}

/** A file that the one read names, with certificates for an endpoint. */
export interface NamedFile {
  readonly line: number;
  readonly path: string;
  readonly endpoint: Endpoint;
}

export interface Reading {
  readonly entries: readonly Finding[];
  readonly files: readonly NamedFile[];
  /** Left out on purpose. */
  readonly skipped: readonly Remark[];
  /** With one of these nothing is imported. */
  readonly problems: readonly Remark[];
}

export type Reader = (source: Source) => Reading;

/** Collects what a reader finds. */
export class Findings implements Reading {
  readonly entries: Finding[] = [];
  readonly files: NamedFile[] = [];
  readonly skipped: Remark[] = [];
  readonly problems: Remark[] = [];
  readonly #source: Pick<Source, 'weak' | 'now'>;

  constructor(source: Pick<Source, 'weak' | 'now'>) {
    this.#source = source;
  }

  problem(line: number, text: string): void {
    this.problems.push({ line, text: bounded(text) });
  }

  skip(line: number, text: string): void {
    this.skipped.push({ line, text: bounded(text) });
  }

  /** The endpoint of a host and port as a file writes them; null, with a problem, for what is none. */
  endpoint(line: number, host: string, port: string | number): Endpoint | null {
    const number = typeof port === 'number' ? port : /^\d{1,5}$/.test(port) ? Number(port) : Number.NaN;
    try {
      return endpointOf(host, number);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.problem(line, error.message);
      return null;
    }
  }

  add(line: number, endpoint: Endpoint, entry: ImportEntry): void {
    const until = entry.kind === 'record' ? null : entry.until;
    if (until !== null && until <= this.#source.now)
      this.skip(line, `${endpoint.name}: expired ${new Date(until).toISOString()}`);
    else this.entries.push({ line, endpoint: endpoint.name, entry });
  }

  /** A fingerprint of a certificate as text; its length says which hash it is. */
  certificateHash(line: number, endpoint: Endpoint, text: string): void {
    const hash = readHash(text);
    if (hash === null) this.problem(line, `${endpoint.name}: ${shortened(text)} is not a fingerprint`);
    else this.hash(line, endpoint, { of: 'certificate', until: null, ...hash });
  }

  hash(
    line: number,
    endpoint: Endpoint,
    entry: Omit<Extract<ImportEntry, { kind: 'expectation' }>, 'kind'>,
  ): void {
    const isWeak = entry.algorithm === 'md5' || entry.algorithm === 'sha1';
    if (isWeak && !this.#source.weak) {
      const name = entry.algorithm === 'md5' ? 'MD5' : 'SHA-1';
      this.problem(
        line,
        `${endpoint.name}: ${name} does not tell two certificates apart for sure; --weak takes it all the same`,
      );
    } else this.add(line, endpoint, { kind: 'expectation', ...entry });
  }
}

/** Names that a file has for servers and sections can be as long as the file. */
const bounded = (text: string): string => (text.length > 500 ? `${text.slice(0, 500)}…` : text);

/** Text of a file in a message; what may be a password never gets here. */
export const shortened = (text: string): string =>
  JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);

/** Lines with their numbers, without line ends. */
export const linesOf = (text: string): readonly (readonly [number, string])[] =>
  text
    .replace(/^\ufeff/, '')
    .split(/\r\n|\n|\r/)
    .map((line, index) => [index + 1, line] as const);
