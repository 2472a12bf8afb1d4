// The processes of the load campaign, apart so that the daemon is what is measured: each does works, asked for by name, any
// number at once. One ends when its parent does, and by its id; a question has an answer or an error within its time.

import { fork } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cleanEnv } from '../../benchmark/growth-world.mjs';

const here = dirname(fileURLToPath(import.meta.url));

/** The parent's side. */
export class Helper {
  #child;
  #name;
  #asked = new Map();
  #latest = 0;
  #ending = false;

  /** `file` stands beside this one and calls `answer`; `found` hears when it ends before it is told to. */
  constructor(file, found) {
    this.#name = file;
    this.#child = fork(join(here, file), { env: cleanEnv(), stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.#child.on('message', ({ id, result, error }) => {
      const asked = this.#asked.get(id);
      this.#asked.delete(id);
      if (error === undefined) asked?.resolve(result);
      else asked?.reject(new Error(`${file}: ${error}`));
    });
    this.#child.once('exit', (code, signal) => {
      if (!this.#ending) found(`${file} ended by itself (${signal ?? code})`);
      for (const { reject } of this.#asked.values()) reject(new Error(`${file} ended`));
      this.#asked.clear();
    });
  }

  ask(work, about = {}, withinMs = 30_000) {
    this.#latest += 1;
    const id = this.#latest;
    return new Promise((resolve, reject) => {
      const late = () => {
        this.#asked.delete(id);
        reject(new Error(`${this.#name} did not answer ${work} within ${withinMs} ms`));
      };
      const timer = setTimeout(late, withinMs);
      const settled = (settle) => (value) => {
        clearTimeout(timer);
        settle(value);
      };
      this.#asked.set(id, { resolve: settled(resolve), reject: settled(reject) });
      if (this.#child.connected) this.#child.send({ id, work, about });
      else this.#asked.get(id).reject(new Error(`${this.#name} has ended`));
    });
  }

  /** Resolves when it is gone. */
  async end() {
    this.#ending = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 3000);
    if (this.#child.connected) this.#child.disconnect();
    else this.#child.kill('SIGKILL');
    await gone;
    clearTimeout(late);
  }
}

/** The child's side: `works` by name; what one returns, or the message of what it throws, is the answer. */
export function answer(works) {
  process.on('message', ({ id, work, about }) => {
    const tell = (message) => process.connected && process.send({ id, ...message });
    Promise.resolve(about)
      .then(works[work])
      .then(
        (result) => tell({ result }),
        (error) => tell({ error: error instanceof Error ? error.message : String(error) }),
      );
  });
  process.on('disconnect', () => process.exit(0));
}
