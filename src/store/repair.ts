// The ways back from a damaged store, for `pins repair`. Shows what it would do unless told to do it; puts
// what was there aside whole before anything new takes its place; never turns damage into a first use.

import { randomBytes } from 'node:crypto';
import { cp, copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { chainStart, follows, type AuditRow, type Checkpoint } from './audit.ts';
import { readAudit } from './audit-log.ts';
import { encode, type RecordRow } from './codec.ts';
import {
  asStoreError,
  keys,
  openDatabase,
  salvageDatabase,
  type Database,
  type Operation,
} from './database.ts';
import { checkOwned, found, pathsIn, type StorePaths } from './directory.ts';
import { closeUmask } from './umask.ts';
import { diskIo } from './io.ts';
import { Ledger, newHead } from './ledger.ts';
import { buildDatabase, lookAt } from './look.ts';
import { auditOfMending, mend, type Mended, type Mending, type Wreck } from './mend.ts';
import { writeSeal } from './seal-file.ts';
import { makeSecret, storeExists } from './secret.ts';
import { StoreError } from './store-error.ts';
import { survey, type Survey } from './survey.ts';
import { report, type VerifyReport } from './verify.ts';

export interface RepairOptions {
  readonly directory: string;
  readonly mode: 'show' | Mending;
  /** Endpoints of the configuration: those without a sure record get held. */
  readonly endpoints: readonly string[];
  readonly now: number;
}

export interface RepairReport {
  /** What was found before anything was done. */
  readonly before: VerifyReport;
  /** The way that fits what was found; null when nothing is wrong. */
  readonly fitting: Mending | null;
  /** `refused`: the mode asked for does not fit; `fitting` names the one that does. Nothing was changed. */
  readonly outcome: 'shown' | 'nothing-to-do' | 'refused' | 'done';
  /** What was done, or would be by the fitting way; null when there is nothing to do. */
  readonly mended: Mended | null;
  /** Directory that holds what was there before; null unless done. */
  readonly aside: string | null;
}

/**
 * Shows or carries out a repair of the store in `directory`, which no process may have open. Throws
 * StoreError `store-missing`, `store-locked`, `store-newer`, `store-permissions`, `store-io`.
 */
export async function repairStore(options: RepairOptions): Promise<RepairReport> {
  const paths = pathsIn(options.directory);
  closeUmask();
  await checkOwned(paths);
  if (!(await storeExists(paths)))
    throw new StoreError('store-missing', `there is no pin store in ${paths.directory}`);
  const { before, wreck, remains } = await examine(paths, options);
  const fitting = fittingFor(before);
  const mode = options.mode === 'show' ? fitting : options.mode;
  if (mode === null || (fitting === null && mode !== 'start-over')) {
    return {
      before,
      fitting,
      outcome: options.mode === 'show' ? 'shown' : 'nothing-to-do',
      mended: null,
      aside: null,
    };
  }
  const mended = mend(mode, wreck, options.now);
  if (options.mode === 'show') return { before, fitting, outcome: 'shown', mended, aside: null };
  if (mode !== 'start-over' && mode !== fitting)
    return { before, fitting, outcome: 'refused', mended: null, aside: null };
  const aside = await rebuild(paths, { mode, mended, wreck, remains, now: options.now }).catch(
    (error: unknown) => {
      throw asStoreError(error, `the pin store in ${paths.directory} could not be repaired`);
    },
  );
  return { before, fitting, outcome: 'done', mended, aside };
}

function fittingFor({ state, findings }: VerifyReport): Mending | null {
  switch (state) {
    case 'good':
    case 'healed':
    case 'started':
      return findings.length === 0 ? null : 'apply';
    case 'rolled-back':
      return 'accept-rollback';
    case 'damaged':
      return 'apply';
  }
}

/** What is carried over besides the records. */
interface Leftovers {
  readonly checkpoint: Checkpoint;
  /** As far as the chain holds; the rest stays aside. */
  readonly audit: readonly AuditRow[];
  readonly secret: boolean;
}

interface Examined {
  readonly before: VerifyReport;
  readonly wreck: Wreck;
  readonly remains: Leftovers;
}

async function examine(paths: StorePaths, options: RepairOptions): Promise<Examined> {
  const look = await lookAt(paths, 'all');
  let database = look.database;
  const copy = join(paths.directory, `salvage-${randomBytes(4).toString('hex')}`);
  try {
    const before = await report(look);
    let taken = look.survey;
    if (database === null && (await found(paths.database)) !== null) {
      database = await salvaged(paths.database, copy);
      taken = database === null ? null : await survey(database, { names: [], checksums: 'all' });
    }
    const audit = database === null || taken === null ? [] : await soundAudit(database, taken.checkpoint);
    const seal = look.seal.state === 'read' ? look.seal.seal : null;
    const endpoints = [...options.endpoints, ...audit.map(({ endpoint }) => endpoint)].filter(
      (name) => name !== '*',
    );
    return {
      before,
      wreck: { survey: taken, seal, endpoints },
      remains: { checkpoint: taken?.checkpoint ?? chainStart, audit, secret: look.secret !== null },
    };
  } finally {
    await database?.close();
    await rm(copy, { recursive: true, force: true });
  }
}

// LevelDB's own repair changes the files and may lose most of them: on a copy only.
async function salvaged(location: string, copy: string): Promise<Database | null> {
  try {
    await cp(location, copy, { recursive: true });
    await salvageDatabase(copy);
  } catch {
    return null;
  }
  const opening = await openDatabase(copy, { create: false });
  return opening.state === 'open' ? opening.database : null;
}

async function soundAudit(database: Database, checkpoint: Checkpoint): Promise<readonly AuditRow[]> {
  const rows: AuditRow[] = [];
  let before = checkpoint;
  try {
    for await (const row of readAudit(database, checkpoint.sequence)) {
      if (!follows(before, row)) break;
      rows.push(row);
      before = row;
    }
  } catch {
    // What could be read is what is kept.
  }
  return rows;
}

interface Rebuilding {
  readonly mode: Mending;
  readonly mended: Mended;
  readonly wreck: Wreck;
  readonly remains: Leftovers;
  readonly now: number;
}

// Old database out, new one in, new seal last: whatever a crash leaves in between is still damaged.
async function rebuild(paths: StorePaths, rebuilding: Rebuilding): Promise<string> {
  const { operations, seal } = contentOf(rebuilding);
  const fresh = await buildDatabase(paths, operations, diskIo);
  const aside = await setAside(paths, rebuilding.now);
  if ((await found(paths.database)) !== null) await diskIo.rename(paths.database, join(aside, 'pins'));
  await diskIo.syncDirectory(aside);
  await diskIo.rename(fresh, paths.database);
  await diskIo.syncDirectory(paths.directory);
  if (!rebuilding.remains.secret) await makeSecret(paths, diskIo);
  await writeSeal(paths, seal, diskIo);
  return aside;
}

function contentOf({ mode, mended, wreck, remains, now }: Rebuilding) {
  const { survey: taken, seal } = wreck;
  const last = remains.audit.at(-1) ?? remains.checkpoint;
  const generation = Math.max(taken?.head?.generation ?? 0, seal?.generation ?? 0);
  const store = randomBytes(16).toString('hex');
  const nothing: Pick<Survey, 'rows' | 'weights' | 'digest'> = {
    rows: new Map(),
    weights: new Map(),
    digest: 0n,
  };
  const ledger = new Ledger(nothing, {
    ...newHead(store, { sequence: last.sequence, hash: last.hash }),
    generation,
  });
  const audit = auditOfMending(mode, mended, now);
  // A record that had to be changed is of this turn, like the audit entries that tell of it.
  const rows = new Map(
    [...mended.rows].map(([name, row]) => [
      name,
      row.generation === 0 ? ofGeneration(row, generation + 1) : row,
    ]),
  );
  const plan = ledger.planRows(rows, { answers: [], audit, held: mended.held });
  const operations: Operation[] = [
    ...plan.operations,
    ...remains.audit.map((row) => put(keys.audit(row.sequence), JSON.stringify(row))),
    put(keys.checkpoint, encode(keys.checkpoint, remains.checkpoint)),
    put(keys.announced, encode(keys.announced, last.sequence)),
  ];
  return { operations, seal: ledger.seal(plan) };
}

const ofGeneration = ({ endpoint, revision, record }: RecordRow, generation: number): RecordRow => ({
  endpoint,
  revision,
  generation,
  record,
});

const put = (key: string, value: string): Operation => ({ type: 'put', key, value });

/** A directory of its own for what was there, with copies of seal and secret in it. */
async function setAside(paths: StorePaths, now: number): Promise<string> {
  const stamp = new Date(now).toISOString().replaceAll(/[:.]/g, '-');
  for (let attempt = 1; ; attempt += 1) {
    const aside = join(paths.directory, `damaged-${stamp}${attempt === 1 ? '' : `-${attempt}`}`);
    if ((await found(aside)) !== null) continue;
    await mkdir(aside, { mode: 0o700 });
    if ((await found(paths.seal)) !== null) await copyFile(paths.seal, join(aside, 'seal'));
    if ((await found(paths.sealLog)) !== null) await copyFile(paths.sealLog, join(aside, 'seal-changes'));
    if ((await found(paths.secret)) !== null) await copyFile(paths.secret, join(aside, 'secret'));
    return aside;
  }
}
