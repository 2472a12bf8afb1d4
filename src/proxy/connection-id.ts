// The name of one client connection: what log, page, refusal sentence and `explain` call it. Three letters that
// are drawn anew at each start, so that a screenshot of last week meets no line of today, then a number that
// counts up. It names a connection and nothing else: no rights come with knowing it.

import { randomInt } from 'node:crypto';

/** `K7Q-123`; written `#K7Q-123` in texts. */
export type ConnectionId = string;

const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Gives out the ids of one run of the proxy. */
export class ConnectionIds {
  readonly #run: string;
  #last = 0;

  /** `run` is for tests: three characters of Crockford's base 32. */
  constructor(run: string = newRun()) {
    this.#run = run;
  }

  next(): ConnectionId {
    this.#last += 1;
    return `${this.#run}-${this.#last}`;
  }

  /** Whether this run gave it out. */
  gave(id: ConnectionId): boolean {
    const [run, number] = id.split('-');
    return run === this.#run && Number(number) >= 1 && Number(number) <= this.#last;
  }
}

const newRun = (): string => [1, 2, 3].map(() => crockford[randomInt(crockford.length)]).join('');

/** An id as it stands in a text or is typed, with or without its `#`, in whatever case. Null when it is none. */
export function connectionIdIn(text: string): ConnectionId | null {
  const [, run, number] = /^#?([0-9A-Z]{3})-([1-9]\d{0,14})$/i.exec(text.trim()) ?? [];
  if (run === undefined || number === undefined) return null;
  return `${run.toUpperCase().replace(/[IL]/g, '1').replace(/O/g, '0')}-${number}`;
}
