// What is printed for another program: the pins of one endpoint that count, best first, with the certificate each
// was last seen with. A program that knows certificates only cannot be told of a key nobody has seen.

import { createHash } from 'node:crypto';
import type { Endpoint } from '../endpoint.ts';
import type { HashAlgorithm } from '../trust/record.ts';
import { certificateIn } from './octets.ts';

export interface ExportedPin {
  /** `sha256//BASE64=`. */
  readonly spki: string;
  /** Milliseconds since 1970; null has no end. */
  readonly until: number | null;
  /** The certificate last seen with this key, PEM; null for a key that was never seen. */
  readonly pem: string | null;
}

export interface Exported {
  readonly endpoint: Endpoint;
  /** At least one, the one seen last first. */
  readonly pins: readonly ExportedPin[];
  /** MD5 is printed for the program that knows nothing else. */
  readonly weak: boolean;
}

/** What is printed, or why it cannot be. */
export type Printed = { readonly lines: readonly string[] } | { readonly problem: string };
export type Printer = (exported: Exported) => Printed;

interface SeenPin extends ExportedPin {
  readonly der: Uint8Array;
}

/** Those pins whose certificate is known. */
export const seenPins = ({ pins }: Pick<Exported, 'pins'>): readonly SeenPin[] =>
  pins.flatMap((pin) => {
    const der = pin.pem === null ? null : certificateIn(pin.pem);
    return der === null ? [] : [{ ...pin, der }];
  });

/** Prints by certificate; a problem where none is known. */
export function byCertificate(
  exported: Exported,
  print: (seen: readonly SeenPin[]) => readonly string[],
): Printed {
  const seen = seenPins(exported);
  if (seen.length > 0) return { lines: [`# ${exported.endpoint.name}`, ...print(seen)] };
  return {
    problem: `${exported.endpoint.name}: this program wants the certificate, and no pinned key was seen with one yet`,
  };
}

/** What was printed, in other lines. */
export const inLines = (
  printed: Printed,
  change: (lines: readonly string[]) => readonly string[],
): Printed => ('lines' in printed ? { lines: change(printed.lines) } : printed);

export const digestOf = (bytes: Uint8Array, algorithm: HashAlgorithm): string =>
  createHash(algorithm).update(bytes).digest('hex');

/** SHA-256 of a key, hexadecimal. */
export const keyDigest = (spki: string): string =>
  Buffer.from(spki.slice('sha256//'.length), 'base64').toString('hex');
