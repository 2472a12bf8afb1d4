// What a program can hear of. Hooks come after the fact: none can delay or change a verdict, and one that fails
// harms nobody but is told of as a warning of the process.

import type { TrustEvent } from '../tofu/event.ts';
import type { PinChangeEvent } from '../trust/change.ts';
import type { AcceptBasis } from '../trust/evidence.ts';
import type { TrustError } from './trust-error.ts';

/** A key of an endpoint, `host:port`. */
export interface KeyEvent {
  readonly endpoint: string;
  /** `sha256//BASE64=`. */
  readonly spki: string;
}

export interface Hooks {
  /** A key became a pin: by first use, approved, added, imported, handed over to, or first met as one of the settings. */
  readonly pinned?: (event: KeyEvent & { readonly how: PinChangeEvent }) => void | Promise<void>;
  /** A known key came in a new certificate. */
  readonly renewed?: (event: KeyEvent & { readonly sha256: string }) => void | Promise<void>;
  /** A connection was refused; nothing was sent. */
  readonly refused?: (error: TrustError) => void | Promise<void>;
  /** The same, where the server was CA-verified before and is not now. */
  readonly caLost?: (error: TrustError) => void | Promise<void>;
  /** A connection may be used. */
  readonly connected?: (event: KeyEvent & { readonly basis: AcceptBasis }) => void | Promise<void>;
  /** A refused key waits for a decision. */
  readonly candidate?: (event: KeyEvent & { readonly reference: string }) => void | Promise<void>;
  /** A key lost its trust; connections on it were closed. */
  readonly untrusted?: (event: KeyEvent) => void | Promise<void>;
}

const pinning: ReadonlySet<PinChangeEvent> = new Set<PinChangeEvent>([
  'first-use',
  'approved',
  'added',
  'imported',
  'handed-over',
  'matched',
  'config-pinned',
]);

/** Calls the hooks of a program. Never throws. */
export class Announcer {
  readonly #hooks: Hooks;
  #reference: (endpoint: string, spki: string) => string = () => '';

  constructor(hooks: Hooks) {
    this.#hooks = hooks;
  }

  /** Makes the references of candidates from now on; before that nothing of the engine's is told. */
  referTo(reference: (endpoint: string, spki: string) => string): void {
    this.#reference = reference;
  }

  engine(event: TrustEvent): void {
    const { pinned, candidate, renewed, untrusted } = this.#hooks;
    switch (event.type) {
      case 'pin-changed': {
        const { endpoint, spki, event: how } = event;
        if (spki === null) return;
        if (pinning.has(how)) call('pinned', () => pinned?.({ endpoint, spki, how }));
        if (how !== 'candidate') return;
        const reference = this.#reference(endpoint, spki);
        call('candidate', () => candidate?.({ endpoint, spki, reference }));
        return;
      }
      case 'certificate-renewed': {
        const { endpoint, spki, sha256 } = event;
        call('renewed', () => renewed?.({ endpoint, spki, sha256 }));
        return;
      }
      case 'key-untrusted': {
        const { endpoint, spki } = event;
        call('untrusted', () => untrusted?.({ endpoint, spki }));
        return;
      }
      case 'judged':
      case 'retiring-key-in-use':
      case 'store-operation':
      case 'store-health':
        return;
    }
  }

  refused(error: TrustError): void {
    call('refused', () => this.#hooks.refused?.(error));
    if (error.reason === 'ca-lost') call('caLost', () => this.#hooks.caLost?.(error));
  }

  connected({ endpoint, spki, basis }: KeyEvent & { readonly basis: AcceptBasis }): void {
    call('connected', () => this.#hooks.connected?.({ endpoint, spki, basis }));
  }
}

/** A hook may be async although nobody waits for it. */
function call(name: keyof Hooks, hook: () => unknown): void {
  const failed = (error: unknown): void => {
    const message = error instanceof Error ? error.message : String(error);
    process.emitWarning(`the hook ${name} failed: ${message}`, { type: 'LetterlockWarning' });
  };
  try {
    const answer = hook();
    if (answer instanceof Promise) answer.catch(failed);
  } catch (error) {
    failed(error);
  }
}
