// The judge: evidence in, verdict out. Pure and total: it asks no clock, no network and no store, and what is
// unknown, absent or unreadable ends in a refusal. The verdict table stands row by row in its test.

import type { RefusalReason } from '../errors.ts';
import { firstUseTarget, pinsAnchors } from './continuity.ts';
import { contradiction, corroborationText } from './corroboration.ts';
import { byDane, preferDane } from './dane-verdict.ts';
import type { AcceptBasis, Column, Evidence, StoreState, Verdict } from './evidence.ts';
import { faults, type Fault } from './fault.ts';
import { predecessorOf } from './hand-over.ts';
import { liveKeys, shownIn, standingOf, type Standing } from './standing.ts';

/** The verdict on this evidence. Never throws, never changes what it is given. */
export function judge(evidence: Evidence): Verdict {
  if (evidence.resumed)
    return unread(
      evidence,
      'session-resumed',
      'The server resumed a TLS session, which shows no certificate.',
    );
  if (evidence.spki === null || evidence.examined === null) {
    return unread(evidence, 'certificate-unreadable', 'The certificate or its key could not be decoded.');
  }
  const standing = standingOf(evidence, evidence.spki, shownIn(evidence));
  const bench: Bench = { evidence, ...standing, caValid: isCaValid(evidence) };
  if (bench.rejected) return refuse(bench, 'key-rejected', 'This key was rejected for this endpoint.');
  if (evidence.examined.faults.includes('revoked'))
    return refuse(bench, 'certificate-revoked', 'A CA took this certificate, or one above it, back.');
  return withinStore(bench, withinProfile(bench));
}

/**
 * CA validity as every policy reads it: the chain and the name hold, and nothing about the certificate is so
 * wrong that not even a first use would do.
 */
export function isCaValid(evidence: Pick<Evidence, 'examined' | 'profile'>): boolean {
  return evidence.profile === 'modern' && isCaValidOnPaper(evidence);
}

/** What a CA says of the certificate, whatever the handshake was. */
function isCaValidOnPaper(evidence: Pick<Evidence, 'examined'>): boolean {
  return evidence.examined !== null && evidence.examined.caValid && firstUseBlockers(evidence).length === 0;
}

/** Does this policy depend on what is remembered? The others go on without a usable store. */
export function needsRecord({ settings }: Pick<Evidence, 'settings'>): boolean {
  switch (settings.policy) {
    case 'auto':
    case 'tofu':
    case 'ca+tofu':
      return true;
    case 'ca':
    case 'dane':
      return false;
    case 'pinned':
      return settings.configPins.length === 0;
  }
}

interface Bench extends Standing {
  readonly evidence: Evidence;
  readonly caValid: boolean;
}

/**
 * Over a legacy handshake a live pin is accepted and nothing else. What a modern one would have been accepted for
 * without a pin has a reason of its own; every other refusal keeps its own.
 */
function withinProfile(bench: Bench): Verdict {
  const verdict = byPolicy(bench);
  if (bench.evidence.profile === 'modern') return verdict;
  if (verdict.accept) return verdict.basis === 'pin' ? verdict : refuseLegacy(bench);
  const onPaper = byPolicy({ ...bench, caValid: isCaValidOnPaper(bench.evidence) });
  return isUnpinned(onPaper) ? refuseLegacy(bench) : verdict;
}

const isUnpinned = (verdict: Verdict): boolean =>
  verdict.accept ? verdict.basis !== 'pin' : verdict.reason === 'legacy-unpinned';

function byPolicy(bench: Bench): Verdict {
  switch (bench.evidence.settings.policy) {
    case 'auto':
      return preferDane(auto(bench), bench);
    case 'ca':
      return ca(bench);
    case 'tofu':
      return tofu(bench);
    case 'ca+tofu':
      return caAndTofu(bench);
    case 'pinned':
      return pinned(bench);
    case 'dane':
      return byDane(bench);
  }
}

function auto(bench: Bench): Verdict {
  switch (bench.column) {
    case 'none':
      return bench.caValid ? acceptCa(bench) : firstUse(bench);
    case 'ca':
      if (bench.caValid) return acceptCa(bench);
      if (bench.approved) return accept(bench, 'pin', 'An operator approved this key beside the CA.');
      return refuseLost(bench);
    case 'live':
      return acceptPin(bench);
    case 'unknown':
      return succession(bench);
    case 'emptied':
      return refuseSpent(bench);
  }
}

function ca(bench: Bench): Verdict {
  if (bench.caValid) return acceptCa(bench);
  return bench.column === 'ca' ? refuseLost(bench) : refuseInvalid(bench);
}

function tofu(bench: Bench): Verdict {
  switch (bench.column) {
    case 'none':
      return firstUse(bench);
    case 'ca':
      if (bench.live) return acceptPin(bench);
      if (bench.anyPin) return bench.anyLivePin ? refuseMismatch(bench) : refuseSpent(bench);
      return bench.caValid ? firstUse(bench) : refuseLost(bench);
    case 'live':
      return acceptPin(bench);
    case 'unknown':
      return succession(bench);
    case 'emptied':
      return refuseSpent(bench);
  }
}

function caAndTofu(bench: Bench): Verdict {
  switch (bench.column) {
    case 'none':
      return bench.caValid ? firstUse(bench) : refuseInvalid(bench);
    case 'ca':
    case 'live':
      return bench.caValid ? tofu(bench) : refuseLost(bench);
    case 'unknown':
      return succession(bench);
    case 'emptied':
      return refuseSpent(bench);
  }
}

