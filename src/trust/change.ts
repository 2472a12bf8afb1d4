// What can happen to trust, as the audit log, the events and the metrics name it. The names are public: they
// change only in a major version. Types only; entries are made by draft.ts and command.ts, in the same step
// as the record they tell of, so that no change can be written without its entry.

export type PinChangeEvent =
  | 'first-use'
  | 'ca-verified'
  | 'approved'
  | 'added'
  | 'imported'
  /** What was imported without its key was shown for the first time: now the key is a pin. */
  | 'matched'
  | 'promoted'
  | 'handed-over'
  | 'retired'
  | 'rejected'
  | 'unrejected'
  | 'forgotten'
  | 'expired'
  | 'undone'
  | 'candidate'
  | 'config-pinned'
  | 'dane-proven'
  | 'started-over'
  | 'rollback-accepted'
  | 'repaired';
/** `library`: a program that uses letterlock as a library. */
export type ChangeOrigin = 'proxy' | 'cli' | 'admin' | 'config' | 'library';

/** One entry of the audit log; written in the same batch as the change it tells of, chained by hash. */
export interface AuditEntry {
  readonly at: number;
  readonly endpoint: string;
  readonly event: PinChangeEvent;
  readonly origin: ChangeOrigin;
  readonly spki: string | null;
  readonly detail: string;
}
