// Trust settings of a program: defaults for every connection, others for single endpoints, others for one call.
// The words are those of the configuration file. Anchors are loaded once for each list of sources.

import type { Endpoint } from '../endpoint.ts';
import { parseEndpoint } from '../endpoint.ts';
import { nearest } from '../config/nearest.ts';
import { loadAnchorsNow, type AnchorSet } from '../net/anchors.ts';
import {
  daneUses,
  firstUses,
  policies,
  type DaneUse,
  type FirstUse,
  type Policy,
  type TrustSettings,
} from '../trust/evidence.ts';
import { parseFingerprint } from '../trust/fingerprint.ts';
import { isBigProvider } from '../trust/providers.ts';

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

export const trustOptionNames: readonly string[] = [
  'trust',
  'firstUse',
  'pins',
  'caFile',
  'crlFile',
  'dane',
  'handOver',
  'continuity',
];

/** The trust options among the options of something else. */
export const trustOptionsIn = (options: TrustOptions): TrustOptions =>
  Object.fromEntries(
    Object.entries(options).filter(([name, value]) => trustOptionNames.includes(name) && value !== undefined),
  );

/** @throws RangeError for a name that means nothing */
export function checkOptionNames(options: object, names: readonly string[], whose: string): void {
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const near = nearest(unknown, names);
  throw new RangeError(
    `${whose}: unknown option ${unknown}${near === null ? '' : `; did you mean ${near}?`}`,
  );
}

/** For every connection, and by endpoint (`imap.example.org:993`). */
export interface SettingsOptions extends TrustOptions {
  readonly endpoints?: Readonly<Record<string, TrustOptions>>;
}

export interface Standing {
  readonly settings: TrustSettings;
  readonly anchors: AnchorSet;
  readonly crlFiles: readonly string[];
}

/** Settings that were read and checked elsewhere, with the sources of their anchors. */
export interface ReadyTrust {
  readonly trust: TrustSettings;
  readonly anchors: readonly string[];
  readonly crlFiles: readonly string[];
}

export class Settings {
  readonly #common: TrustOptions;
  readonly #own: ReadonlyMap<string, TrustOptions>;
  readonly #ready: ReadonlyMap<string, ReadyTrust>;
  readonly #anchors = new Map<string, AnchorSet>();

  /** Checks everything that can be checked without a file. @throws RangeError naming the value */
  constructor(options: SettingsOptions, ready: ReadonlyMap<string, ReadyTrust> = new Map()) {
    this.#ready = ready;
    this.#common = checked(defined(options), 'the defaults');
    this.#own = new Map(
      Object.entries(options.endpoints ?? {}).map(([name, own]) => [
        parseEndpoint(name).name,
        ownOptions(own, name),
      ]),
    );
  }

  /** The trust settings of every endpoint that has its own. */
  configured(): ReadonlyMap<string, TrustSettings> {
    const own = [...this.#own.keys()].map((name) => [name, this.of(parseEndpoint(name)).settings] as const);
    return new Map([...[...this.#ready].map(([name, { trust }]) => [name, trust] as const), ...own]);
  }

  /** Reads every anchor file that is named, so that one that cannot be used is known now. @throws AnchorError */
  load(): void {
    for (const { caFile } of [this.#common, ...this.#own.values()]) this.#anchorsOf(caFile ?? 'system');
    for (const { anchors } of this.#ready.values()) this.#anchorsOf(anchors);
  }

  /** @throws RangeError for what was given with the call; AnchorError */
  of(endpoint: Endpoint, given: TrustOptions = {}): Standing {
    const ready = this.#ready.get(endpoint.name);
    if (ready !== undefined)
      return { settings: ready.trust, anchors: this.#anchorsOf(ready.anchors), crlFiles: ready.crlFiles };
    const asked = this.#askedOf(endpoint, given);
    return {
      settings: settingsOf(asked),
      anchors: this.#anchorsOf(asked.caFile ?? 'system'),
      crlFiles: [asked.crlFile ?? []].flat(),
    };
  }

  /** What was given with the call, else for the endpoint, else for all. */
  #askedOf(endpoint: Endpoint, given: TrustOptions): TrustOptions {
    checked(given, endpoint.name);
    const own = { ...this.#own.get(endpoint.name), ...defined(given) };
    const asked = { ...this.#common, ...presetOf(endpoint, { ...this.#common, ...own }), ...own };
    return checkedTogether(asked, endpoint.name);
  }

  #anchorsOf(caFile: string | readonly string[]): AnchorSet {
    const sources = typeof caFile === 'string' ? [caFile] : caFile;
    const key = JSON.stringify(sources);
    const known = this.#anchors.get(key);
    if (known !== undefined) return known;
    const loaded = loadAnchorsNow(sources);
    this.#anchors.set(key, loaded);
    return loaded;
  }
}

/** A big provider is CA-verified, whatever the default for all is; a policy or pins of its own say otherwise. */
const presetOf = ({ host }: Endpoint, { pins = [] }: TrustOptions): TrustOptions =>
  pins.length === 0 && isBigProvider(host) ? { trust: 'ca' } : {};

function settingsOf(asked: TrustOptions): TrustSettings {
  return {
    policy: asked.trust ?? 'auto',
    firstUse: asked.firstUse ?? 'accept',
    configPins: [...new Set((asked.pins ?? []).map(canonicalPin))],
    ...(asked.dane === 'prefer' ? { dane: 'prefer' } : {}),
    ...(asked.handOver === true ? { handOver: true } : {}),
    ...(asked.continuity === 'anchor' ? { continuity: 'anchor' } : {}),
  };
}

function ownOptions(own: TrustOptions, name: string): TrustOptions {
  checkOptionNames(own, trustOptionNames, name);
  return checked(defined(own), name);
}

/** An option that is there and undefined is not given. */
const defined = (options: TrustOptions): TrustOptions =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));

function checkedTogether(options: TrustOptions, whose: string): TrustOptions {
  if (options.continuity !== 'anchor') return options;
  if (options.trust !== 'ca+tofu') throw new RangeError(`${whose}: continuity: anchor is for trust: ca+tofu`);
  if (options.handOver === true)
    throw new RangeError(`${whose}: handOver and continuity: anchor exclude each other`);
  return options;
}

function checked(options: TrustOptions, whose: string): TrustOptions {
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

function oneOf(
  key: string,
  value: unknown,
  { of, whose }: { readonly of: readonly string[]; readonly whose: string },
): void {
  if (value === undefined || (typeof value === 'string' && of.includes(value))) return;
  throw new RangeError(`${whose}: ${key} is ${JSON.stringify(value)}, and must be one of ${of.join(', ')}`);
}

function canonicalPin(pin: string): string {
  const read = parseFingerprint(pin);
  if (read?.kind === 'spki') return read.value;
  throw new RangeError(`${JSON.stringify(pin)} is not a pin: write sha256//BASE64= (44 characters)`);
}
