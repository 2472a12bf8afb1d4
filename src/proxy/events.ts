// Everything that happens in the proxy, as one discriminated union. Log, metrics and feed are listeners in
// one literal list (fanOut); nobody throws in a listener, and no listener can change a verdict. No event
// carries a credential, a command or mail.

import type { ClientRejection, FailureReason, RefusalReason } from '../errors.ts';
import type { Listener, TrustEvent } from '../tofu/event.ts';
import type { TlsaAnswer } from '../trust/dane.ts';
import type { AcceptBasis } from '../trust/evidence.ts';
import type { Protocol } from '../mail/protocol.ts';
import type { DialResult } from '../net/dial.ts';

/** How one session ended. */
export type SessionOutcome =
  | { readonly outcome: 'relayed'; readonly reason: null }
  | { readonly outcome: 'refused'; readonly reason: RefusalReason }
  | { readonly outcome: 'failed'; readonly reason: FailureReason }
  | { readonly outcome: 'rejected'; readonly reason: ClientRejection };

export type { TrustEvent } from '../tofu/event.ts';

export type ProxyEvent =
  | TrustEvent
  | {
      readonly type: 'listening';
      readonly route: string;
      readonly address: string;
      readonly upstream: string;
    }
  | {
      readonly type: 'listen-skipped';
      readonly route: string;
      readonly address: string;
      readonly cause: string;
    }
  | {
      readonly type: 'session-started';
      readonly session: number;
      readonly route: string;
      readonly protocol: Protocol;
      readonly endpoint: string;
    }
  | {
      readonly type: 'dialled';
      readonly endpoint: string;
      readonly result: DialResult;
      readonly seconds: number;
    }
  | {
      readonly type: 'tlsa-looked-up';
      readonly endpoint: string;
      readonly result: TlsaAnswer['state'];
      readonly seconds: number;
    }
  | {
      readonly type: 'handshaken';
      readonly endpoint: string;
      readonly version: string;
      readonly seconds: number;
    }
  /** A first use was looked at from elsewhere; each list names vantage points. */
  | {
      readonly type: 'corroborated';
      readonly endpoint: string;
      readonly spki: string;
      readonly agreed: readonly string[];
      readonly differing: readonly string[];
      readonly unreached: readonly string[];
      readonly seconds: number;
    }
  | { readonly type: 'greeted'; readonly route: string; readonly seconds: number }
  /** Bytes of one session since its last such event: at its end, and whenever somebody asks the proxy to tell. */
  | { readonly type: 'carried'; readonly route: string; readonly bytesUp: number; readonly bytesDown: number }
  | {
      readonly type: 'session-revoked';
      readonly session: number;
      readonly endpoint: string;
      readonly spki: string;
    }
  | ({
      readonly type: 'session-ended';
      readonly session: number;
      readonly route: string;
      readonly protocol: Protocol;
      readonly endpoint: string;
      /** The client's TLS version, `TLSv1.3`; null in clear. */
      readonly clientTls: string | null;
      readonly basis: AcceptBasis | null;
      readonly spki: string | null;
      readonly reference: string | null;
      /** The sentence the client was told, null when it was relayed, closed silently, or left too early. */
      readonly said: string | null;
      /** For the log only: what the world said, escaped and bounded. */
      readonly detail: string | null;
      readonly bytesUp: number;
      readonly bytesDown: number;
      readonly seconds: number;
    } & SessionOutcome)
  /** A browser exchanged its one-time code; milliseconds since 1970. */
  | { readonly type: 'dashboard-opened'; readonly scope: 'read' | 'admin'; readonly until: number }
  | { readonly type: 'reloaded'; readonly ok: boolean; readonly problems: number }
  /** A file of revocation lists changed and was read again. */
  | { readonly type: 'crl-reloaded' }
  | { readonly type: 'warning'; readonly code: string; readonly message: string };

export type { Listener } from '../tofu/event.ts';

/** One listener that hands every event to each of `listeners`, in order; a listener that throws stops no other. */
export function fanOut<E>(listeners: readonly Listener<E>[], failed: (error: unknown) => void): Listener<E> {
  return (event) => {
    for (const listener of listeners) {
      try {
        listener(event);
      } catch (error) {
        failed(error);
      }
    }
  };
}
