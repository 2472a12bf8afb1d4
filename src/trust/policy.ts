// The judge: evidence in, verdict out. Pure and total: it asks no clock, no network and no store, and what is
// unknown, absent or unreadable ends in a refusal. The verdict table stands row by row in its test.

import type { RefusalReason } from '../errors.ts';
import { accept, askCa, columnOf, refuse, refuseLegacy, type Bench } from './bench.ts';
import { pinsAnchors } from './continuity.ts';
import { byDane, preferDane } from './dane-verdict.ts';
import { Deliberation, unnoted, type DecisionStep, type Path } from './deliberation.ts';
import type { Evidence, StoreState, Verdict } from './evidence.ts';
import { firstUse, firstUseBlockers } from './first-use.ts';
import { predecessorOf } from './hand-over.ts';
import { liveKeys, shownIn, standingOf } from './standing.ts';

/** The verdict on this evidence. Never throws, never changes what it is given. */
export const judge = (evidence: Evidence): Verdict => judgeBy(evidence, unnoted);

/** The same verdict, with all that was asked on the way to it. */
export function deliberate(evidence: Evidence): {
  readonly verdict: Verdict;
  readonly steps: readonly DecisionStep[];
} {
  const path = new Deliberation();
  const verdict = judgeBy(evidence, path);
  return { verdict, steps: path.steps(verdict) };
}

function judgeBy(evidence: Evidence, path: Path): Verdict {
  const unread = (reason: RefusalReason, why: string): Verdict =>
    // No key was shown, so no pin can match: the column is that of a key nobody knows.
    refuse({ path, column: standingOf(evidence, '').column }, reason, why);
  const { spki, examined } = evidence;
  if (path.ask('resumed', evidence.resumed))
    return unread('session-resumed', 'The server resumed a TLS session, which shows no certificate.');
  if (!path.ask('readable', spki !== null && examined !== null) || spki === null || examined === null)
    return unread('certificate-unreadable', 'The certificate or its key could not be decoded.');
  const standing = standingOf(evidence, spki, shownIn(evidence));
  const bench: Bench = { evidence, path, ...standing, caValid: isCaValid(evidence) };
  if (path.ask('rejected', bench.rejected))
    return refuse(bench, 'key-rejected', 'This key was rejected for this endpoint.');
  if (path.ask('revoked', examined.faults.includes('revoked')))
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

/**
 * Over a legacy handshake a live pin is accepted and nothing else. What a modern one would have been accepted for
 * without a pin has a reason of its own; every other refusal keeps its own.
 */
function withinProfile(bench: Bench): Verdict {
  const verdict = byPolicy(bench);
  if (bench.evidence.profile === 'modern') return verdict;
  if (verdict.accept && verdict.basis === 'pin') return verdict;
  const paper = { ...bench, path: unnoted, caValid: isCaValidOnPaper(bench.evidence) };
  const unpinned = verdict.accept || isUnpinned(byPolicy(paper));
  return unpinned && bench.path.ask('legacy', true) ? refuseLegacy(bench) : verdict;
}

const isUnpinned = (verdict: Verdict): boolean =>
  verdict.accept ? verdict.basis !== 'pin' : verdict.reason === 'legacy-unpinned';

function byPolicy(bench: Bench): Verdict {
  const { policy } = bench.evidence.settings;
  switch (bench.path.note('policy', policy, () => `trust: ${policy}`)) {
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
  switch (columnOf(bench)) {
    case 'none':
      return askCa(bench) ? acceptCa(bench) : firstUse(bench);
    case 'ca':
      if (askCa(bench)) return acceptCa(bench);
      if (bench.path.ask('approved', bench.approved))
        return accept(bench, 'pin', 'An operator approved this key beside the CA.');
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
  if (askCa(bench)) return acceptCa(bench);
  return columnOf(bench) === 'ca' ? refuseLost(bench) : refuseInvalid(bench);
}

function tofu(bench: Bench): Verdict {
  switch (columnOf(bench)) {
    case 'none':
      return firstUse(bench);
    case 'ca':
      return tofuAfterCa(bench);
    case 'live':
      return acceptPin(bench);
    case 'unknown':
      return succession(bench);
    case 'emptied':
      return refuseSpent(bench);
  }
}

function tofuAfterCa(bench: Bench): Verdict {
  const { path } = bench;
  if (path.ask('pinned', bench.live)) return acceptPin(bench);
  if (path.ask('any-pin', bench.anyPin))
    return path.ask('live-pin', bench.anyLivePin) ? refuseMismatch(bench) : refuseSpent(bench);
  return askCa(bench) ? firstUse(bench) : refuseLost(bench);
}

function caAndTofu(bench: Bench): Verdict {
  switch (columnOf(bench)) {
    case 'none':
      return askCa(bench) ? firstUse(bench) : refuseInvalid(bench);
    case 'ca':
    case 'live':
      return askCa(bench) ? tofu(bench) : refuseLost(bench);
    case 'unknown':
      return succession(bench);
    case 'emptied':
      return refuseSpent(bench);
  }
}

function pinned(bench: Bench): Verdict {
  switch (columnOf(bench)) {
    case 'none':
    case 'emptied':
      return refuse(bench, 'not-pinned', 'The policy is pinned, and no pin counts for this endpoint.');
    case 'ca':
      if (bench.path.ask('pinned', bench.live)) return acceptPin(bench);
      return refuse(bench, 'not-pinned', 'The policy is pinned, and this key is not pinned.');
    case 'live':
      return acceptPin(bench);
    case 'unknown':
      return succession(bench);
  }
}

/** Another key than the pinned ones: refused, unless one of them hands over to it. */
function succession(bench: Bench): Verdict {
  const { evidence, path } = bench;
  const predecessor = predecessorOf(evidence);
  const handsOver = path.ask('hand-over', predecessor !== null, () => predecessor?.spki ?? '');
  if (!handsOver || predecessor === null) return refuseMismatch(bench);
  if (evidence.settings.policy === 'ca+tofu' && !askCa(bench)) return refuseMismatch(bench);
  const why = `The pinned key ${predecessor.spki} signed the certificate of this one: it hands over.`;
  const { column } = bench;
  return path.ruled({ accept: true, basis: 'pin', column, why, handedOverBy: predecessor.spki });
}

/** Without a sound store, what needs the record is accepted only on what provably survived; nothing is learnt. */
function withinStore(bench: Bench, verdict: Verdict): Verdict {
  if (!needsRecord(bench.evidence)) return verdict;
  const state = storeState(bench.evidence);
  switch (bench.path.note('store', state, () => state)) {
    case 'good':
      return verdict;
    case 'unavailable':
      return refuse(bench, 'store-unavailable', 'The pin store cannot be used, and this policy needs it.');
    case 'damaged':
      return bench.path.ask('survives', survives(bench, verdict))
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
