// What one writer knows of its database between two turns, and the batch and seal that a turn would make of
// it. Plans first, moves on only when told that the plan is on the disk.

import { chain, type AuditRow, type Checkpoint } from './audit.ts';
import { encodeRow, hashOf, type RecordRow } from './codec.ts';
import { keys, type Operation } from './database.ts';
import { addWeight, digestText, encodeHead, storeFormat, takeWeight, weightOf, type Head } from './head.ts';
import type { AuditEntry, Change, Committed, Conflict } from './pin-store.ts';
import type { SealSource, SealedEndpoint } from './seal.ts';
import type { SealStep } from './seal-log.ts';
import { sealedKeysOf } from './sealed-keys.ts';
import { stage, stillHeld } from './stage.ts';
import type { Survey } from './survey.ts';

export interface Plan {
  readonly answers: readonly (Committed | Conflict)[];
  /** Empty when nothing is to be written. */
  readonly operations: readonly Operation[];
  readonly rows: ReadonlyMap<string, RecordRow>;
  readonly weights: ReadonlyMap<string, bigint>;
  readonly audit: readonly AuditRow[];
  readonly head: Head;
}

export const newHead = (store: string, audit: Checkpoint): Head => ({
  format: storeFormat,
  store,
  generation: 0,
  count: 0,
  digest: digestText(0n),
  previous: digestText(0n),
  held: [],
  audit,
});

export class Ledger {
  readonly #rows: Map<string, RecordRow>;
  readonly #weights: Map<string, bigint>;
  #digest: bigint;
  #head: Head;
  #held: ReadonlySet<string>;

  /** The tables of `stock` are its own from then on: to copy a hundred thousand rows takes a tenth of a second. */
  constructor(stock: Pick<Survey, 'rows' | 'weights' | 'digest'>, head: Head) {
    this.#rows = stock.rows;
    this.#weights = stock.weights;
    this.#digest = stock.digest;
    this.#head = head;
    this.#held = new Set(head.held);
  }

  get rows(): ReadonlyMap<string, RecordRow> {
    return this.#rows;
  }

  get head(): Head {
    return this.#head;
  }

  get held(): ReadonlySet<string> {
    return this.#held;
  }

  plan(commits: readonly (readonly Change[])[]): Plan {
    const generation = this.#head.generation + 1;
    const staged = stage(this.#rows, commits, generation);
    return this.planRows(staged.rows, { answers: staged.answers, audit: staged.audit, held: this.#held });
  }

  /** A turn that writes `rows` as they are, and holds `held` but for what `audit` lifts. */
  planRows(
    rows: ReadonlyMap<string, RecordRow>,
    told: Pick<Plan, 'answers'> & {
      readonly audit: readonly AuditEntry[];
      readonly held: ReadonlySet<string>;
    },
  ): Plan {
    const generation = this.#head.generation + 1;
    const operations: Operation[] = [];
    const weights = new Map<string, bigint>();
    for (const [endpoint, row] of rows) {
      const key = keys.record(endpoint);
      const value = encodeRow(key, row);
      operations.push({ type: 'put', key, value });
      if (row.record === null) operations.push({ type: 'del', key: keys.touch(endpoint) });
      weights.set(endpoint, weightOf(hashOf(key, value)));
    }
    const audit = chain(this.#head.audit, told.audit, generation);
    for (const row of audit)
      operations.push({ type: 'put', key: keys.audit(row.sequence), value: JSON.stringify(row) });
    const held = stillHeld(told.held, told.audit);
    const head = this.#headAfter({ weights, held, last: audit.at(-1) });
    const empty = operations.length === 0 && held === this.#held;
    if (!empty) operations.push({ type: 'put', key: keys.head, value: encodeHead(head) });
    return { answers: told.answers, operations, rows, weights, audit, head };
  }

  /** Call it when `plan` is in the database and in the seal. */
  apply({ rows, weights, head }: Plan): void {
    this.#digest = this.#digestAfter(weights);
    for (const [endpoint, row] of rows) this.#rows.set(endpoint, row);
    for (const [endpoint, weight] of weights) this.#weights.set(endpoint, weight);
    this.#head = head;
    this.#held = new Set(head.held);
  }

  /** The seal of the present generation, or of the one `plan` makes; good until the next `apply`. */
  seal(plan?: Plan): SealSource {
    const { store, generation, count, digest, held } = plan?.head ?? this.#head;
    return { store, generation, count, digest, held, endpoints: sealedRows(this.#rows, plan?.rows) };
  }

  /** What `plan` makes of the seal of the present generation. */
  sealStep({ head, rows }: Plan): SealStep {
    const { generation, count, digest, held } = head;
    const stays = held.length === this.#held.size && held.every((name) => this.#held.has(name));
    return { generation, count, digest, held: stays ? null : held, endpoints: sealedRows(rows) };
  }

  #headAfter(written: {
    readonly weights: ReadonlyMap<string, bigint>;
    readonly held: ReadonlySet<string>;
    readonly last: AuditRow | undefined;
  }): Head {
    const added = [...written.weights.keys()].filter((endpoint) => !this.#weights.has(endpoint)).length;
    return {
      ...this.#head,
      generation: this.#head.generation + 1,
      count: this.#weights.size + added,
      digest: digestText(this.#digestAfter(written.weights)),
      previous: this.#head.digest,
      held: [...written.held],
      audit:
        written.last === undefined
          ? this.#head.audit
          : { sequence: written.last.sequence, hash: written.last.hash },
    };
  }

  #digestAfter(weights: ReadonlyMap<string, bigint>): bigint {
    let digest = this.#digest;
    for (const [endpoint, weight] of weights) {
      digest = addWeight(takeWeight(digest, this.#weights.get(endpoint) ?? 0n), weight);
    }
    return digest;
  }
}

function* sealedRows(
  rows: ReadonlyMap<string, RecordRow>,
  over: ReadonlyMap<string, RecordRow> = new Map(),
): Generator<readonly [string, SealedEndpoint]> {
  for (const [endpoint, row] of rows) yield [endpoint, sealed(over.get(endpoint) ?? row)];
  for (const [endpoint, row] of over) if (!rows.has(endpoint)) yield [endpoint, sealed(row)];
}

const sealed = ({ revision, record }: RecordRow): SealedEndpoint => ({ revision, ...sealedKeysOf(record) });
