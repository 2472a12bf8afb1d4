// Asks the person: a key that is new, or another than the known one, is shown to a program's own dialogue, and what
// it answers is carried out as the command an operator would type. One question at a time for each key; an answer
// that fails, or that is none, leaves the key refused.

import type { RefusalReason } from '../errors.ts';
import type { Command } from '../trust/command.ts';
import { approveOrder, rejectOrder, type ApproveOptions } from './orders.ts';
import type { TrustError } from './trust-error.ts';

/** `approve`: this key is the server's. `reject`: it is not, and never will be. `refuse`: not now. */
export type Answer =
  | 'approve'
  | 'reject'
  | 'refuse'
  | ({ readonly answer: 'approve' } & Pick<ApproveOptions, 'as' | 'forMs' | 'keep' | 'endOld'>);

/** `refused` says everything there is to show: the certificate, what is known, what is wrong. */
export type Decide = (refused: TrustError) => Promise<Answer> | Answer;

/** What a person can decide about by looking; nothing else becomes right by being approved. */
const askable: ReadonlySet<RefusalReason> = new Set<RefusalReason>([
  'first-use-held',
  'pin-mismatch',
  'pins-spent',
  'ca-lost',
]);

type Carry = (command: Command) => Promise<unknown>;

export class Dialogue {
  readonly #decide: Decide;
  readonly #carry: Carry;
  readonly #open = new Map<string, Promise<boolean>>();

  constructor(decide: Decide, carry: Carry) {
    this.#decide = decide;
    this.#carry = carry;
  }

  /** True when the key was approved and may be judged again. Rejects with what the dialogue or the command threw. */
  ask(refused: TrustError): Promise<boolean> {
    const spki = refused.certificate?.spki ?? null;
    if (!askable.has(refused.reason) || refused.reference === null || spki === null)
      return Promise.resolve(false);
    const key = `${refused.endpoint}\0${spki}`;
    const open = this.#open.get(key);
    if (open !== undefined) return open;
    const asked = this.#ask(refused, spki).finally(() => this.#open.delete(key));
    this.#open.set(key, asked);
    return asked;
  }

  async #ask(refused: TrustError, spki: string): Promise<boolean> {
    const answer = await this.#decide(refused);
    const { endpoint } = refused;
    if (answer === 'reject') await this.#carry(rejectOrder(endpoint, { expect: spki }));
    if (answer === 'reject' || answer === 'refuse') return false;
    if (answer !== 'approve' && answer?.answer !== 'approve')
      throw new TypeError("decide must answer 'approve', 'reject' or 'refuse'");
    const { answer: _, ...given } = answer === 'approve' ? { answer } : answer;
    await this.#carry(approveOrder(endpoint, { ...given, expect: spki }));
    return true;
  }
}
