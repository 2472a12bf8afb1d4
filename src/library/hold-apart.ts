// Holds the pins in a thread of its own where nobody holds them yet: a program that waits for a child process
// (spawnSync) answers nobody meanwhile, and the child would wait for its pins until it is refused.

import { once } from 'node:events';
import workers from 'node:worker_threads';
import { probe } from '../net/probe.ts';
import { ownSocket, placeOf } from '../sharing/place.ts';
import type { Surroundings } from './surroundings.ts';

// As of now: a preload replaces it by one that is preloaded.
const { Worker } = workers;

/** Whose pins. */
type Pins = Pick<Surroundings, 'state' | 'env'>;

const deadlineMs = 5000;

/** Resolves when somebody can be asked, or when it is no use to wait: whoever opens the store then finds out. Never rejects. */
export async function holdApart(pins: Pins): Promise<void> {
  try {
    if (await isHeld(pins)) return;
    await startThread(pins);
  } catch {
    // Held in this thread, then, or not at all: the store itself tells which.
  }
}

async function isHeld({ state, env }: Pins): Promise<boolean> {
  const { daemons, directory } = placeOf({ state, socket: null, env });
  for (const path of [...daemons, await ownSocket(directory)])
    if ((await probe(path)) === 'answers') return true;
  return false;
}

async function startThread(pins: Pins): Promise<void> {
  // Nothing preloaded in there: it makes no connections.
  const env = { ...process.env, NODE_OPTIONS: '' };
  const script = import.meta.url.replace(/hold-apart(?=\.[jt]s$)/, 'holder-thread');
  const thread = new Worker(new URL(script), { workerData: pins, execArgv: [], env });
  // A thread that fails later is a holder that went: whoever asked it looks for another. It must not end the program.
  thread.on('error', () => undefined);
  try {
    const signal = AbortSignal.timeout(deadlineMs);
    await Promise.race([once(thread, 'message', { signal }), once(thread, 'exit', { signal })]);
  } finally {
    thread.unref();
  }
}
