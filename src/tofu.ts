// The engine: mirror of all records, one judge, one minter. Everything that trusts asks here. Nothing is
// accepted that was not judged against the mirror in the same tick, and nothing that a verdict creates or
// changes is acted upon before it is durable.

import type { AnchorSet } from './net/anchors.ts';
import { Pace } from './pace.ts';
import type { StoreHealth, StoredRecord } from './store/pin-store.ts';
import { compareKey } from './tofu/compare-key.ts';
import { Established } from './tofu/established.ts';
import { explainTarget } from './tofu/explain-target.ts';
import type { Imported } from './tofu/imported.ts';
import { Lanes } from './tofu/lanes.ts';
import { Ledger, type Written } from './tofu/ledger.ts';
import type { Move } from './tofu/mirror.ts';
import { Notices } from './tofu/notices.ts';
import { maxAttempts, Orders } from './tofu/orders.ts';
import type { Judged, Question, Settled, TofuOptions } from './tofu/question.ts';
import { keyByReference, seekByReference, type KnownKey } from './tofu/references.ts';
import { Situations } from './tofu/situations.ts';
import { Untrusting } from './tofu/untrusting.ts';
import { Witness } from './tofu/witness.ts';
import type { ChangeOrigin } from './trust/change.ts';
import { sightedKey } from './trust/continuity.ts';
import type { Comparison } from './trust/comparison.ts';
import { isUncorroborated } from './trust/corroboration.ts';
import type { Command, CommandAnswer } from './trust/command.ts';
import type { Accepted, Evidence, Refused, TrustSettings, Verdict } from './trust/evidence.ts';
import { noticeExpiry } from './trust/expiry.ts';
import type { Explanation } from './trust/explanation.ts';
import { referenceOf } from './trust/fingerprint.ts';
import type { ImportOrder } from './trust/import-order.ts';
import { learn, learnUnserved } from './trust/learn.ts';
import { judge, needsRecord } from './trust/policy.ts';
import type { EndpointRecord } from './trust/record.ts';
import { isVouched, mint, type Vouched } from './trust/vouched.ts';

export type { Judged, Question, Settled, TofuOptions } from './tofu/question.ts';

const sweptAtOnce = 256;

/**
 * Open one for each store; it owns neither the store nor its closing. `judge` is synchronous and reads the
 * mirror at the call; `settle`, `command` and `sweep` are serialised for each endpoint.
 */
export class Tofu {
  readonly #options: TofuOptions;
  readonly #ledger: Ledger;
  readonly #lanes = new Lanes();
  readonly #witness: Witness;
  readonly #notices: Notices;
  readonly #untrusting: Untrusting;
  readonly #established = new Established();
  readonly #situations: Situations;
  readonly #orders: Orders;

  private constructor(options: TofuOptions, ledger: Ledger) {
    this.#options = options;
    this.#ledger = ledger;
    this.#witness = new Witness(options, ledger);
    this.#notices = new Notices(options.on);
    this.#untrusting = new Untrusting(options.on);
    const { store, now } = options;
    const situations = new Situations({ mirror: ledger.mirror, store, now });
    const moved = (move: Move): void => this.#moved(move);
    this.#situations = situations;
    this.#orders = new Orders({ ledger, lanes: this.#lanes, situations, moved });
    ledger.follow(moved);
  }

  /** Loads every record. @throws StoreError when the store cannot be read */
  static async open(options: TofuOptions): Promise<Tofu> {
    return new Tofu(options, await Ledger.open(options.store, options.on));
  }

  /**
   * The settings of configured endpoints by name: what commands and `explain` evaluate. Replaces the former, and tells of
   * keys in use that the new ones would not accept.
   */
  configure(settings: ReadonlyMap<string, TrustSettings>): void {
    this.#situations.configure(settings);
    this.#established.forget();
    for (const endpoint of settings.keys()) {
      if (!this.#untrusting.reliesOn(endpoint)) continue;
      this.#untrusting.configured(
        this.#situations.of(endpoint, 'config'),
        this.#ledger.mirror.entry(endpoint),
      );
    }
  }

  /** Revocation lists in force are others now: tells of keys in use whose certificate is revoked by those `anchors` gives. */
  revocationsChanged(anchors: (endpoint: string) => AnchorSet | null): void {
    this.#untrusting.revoked((evidence) => this.#witness.reexamined(evidence, anchors(evidence.endpoint)));
  }

  /** Judges a peer now. A refused key becomes a candidate in the background. */
  judge(question: Question): Judged {
    const judged = this.#judgeNow(question);
    const { evidence, verdict } = judged;
    if (!verdict.accept)
      void this.#lanes.run(evidence.endpoint, () => this.#recordCandidate(evidence, learn));
    return judged;
  }

