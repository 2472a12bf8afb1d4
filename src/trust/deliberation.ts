// What the judge asked on the way to a verdict, in the order in which it asked: the verdict table as it was walked
// through, not told anew by somebody else. policy.ts notes each fact where it uses it, so that no explanation can
// say otherwise than was judged. It decides nothing.

import type { Verdict } from './evidence.ts';

/** Where a fact comes from. */
export const factSources = [
  'handshake',
  'certificate',
  'record',
  'configuration',
  'store',
  'DNS',
  'elsewhere',
] as const;
export type FactSource = (typeof factSources)[number];

interface RuleRow {
  readonly asks: string;
  readonly from: FactSource;
}

/** Every question of the judge. Codes are public: `explain --json` shows them. */
export const rules = {
  resumed: { asks: 'Did the server resume a TLS session, which shows no certificate?', from: 'handshake' },
  readable: { asks: 'Can its certificate and key be read?', from: 'handshake' },
  rejected: { asks: 'Was this key rejected here?', from: 'record' },
  revoked: { asks: 'Did a CA take the certificate, or one above it, back?', from: 'certificate' },
  policy: { asks: 'Which policy decides?', from: 'configuration' },
  known: { asks: 'What is known of the server?', from: 'record' },
  'ca-valid': { asks: 'Does a trusted CA vouch for this name and key?', from: 'certificate' },
  approved: { asks: 'Did an operator approve this key beside the CA?', from: 'record' },
  pinned: { asks: 'Is this key pinned?', from: 'record' },
  'any-pin': { asks: 'Was any key ever pinned?', from: 'record' },
  'live-pin': { asks: 'Does any pin still count?', from: 'record' },
  'hand-over': { asks: 'Does a pinned key hand over to this one?', from: 'certificate' },
  legacy: {
    asks: 'Was the handshake one of a legacy server, over which only a pin counts?',
    from: 'handshake',
  },
  'first-use-safe': { asks: 'Would a first use be safe?', from: 'certificate' },
  'signed-otherwise': {
    asks: 'Did a trusted CA sign it for another name or another time?',
    from: 'certificate',
  },
  'first-use': { asks: 'May a new key be trusted on first use?', from: 'configuration' },
  corroborated: { asks: 'Is the key the same when it is looked at from elsewhere?', from: 'elsewhere' },
  dane: { asks: 'What do TLSA records say of the key?', from: 'DNS' },
  store: { asks: 'Is the pin store sound, which this policy needs?', from: 'store' },
  survives: { asks: 'Does what is left of the pin store vouch for this key?', from: 'record' },
} as const satisfies Readonly<Record<string, RuleRow>>;

export type Rule = keyof typeof rules;

/** One question with its answer. */
export interface DecisionStep {
  readonly rule: Rule;
  readonly asks: string;
  /** In words: `yes`, `no: …`. */
  readonly found: string;
  readonly from: FactSource;
  /** The answer that settled the verdict; one of them does. */
  readonly decides: boolean;
}

type Words = () => string;

/** What the judge asks its questions of. */
export interface Path {
  /** Notes whether it is so, and says it. `why` is put into words only when somebody asks. */
  ask(rule: Rule, answer: boolean, why?: Words): boolean;
  /** Notes what is found, in other words than yes and no. */
  note<T>(rule: Rule, answer: T, words: Words): T;
  /** The last question settled it. */
  ruled<V extends Verdict>(verdict: V): V;
}

/** The same way, of which nobody asks: sessions are judged several times each, and explained hardly ever. */
export const unnoted: Path = {
  ask: (_rule, answer) => answer,
  note: (_rule, answer) => answer,
  ruled: (verdict) => verdict,
};

/** The path of one judgement. A question asked twice keeps its place. */
export class Deliberation implements Path {
  readonly #found = new Map<Rule, Words>();
  readonly #decided = new WeakMap<Verdict, Rule>();
  #last: Rule = 'resumed';

  ask(rule: Rule, answer: boolean, why?: Words): boolean {
    return this.note(rule, answer, () => `${answer ? 'yes' : 'no'}${after(why)}`);
  }

  note<T>(rule: Rule, answer: T, words: Words): T {
    this.#found.set(rule, words);
    this.#last = rule;
    return answer;
  }

  ruled<V extends Verdict>(verdict: V): V {
    this.#decided.set(verdict, this.#last);
    return verdict;
  }

  /** All questions up to this verdict. */
  steps(verdict: Verdict): readonly DecisionStep[] {
    const decider = this.#decided.get(verdict);
    return [...this.#found].map(([rule, words]) => ({
      rule,
      ...rules[rule],
      found: words(),
      decides: rule === decider,
    }));
  }
}

const after = (why: Words | undefined): string => {
  const words = why?.() ?? '';
  return words === '' ? '' : `: ${words}`;
};
