// What an operator can ask and order, whether a daemon answers over its socket (client.ts) or the command
// opens the store itself (local.ts). Both give the same answers; commands of the command line see only this.

import type { Command } from '../trust/command.ts';
import type {
  AnswerShape,
  BackupShape,
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
