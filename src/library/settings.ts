// Trust settings of a program: defaults for every connection, others for single endpoints, others for one call.
// The words are those of the configuration file. Anchors are loaded once for each list of sources.

import type { Endpoint } from '../endpoint.ts';
import { parseEndpoint } from '../endpoint.ts';
import { loadAnchorsNow, type AnchorSet } from '../net/anchors.ts';
import { firstUses, policies, type FirstUse, type Policy, type TrustSettings } from '../trust/evidence.ts';
import { parseFingerprint } from '../trust/fingerprint.ts';
import { isBigProvider } from '../trust/providers.ts';

/** What decides about a server. A setting that is not given is the default one. */
export interface TrustOptions {
  /** Default `auto`, for a big provider `ca`. */
  readonly trust?: Policy;
  /** Default `accept`. With `decide`, a person is asked in its place. */
  readonly firstUse?: FirstUse;
  /** `sha256//BASE64=` of keys. Where there are any, no others count. */
  readonly pins?: readonly string[];
  /** Trust anchors in place of the system's: PEM files, and `system` for those as well. */
  readonly caFile?: string | readonly string[];
}

/** For every connection, and by endpoint (`imap.example.org:993`). */
export interface SettingsOptions extends TrustOptions {
  readonly endpoints?: Readonly<Record<string, TrustOptions>>;
}

export interface Standing {
  readonly settings: TrustSettings;
  readonly anchors: AnchorSet;
}

/** Settings that were read and checked elsewhere, with the sources of their anchors. */
export interface ReadyTrust {
  readonly trust: TrustSettings;
  readonly anchors: readonly string[];
}

export class Settings {
  readonly #common: TrustOptions;
  readonly #own: ReadonlyMap<string, TrustOptions>;
  readonly #ready: ReadonlyMap<string, ReadyTrust>;
  readonly #anchors = new Map<string, AnchorSet>();

  /** Checks everything that can be checked without a file. @throws RangeError naming the value */
  constructor(options: SettingsOptions, ready: ReadonlyMap<string, ReadyTrust> = new Map()) {
    this.#ready = ready;
    this.#common = checked(options, 'the defaults');
    this.#own = new Map(
      Object.entries(options.endpoints ?? {}).map(([name, own]) => [
        parseEndpoint(name).name,
        checked(own, name),
      ]),
    );
  }

  /** The trust settings of every endpoint that has its own. */
  configured(): ReadonlyMap<string, TrustSettings> {
    const own = [...this.#own.keys()].map(
      (name) => [name, this.#settingsOf(parseEndpoint(name), {})] as const,
    );
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
    if (ready !== undefined) return { settings: ready.trust, anchors: this.#anchorsOf(ready.anchors) };
    checked(given, endpoint.name);
    const caFile = given.caFile ?? this.#own.get(endpoint.name)?.caFile ?? this.#common.caFile ?? 'system';
    return { settings: this.#settingsOf(endpoint, given), anchors: this.#anchorsOf(caFile) };
  }

  #settingsOf(endpoint: Endpoint, given: TrustOptions): TrustSettings {
    const own = this.#own.get(endpoint.name) ?? {};
    const pins = (given.pins ?? own.pins ?? this.#common.pins ?? []).map(canonicalPin);
    const preset = pins.length === 0 && isBigProvider(endpoint.host) ? 'ca' : 'auto';
    return {
      policy: given.trust ?? own.trust ?? this.#common.trust ?? preset,
      firstUse: given.firstUse ?? own.firstUse ?? this.#common.firstUse ?? 'accept',
      configPins: [...new Set(pins)],
    };
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

function checked(options: TrustOptions, whose: string): TrustOptions {
  oneOf('trust', options.trust, { of: policies, whose });
  oneOf('firstUse', options.firstUse, { of: firstUses, whose });
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
