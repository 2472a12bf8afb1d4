// What the trust engine tells of. Listeners hear of a change after it is durable; nobody throws in a listener
// and no listener can change a verdict. No event carries a credential, a command or mail.

import type { RefusalReason } from '../errors.ts';
import type { StoreHealth } from '../store/pin-store.ts';
import type { ChangeOrigin, PinChangeEvent } from '../trust/change.ts';
import type { DaneState } from '../trust/dane.ts';
import type { AcceptBasis, Occasion } from '../trust/evidence.ts';
import type { Fault } from '../trust/fault.ts';

export type Listener<E> = (event: E) => void;

/** What of a presented certificate is told with a verdict. */
export interface PresentedLeaf {
  readonly sha256: string;
  readonly subject: string;
  readonly issuer: string;
  /** The first 16. */
  readonly names: readonly string[];
}

export type TrustEvent =
  | {
      readonly type: 'judged';
      readonly endpoint: string;
      readonly verdict: AcceptBasis | 'refused';
      readonly reason: RefusalReason | null;
      readonly spki: string | null;
      readonly faults: readonly Fault[];
      /** Absent where nobody asked. */
      readonly dane?: DaneState;
      /** Of the leaf presented, milliseconds; null when unreadable. */
      readonly notBefore: number | null;
      readonly notAfter: number | null;
      readonly pathNotAfter: number | null;
      readonly by: Occasion;
      /** The leaf presented, its text as sent and bounded; null when unreadable. */
      readonly leaf: PresentedLeaf | null;
    }
  | {
      readonly type: 'pin-changed';
      readonly endpoint: string;
      readonly event: PinChangeEvent;
      readonly origin: ChangeOrigin;
      readonly spki: string | null;
      readonly detail: string;
    }
  | {
      readonly type: 'certificate-renewed';
      readonly endpoint: string;
      readonly spki: string;
      readonly sha256: string;
    }
  | {
      readonly type: 'retiring-key-in-use';
      readonly endpoint: string;
      readonly spki: string;
      readonly until: number;
      readonly advice: string;
    }
  | { readonly type: 'key-untrusted'; readonly endpoint: string; readonly spki: string }
  | { readonly type: 'store-operation'; readonly seconds: number; readonly ok: boolean }
  | { readonly type: 'store-health'; readonly health: StoreHealth };
