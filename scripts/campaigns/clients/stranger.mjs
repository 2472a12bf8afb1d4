// Another user of the machine, as a process of its own under a uid of its own. Python, because it is where
// everybody can run it, and because Node cannot ask for every way there is to bind a port.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** No user of any machine. Not 65534, which stands for every user that a container has no number for. */
export const someone = 41_424;
const python = '/usr/bin/python3';
const source = fileURLToPath(new URL('stranger.py', import.meta.url));
const patienceMs = 60_000;

export class Stranger {
  #child;
  #waiting = [];

  constructor(uid = someone) {
    // Read here: another user may not be able to.
    this.#child = spawn(python, ['-u', '-c', readFileSync(source, 'utf8')], {
      cwd: '/',
      env: { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' },
      stdio: ['pipe', 'pipe', 'inherit'],
      uid,
      gid: uid,
    });
    this.#child.on('error', () => this.#over());
    this.#child.on('exit', () => this.#over());
    this.#child.stdin.on('error', () => this.#over());
    createInterface({ input: this.#child.stdout }).on('line', (line) =>
      this.#waiting.shift()?.(JSON.parse(line)),
    );
  }

  #over() {
    for (const told of this.#waiting.splice(0)) told({ error: 'gone' });
  }

  /** What came of it; one thing after the other. */
  do(what, words = {}) {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve({ error: 'late' }), patienceMs);
      this.#waiting.push((answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      this.#child.stdin.write(`${JSON.stringify({ do: what, ...words })}\n`);
    });
  }

  end() {
    this.#child.stdin.end();
    this.#child.kill();
  }
}

/** Whether other users can be played here; where they cannot, that is said, and a finding where nothing may be left out. */
export function canPlayOthers(book) {
  if (process.getuid() === 0) return true;
  book.set('other users', 'not root');
  if (process.env.CI) book.found('other users could not be tried', 'this is not root');
  return false;
}
