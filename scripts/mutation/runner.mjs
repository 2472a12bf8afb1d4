// A process that runs tests against broken sources, and a new one in its place where it never answered or has grown.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const worker = fileURLToPath(new URL('worker.mjs', import.meta.url));
/** Modules once loaded stay. */
const largest = 1_500_000_000;

export class Runner {
  #process = null;

  constructor() {
    mkdirSync(`${root}/.cache`, { recursive: true });
  }

  /** Of `{file, text, tests}`: `{test, name, cause}` of the first that fails, null where none does. No answer after `limit` ms counts as a failure. */
  async failing(asked, limit) {
    const child = (this.#process ??= await begin());
    child.send(asked);
    const answer = await this.#answer(child, limit);
    if (answer.error !== undefined) throw new Error(answer.error);
    if (answer.memory > largest) await this.close();
    return answer.found;
  }

  async #answer(child, limit) {
    const heard = new AbortController();
    const { signal } = heard;
    const late = setTimeout(() => heard.abort(), limit);
    const answered = once(child, 'message', { signal }).then(([answer]) => answer);
    const ended = once(child, 'exit', { signal }).then(() => silent('the process ended'));
    const answer = await Promise.race([answered, ended]).catch(() => silent('hangs'));
    clearTimeout(late);
    heard.abort();
    await Promise.allSettled([answered, ended]);
    if (answer.found?.test === null) await this.close();
    return answer;
  }

  async close() {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    const forced = setTimeout(() => child.kill('SIGKILL'), 2000);
    await gone;
    clearTimeout(forced);
  }
}

const silent = (name) => ({ found: { test: null, name } });

async function begin() {
  const child = fork(worker, [], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  await once(child, 'message');
  return child;
}
