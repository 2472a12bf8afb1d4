// Compares what the database holds with what the seal says it must hold. Pure and total: whatever is not
// plainly good, or the one gap a crash can leave, is damage.

import { digestText } from './head.ts';
import type { Seal } from './seal.ts';
import type { SealReading } from './seal-file.ts';
import type { Survey } from './survey.ts';

export interface Remains {
  /** null when the database is gone or does not open; `broken` says which. */
  readonly survey: Survey | null;
  readonly broken: string | null;
  readonly seal: SealReading;
  /** Endpoints the seal knows and the database lacks. */
  readonly missing: readonly string[];
  readonly secret: boolean;
}

/**
 * `good`: database and seal agree. `healed`: a crash came between batch and seal. `started`: a crash came
 * before the first seal. `rolled-back`: the database is whole, but not of the seal's generation. `damaged`:
 * all else. The last two are one state to everybody but repair.
 */
export interface Appraisal {
  readonly state: 'good' | 'healed' | 'started' | 'rolled-back' | 'damaged';
  /** What is wrong, one sentence each, for people. */
  readonly findings: readonly string[];
}

export function appraise(remains: Remains): Appraisal {
  const findings = [...databaseFindings(remains), ...sealFindings(remains)];
  if (!remains.secret) findings.push('the store secret is missing or short');
  if (findings.length > 0) return { state: 'damaged', findings };
  const head = remains.survey?.head;
  if (head === undefined || head === null)
    return { state: 'damaged', findings: ['the database has no head'] };
  if (remains.seal.state !== 'read') return { state: 'started', findings };
  const { seal } = remains.seal;
  if (head.generation === seal.generation) return { state: 'good', findings };
  if (head.generation === seal.generation + 1) return { state: 'healed', findings };
  return { state: 'rolled-back', findings: [drift(head.generation, seal.generation)] };
}

const drift = (head: number, seal: number): string =>
  head < seal
    ? `the database is ${seal - head} generations older than the seal: it was rolled back, or lost its last changes`
    : `the seal is ${head - seal} generations older than the database`;

function databaseFindings({ survey, broken }: Remains): string[] {
  if (survey === null) return [broken ?? 'the database is missing'];
  const findings: string[] = [];
  if (survey.trouble !== null) findings.push(`the database cannot be read to its end: ${survey.trouble}`);
  if (survey.head === null) findings.push('the head of the database is missing or altered');
  if (survey.unverified.length > 0) findings.push(`altered records: ${survey.unverified.join(', ')}`);
  const { head } = survey;
  if (head !== null && head.count !== survey.weights.size) {
    findings.push(`the database holds ${survey.weights.size} records where there were ${head.count}`);
  } else if (head !== null && head.digest !== digestText(survey.digest)) {
    findings.push('the records are not those the head tells of');
  }
  return findings;
}

function sealFindings({ seal: reading, survey, missing }: Remains): string[] {
  switch (reading.state) {
    case 'unreadable':
      return [`the seal cannot be read: ${reading.detail}`];
    case 'none':
      return isNewborn(survey) ? [] : ['the seal is missing'];
    case 'read':
      return survey === null ? [] : comparison(reading.seal, { survey, missing });
  }
}

const isNewborn = (survey: Survey | null): boolean =>
  survey?.head?.generation === 0 && survey.weights.size === 0;

function comparison(
  seal: Seal,
  { survey: { head }, missing }: Pick<Remains, 'missing'> & { readonly survey: Survey },
): string[] {
  const findings: string[] = [];
  // An older generation rightly lacks what came later; it is told by its number.
  if (missing.length > 0 && (head === null || head.generation >= seal.generation)) {
    findings.push(`missing records: ${missing.join(', ')}`);
  }
  if (head === null) return findings;
  if (head.store !== seal.store) findings.push('the seal is of another store');
  else if (
    head.generation === seal.generation &&
    (head.digest !== seal.digest || head.count !== seal.count)
  ) {
    findings.push('the records are not those that were sealed');
  } else if (head.generation === seal.generation + 1 && head.previous !== seal.digest) {
    findings.push('the last change does not follow what was sealed');
  }
  return findings;
}
