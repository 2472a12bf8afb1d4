// What a verdict teaches: from the evidence judged to the next record, with its audit entries. Pure. Learns
// nothing from a store that is not whole, and never turns a refusal into anything but a candidate.

import { dateOf } from './answer.ts';
import { withCandidate, withoutCandidate } from './candidates.ts';
import type { AuditEntry, PinChangeEvent } from './change.ts';
import { firstUseTarget, isShown, type PinTarget } from './continuity.ts';
import type { Evidence, Verdict } from './evidence.ts';
import { isCaValid } from './policy.ts';
import { expectationText, liveExpectations, withoutOver } from './expected.ts';
import { matchedImport } from './matched-import.ts';
import { emptyRecord, type EndpointRecord, type KeyEvidence, type LastCa, type Pin } from './record.ts';
import { keyEvidenceOf } from './examine.ts';
import { handedOver } from './hand-over.ts';
import { liveKeys } from './standing.ts';
import type { RefusalReason } from '../errors.ts';

export interface Lesson {
  readonly record: EndpointRecord;
  /** Empty for what is no change of trust: sightings and evidence for later comparison. */
  readonly audit: readonly AuditEntry[];
  /** The change must be durable before anything is vouched for on the strength of it. */
  readonly durable: boolean;
}

/** The last CA-verified leaf is written at most this often. */
export const lastCaEveryMs = 3_600_000;

type Accepted = Extract<Verdict, { accept: true }>;
type Refused = Extract<Verdict, { accept: false }>;

/** What this verdict changes in the record; null when nothing does. */
export function learn(evidence: Evidence, verdict: Verdict): Lesson | null {
  if (evidence.store !== 'good' || !evidence.recordVerified || evidence.spki === null) return null;
  const draft = expire(startFrom(evidence.record ?? emptyRecord(evidence.endpoint)), evidence.now);
  const lesson = verdict.accept
    ? learnAccepted(draft, { evidence, verdict, spki: evidence.spki })
    : learnRefused(draft, { evidence, verdict, spki: evidence.spki });
  return finish(lesson, evidence.record);
}

/** Writes down ends that have passed, so that a clock set back revives nothing; null when none has. */
export function noticeExpiry(record: EndpointRecord, now: number): Lesson | null {
  return finish(expire(startFrom(record), now), record);
}

interface Draft {
  readonly record: EndpointRecord;
  readonly audit: readonly AuditEntry[];
  /** Trust changed: the epoch moves. */
  readonly moved: boolean;
  readonly durable: boolean;
}
interface Scene<V extends Verdict> {
  readonly evidence: Evidence;
  readonly verdict: V;
  readonly spki: string;
}

const startFrom = (record: EndpointRecord): Draft => ({ record, audit: [], moved: false, durable: false });

function finish(draft: Draft, before: EndpointRecord | null): Lesson | null {
  const { record, audit, moved } = draft;
  if (record === before || (before === null && isBlank(record))) return null;
  return {
    record: moved ? { ...record, epoch: record.epoch + 1 } : record,
    audit,
    durable: draft.durable || moved,
  };
}

const isBlank = (record: EndpointRecord): boolean =>
  record.basis === 'none' && record.candidates.length === 0 && record.lastCa === null;

const expire = (draft: Draft, now: number): Draft => expireExpected(expirePins(draft, now), now);

function expireExpected(draft: Draft, now: number): Draft {
  const { record } = draft;
  const left = withoutOver(record, now);
  if (left === record) return draft;
  const ended = (record.expected ?? []).filter((one) => !(left.expected ?? []).includes(one));
  const audit = ended.map((one) =>
    entry(record.endpoint, now, ['expired', null, `${expectationText(one)} is not expected any more`]),
  );
  return {
    record: left,
    audit: [...draft.audit, ...audit],
    moved: true,
    durable: true,
  };
}

function expirePins(draft: Draft, now: number): Draft {
  const over = (pin: Pin): boolean => pin.endedAt === null && pin.until !== null && pin.until <= now;
  const ended = draft.record.pins.filter(over);
  if (ended.length === 0) return draft;
  const pins = draft.record.pins.map((pin) => (over(pin) ? { ...pin, endedAt: now } : pin));
  const audit = ended.map((pin) =>
    entry(draft.record.endpoint, now, ['expired', pin.spki, 'its end has passed']),
  );
  return { record: { ...draft.record, pins }, audit: [...draft.audit, ...audit], moved: true, durable: true };
}

function learnAccepted(draft: Draft, scene: Scene<Accepted>): Draft {
  return [adopt, keepLastCa, keepEvidence, keepAcceptance].reduce((next, step) => step(next, scene), draft);
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
    return change({ ...draft, record: next }, evidence.now, {}, ['matched', spki, detail]);
  }
  if (isPromotion(scene)) return promote(draft, scene);
  if (record.basis !== 'none') return draft;
  if (verdict.basis === 'dane' && !isCaValid(evidence)) return rememberDane(draft, scene);
  if (evidence.settings.configPins.length > 0) {
    if (verdict.basis !== 'pin') return draft;
    return change(draft, evidence.now, { basis: 'pinned' }, [
      'config-pinned',
      spki,
      'pinned by the configuration',
    ]);
  }
  if (!isCaValid(evidence)) return draft;
  return change(draft, evidence.now, { basis: 'ca' }, ['ca-verified', spki, 'first CA-verified session']);
}

