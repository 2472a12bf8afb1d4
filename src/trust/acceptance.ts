// What an acceptance teaches: whether it makes or changes a basis, and what is kept for later comparison. Pure.

import { dateOf } from './answer.ts';
import { withoutCandidate } from './candidates.ts';
import { firstUseTarget, isShown, type PinTarget } from './continuity.ts';
import { change, entry, type Draft, type Scene } from './draft.ts';
import type { Accepted, Evidence } from './evidence.ts';
import { liveExpectations } from './expected.ts';
import { handedOver } from './hand-over.ts';
import { matchedImport } from './matched-import.ts';
import { isCaValid } from './policy.ts';
import type { KeyEvidence, LastCa, Pin } from './record.ts';
import { isSeenAlike, keyEvidenceOf } from './seen.ts';
import { liveKeys } from './standing.ts';

/** The last CA-verified leaf is written at most this often. */
export const lastCaEveryMs = 3_600_000;

export function learnAccepted(draft: Draft, scene: Scene<Accepted>): Draft {
  return [adopt, keepLastCa, keepEvidence, keepAcceptance].reduce((next, step) => step(next, scene), draft);
}

/** What is noted of a server that nobody is served by. A first use is one only when somebody is. */
export function noteAccepted(draft: Draft, scene: Scene<Accepted>): Draft {
  if (scene.verdict.basis === 'first-use') return draft;
  const { basis, pins, expected = [] } = draft.record;
  // Where pins stand without a basis, which no command leaves, it would be the CA that decides from then on.
  const mayNote = basis !== 'none' || pins.length + expected.length === 0;
  const noted = mayNote ? keepLastCa(draft, scene) : draft;
  const candidates = withoutCandidate(noted.record.candidates, scene.spki);
  return candidates === noted.record.candidates
    ? noted
    : { ...noted, record: { ...noted.record, candidates } };
}

/** What makes or changes a basis: first use, promotion, a configured pin's first session, CA verification. */
function adopt(draft: Draft, scene: Scene<Accepted>): Draft {
  const { evidence, verdict, spki } = scene;
  const { record } = draft;
  if (verdict.basis === 'first-use') return pinFirst(draft, scene);
  if (verdict.handedOverBy !== undefined) return handOver(draft, { ...scene, parent: verdict.handedOverBy });
  const matched = matchedImport(record, scene);
  if (matched !== null) {
    const { record: next, detail } = matched;
    return change({ ...draft, record: next }, {}, { at: evidence.now, told: ['matched', spki, detail] });
  }
  if (isPromotion(scene)) return promote(draft, scene);
  if (record.basis !== 'none') return draft;
  if (verdict.basis === 'dane' && !isCaValid(evidence)) return rememberDane(draft, scene);
  if (evidence.settings.configPins.length > 0) {
    if (verdict.basis !== 'pin') return draft;
    return change(
      draft,
      { basis: 'pinned' },
      { at: evidence.now, told: ['config-pinned', spki, 'pinned by the configuration'] },
    );
  }
  if (!isCaValid(evidence)) return draft;
  return change(
    draft,
    { basis: 'ca' },
    { at: evidence.now, told: ['ca-verified', spki, 'first CA-verified session'] },
  );
}

/** Leaves no key behind, only that the endpoint is not new: to all that asks no DANE it is pinned, and no pin counts. */
function rememberDane(draft: Draft, { evidence, verdict, spki }: Scene<Accepted>): Draft {
  // A certificate that only a probe saw CA-verified is no basis either.
  if (draft.record.pins.length > 0) return draft;
  return change(
    draft,
    { basis: 'pinned', byDane: true },
    { at: evidence.now, told: ['dane-proven', spki, verdict.why] },
  );
}

const newPin = (evidence: Evidence, { spki, kind }: PinTarget): Omit<Pin, 'origin'> => ({
  spki,
  kind,
  firstSeen: evidence.now,
  lastSeen: evidence.now,
  until: null,
  endedAt: null,
  evidence: keyEvidenceOf(evidence),
});

function pinFirst(draft: Draft, { evidence, verdict }: Scene<Accepted>): Draft {
  const target = firstUseTarget(evidence);
  if (target === null) throw new TypeError('a first use has a key to pin');
  const pin: Pin = { ...newPin(evidence, target), origin: 'first-use' };
  // Where a pin was ever set, live or over, there is no first use.
  const pins = [...draft.record.pins, pin];
  return change(
    draft,
    { basis: 'pinned', pins },
    { at: evidence.now, told: ['first-use', pin.spki, verdict.why] },
  );
}

