// The one Operator that does the work, on a live Tofu and its store: the daemon serves it over its socket,
// and a command without a daemon uses it directly. That is what makes both give the same answers.

import { CommandError, LetterlockError } from '../errors.ts';
import type { PinStore, StoredAuditEntry } from '../store/pin-store.ts';
import { AnchorError } from '../net/anchors.ts';
import { CrlError } from '../net/crl-files.ts';
import type { EmbeddedStore } from '../store/level.ts';
import { StoreError } from '../store/store-error.ts';
import type { Tofu } from '../tofu.ts';
import type { ChangeOrigin } from '../trust/change.ts';
import type { Command } from '../trust/command.ts';
import type { TrustSettings } from '../trust/evidence.ts';
import type { Operator } from './operator.ts';
import { backup } from './backup.ts';
import { gatherPinsRows, onePinsRow, pinsRowWithPem } from './pins-rows.ts';
import { isoDate } from './rows.ts';
import type {
  AnswerShape,
  ExplanationShape,
  ComparisonShape,
  HistoryRow,
  ImportRequest,
  ImportShape,
  ReloadShape,
  StatusShape,
  StoreRow,
  VerifyShape,
} from './shapes.ts';

export interface LiveParts extends Pick<
  Operator,
  'sessions' | 'endpoints' | 'probe' | 'follow' | 'dashboard'
> {
  /** Of a connection by its name; null for what is no such name. @throws CommandError `not-found` */
  readonly connection: (target: string) => ExplanationShape | null;
}

export interface OperatorParts {
  readonly source: Operator['source'];
  readonly tofu: Tofu;
  readonly store: PinStore | EmbeddedStore;
  readonly origin: ChangeOrigin;
  readonly now: () => number;
  /** Trust settings of the configured endpoints, as they are now. */
  readonly settings: () => ReadonlyMap<string, TrustSettings>;
  readonly status: () => Promise<StatusShape>;
  readonly reload: () => Promise<ReloadShape>;
  /** What only a running proxy can tell. */
  readonly live: LiveParts;
  /** Who made the parts closes them here. */
  readonly close: () => Promise<void>;
}

const maxHistoryRows = 10_000;

export function operateOn(parts: OperatorParts): Operator {
  return {
    source: parts.source,
    status: () => translated(parts.status),
    reload: () => translated(parts.reload),
    pins: () => translated(() => gatherPinsRows(parts)),
    pin: (endpoint) => translated(async () => pinsRowWithPem(parts, endpoint)),
    sessions: () => translated(parts.live.sessions),
    endpoints: () => translated(parts.live.endpoints),
    probe: (endpoint) => translated(() => parts.live.probe(endpoint)),
    follow: (options) => parts.live.follow(options),
    dashboard: (wanted) => translated(() => parts.live.dashboard(wanted)),
    candidate: (ref) => translated(() => comparisonOf(parts, ref)),
    history: (endpoint) => translated(() => historyRows(parts, endpoint)),
    command: (command) => translated(() => carryOut(parts, command)),
    import: (wanted) => translated(() => importAll(parts, wanted)),
    backup: () => translated(() => backup(parts)),
    explain: (target) => translated(() => explanationOf(parts, target)),
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
  if (error instanceof AnchorError || error instanceof CrlError)
    return new CommandError('config', error.message, { code: error.code, cause: error, ...hint });
  if (error instanceof LetterlockError) {
    return new CommandError('internal', error.message, { code: error.code, cause: error, ...hint });
  }
  return new CommandError('internal', 'letterlock made a mistake', {
    cause: error,
    hint: 'The log has the details.',
  });
}

async function explanationOf({ live, tofu }: OperatorParts, target: string): Promise<ExplanationShape> {
  return live.connection(target) ?? tofu.explain(target, await tofu.seek(target));
}

async function comparisonOf(parts: OperatorParts, ref: string): Promise<ComparisonShape> {
  const { tofu } = parts;
  const found = tofu.compare(ref, await tofu.seek(ref));
  const { state } = onePinsRow(parts, found.endpoint);
  return { ...found, state };
}

async function carryOut(parts: OperatorParts, command: Command): Promise<AnswerShape> {
  const { endpoint, lines } = await parts.tofu.command(command, { origin: parts.origin });
  return { endpoint, lines, pins: onePinsRow(parts, endpoint) };
}

async function importAll(
  { tofu, origin }: OperatorParts,
  { orders, apply }: ImportRequest,
): Promise<ImportShape> {
  const { applied, plans } = await tofu.import(orders, { origin, apply });
  const endpoints = plans.map(({ endpoint, items, outcome }) => ({
    endpoint,
    items,
    lines: outcome?.lines ?? [],
  }));
  return { applied, endpoints };
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

async function verify({ store, tofu }: OperatorParts): Promise<VerifyShape> {
  const { auditEntries, problems } =
    'verify' in store ? await verifyFiles(store) : await verifyRows(store, tofu);
  return { ok: problems.length === 0, store: storeRow(store.health()), auditEntries, problems };
}

type Verification = Pick<VerifyShape, 'auditEntries' | 'problems'>;

async function verifyFiles(store: EmbeddedStore): Promise<Verification> {
  const { findings, audit } = await store.verify();
  return { auditEntries: audit?.entries ?? 0, problems: findings };
}

/** Of a store in memory there is nothing to read again. */
async function verifyRows(store: PinStore, tofu: Tofu): Promise<Verification> {
  let auditEntries = 0;
  for await (const { sequence } of store.history(null)) auditEntries += sequence > 0 ? 1 : 0;
  const altered = tofu.records().filter(({ verified }) => !verified);
  return {
    auditEntries,
    problems: altered.map(({ endpoint }) => `the record of ${endpoint} does not verify`),
  };
}
