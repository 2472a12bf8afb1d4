// The full check behind `pins verify`: every record, the digest, the seal and the audit chain, as data.
// Changes nothing.

import type { Appraisal, Remains } from './appraise.ts';
import { verifyAudit, type AuditReport } from './audit-log.ts';
import type { Database } from './database.ts';
import { pathsIn, checkOwned } from './directory.ts';
import { lookAt, type Look } from './look.ts';
import { storeExists } from './secret.ts';
import { StoreError } from './store-error.ts';

export interface VerifyReport {
  readonly state: Appraisal['state'];
  /** Everything that is wrong, one sentence each; empty when nothing is. */
  readonly findings: readonly string[];
  readonly generation: number | null;
  readonly sealGeneration: number | null;
  /** Endpoints whose record verifies. */
  readonly verified: readonly string[];
  /** Endpoints with a record that does not. */
  readonly unverified: readonly string[];
  /** Endpoints the seal knows and the database lacks. */
  readonly missing: readonly string[];
  readonly held: readonly string[];
  /** null when there is no database to read it from. */
  readonly audit: AuditReport | null;
}

/**
 * Checks the store in `directory`, which no process may have open. Throws StoreError `store-missing`,
 * `store-locked`, `store-newer`, `store-permissions`, `store-io`.
 */
export async function verifyStore(directory: string): Promise<VerifyReport> {
  const paths = pathsIn(directory);
  await checkOwned(paths);
  if (!(await storeExists(paths)))
    throw new StoreError('store-missing', `there is no pin store in ${directory}`);
  const look = await lookAt(paths, 'all');
  try {
    return await report(look);
  } finally {
    await look.database?.close();
  }
}

/** The report on what was looked at; the database stays open. */
export async function report(look: Look): Promise<VerifyReport> {
  const { survey, appraisal } = look;
  const audit = await auditOf(look.database, look);
  const seal = look.seal.state === 'read' ? look.seal.seal : null;
  const problem = audit?.problem ?? null;
  return {
    state: problem === null || appraisal.state === 'rolled-back' ? appraisal.state : 'damaged',
    findings: problem === null ? appraisal.findings : [...appraisal.findings, problem],
    generation: survey?.head?.generation ?? null,
    sealGeneration: seal?.generation ?? null,
    verified: [...(survey?.rows.keys() ?? [])],
    unverified: survey?.unverified ?? [],
    missing: look.missing,
    held: [...new Set([...(survey?.head?.held ?? []), ...(seal?.held ?? [])])],
    audit,
  };
}

async function auditOf(
  database: Database | null,
  { survey }: Pick<Remains, 'survey'>,
): Promise<AuditReport | null> {
  if (database === null || survey === null) return null;
  try {
    return await verifyAudit(database, survey.checkpoint, survey.head?.audit ?? null);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return {
      entries: 0,
      folded: survey.checkpoint.sequence,
      problem: `the audit log cannot be read: ${why}`,
    };
  }
}