/** A pinned key signed the certificate of this one: it becomes a pin like the old one, which retires. */
function handOver(
  draft: Draft,
  { evidence, spki, parent }: Scene<Accepted> & { readonly parent: string },
): Draft {
  const { now } = evidence;
  const { pins, until } = handedOver(draft.record.pins, {
    parent,
    child: newPin(evidence, { spki, kind: 'leaf' }),
    now,
  });
  const basis = draft.record.basis === 'none' ? 'pinned' : draft.record.basis;
  const next = change(draft, { basis, pins }, { at: now, told: ['handed-over', spki, `by ${parent}`] });
  const told = entry(draft.record.endpoint, now, ['retired', parent, `until ${dateOf(until)}`]);
  return { ...next, audit: [...next.audit, told] };
}

/** A server known by first use alone now shows the same key CA-verified: from here on the CA decides. */
function isPromotion({ evidence, verdict, spki }: Scene<Accepted>): boolean {
  if (evidence.settings.policy !== 'auto' || verdict.column !== 'live' || !isCaValid(evidence)) return false;
  const live = liveKeys(evidence);
  if (liveExpectations(evidence.record, evidence.now).length > 0) return false;
  return live.some((pin) => pin.spki === spki) && live.every((pin) => pin.origin === 'first-use');
}

function promote(draft: Draft, { evidence, spki }: Scene<Accepted>): Draft {
  const pins = draft.record.pins.map((pin) =>
    pin.endedAt === null ? { ...pin, endedAt: evidence.now } : pin,
  );
  return change(
    draft,
    { basis: 'ca', pins },
    { at: evidence.now, told: ['promoted', spki, 'its key is CA-verified now'] },
  );
}

/** Either way: the clock may have been set back since. */
const isHourApart = (one: number, other: number): boolean => Math.abs(one - other) >= lastCaEveryMs;

function keepLastCa(draft: Draft, { evidence, spki }: Scene<Accepted>): Draft {
  const leaf = evidence.examined?.chain[0];
  if (!isCaValid(evidence) || leaf === undefined) return draft;
  const { lastCa, basis } = draft.record;
  if (lastCa !== null && (lastCa.sha256 === leaf.sha256 || !isHourApart(evidence.now, lastCa.seenAt)))
    return draft;
  const kept: LastCa = {
    spki,
    sha256: leaf.sha256,
    issuer: leaf.issuer,
    notAfter: Date.parse(leaf.notAfter ?? '') || 0,
    seenAt: evidence.now,
    pem: leaf.pem,
  };
  // Without a basis it is all the ratchet has: then it may not get lost.
  return { ...draft, record: { ...draft.record, lastCa: kept }, durable: draft.durable || basis === 'none' };
}

/** The pin's evidence follows its certificate; a key that is accepted no longer waits for anybody. */
function keepEvidence(draft: Draft, { evidence, spki }: Scene<Accepted>): Draft {
  const seen = keyEvidenceOf(evidence);
  const anchorKeys = evidence.examined?.anchorKeys;
  const { record } = draft;
  const stale = (pin: Pin): boolean =>
    seen !== null &&
    isShown(pin, { spki, anchorKeys }, evidence.settings) &&
    pin.endedAt === null &&
    isNews(pin.evidence, seen);
  const candidates = withoutCandidate(record.candidates, spki);
  const refresh = record.pins.some(stale);
  if (!refresh && candidates === record.candidates) return draft;
  const pins = refresh
    ? record.pins.map((pin) => (stale(pin) ? { ...pin, evidence: refreshed(pin, seen) } : pin))
    : record.pins;
  return { ...draft, record: { ...record, pins, candidates } };
}

/** What was seen from elsewhere at the first use is of the key, and stays when its certificate is renewed. */
function refreshed({ evidence }: Pin, seen: KeyEvidence | null): KeyEvidence | null {
  const corroboration = evidence?.corroboration;
  return seen === null || corroboration === undefined ? seen : { ...seen, corroboration };
}

/** Two certificates of one key in a pool must not make a write of every session: the newer one wins. */
function isNews(known: Pin['evidence'], seen: NonNullable<Pin['evidence']>): boolean {
  if (known === null) return true;
  if (known.sha256 === seen.sha256) return !isSeenAlike(known, seen);
  return seen.notAfter > known.notAfter || isHourApart(seen.seenAt, known.seenAt);
}

/** `undo` must know that somebody relied on the command since: written before the first such session goes on. */
function keepAcceptance(draft: Draft): Draft {
  const { undo } = draft.record;
  if (undo === null || undo.acceptedSince) return draft;
  return { ...draft, record: { ...draft.record, undo: { ...undo, acceptedSince: true } }, durable: true };
}
