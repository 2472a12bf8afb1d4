// What operators can order, what an order is judged on and what it comes to. The transitions stand in approve,
// add, withdraw and undo; carry-out chooses among them. All are pure: nothing is stored here.

import type { AuditEntry, ChangeOrigin, PinChangeEvent } from './change.ts';
import type { Evidence, TrustSettings } from './evidence.ts';
import type { EndpointRecord, UndoPoint } from './record.ts';

/** `forMs`: how long the pin counts; null is without an end (or, where the rules give one, their default). */
export type Command =
  | {
      readonly command: 'approve';
      /** Canonical endpoint name. */
      readonly endpoint: string;
      /** Full fingerprint of the key or its certificate, in any form people copy; a reference is not one. */
      readonly expect: string;
      readonly forMs: number | null;
      readonly as: 'ca' | 'pin' | null;
      /** The other pins keep their dates. */
      readonly keep: boolean;
      /** The other pins end now instead of in 7 days. */
      readonly endOld: boolean;
      readonly unreject: boolean;
    }
  | { readonly command: 'reject'; readonly endpoint: string; readonly expect: string }
  | {
      readonly command: 'forget';
      readonly endpoint: string;
      readonly expect: string | null;
      readonly yes: boolean;
    }
  | { readonly command: 'undo'; readonly endpoint: string }
  | {
      readonly command: 'add';
      readonly endpoint: string;
      /** Fingerprint of the key, `sha256//…`. */
      readonly pin: string;
      readonly forMs: number | null;
      readonly unreject: boolean;
    };

export interface CommandAnswer {
  readonly endpoint: string;
  /** The record after the command. */
  readonly record: EndpointRecord;
  /** For people: what was done, and which keys stay trusted until when. */
  readonly lines: readonly string[];
}

/** What a command is judged on; `now` in milliseconds since 1970. */
export interface Situation {
  readonly endpoint: string;
  readonly record: EndpointRecord | null;
  readonly settings: TrustSettings;
  readonly sealed: Evidence['sealed'];
  readonly now: number;
  readonly origin: ChangeOrigin;
}

/** What a command comes to. `record` still has the epoch it was made from; the engine moves it. */
export interface Outcome {
  readonly record: EndpointRecord;
  /** Empty when there was nothing to do. */
  readonly audit: readonly AuditEntry[];
  readonly lines: readonly string[];
}

/** What the command of kind `K` looks like. */
export type CommandOf<K extends Command['command']> = Extract<Command, { readonly command: K }>;

/** Makes the audit entries of one command. */
export const told =
  ({ endpoint, now, origin }: Situation) =>
  (event: PinChangeEvent, spki: string | null, detail: string): AuditEntry => ({
    at: now,
    endpoint,
    event,
    origin,
    spki,
    detail,
  });

/** What `undo` will return to. A record that only the ratchet holds counts as CA-verified, so it returns as that. */
export function undoPoint(
  record: EndpointRecord,
  command: Command['command'] | 'import',
  at: number,
): UndoPoint {
  const { basis, byDane, pins, rejected, candidates, lastCa, expected } = record;
  const before = {
    basis: basis === 'none' && lastCa !== null ? ('ca' as const) : basis,
    ...(byDane === undefined ? {} : { byDane }),
    pins,
    rejected,
    candidates,
    ...(expected === undefined ? {} : { expected }),
  };
  return { command, at, before, acceptedSince: false };
}
