// Everything that happens in the proxy, as one discriminated union. Log, metrics and feed are listeners in
// one literal list (fanOut); nobody throws in a listener, and no listener can change a verdict. No event
// carries a credential, a command or mail.

import type { ClientRejection, FailureReason, RefusalReason } from '../errors.ts';
import type { Listener, TrustEvent } from '../tofu/event.ts';
import type { TlsaAnswer } from '../trust/dane.ts';
import type { AcceptBasis } from '../trust/evidence.ts';
import type { Protocol } from '../mail/protocol.ts';
import type { DialResult } from '../net/dial.ts';
import type { ConnectionId } from './connection-id.ts';
import type { Fault } from '../trust/fault.ts';

/** How one session ended. */
export type SessionOutcome =
  | { readonly outcome: 'relayed'; readonly reason: null }
  | { readonly outcome: 'refused'; readonly reason: RefusalReason }
  | { readonly outcome: 'failed'; readonly reason: FailureReason }
  | { readonly outcome: 'rejected'; readonly reason: ClientRejection };

/** How a probe ended. What is accepted as `first-use` would be one if a client came; it is none yet. */
export type ProbeOutcome =
  | { readonly result: 'accepted'; readonly verdict: AcceptBasis; readonly reason: null }
  | { readonly result: 'refused'; readonly verdict: 'refused'; readonly reason: RefusalReason }
  | {
      readonly result: 'failed';
      /** Null where the world failed before there was one. */
      readonly verdict: AcceptBasis | null;
      readonly reason: FailureReason;
    };

export type { TrustEvent } from '../tofu/event.ts';

export const hookResults = ['delivered', 'failed', 'dropped', 'deduplicated'] as const;
export type HookResult = (typeof hookResults)[number];

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
      readonly session: ConnectionId;
      readonly route: string;
      readonly protocol: Protocol;
      readonly endpoint: string;
    }
  | {
      readonly type: 'dialled';
      /** Absent where no client waits for it. */
      readonly session?: ConnectionId;
      readonly endpoint: string;
      readonly result: DialResult;
      readonly seconds: number;
    }
  | {
      readonly type: 'tlsa-looked-up';
      /** Absent where no client waits for it. */
      readonly session?: ConnectionId;
      readonly endpoint: string;
      readonly result: TlsaAnswer['state'];
      readonly seconds: number;
    }
  | {
      readonly type: 'handshaken';
      /** Absent where no client waits for it. */
      readonly session?: ConnectionId;
      readonly endpoint: string;
      readonly version: string;
      readonly seconds: number;
    }
  /** A first use was looked at from elsewhere; each list names vantage points. */
  | {
      readonly type: 'corroborated';
      /** Absent where no client waits for it. */
      readonly session?: ConnectionId;
      readonly endpoint: string;
      readonly spki: string;
      readonly agreed: readonly string[];
      readonly differing: readonly string[];
      readonly unreached: readonly string[];
      readonly seconds: number;
    }
  | {
      readonly type: 'greeted';
      readonly session?: ConnectionId;
      readonly route: string;
      readonly seconds: number;
    }
  /** Bytes of one session since its last such event: at its end, and whenever somebody asks the proxy to tell. */
  | {
      readonly type: 'carried';
      readonly session?: ConnectionId;
      readonly route: string;
      readonly bytesUp: number;
      readonly bytesDown: number;
    }
  | {
      readonly type: 'session-revoked';
      readonly session: ConnectionId;
      readonly endpoint: string;
      readonly spki: string;
    }
  | ({
      readonly type: 'session-ended';
      readonly session: ConnectionId;
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
  /** A server was asked without a client; nobody was served and no key was pinned. */
  | ({
      readonly type: 'probed';
      readonly endpoint: string;
      readonly spki: string | null;
      readonly faults: readonly Fault[];
      /** Finds the key where it was refused and is on record. */
      readonly reference: string | null;
      /** For the log only: what the world said, escaped and bounded. */
      readonly detail: string | null;
      /** Of the certificate shown, milliseconds; null where none was, or it could not be read. */
      readonly notBefore: number | null;
      readonly notAfter: number | null;
      readonly pathNotAfter: number | null;
      readonly seconds: number;
    } & ProbeOutcome)
  /** A browser exchanged its one-time code; milliseconds since 1970. */
  | { readonly type: 'dashboard-opened'; readonly scope: 'read' | 'admin'; readonly until: number }
  | { readonly type: 'reloaded'; readonly ok: boolean; readonly problems: number }
  /** A hook was told of something, or not: `dropped` where its queue was full, `deduplicated` where it was told just before. */
  | {
      readonly type: 'hook-delivered';
      readonly hook: string;
      readonly result: HookResult;
      /** How often a program was run or a receiver asked. */
      readonly attempts: number;
      /** Why it failed, in our words; null where there is nothing to say. */
      readonly detail: string | null;
    }
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
