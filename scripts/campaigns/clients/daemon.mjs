// The built command as a service manager runs it, in a process of its own: its log in a file, its end waited for, and
// what the system and its own metrics page say of it. It ends with the campaign, by its id.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Ten times what it takes on a machine that does nothing else. */
const startMs = 60_000;
const endMs = 15_000;

/** Nothing of the caller's may change which certificates are trusted, or how Node runs. */
const environment = (folder) => ({ PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: folder, LANG: 'C.UTF-8' });

export class Daemon {
  #child;
  #logFile;

  /** `config` is the configuration; `uid` another user to run as; `words` stand in place of `run -c FILE`. */
  constructor({ build, folder, name, config, uid = null, words = null }) {
    const file = join(folder, `${name}.yaml`);
    this.#logFile = join(folder, `${name}.log`);
    // JSON is YAML.
    writeFileSync(file, JSON.stringify(config), { mode: 0o644 });
    const log = openSync(this.#logFile, 'a');
    this.#child = spawn(
      process.execPath,
      [join(build, 'cmd/letterlock.js'), ...(words ?? ['run']), '-c', file],
      {
        cwd: folder,
        env: environment(folder),
        stdio: ['ignore', log, log],
        ...(uid === null ? {} : { uid, gid: uid }),
      },
    );
    closeSync(log);
    this.exit = null;
    this.over = once(this.#child, 'exit').then(([code, signal]) => (this.exit = code ?? signal));
    this.over.catch(() => undefined);
  }

  get pid() {
    return this.#child.pid;
  }

  get log() {
    return readFileSync(this.#logFile, 'utf8');
  }

  get entries() {
    return this.log
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .flatMap((line) => {
        try {
          return [JSON.parse(line)];
        } catch {
          // The last line may not be whole yet.
          return [];
        }
      });
  }

  /** Ready, or ended; whether it is ready. */
  async ready(ms = startMs) {
    const until = performance.now() + ms;
    while (this.exit === null && performance.now() < until) {
      if (this.log.includes('"event":"ready"')) return true;
      await delay(10);
    }
    return false;
  }

  /** Where each route listens, by its name: `127.0.0.1:4711` each. */
  get addresses() {
    const found = new Map();
    for (const { event, route, address } of this.entries)
      if (event === 'listening') found.set(route, [...(found.get(route) ?? []), address]);
    return found;
  }

  signal(name) {
    this.#child.kill(name);
  }

  async ended(ms = endMs) {
    const timer = new AbortController();
    await Promise.race([this.over, delay(ms, null, { signal: timer.signal }).catch(() => null)]);
    timer.abort();
    return this.exit;
  }

  /** Politely, then not. */
  async stop() {
    if (this.exit === null) this.signal('SIGTERM');
    if ((await this.ended()) === null) {
      this.signal('SIGKILL');
      await this.over;
    }
  }

  /** Bytes of memory it holds. */
  get memory() {
    const status = readFileSync(`/proc/${this.pid}/status`, 'latin1');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
  }

  get descriptors() {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }
}
