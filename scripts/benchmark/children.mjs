// The processes a run has started: all of them end with it, by their ids, whatever happens.
// Never ends anything that it did not start.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const graceMs = 3000;

/** Ids of a process and of all that came of it, itself first. */
export function familyOf(pid) {
  const family = [pid];
  for (const one of family) family.push(...childrenOf(one));
  return family;
}

function childrenOf(pid) {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    // It ended while it was looked at.
    return [];
  }
}

export class Children {
  #running = new Set();
  #environment;
  #folder;

  constructor(folder) {
    this.#folder = folder;
    // Nothing of the caller's may change which certificates are trusted, or how Node runs.
    this.#environment = { PATH: process.env.PATH, HOME: folder, LANG: 'C' };
  }

  /** What it says goes to a file, as under a service manager; `stdout: 'pipe'` where it is to be read. */
  start(command, words, { stdin = 'ignore', stdout = 'file' } = {}) {
    const log = openSync(join(this.#folder, 'said.log'), 'a');
    const stdio = [stdin, stdout === 'file' ? log : stdout, log];
    const child = spawn(command, words, { stdio, env: this.#environment, cwd: this.#folder });
    closeSync(log);
    this.#running.add(child);
    child.once('error', () => this.#running.delete(child));
    child.once('exit', () => this.#running.delete(child));
    return child;
  }

  /** First politely, so that what it keeps on disk is whole; then not. */
  async end(child) {
    if (!this.#running.has(child)) return;
    const family = familyOf(child.pid).slice(1);
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    for (const pid of family) kill(pid, 'SIGTERM');
    const tooLate = new AbortController();
    const inTime = await Promise.race([
      ended.then(() => true),
      delay(graceMs, false, { signal: tooLate.signal }).catch(() => false),
    ]);
    tooLate.abort();
    if (inTime) return;
    for (const pid of familyOf(child.pid).toReversed()) kill(pid, 'SIGKILL');
    await ended;
  }

  /** At once, and without waiting: also for the last moment of a run that is interrupted. */
  endAll() {
    for (const child of this.#running)
      for (const pid of familyOf(child.pid).toReversed()) kill(pid, 'SIGKILL');
  }
}

function kill(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // It was faster.
  }
}
