// Waiting for something in the outside world to become true: polls, and fails loudly when it never does.

import { setTimeout as pause } from 'node:timers/promises';

const pollMs = 20;

/** The first value of `look` that is neither null nor false; an error naming `what` after `deadlineMs`. */
export async function until<T>(
  what: string,
  look: () => T | null | false | Promise<T | null | false>,
  deadlineMs = 10_000,
): Promise<T> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const seen = await look();
    if (seen !== null && seen !== false) return seen;
    if (Date.now() > end) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
    await pause(pollMs);
  }
}
