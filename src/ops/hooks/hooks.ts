// All hooks of a daemon, as one listener. It makes a notice of an event and offers it to each hook; nothing here waits, and
// nothing here can change or delay a verdict.

import type { Listener, ProxyEvent } from '../../proxy/events.ts';
import type { ReadyHook } from './delivery.ts';
import { notice, noticeOf, type Notice, type NoticeParts } from './notice.ts';
import { HookRunner, type RunnerParts } from './runner.ts';

export interface HooksParts extends RunnerParts {
  readonly referenceOf: NoticeParts['referenceOf'];
}

/** For all that waits, when letterlock ends. */
const usualGraceMs = 3000;

export class Hooks {
  readonly #parts: HooksParts;
  #runners: readonly HookRunner[] = [];
  /** What is left to end of hooks that were taken away. */
  readonly #ending = new Set<Promise<void>>();
  /** The store was told to be in trouble. */
  #storeBad = false;
  /** Who never listened does not tell that it stops. */
  #state: 'starting' | 'started' | 'stopped' = 'starting';
  readonly #abort = (): void => {
    for (const runner of this.#runners) runner.abort();
  };

  constructor(parts: HooksParts) {
    this.#parts = parts;
    // Programs run in groups of their own: nobody else would end them when the process crashes.
    process.on('exit', this.#abort);
  }

  /** A listener. */
  readonly event: Listener<ProxyEvent> = (event) => {
    if (this.#runners.length === 0 || this.#state === 'stopped') return;
    const made = noticeOf(event, this.#parts);
    if (made !== null && this.#isNews(made)) this.#offer(made);
  };

  /** letterlock listens. */
  started(): void {
    this.#state = 'started';
    this.#offer(notice('started', `letterlock ${this.#parts.teller.version} is ready`, {}));
  }

  /** By name: those that stay keep what waits for them. */
  configure(ready: readonly ReadyHook[]): void {
    const before = new Map(this.#runners.map((runner) => [runner.name, runner] as const));
    this.#runners = ready.map((each) => {
      const known = before.get(each.hook.name);
      before.delete(each.hook.name);
      known?.replace(each);
      return known ?? new HookRunner(each, this.#parts);
    });
    for (const gone of before.values()) this.#end(gone.close(0));
  }

  /** How many notices wait for each hook. */
  waiting(): readonly { readonly hook: string; readonly waiting: number }[] {
    return this.#runners.map(({ name, waiting }) => ({ hook: name, waiting }));
  }

  /** Tells that letterlock ends, waits a little, drops and tells of the rest. Never rejects. */
  async close(graceMs = usualGraceMs): Promise<void> {
    if (this.#state === 'stopped') return;
    if (this.#state === 'started') this.#offer(notice('stopped', 'letterlock ends', {}));
    this.#state = 'stopped';
    await Promise.all([...this.#runners.map((runner) => runner.close(graceMs)), ...this.#ending]);
    process.removeListener('exit', this.#abort);
  }

  #end(closing: Promise<void>): void {
    this.#ending.add(closing);
    void closing.finally(() => this.#ending.delete(closing));
  }

  #offer(made: Notice): void {
    for (const runner of this.#runners) runner.offer(made);
  }

  /** That the store is good is news after it was not. */
  #isNews({ class: of }: Notice): boolean {
    const bad = of === 'store-damaged' || of === 'store-unavailable';
    const news = of !== 'store-recovered' || this.#storeBad;
    if (bad || of === 'store-recovered') this.#storeBad = bad;
    return news;
  }
}