function pinned(bench: Bench): Verdict {
  switch (bench.column) {
    case 'none':
    case 'emptied':
      return refuse(bench, 'not-pinned', 'The policy is pinned, and no pin counts for this endpoint.');
    case 'ca':
      if (bench.live) return acceptPin(bench);
      return refuse(bench, 'not-pinned', 'The policy is pinned, and this key is not pinned.');
    case 'live':
      return acceptPin(bench);
    case 'unknown':
      return succession(bench);
  }
}

/** Another key than the pinned ones: refused, unless one of them hands over to it. */
function succession(bench: Bench): Verdict {
  const { evidence, caValid } = bench;
  const predecessor = predecessorOf(evidence);
  if (predecessor === null || (evidence.settings.policy === 'ca+tofu' && !caValid))
    return refuseMismatch(bench);
  const why = `The pinned key ${predecessor.spki} signed the certificate of this one: it hands over.`;
  return { accept: true, basis: 'pin', column: bench.column, why, handedOverBy: predecessor.spki };
}

/** A first use, if it is safe and the setting allows it. What would be unsafe is unsafe under every setting. */
function firstUse(bench: Bench): Verdict {
  const { settings } = bench.evidence;
  // Before what may pass: no better clock or certificate makes a first use of it.
  if (bench.evidence.profile === 'legacy') return refuseLegacy(bench);
  const unsafe = firstUseObstacle(bench.evidence);
  if (unsafe !== null) return refuse(bench, 'first-use-unsafe', unsafe);
  const elsewhere = settings.policy === 'auto' ? heldBecause(bench.evidence) : null;
  if (elsewhere !== null) return refuse(bench, 'first-use-held', elsewhere);
  switch (settings.firstUse) {
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
  const { corroboration } = bench.evidence;
  const against = contradiction(bench.evidence);
  if (against !== null) return refuse(bench, 'first-use-held', against);
  const seen = corroboration === undefined ? '' : ` ${corroborationText(corroboration)}.`;
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

const firstUseBlockers = ({ examined }: Pick<Evidence, 'examined'>): readonly Fault[] =>
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

/** Without a sound store, what needs the record is accepted only on what provably survived; nothing is learnt. */
function withinStore(bench: Bench, verdict: Verdict): Verdict {
  if (!needsRecord(bench.evidence)) return verdict;
  switch (storeState(bench.evidence)) {
    case 'good':
      return verdict;
    case 'unavailable':
      return refuse(bench, 'store-unavailable', 'The pin store cannot be used, and this policy needs it.');
    case 'damaged':
      return survives(bench, verdict)
        ? verdict
        : refuse(
            bench,
            'store-damaged',
            'The pin store is damaged, and what is left does not vouch for this key.',
          );
  }
}

/** A record that does not verify is damage, whatever the store says of itself. */
const storeState = (evidence: Evidence): StoreState =>
  evidence.store === 'good' && !evidence.recordVerified ? 'damaged' : evidence.store;

function survives({ evidence, column }: Bench, verdict: Verdict): boolean {
  if (evidence.record === null || !evidence.recordVerified || !verdict.accept) return false;
  switch (verdict.basis) {
    case 'pin':
      return true;
    case 'ca':
      return column === 'ca';
    case 'first-use':
    case 'dane':
      return false;
  }
}

function accept(bench: Bench, basis: AcceptBasis, why: string): Verdict {
  return { accept: true, basis, column: bench.column, why };
}

function refuse(bench: { readonly column: Column }, reason: RefusalReason, why: string): Verdict {
  return { accept: false, reason, column: bench.column, why };
}

/** No key was shown, so no pin can match: the column is that of a key nobody knows. */
const unread = (evidence: Evidence, reason: RefusalReason, why: string): Verdict =>
  refuse(standingOf(evidence, ''), reason, why);

const acceptCa = (bench: Bench): Verdict =>
  accept(bench, 'ca', 'A trusted CA vouches for this name and key.');
const acceptPin = (bench: Bench): Verdict =>
  accept(
    bench,
    'pin',
    bench.met.length === 0
      ? 'This key is pinned for this endpoint.'
      : 'This certificate was imported as the one to expect of this endpoint.',
  );
const refuseMismatch = (bench: Bench): Verdict =>
  refuse(
    bench,
    'pin-mismatch',
    pinsAnchors(bench.evidence.settings)
      ? 'Another anchor is pinned for this endpoint than the one this certificate leads to.'
      : bench.caValid
        ? `${otherTrusted(bench)}; that a CA vouches for this one does not replace it.`
        : `${otherTrusted(bench)}.`,
  );
const otherTrusted = ({ evidence }: Bench): string =>
  liveKeys(evidence).length > 0
    ? 'Another key is pinned for this endpoint'
    : 'Another certificate was imported as the one to expect of this endpoint';
const refuseSpent = (bench: Bench): Verdict =>
  refuse(bench, 'pins-spent', 'Every pin of this endpoint was rejected or has ended.');
const refuseLost = (bench: Bench): Verdict =>
  refuse(bench, 'ca-lost', `The endpoint was CA-verified before and is not now${listed(bench)}.`);
const refuseLegacy = (bench: Bench): Verdict =>
  refuse(
    bench,
    'legacy-unpinned',
    'The handshake was one of a legacy server, over which only a pin vouches for a key, and this key is not pinned.',
  );
const refuseInvalid = (bench: Bench): Verdict =>
  refuse(
    bench,
    'ca-invalid',
    `The policy asks for a CA-verified certificate, and this one is not${listed(bench)}.`,
  );

const listed = ({ evidence }: Bench): string => {
  const found = evidence.examined?.faults ?? [];
  return found.length === 0 ? '' : `: ${found.join(', ')}`;
};