  /**
   * Judges a peer that nobody is to be served by, as a probe does. Resolves once what that teaches is stored: a refused key
   * becomes a candidate, what a CA vouches for is kept for comparison, and nothing else, whatever the verdict. Never mints.
   */
  async observe(question: Question): Promise<Judged> {
    const judged = this.#judgeNow(question);
    const { evidence, verdict } = judged;
    if (verdict.accept && verdict.basis !== 'first-use' && evidence.spki !== null)
      this.#notices.accepted(evidence, evidence.spki);
    await this.#lanes.run(evidence.endpoint, () => this.#recordUnserved(evidence));
    return judged;
  }

  /**
   * For an accepted Judged, after proof of protocol: judges the same evidence once more, by the settings configured now where
   * the endpoint has any (unless those of the question stand, see TofuOptions), commits durably what the verdict creates or
   * changes, then mints. Never rejects; a store error is a refusal. For a refused Judged it waits until the candidate is
   * recorded.
   */
  async settle(judged: Judged): Promise<Settled> {
    return this.#lanes.run(judged.evidence.endpoint, async () => {
      if (judged.verdict.accept) return this.#settleAccepted(judged, judged.verdict);
      return { accept: false, reason: judged.verdict.reason, reference: judged.reference };
    });
  }

  /** The relay's comparison of the epoch, in the tick in which it writes. */
  isCurrent(vouched: Vouched): boolean {
    return isVouched(vouched) && this.#ledger.mirror.entry(vouched.endpoint).epoch === vouched.epoch;
  }

  /**
   * Is a key of this endpoint trusted now, by a CA or a live pin, and was the last one judged not refused (or is it pinned
   * since)? For what a server is shown before its verdict; a store that is not good knows no record.
   */
  isEstablished({ endpoint, settings }: Pick<Question, 'endpoint' | 'settings'>): boolean {
    const { store, now } = this.#options;
    const { record, verified } = this.#ledger.mirror.entry(endpoint.name);
    return this.#established.is(endpoint.name, {
      settings,
      now: now(),
      record,
      recordVerified: verified && this.health().state === 'good',
      sealed: store.sealed(endpoint.name),
    });
  }

  /** What a judgement would go by now. Teaches nothing: no candidate, no event. */
  look(question: Question): Evidence {
    return this.#witness.evidence(question);
  }

  /** Something else than its key was refused of this endpoint: it is established again when it is accepted, or its trust changes. */
  refused(endpoint: string): void {
    this.#established.refused(endpoint, this.record(endpoint));
  }

  record(endpoint: string): EndpointRecord | null {
    return this.#ledger.mirror.entry(endpoint).record;
  }

  /** What the mirror holds of an endpoint; null where nothing was ever written. */
  stored(endpoint: string): StoredRecord | null {
    const entry = this.#ledger.mirror.entry(endpoint);
    return entry.revision === 0 && entry.verified ? null : entry;
  }

  /** Every record in the mirror, with whether it verified; null records are tombstones. */
  records(): readonly StoredRecord[] {
    return this.#ledger.mirror.entries();
  }

  /** 8 Crockford base32 characters; finds a key, never approves it. */
  reference(endpoint: string, spki: string): string {
    return referenceOf(this.#options.secret, endpoint, spki);
  }

  /** The key a reference stands for, among candidates, pins and rejections. */
  byReference(reference: string): KnownKey | null {
    return keyByReference(reference, this.#shelf());
  }

  /** As `byReference`, with turns of the event loop between. */
  seek(reference: string): Promise<KnownKey | null> {
    return seekByReference(reference, this.#shelf());
  }

  /** Durable when it resolves. @throws CommandError */
  async command(command: Command, { origin }: { readonly origin: ChangeOrigin }): Promise<CommandAnswer> {
    return this.#orders.command(command, origin);
  }

  /**
   * What each order comes to, and, with `apply` and nothing in the way, all of it in one commit, durable when it
   * resolves. Each endpoint stands in one order. @throws CommandError
   */
  async import(
    orders: readonly ImportOrder[],
    options: { readonly origin: ChangeOrigin; readonly apply: boolean },
  ): Promise<Imported> {
    return this.#orders.import(orders, options);
  }

  /**
   * Of a code, a reference or a canonical endpoint name; `sought` is the key of the reference where it was looked for
   * before. @throws CommandError `not-found`
   */
  explain(target: string, sought?: KnownKey | null): Explanation {
    return explainTarget(target, {
      isKnown: (endpoint) =>
        this.#situations.configured(endpoint) !== undefined ||
        this.#ledger.mirror.entry(endpoint).record !== null,
      byReference: (reference) => (sought === undefined ? this.byReference(reference) : sought),
      situation: (endpoint) => this.#situations.of(endpoint, 'proxy'),
      health: this.health(),
    });
  }

  /** A key that waits, beside the one that is known. @throws CommandError `not-found` for a reference of no candidate */
  compare(reference: string, sought?: KnownKey | null): Comparison {
    return compareKey(reference, {
      byReference: (asked) => (sought === undefined ? this.byReference(asked) : sought),
      situation: (endpoint) => this.#situations.of(endpoint, 'proxy'),
      entries: this.records(),
      referenceOf: (endpoint, spki) => this.reference(endpoint, spki),
    });
  }

  /** Notices pins whose end has passed and writes down sightings; call it about once a minute. */
  async sweep(): Promise<void> {
    const pace = new Pace();
    const due: string[] = [];
    for (const { endpoint, record } of this.records()) {
      if (record !== null && noticeExpiry(record, this.#options.now()) !== null) due.push(endpoint);
      // Together they are one turn of the store.
      if (due.length >= sweptAtOnce) await this.#sweepAll(due.splice(0));
      if (pace.isDue) await pace.rest();
    }
    await this.#sweepAll(due);
    await this.#ledger.flush(this.#options.now(), 'due');
  }

  health(): StoreHealth {
    return this.#ledger.health();
  }

  /** Waits for what is being written. The store stays open: who opened it closes it. */
  async close(): Promise<void> {
    await this.#lanes.idle();
    await this.#ledger.flush(this.#options.now(), 'all');
    this.#ledger.close();
  }

  #shelf(): Parameters<typeof keyByReference>[1] {
    return {
      entries: this.records(),
      sealed: (endpoint) => this.#options.store.sealed(endpoint),
      referenceOf: (endpoint, spki) => this.reference(endpoint, spki),
    };
  }

  #judgeNow(question: Question): Judged {
    const { endpoint, settings } = question;
    this.#situations.asked(endpoint.name, settings);
    const evidence = this.#witness.evidence(question);
    const verdict = judge(evidence);
    this.#established.judged(evidence, verdict);
    // A first use is not one before its proof and its record: `settle` tells of it.
    if (!verdict.accept || verdict.basis !== 'first-use') this.#notices.judged(evidence, verdict);
    return { question, evidence, verdict, reference: this.#referenceFor(evidence, verdict) };
  }

  async #settleAccepted(judged: Judged, provisional: Accepted): Promise<Settled> {
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const evidence = this.#again(judged.evidence);
      const verdict = withProof(judge(evidence), { evidence, provisional });
      if (!verdict.accept) return this.#settleRefused(evidence, verdict);
      // Before anything is written: what changes now is judged with the certificate of now.
      this.#untrusting.relyOn(evidence);
      const lesson = learn(evidence, verdict);
      if (lesson === null || !lesson.durable) {
        const vouched = this.#mint(evidence, verdict, provisional);
        if (lesson !== null) void this.#lanes.run(evidence.endpoint, () => this.#recordAside(evidence));
        return { accept: true, vouched };
      }
      const written = await this.#write(evidence.endpoint, { ...lesson, session: evidence.session });
      if (written.state === 'stored' && this.#isNewest(written.after)) {
        return { accept: true, vouched: this.#mint(evidence, verdict, provisional) };
      }
      if (written.state === 'failed') return this.#settleUnwritten(evidence, verdict, provisional);
    }
    return { accept: false, reason: 'store-unavailable', reference: null };
  }

  /** Only what the operator or the CA vouches for without any record goes on when a record cannot be written. */
  #settleUnwritten(evidence: Evidence, verdict: Accepted, provisional: Accepted): Settled {
    if (!needsRecord(evidence)) return { accept: true, vouched: this.#mint(evidence, verdict, provisional) };
    const reason = this.health().state === 'damaged' ? 'store-damaged' : 'store-unavailable';
    const refused = {
      ...verdict,
      accept: false,
      reason,
      why: 'What this session teaches could not be stored.',
    } as const;
    this.#notices.judged(evidence, refused);
    return { accept: false, reason, reference: null };
  }

  async #settleRefused(evidence: Evidence, verdict: Refused): Promise<Settled> {
    this.#established.judged(evidence, verdict);
    this.#notices.judged(evidence, verdict);
    const reference = this.#referenceFor(evidence, verdict);
    await this.#recordCandidate(evidence, learn);
    return { accept: false, reason: verdict.reason, reference };
  }

  /** Another process may have written in the very moment in which we did: then that is what counts. */
  #isNewest({ endpoint, revision }: StoredRecord): boolean {
    return this.#ledger.mirror.entry(endpoint).revision === revision;
  }

  /** In the tick in which the mirror was read or written: the epoch minted is the one that was judged. */
  #mint(evidence: Evidence, verdict: Accepted, provisional: Accepted): Vouched {
    const { endpoint, spki } = evidence;
    if (spki === null) throw new TypeError('a key that cannot be read cannot be vouched for');
    if (verdict.basis === 'first-use' || verdict.basis !== provisional.basis)
      this.#notices.judged(evidence, verdict);
    this.#notices.accepted(evidence, spki);
    if (evidence.store === 'good') this.#ledger.see(endpoint, sightedKey(evidence, spki), evidence.now);
    return mint({ endpoint, spki, basis: verdict.basis, epoch: this.#ledger.mirror.entry(endpoint).epoch });
  }

  /** What need not be durable before the session goes on: evidence for later comparison. */
  async #recordAside(evidence: Evidence): Promise<void> {
    const now = this.#again(evidence);
    const verdict = judge(now);
    const lesson = verdict.accept && verdict.basis !== 'first-use' ? learn(now, verdict) : null;
    if (lesson !== null) await this.#write(evidence.endpoint, { ...lesson, session: evidence.session });
  }

  async #recordUnserved(evidence: Evidence): Promise<void> {
    const now = this.#again(evidence);
    const verdict = judge(now);
    if (!verdict.accept) return this.#recordCandidate(evidence, learnUnserved);
    const lesson = learnUnserved(now, verdict);
    if (lesson !== null) await this.#write(evidence.endpoint, lesson);
  }

  async #recordCandidate(evidence: Evidence, learnt: typeof learn): Promise<void> {
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const now = this.#again(evidence);
      const verdict = judge(now);
      if (verdict.accept) return;
      const known = now.record?.candidates.some((candidate) => candidate.spki === now.spki) ?? false;
      const lesson = learnt(now, verdict);
      const written =
        lesson === null
          ? null
          : await this.#write(evidence.endpoint, { ...lesson, session: evidence.session });
      if (written?.state === 'conflict') continue;
      if (known && now.spki !== null && now.store === 'good')
        this.#ledger.see(evidence.endpoint, now.spki, now.now);
      return;
    }
  }

  /** What was judged, by what is remembered and configured now: a reload may have come in between. */
  #again(evidence: Evidence): Evidence {
    const asked = this.#options.settings === 'asked' ? evidence.settings : undefined;
    const settings = asked ?? this.#situations.configured(evidence.endpoint) ?? evidence.settings;
    return this.#witness.again({ ...evidence, settings });
  }

  async #sweepAll(endpoints: readonly string[]): Promise<void> {
    await Promise.all(endpoints.map((endpoint) => this.#lanes.run(endpoint, () => this.#sweepOne(endpoint))));
  }

  async #sweepOne(endpoint: string): Promise<void> {
    const { record, verified } = this.#ledger.mirror.entry(endpoint);
    if (record === null || !verified || this.health().state !== 'good') return;
    const lesson = noticeExpiry(record, this.#options.now());
    if (lesson !== null) await this.#write(endpoint, lesson);
  }

  /** Writes, and resets what relied on trust that is gone. */
  async #write(endpoint: string, writing: Parameters<Ledger['write']>[1]): Promise<Written> {
    const written = await this.#ledger.write(endpoint, writing);
    if (written.state === 'stored') this.#moved(written);
    return written;
  }

  #moved(move: Move): void {
    if (move.after.epoch !== move.before.epoch)
      this.#untrusting.changed(move, this.#situations.of(move.after.endpoint, 'proxy'));
  }

  #referenceFor(evidence: Evidence, verdict: Verdict): string | null {
    const { endpoint, spki } = evidence;
    if (verdict.accept || spki === null) return null;
    const record = learn(evidence, verdict)?.record ?? evidence.record;
    const known = [...(record?.candidates ?? []), ...(record?.rejected ?? [])].some(
      (key) => key.spki === spki,
    );
    return known || evidence.sealed.rejected.has(spki) ? this.reference(endpoint, spki) : null;
  }
}

/** A first use asks for more proof than a pin did, and maybe for a look from elsewhere: who came with less comes again. */
function withProof(
  verdict: Verdict,
  { evidence, provisional }: { readonly evidence: Evidence; readonly provisional: Accepted },
): Verdict {
  if (!verdict.accept || verdict.basis !== 'first-use') return verdict;
  const { column } = verdict;
  if (provisional.basis !== 'first-use') {
    const why = 'The endpoint was forgotten meanwhile: the next session can be its first use.';
    return { accept: false, reason: 'first-use-unsafe', column, why };
  }
  if (!isUncorroborated(evidence)) return verdict;
  const why = 'A first use here is to be looked at from elsewhere, and nobody did.';
  return { accept: false, reason: 'first-use-held', column, why };
}
