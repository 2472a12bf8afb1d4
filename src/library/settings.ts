// Trust settings of a program: defaults for every connection, others for single endpoints, others for one call. The
// later wins, option by option. Anchors are loaded once for each list of sources.

import { parseEndpoint, type Endpoint } from '../endpoint.ts';
import { loadAnchorsNow, type AnchorSet } from '../net/anchors.ts';
import type { TrustSettings } from '../trust/evidence.ts';
import { isBigProvider } from '../trust/providers.ts';
import {
  canonicalPin,
  checkNames,
  checkTogether,
  checkValues,
  defined,
  trustOptionNames,
  trustOptionsIn,
  type TrustOptions,
} from './options.ts';

/** For every connection, and by endpoint (`imap.example.org:993`). */
export interface SettingsOptions extends TrustOptions {
  readonly endpoints?: Readonly<Record<string, TrustOptions>>;
}

/** By what a server is judged, beside what it shows and what is remembered of it. */
export interface Terms {
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

interface SettingsGround {
  /** Endpoints whose settings stand, whatever is given with a call. */
  readonly ready?: ReadonlyMap<string, ReadyTrust>;
  /** `none`: who asks DANE is told at once that nobody could answer. */
  readonly resolver?: 'named' | 'none';
}

export class Settings {
  readonly #common: TrustOptions;
  readonly #own: ReadonlyMap<string, TrustOptions>;
  readonly #ready: ReadonlyMap<string, ReadyTrust>;
  readonly #resolver: 'named' | 'none';
  readonly #anchors = new Map<string, AnchorSet>();

  /** Checks everything that can be checked without a file. @throws RangeError naming the value */
  constructor(
    { endpoints = {}, ...common }: SettingsOptions,
    { ready = new Map(), resolver = 'named' }: SettingsGround = {},
  ) {
    this.#ready = ready;
    this.#resolver = resolver;
    this.#common = this.#checked(trustOptionsIn(common), 'the defaults');
    this.#own = new Map(
      Object.entries(endpoints).map(([name, own]) => [parseEndpoint(name).name, this.#checked(own, name)]),
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
  of(endpoint: Endpoint, given: TrustOptions = {}): Terms {
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
    const own = { ...this.#own.get(endpoint.name), ...this.#checked(given, endpoint.name) };
    const asked = { ...this.#common, ...presetOf(endpoint, { ...this.#common, ...own }), ...own };
    return checkTogether(asked, endpoint.name);
  }

  #checked(options: TrustOptions, whose: string): TrustOptions {
    checkNames(options, trustOptionNames, whose);
    const { trust, dane } = checkValues(options, whose);
    if (this.#resolver === 'none' && (trust === 'dane' || dane === 'prefer'))
      throw new RangeError(
        `${whose}: DANE asks a resolver: name one that validates with resolver, such as 127.0.0.1`,
      );
    return defined(options);
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
