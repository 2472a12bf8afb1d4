// The one Operator that does the work, on a live Tofu and its store: the daemon serves it over its socket,
// and a command without a daemon uses it directly. That is what makes both give the same answers.

import { CommandError, LetterlockError } from '../errors.ts';
import type { PinStore, StoredAuditEntry } from '../store/pin-store.ts';
import { StoreError } from '../store/store-error.ts';
import type { Tofu } from '../tofu.ts';
import type { ChangeOrigin } from '../trust/change.ts';
import type { Command } from '../trust/command.ts';
import type { TrustSettings } from '../trust/evidence.ts';
import type { Operator } from './operator.ts';
import { isoDate, pinsRow } from './rows.ts';
import type {
  AnswerShape,
  HistoryRow,
  PinsRow,
  ReloadShape,
  StatusShape,
  StoreRow,
  VerifyShape,
} from './shapes.ts';

export interface OperatorParts {
  readonly source: Operator['source'];
  readonly tofu: Tofu;
  readonly store: PinStore;
  readonly origin: ChangeOrigin;
  readonly now: () => number;
  /** Trust settings of the configured endpoints, as they are now. */
  readonly settings: () => ReadonlyMap<string, TrustSettings>;
  readonly status: () => Promise<StatusShape>;
  readonly reload: () => Promise<ReloadShape>;
  /** Who made the parts closes them here. */
  readonly close: () => Promise<void>;
}

const maxHistoryRows = 10_000;

export function operateOn(parts: OperatorParts): Operator {
  return {
    source: parts.source,
    status: () => translated(parts.status),
    reload: () => translated(parts.reload),
    pins: () => translated(async () => allRows(parts)),
    pin: (endpoint) => translated(async () => oneRow(parts, endpoint)),
    history: (endpoint) => translated(() => historyRows(parts, endpoint)),
    command: (command) => translated(() => carryOut(parts, command)),
    explain: (target) => translated(async () => parts.tofu.explain(target)),
    verify: () => translated(() => verify(parts)),
    close: () => parts.close(),
  };
}

/** What a store says of itself, as operators see it. */
export function storeRow(health: ReturnType<PinStore['health']>): StoreRow {
  const { state, detail, backend, generation, records } = health;
  return { state, detail, backend, generation, records };
}

/** Foreign errors end here: callers see CommandError and nothing else. */
async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw commandErrorOf(error);
  }
}

/** The CommandError an operator is shown for any error; one that is not ours says nothing of its inside. */
export function commandErrorOf(error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  const hint = error instanceof LetterlockError && error.hint !== null ? { hint: error.hint } : {};
  if (error instanceof StoreError)
    return new CommandError('store', error.message, { code: error.code, cause: error, ...hint });
  if (error instanceof LetterlockError) {
    return new CommandError('internal', error.message, { code: error.code, cause: error, ...hint });
  }
  return new CommandError('internal', 'letterlock made a mistake', {
    cause: error,
    hint: 'The log has the details.',
  });
}

function allRows(parts: OperatorParts): readonly PinsRow[] {
  const known = parts.tofu.records().filter(({ record, verified }) => record !== null || !verified);
  const names = new Set([...known.map(({ endpoint }) => endpoint), ...parts.settings().keys()]);
  return [...names].toSorted().map((endpoint) => row(parts, { endpoint, detail: 'list' }));
}

function oneRow(parts: OperatorParts, endpoint: string): PinsRow {
  const stored = parts.tofu.records().find((candidate) => candidate.endpoint === endpoint);
  const known = stored !== undefined && (stored.record !== null || !stored.verified);
  if (!known && !parts.settings().has(endpoint)) throw unknownEndpoint(endpoint);
  return row(parts, { endpoint, detail: 'with-pem' });
}

const unknownEndpoint = (endpoint: string): CommandError =>
  new CommandError('not-found', `nothing is known of ${endpoint}`, {
    hint: 'letterlock pins list shows every endpoint; write it with its port, such as imap.example.org:993.',
  });

function row(
  parts: OperatorParts,
  wanted: { readonly endpoint: string; readonly detail: 'list' | 'with-pem' },
): PinsRow {
  const { endpoint, detail } = wanted;
  const stored = parts.tofu.records().find((candidate) => candidate.endpoint === endpoint) ?? null;
  return pinsRow(endpoint, stored, {
    now: parts.now(),
    store: parts.tofu.health().state,
    sealed: parts.store.sealed(endpoint),
    settings: parts.settings().get(endpoint) ?? null,
    reference: (spki) => parts.tofu.reference(endpoint, spki),
    detail,
  });
}

async function carryOut(parts: OperatorParts, command: Command): Promise<AnswerShape> {
  const { endpoint, lines } = await parts.tofu.command(command, { origin: parts.origin });
  return { endpoint, lines, pins: row(parts, { endpoint, detail: 'list' }) };
}

async function historyRows(parts: OperatorParts, endpoint: string | null): Promise<readonly HistoryRow[]> {
  const rows: HistoryRow[] = [];
  for await (const entry of parts.store.history(endpoint)) {
    rows.push(historyRow(entry));
    // Room for twice as many, so that the oldest are dropped seldom and not one by one.
    if (rows.length >= 2 * maxHistoryRows) rows.splice(0, rows.length - maxHistoryRows);
  }
  return rows.slice(-maxHistoryRows);
}

const historyRow = ({
  sequence,
  at,
  endpoint,
  event,
  origin,
  spki,
  detail,
  hash,
}: StoredAuditEntry): HistoryRow => ({
  sequence,
  at: isoDate(at),
  endpoint,
  event,
  origin,
  spki,
  detail,
  hash,
});

async function verify(parts: OperatorParts): Promise<VerifyShape> {
  const health = parts.tofu.health();
  const damaged = parts.tofu.records().filter(({ verified }) => !verified);
  let auditEntries = 0;
  for await (const entry of parts.store.history(null)) auditEntries += entry.sequence > 0 ? 1 : 0;
  const problems = [
    ...(health.state === 'good' ? [] : [health.detail ?? `the store is ${health.state}`]),
    ...damaged.map(({ endpoint }) => `the record of ${endpoint} does not verify`),
  ];
  return { ok: problems.length === 0, store: storeRow(health), auditEntries, problems };
}
