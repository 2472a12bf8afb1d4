// What an operator can ask and order, whether a daemon answers over its socket (client.ts) or the command
// opens the store itself (local.ts). Both give the same answers; commands of the command line see only this.

import type { Command } from '../trust/command.ts';
import type { EndpointRow, FeedEntry, FollowOptions, ProbeShape, SessionRow } from './live-shapes.ts';
import type {
  AnswerShape,
  BackupShape,
  ComparisonShape,
  ExplanationShape,
  HistoryRow,
  ImportRequest,
  ImportShape,
  PinsRow,
  ReloadShape,
  StatusShape,
  VerifyShape,
} from './shapes.ts';

/**
 * Every method rejects with CommandError, whose `exit` names the exit code: `not-found` for an endpoint,
 * reference or key nobody knows, `store` when the store cannot be used, `no-daemon` where only a running
 * daemon can answer, `usage` and `refused` as the command at hand documents.
 * Whoever made an Operator closes it; `close` never rejects.
 */
export interface Operator {
  /** `daemon` answers for a running proxy, `store` for the files alone. */
  readonly source: 'daemon' | 'store';
  /** Only a daemon has a status: `no-daemon` without one. */
  status(): Promise<StatusShape>;
  /** One row for each endpoint with a record and, from a daemon, each configured endpoint. */
  pins(): Promise<readonly PinsRow[]>;
  /** The row of one endpoint with PEM; `not-found` when it has no record. */
  pin(endpoint: string): Promise<PinsRow>;
  /** Clients connected now, oldest first. Needs a daemon. */
  sessions(): Promise<readonly SessionRow[]>;
  /** How every configured and every known endpoint stands, and what was last judged of it. Needs a daemon. */
  endpoints(): Promise<readonly EndpointRow[]>;
  /** A key that waits, beside the one that is known; `not-found` for a reference of no candidate. */
  candidate(ref: string): Promise<ComparisonShape>;
  /** Looks at a configured endpoint now; pins nothing. Needs a daemon. */
  probe(endpoint: string): Promise<ProbeShape>;
  /**
   * What happens, as it happens, until the signal aborts or the daemon closes. Reads too slowly, and it throws. Whoever
   * iterates aborts the signal in the end: leaving the loop alone waits for the next entry. Needs a daemon.
   */
  follow(options: FollowOptions): AsyncIterable<FeedEntry>;
  /** Audit entries, oldest first; all endpoints for null. At most the latest 10 000. */
  history(endpoint: string | null): Promise<readonly HistoryRow[]>;
  command(command: Command): Promise<AnswerShape>;
  /** What an import comes to; with `apply`, and nothing in the way, all of it at once. */
  import(request: ImportRequest): Promise<ImportShape>;
  /** Every record whole, rejections of the seal included. */
  backup(): Promise<BackupShape>;
  /** Why: of a code, a reference or an endpoint. */
  explain(target: string): Promise<ExplanationShape>;
  /** The whole new configuration or, with problems listed, the old one. Needs a daemon. */
  reload(): Promise<ReloadShape>;
  /** Checks the store and the hash chain of the audit log; changes nothing. */
  verify(): Promise<VerifyShape>;
  close(): Promise<void>;
}
