// Client, proxy and server on one core, where taskset can do that: nothing is then measured of how the kernel moves
// them about. What is started afterwards stays there as well.

import { spawnSync } from 'node:child_process';

export class Pinning {
  #all = null;

  /** Whether it could be done. */
  pin() {
    const shown = spawnSync('taskset', ['-cp', String(process.pid)], { encoding: 'utf8' });
    if (shown.status !== 0) return false;
    this.#all = shown.stdout.trim().split(' ').at(-1);
    const last = this.#all.split(/[,-]/).at(-1);
    return this.#set(last);
  }

  /** For what would measure the sharing of the core instead: programs that start. */
  unpin() {
    if (this.#all !== null) this.#set(this.#all);
  }

  #set(cores) {
    return spawnSync('taskset', ['-acp', cores, String(process.pid)], { stdio: 'ignore' }).status === 0;
  }
}
