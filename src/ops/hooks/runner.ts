// One hook at work: a bounded queue and, one after the other, deliveries out of it. `offer` is all that a listener calls: it
// looks into a map, puts into a list and returns. What a delivery does or fails to do is told, and never thrown.

import { randomUUID } from 'node:crypto';
import type { HookResult, Listener, ProxyEvent } from '../../proxy/events.ts';
import { printable } from '../printable.ts';
import type { Delivered, ReadyHook } from './delivery.ts';
import { DropCount } from './drop-count.ts';
import type { Notice } from './notice.ts';
import { payloadOf, type Dispatch, type Teller } from './payload.ts';
import { Repeats } from './repeats.ts';

/** More notices do not wait. */
const maxWaiting = 256;

export interface RunnerParts {
  readonly on: Listener<ProxyEvent>;
  /** What programs wrote, for debugging; escaped and bounded already. */
  readonly wrote: (hook: string, output: string) => void;
  readonly now: () => number;
  readonly teller: Teller;
}

export class HookRunner {
  readonly #parts: RunnerParts;
  readonly #repeats = new Repeats();
  readonly #drops: DropCount;
  readonly #queue: Dispatch[] = [];
  #ready: ReadyHook;
  #state: 'open' | 'gone' | 'closing' | 'closed' = 'open';
  /** Breaks off what is being delivered; another one for each set of settings. */
  #stop = new AbortController();
  readonly #dying = new AbortController();
  #working: Promise<void> | null = null;

  constructor(ready: ReadyHook, parts: RunnerParts) {
    this.#ready = ready;
    this.#parts = parts;
    this.#drops = new DropCount((count) =>
      this.#warn(
        'hook-dropped',
        `${count} notices for it were dropped: ${maxWaiting} wait already, or it is gone`,
      ),
    );
  }

  get name(): string {
    return this.#ready.hook.name;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Whether these are the settings it has. */
  has({ hook }: ReadyHook): boolean {
    return JSON.stringify(this.#ready.hook) === JSON.stringify(hook);
  }

  offer(notice: Notice): void {
    const { hook } = this.#ready;
    for (const key of notice.ends) this.#repeats.forget(key);
    if (!hook.on.includes(notice.class)) return;
    const now = this.#parts.now();
    const windowMs = Math.max(hook.repeatMs, notice.repeatMs);
    const keys = [notice.same, notice.told].filter((key) => key !== null);
    if (keys.some((key) => this.#repeats.suppresses(key, { now, windowMs })))
      return this.#tell('deduplicated', { attempts: 0, detail: null });
    if (this.#state !== 'open' || this.#queue.length >= maxWaiting) return this.#drop();
    const suppressed = notice.same === null ? 0 : this.#repeats.suppressed(notice.same);
    if (notice.same !== null) this.#repeats.tell(notice.same, now);
    this.#queue.push({ id: `msg_${randomUUID()}`, at: now, notice, suppressed });
    this.#work();
  }

  /** Other settings under the same name; what waits goes by the new ones. So does what was just being tried. */
  replace(ready: ReadyHook): void {
    const same = this.has(ready);
    this.#ready = ready;
    if (this.#state === 'gone') this.#state = 'open';
    if (same) return;
    this.#stop.abort();
    this.#stop = new AbortController();
  }

  /** Waits so long for what waits, then breaks off and drops the rest. Never rejects. */
  async close(graceMs: number): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closing';
    const timer = setTimeout(() => this.#breakOff(), graceMs);
    await this.#working;
    clearTimeout(timer);
    this.#breakOff();
    this.#drops.close();
  }

  #breakOff(): void {
    this.#state = 'closed';
    this.#stop.abort();
    const left = this.#queue.splice(0);
    for (const _ of left) this.#tell('dropped', { attempts: 0, detail: null });
    if (left.length > 0)
      this.#warn(
        'hook-dropped',
        `${left.length} notices for it were dropped: there was no more time for them`,
      );
  }

  /** The process ends within this tick: so does what is being delivered. */
  abort(): void {
    this.#stop.abort();
    this.#dying.abort();
  }

  /** In a turn of its own: starting a program takes longer than a listener may. */
  #work(): void {
    this.#working ??= this.#deliverAll();
  }

  async #deliverAll(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    let next = this.#queue.shift();
    while (next !== undefined) {
      const { signal } = this.#stop;
      const done = await this.#deliver(next, signal);
      // Other settings came meanwhile: what was broken off is tried by those.
      const again = done.result === 'failed' && signal !== this.#stop.signal && this.#state === 'open';
      if (!again) this.#ended(done);
      next = again ? next : this.#queue.shift();
    }
    // In the tick in which the queue was seen empty: whoever offers next begins anew.
    this.#working = null;
  }

  async #deliver(dispatch: Dispatch, signal: AbortSignal): Promise<Delivered> {
    const { hook, deliver } = this.#ready;
    try {
      const payload = payloadOf(dispatch, { hook: hook.name, teller: this.#parts.teller });
      return await deliver(payload, signal, this.#dying.signal);
    } catch (error) {
      const detail = `letterlock made a mistake: ${error instanceof Error ? error.name : 'unknown'}`;
      return { result: 'failed', attempts: 1, detail };
    }
  }

  #ended({ result, attempts, detail, gone, output = '' }: Delivered): void {
    if (output !== '') this.#parts.wrote(this.name, printable(output.trimEnd(), 1000));
    this.#tell(result, { attempts, detail: detail === null ? null : printable(detail) });
    if (gone !== true) return;
    if (this.#state === 'open') this.#state = 'gone';
    this.#warn('hook-gone', 'its receiver answered 410 Gone: it is off until the next reload');
    for (const _ of this.#queue.splice(0)) this.#drop();
  }

  #drop(): void {
    this.#tell('dropped', { attempts: 0, detail: null });
    this.#drops.add();
  }

  #tell(result: HookResult, facts: { readonly attempts: number; readonly detail: string | null }): void {
    this.#parts.on({ type: 'hook-delivered', hook: this.name, result, ...facts });
  }

  #warn(code: string, message: string): void {
    this.#parts.on({ type: 'warning', code, message: `hook ${this.name}: ${message}` });
  }
}
