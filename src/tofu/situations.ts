// On what commands, explanations and changes of trust are judged for an endpoint: what is remembered of it now, and the
// settings in force for it. Those that are configured win over those a session was judged by.

import type { PinStore } from '../store/pin-store.ts';
import type { ChangeOrigin } from '../trust/change.ts';
import type { Situation } from '../trust/command.ts';
import type { TrustSettings } from '../trust/evidence.ts';
import type { Mirror } from './mirror.ts';
import { defaultSettings } from './settings.ts';

interface SituationParts {
  readonly mirror: Mirror;
  readonly store: Pick<PinStore, 'sealed'>;
  readonly now: () => number;
}

export class Situations {
  readonly #parts: SituationParts;
  #configured: ReadonlyMap<string, TrustSettings> = new Map();
  /** The last ones a session was judged by; they count where nothing is configured. */
  readonly #asked = new Map<string, TrustSettings>();

  constructor(parts: SituationParts) {
    this.#parts = parts;
  }

  /** Replaces what was configured before, and forgets what sessions were judged by. */
  configure(settings: ReadonlyMap<string, TrustSettings>): void {
    this.#configured = new Map(settings);
    this.#asked.clear();
  }

  asked(endpoint: string, settings: TrustSettings): void {
    this.#asked.set(endpoint, settings);
  }

  /** Undefined where nothing is configured for the endpoint. */
  configured(endpoint: string): TrustSettings | undefined {
    return this.#configured.get(endpoint);
  }

  of(endpoint: string, origin: ChangeOrigin): Situation {
    const { mirror, store, now } = this.#parts;
    const { record, verified } = mirror.entry(endpoint);
    return {
      endpoint,
      record: verified ? record : null,
      settings: this.#configured.get(endpoint) ?? this.#asked.get(endpoint) ?? defaultSettings(endpoint),
      sealed: store.sealed(endpoint),
      now: now(),
      origin,
    };
  }
}
