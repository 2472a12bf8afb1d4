// What operators can order: pure transitions from a record to the next one, with audit entries and the text
// a person is shown. Nothing is stored here, and a command that would not help stores nothing at all.

import type { EndpointRecord } from './record.ts';

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
