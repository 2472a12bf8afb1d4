// What a program says about trust, in the words of the configuration file: the names it may use, and whether the values
// can be. A word that means nothing is an error: ignored, it would leave the default in force without anybody's knowing.

import { nearest } from '../config/nearest.ts';
import {
  daneUses,
  firstUses,
  policies,
  type DaneUse,
  type FirstUse,
  type Policy,
} from '../trust/evidence.ts';
import { parseFingerprint } from '../trust/fingerprint.ts';

/** What decides about a server. A setting that is not given is the default one. */
export interface TrustOptions {
  /** Default `auto`; for a big provider `ca`, unless it is said of that endpoint. */
  readonly trust?: Policy;
  /** Default `accept`. With `decide`, a person is asked in its place. */
  readonly firstUse?: FirstUse;
  /** `sha256//BASE64=` of keys that count beside the remembered ones; where there are any, no new key is taken in. */
  readonly pins?: readonly string[];
  /** Trust anchors in place of the system's: PEM files, and `system` for those as well. */
  readonly caFile?: string | readonly string[];
  /** Revocation lists in files; what one revokes is refused, pinned or not. */
  readonly crlFile?: string | readonly string[];
  /** `prefer`: under `auto`, TLSA records that are proven count as well. The resolver is named at `Tofu.open`. */
  readonly dane?: DaneUse;
  /** A pinned key that signed the certificate of another one hands over to it. */
  readonly handOver?: boolean;
  /** Under `ca+tofu`, pins the anchor in place of the server's own key. */
  readonly continuity?: 'anchor';
}

export const trustOptionNames = [
  'trust',
  'firstUse',
  'pins',
  'caFile',
  'crlFile',
  'dane',
  'handOver',
  'continuity',
] as const satisfies readonly (keyof TrustOptions)[];

const isTrustOption = (name: string): boolean => trustOptionNames.some((known) => known === name);

/** An option that is there and undefined is not given. */
export const defined = (options: TrustOptions): TrustOptions =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));

/** The trust options among the options of something else. */
export const trustOptionsIn = (options: object): TrustOptions =>
  defined(Object.fromEntries(Object.entries(options).filter(([name]) => isTrustOption(name))));

/** @throws RangeError for a name that means nothing */
export function checkNames(options: object, names: readonly string[], whose: string): void {
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const near = nearest(unknown, names);
  throw new RangeError(
    `${whose}: unknown option ${unknown}${near === null ? '' : `; did you mean ${near}?`}`,
  );
}

/** `options`, each value one that can be. @throws RangeError naming it */
export function checkValues(options: TrustOptions, whose: string): TrustOptions {
  oneOf('trust', options.trust, { of: policies, whose });
  oneOf('firstUse', options.firstUse, { of: firstUses, whose });
  oneOf('dane', options.dane, { of: daneUses, whose });
  oneOf('continuity', options.continuity, { of: ['anchor'], whose });
  const { handOver } = options;
  if (handOver !== undefined && typeof handOver !== 'boolean')
    throw new RangeError(`${whose}: handOver is ${JSON.stringify(handOver)}, and must be true or false`);
  for (const pin of options.pins ?? []) canonicalPin(pin);
  return options;
}

/** `options`, which go together. @throws RangeError */
export function checkTogether(options: TrustOptions, whose: string): TrustOptions {
  if (options.continuity !== 'anchor') return options;
  if (options.trust !== 'ca+tofu') throw new RangeError(`${whose}: continuity: anchor is for trust: ca+tofu`);
  if (options.handOver === true)
    throw new RangeError(`${whose}: handOver and continuity: anchor exclude each other`);
  return options;
}

function oneOf(
  key: string,
  value: unknown,
  { of, whose }: { readonly of: readonly string[]; readonly whose: string },
): void {
  if (value === undefined || (typeof value === 'string' && of.includes(value))) return;
  throw new RangeError(`${whose}: ${key} is ${JSON.stringify(value)}, and must be one of ${of.join(', ')}`);
}

/** `sha256//BASE64=`, however it was written. @throws RangeError */
export function canonicalPin(pin: string): string {
  const read = parseFingerprint(pin);
  if (read?.kind === 'spki') return read.value;
  throw new RangeError(`${JSON.stringify(pin)} is not a pin: write sha256//BASE64= (44 characters)`);
}
