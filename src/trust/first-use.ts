// May a key that nobody knows be trusted from now on? Only where that is safe, the setting allows it, and nothing
// seen from elsewhere speaks against it. Pure; the judge asks it.

import { accept, refuse, refuseLegacy, type Bench } from './bench.ts';
import { firstUseTarget } from './continuity.ts';
import { contradiction, corroborationText } from './corroboration.ts';
import type { Evidence, Verdict } from './evidence.ts';
import { faults, type Fault } from './fault.ts';

/** A first use, if it is safe and the setting allows it. What would be unsafe is unsafe under every setting. */
export function firstUse(bench: Bench): Verdict {
  const { evidence, path } = bench;
  // Before what may pass: no better clock or certificate makes a first use of it.
  if (path.ask('legacy', evidence.profile === 'legacy')) return refuseLegacy(bench);
  const unsafe = firstUseObstacle(evidence);
  path.ask('first-use-safe', unsafe === null, () => unsafe ?? '');
  if (unsafe !== null) return refuse(bench, 'first-use-unsafe', unsafe);
  const elsewhere = evidence.settings.policy === 'auto' ? heldBecause(evidence) : null;
  if (evidence.settings.policy === 'auto')
    path.ask('signed-otherwise', elsewhere !== null, () => elsewhere ?? '');
  if (elsewhere !== null) return refuse(bench, 'first-use-held', elsewhere);
  return allowedFirstUse(bench);
}

function allowedFirstUse(bench: Bench): Verdict {
  const { firstUse: setting } = bench.evidence.settings;
  switch (bench.path.note('first-use', setting, () => `firstUse: ${setting}`)) {
    case 'accept':
      return corroborated(bench);
    case 'hold':
      return refuse(bench, 'first-use-held', 'The key is new, and firstUse is hold: it waits for approval.');
    case 'refuse':
      return refuse(bench, 'first-use-off', 'The key is new, and firstUse is refuse.');
  }
}

/** Looked at from elsewhere, or still to be: the engine lets no first use through that asks for it and was not. */
function corroborated(bench: Bench): Verdict {
  const { corroboration, settings } = bench.evidence;
  const against = contradiction(bench.evidence);
  const text = corroboration === undefined ? null : corroborationText(corroboration);
  if (settings.corroborate !== undefined || text !== null)
    bench.path.note('corroborated', against === null, () => against ?? text ?? 'still to be asked');
  if (against !== null) return refuse(bench, 'first-use-held', against);
  const seen = text === null ? '' : ` ${text}.`;
  return accept(bench, 'first-use', `This endpoint has no key yet: its key is pinned on first use.${seen}`);
}

function firstUseObstacle(evidence: Evidence): string | null {
  const { policy } = evidence.settings;
  if ((policy === 'auto' || policy === 'ca+tofu') && evidence.anchors < 1) {
    return 'No trust anchor is loaded, so a CA-verified server could not be told from any other.';
  }
  if (firstUseTarget(evidence) === null)
    return 'The anchor that vouches for it has no key that can be pinned.';
  const blocking = firstUseBlockers(evidence);
  return blocking.length === 0 ? null : `A first use is not safe: ${blocking.join(', ')}.`;
}

/** Faults so bad that not even a first use would do. */
export const firstUseBlockers = ({ examined }: Pick<Evidence, 'examined'>): readonly Fault[] =>
  (examined?.faults ?? []).filter((fault) => faults[fault].blocks === 'first-use');

const overdue: ReadonlySet<Fault> = new Set<Fault>(['expired', 'not-yet-valid', 'issuer-expired']);
const misnamed: ReadonlySet<Fault> = new Set<Fault>(['name-mismatch', 'name-only-in-cn', 'wildcard-misused']);

/**
 * A certificate that a trusted CA did sign, but for another name or another time, is more likely a server
 * that should be CA-verified (or another server altogether) than one that should be pinned.
 */
function heldBecause({ examined }: Evidence): string | null {
  if (examined === null || !examined.chainsToAnchor) return null;
  const why: string[] = [];
  if (examined.faults.some((fault) => misnamed.has(fault))) why.push(`is for ${namesOf(examined)}`);
  if (examined.faults.some((fault) => overdue.has(fault))) why.push('is outside its dates');
  return why.length === 0 ? null : `A trusted CA signed this certificate, but it ${why.join(' and ')}.`;
}

/** Names in a certificate are the sender's words: only plain ones are repeated, and only a few. */
function namesOf(examined: NonNullable<Evidence['examined']>): string {
  const plain = (examined.chain[0]?.names ?? [])
    .filter((name) => (name.type === 'dns' || name.type === 'ip') && /^[\w.*:-]{1,80}$/.test(name.value))
    .map((name) => name.value);
  if (plain.length === 0) return 'another name';
  return plain.length > 3 ? `${plain.slice(0, 3).join(', ')} and others` : plain.join(', ');
}
