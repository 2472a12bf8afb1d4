// Carries out what operators order: commands and imports. Each is planned on what is remembered at that moment and
// written as a whole; where somebody else wrote in between it is planned anew. Durable before it is answered.

import type { ChangeOrigin } from '../trust/change.ts';
import { carryOut } from '../trust/carry-out.ts';
import type { Command, CommandAnswer } from '../trust/command.ts';
import { planImport, type ImportOrder } from '../trust/import-order.ts';
import { writingsOf, type Imported } from './imported.ts';
import type { Lanes } from './lanes.ts';
import type { Ledger, Writing } from './ledger.ts';
import type { Move } from './mirror.ts';
import type { Situations } from './situations.ts';
import { checkWritable, notStored } from './writable.ts';

/** One that can never be reached: each conflict means that somebody else got on with it. */
export const maxAttempts = 16;

interface OrderParts {
  readonly ledger: Ledger;
  readonly lanes: Lanes;
  readonly situations: Situations;
  /** Hears of each change of a record, after it is durable. */
  readonly moved: (move: Move) => void;
}

export class Orders {
  readonly #parts: OrderParts;

  constructor(parts: OrderParts) {
    this.#parts = parts;
  }

  /** @throws CommandError */
  command(command: Command, origin: ChangeOrigin): Promise<CommandAnswer> {
    const { lanes, situations } = this.#parts;
    const { endpoint } = command;
    return lanes.run(endpoint, () =>
      untilWritten(async () => {
        this.#checkWritable(endpoint);
        const outcome = carryOut(command, situations.of(endpoint, origin));
        const { record, audit, lines } = outcome;
        if (audit.length === 0) return { endpoint, record, lines };
        const moves = await this.#write(new Map([[endpoint, outcome]]));
        return moves === 'conflict' ? moves : { endpoint, record: moves[0]?.after.record ?? record, lines };
      }),
    );
  }

  /** @throws CommandError */
  import(
    orders: readonly ImportOrder[],
    { origin, apply }: { readonly origin: ChangeOrigin; readonly apply: boolean },
  ): Promise<Imported> {
    const { lanes, situations } = this.#parts;
    const endpoints = orders.map(({ endpoint }) => endpoint);
    return lanes.runAll(endpoints, () =>
      untilWritten(async () => {
        const plans = orders.map((order) => planImport(order, situations.of(order.endpoint, origin)));
        const writings = writingsOf(plans);
        if (!apply || writings === null) return { applied: false, plans };
        for (const { endpoint } of plans) this.#checkWritable(endpoint);
        if (writings.size === 0) return { applied: true, plans };
        return (await this.#write(writings)) === 'conflict' ? 'conflict' : { applied: true, plans };
      }),
    );
  }

  #checkWritable(endpoint: string): void {
    const { ledger } = this.#parts;
    checkWritable(ledger.health(), ledger.mirror.entry(endpoint));
  }

  async #write(writings: ReadonlyMap<string, Writing>): Promise<readonly Move[] | 'conflict'> {
    const written = await this.#parts.ledger.writeAll(writings);
    if (written.state === 'failed') throw notStored(written.cause);
    if (written.state === 'conflict') return 'conflict';
    for (const move of written.moves) this.#parts.moved(move);
    return written.moves;
  }
}

async function untilWritten<T>(work: () => Promise<T | 'conflict'>): Promise<T> {
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const done = await work();
    if (done !== 'conflict') return done;
  }
  throw notStored(undefined);
}
