// What the operating system says that processes have used of its processors: user and system, all threads, and the
// children that have ended. To the nanosecond where python3 is found (it can read the clock of another process,
// which Node cannot), else in ticks of 10 ms.

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { familyOf } from './children.mjs';

const ticksPerSecond = 100;
// The identifier of a process's clock: see clock_getcpuclockid(3); 2 is CPUCLOCK_SCHED.
const reader = `
import sys, time
def clock(pid):
    try: return time.clock_gettime_ns((~pid << 3) | 2)
    except OSError: return -1
for line in sys.stdin:
    print(*[clock(int(pid)) for pid in line.split()], flush=True)
`;

export class CpuClock {
  #python = null;

  constructor(children) {
    const found = spawnSync('python3', ['-c', 'import time; time.clock_gettime_ns(2)'], { stdio: 'ignore' });
    if (found.status === 0)
      this.#python = children.start('python3', ['-u', '-c', reader], { stdin: 'pipe', stdout: 'pipe' });
  }

  get precision() {
    return this.#python === null ? '10 ms' : '1 ns';
  }

  /** Milliseconds of processor time of these processes and of all that came of them. */
  async used(roots) {
    const pids = roots.flatMap(familyOf);
    const stats = pids.map(statOf);
    const own = this.#python === null ? stats.map((stat) => stat.ownMs) : await this.#precise(pids);
    return own.reduce((sum, ms, index) => sum + Math.max(ms, 0) + stats[index].reapedMs, 0);
  }

  /** Waits until those that serve one connection each have ended and been counted. */
  async settled(roots, size) {
    for (let tries = 0; tries < 200 && roots.flatMap(familyOf).length > size; tries += 1) await delay(10);
  }

  async #precise(pids) {
    this.#python.stdin.write(`${pids.join(' ')}\n`);
    let text = '';
    while (!text.endsWith('\n')) {
      const [chunk] = await once(this.#python.stdout, 'data', { signal: AbortSignal.timeout(5000) });
      text += chunk;
    }
    return text
      .trim()
      .split(' ')
      .map((ns) => Number(ns) / 1e6);
  }
}

/** proc(5): after the name, in brackets, utime is the 12th field, then stime, cutime, cstime. */
function statOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const ms = (first) => ((fields[first] + fields[first + 1]) * 1000) / ticksPerSecond;
    return { ownMs: ms(11), reapedMs: ms(13) };
  } catch {
    return { ownMs: 0, reapedMs: 0 };
  }
}
