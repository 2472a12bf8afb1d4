// What a person can choose when a key is approved, as whole sentences instead of flags that exclude each other. Which
// of them make sense follows the rules of src/trust/approve.ts; the daemon has the last word. Pure.

import type { Command } from '../../../trust/command.ts';

type Approve = Extract<Command, { readonly command: 'approve' }>;
type Flags = Pick<Approve, 'as' | 'forMs' | 'keep' | 'endOld'>;

export interface Choice {
  readonly id: string;
  readonly label: string;
  readonly note: string;
  readonly flags: Flags;
}

export interface Scene {
  /** null for an endpoint that the configuration does not name. */
  readonly policy: string | null;
  /** A trusted CA vouched for the key when it was last seen. */
  readonly caValid: boolean;
  /** The CA decides for this endpoint now; an approval stands beside it. */
  readonly byCa: boolean;
  /** Whether other keys are trusted now. */
  readonly hasOthers: boolean;
  /** The key was pinned once and its pin has ended: most likely a pool of servers. */
  readonly hasEnded: boolean;
  readonly hasConfigPins: boolean;
}

const dayMs = 86_400_000;
const none: Flags = { as: null, forMs: null, keep: false, endOld: false };

/** The first one is proposed. */
export function choicesFor(scene: Scene): readonly Choice[] {
  const auto = scene.policy === 'auto';
  const ca = scene.caValid && !scene.hasConfigPins && (auto || scene.policy === 'ca') ? [byCa] : [];
  if (scene.byCa && auto)
    return [forTime(7, 'beside the CA'), forTime(1, 'beside the CA'), pinInstead, ...ca];
  const asked = (auto && scene.caValid) || scene.hasEnded;
  const good = scene.hasOthers ? [replaces(asked), ends, keeps] : [alone(asked)];
  const ordered = scene.hasEnded ? [keeps, ...good.filter((choice) => choice !== keeps)] : good;
  return [...ca, ...ordered, forTime(7, null), forTime(1, null)];
}

const byCa: Choice = {
  id: 'ca',
  label: 'Let the CA decide from now on',
  note: 'The server moved to a certificate authority: all pins end, and nothing less than CA-verified is accepted.',
  flags: { ...none, as: 'ca' },
};

const replaces = (asked: boolean): Choice => ({
  id: 'replace',
  label: 'Pin it; the old keys end in 7 days',
  note: 'For a key that was replaced. A server that still shows the old one goes on until then.',
  flags: asked ? { ...none, as: 'pin' } : none,
});

const alone = (asked: boolean): Choice => ({
  id: 'pin',
  label: 'Pin it for good',
  note: 'Only this key is accepted from now on.',
  flags: asked ? { ...none, as: 'pin' } : none,
});

const ends: Choice = {
  id: 'end-old',
  label: 'Pin it; the old keys end now',
  note: 'For a key that was lost or stolen. Sessions on the old keys are cut at once.',
  flags: { ...none, endOld: true },
};

const keeps: Choice = {
  id: 'keep',
  label: 'Pin it beside the old keys',
  note: 'For several servers behind one name, each with its own key.',
  flags: { ...none, keep: true },
};

const pinInstead: Choice = {
  id: 'pin-instead',
  label: 'Pin it for good, without the CA',
  note: 'From now on only this key is accepted, whatever a certificate authority says.',
  flags: { ...none, as: 'pin' },
};

const forTime = (days: number, beside: string | null): Choice => ({
  id: `for-${days}`,
  label: `Trust it for ${days === 1 ? '1 day' : `${days} days`}${beside === null ? '' : `, ${beside}`}`,
  note: 'Then it is refused again. The other keys keep their dates.',
  flags: { ...none, forMs: days * dayMs },
});