/** Leaves no key behind, only that the endpoint is not new: to all that asks no DANE it is pinned, and no pin counts. */
function rememberDane(draft: Draft, { evidence, verdict, spki }: Scene<Accepted>): Draft {
  if (draft.record.lastCa !== null || draft.record.pins.length > 0) return draft;
  return change(draft, evidence.now, { basis: 'pinned', byDane: true }, ['dane-proven', spki, verdict.why]);
}

const newPin = (evidence: Evidence, { spki, kind }: PinTarget): Omit<Pin, 'origin'> => ({
  spki,
  kind,
  firstSeen: evidence.now,
  lastSeen: evidence.now,
  until: null,
  endedAt: null,
  evidence: seenOf(evidence),
});

function pinFirst(draft: Draft, { evidence, verdict }: Scene<Accepted>): Draft {
  const target = firstUseTarget(evidence);
  if (target === null) throw new TypeError('a first use has a key to pin');
  const pin: Pin = { ...newPin(evidence, target), origin: 'first-use' };
  const pins = [...draft.record.pins.filter((other) => other.spki !== pin.spki), pin];
  return change(draft, evidence.now, { basis: 'pinned', pins }, ['first-use', pin.spki, verdict.why]);
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
  const next = change(draft, now, { basis, pins }, ['handed-over', spki, `by ${parent}`]);
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
  return change(draft, evidence.now, { basis: 'ca', pins }, ['promoted', spki, 'its key is CA-verified now']);
}

function change(
  draft: Draft,
  at: number,
  fields: Partial<EndpointRecord>,
  told: readonly [PinChangeEvent, string, string],
): Draft {
  return {
    record: { ...draft.record, ...fields },
    audit: [...draft.audit, entry(draft.record.endpoint, at, told)],
    moved: true,
    durable: true,
  };
}

function keepLastCa(draft: Draft, { evidence, spki }: Scene<Accepted>): Draft {
  const leaf = evidence.examined?.chain[0];
  if (!isCaValid(evidence) || leaf === undefined) return draft;
  const { lastCa, basis } = draft.record;
  if (lastCa !== null && (lastCa.sha256 === leaf.sha256 || evidence.now - lastCa.seenAt < lastCaEveryMs))
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
  const seen = seenOf(evidence);
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
  return seen.notAfter > known.notAfter || seen.seenAt - known.seenAt >= lastCaEveryMs;
}

const isSeenAlike = (one: KeyEvidence, other: KeyEvidence): boolean =>
  one.caValid === other.caValid && one.legacy === other.legacy && one.anchor === other.anchor;

const seenOf = (evidence: Evidence): KeyEvidence | null =>
  evidence.examined === null ? null : keyEvidenceOf(evidence.examined, evidence);

/** `undo` must know that somebody relied on the command since: written before the first such session goes on. */
function keepAcceptance(draft: Draft): Draft {
  const { undo } = draft.record;
  if (undo === null || undo.acceptedSince) return draft;
  return { ...draft, record: { ...draft.record, undo: { ...undo, acceptedSince: true } }, durable: true };
}

/** Refusals that an operator can answer by approving the key. */
const answerable: ReadonlySet<RefusalReason> = new Set<RefusalReason>([
  'pin-mismatch',
  'pins-spent',
  'ca-invalid',
  'ca-lost',
  'not-pinned',
  'first-use-off',
  'first-use-held',
  'first-use-unsafe',
  'legacy-unpinned',
  'dane-mismatch',
]);

/** Does a refusal for this reason leave a candidate? */
export const leavesCandidate = (reason: RefusalReason): boolean => answerable.has(reason);

function learnRefused(draft: Draft, { evidence, verdict, spki }: Scene<Refused>): Draft {
  const seen = seenOf(evidence);
  if (seen === null || !leavesCandidate(verdict.reason)) return draft;
  const { candidates } = draft.record;
  const known = candidates.find((candidate) => candidate.spki === spki);
  if (known !== undefined) {
    const { evidence: before, reason } = known;
    const alike = before.sha256 === seen.sha256 && isSeenAlike(before, seen) && !saysMore(before, seen);
    if (alike && reason === verdict.reason) return draft;
    const fresh = { ...known, evidence: seen, reason: verdict.reason, lastSeen: evidence.now };
    return withList(
      draft,
      candidates.map((candidate) => (candidate === known ? fresh : candidate)),
    );
  }
  const times = { firstSeen: evidence.now, lastSeen: evidence.now, seenCount: 1 };
  const list = withCandidate(candidates, { spki, ...times, reason: verdict.reason, evidence: seen });
  if (list === candidates) return draft;
  const told = entry(evidence.endpoint, evidence.now, ['candidate', spki, verdict.reason]);
  return { ...withList(draft, list), audit: [...draft.audit, told] };
}

/** It was looked at from elsewhere since, and something else was seen. */
const saysMore = ({ corroboration: before }: KeyEvidence, { corroboration: now }: KeyEvidence): boolean =>
  now !== undefined && JSON.stringify(now) !== JSON.stringify(before);

const withList = (draft: Draft, candidates: EndpointRecord['candidates']): Draft => ({
  ...draft,
  record: { ...draft.record, candidates },
});

const entry = (
  endpoint: string,
  at: number,
  [event, spki, detail]: readonly [PinChangeEvent, string | null, string],
): AuditEntry => ({
  at,
  endpoint,
  event,
  origin: 'proxy',
  spki,
  detail,
});
