// A client that says what it is told and shows what it hears, wherever it can be run: it is a process of its
// own, so that it can stand in another network than the tests.

import { spawn, type ChildProcess } from 'node:child_process';
import { cleanEnvironment } from './run.ts';
import { until } from './wait.ts';

const resetExit = 10;

/** Node's own words only: it runs beside the program under test and shares nothing with it. */
const program = `
  const socket = require('node:net').connect({ host: '127.0.0.1', port: Number(process.argv[1]) });
  socket.on('data', (bytes) => process.stdout.write(bytes));
  socket.on('end', () => process.exit(0));
  socket.on('error', (error) => process.exit(error.code === 'ECONNRESET' ? ${resetExit} : 1));
  process.stdin.on('data', (bytes) => socket.write(bytes));
`;

export class LineClient {
  readonly #child: ChildProcess;
  #heard = '';
  #closed = false;
  /** Of `#heard`, what `hear` has not passed yet. */
  #from = 0;

  /** Connects to a port of 127.0.0.1; `inside`: words before a command that run it in another place. */
  constructor(port: number, inside: readonly string[] = []) {
    const command = [...inside, process.execPath, '-e', program, String(port)];
    this.#child = spawn(command[0] ?? '', command.slice(1), {
      env: cleanEnvironment('/'),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child.stdin?.on('error', () => undefined);
    this.#child.on('close', () => (this.#closed = true));
    this.#child.stdout?.on('data', (bytes: Buffer) => (this.#heard += bytes.toString('latin1')));
  }

  say(line: string): this {
    this.#child.stdin?.write(`${line}\r\n`);
    return this;
  }

  /** Goes on once `text` came, after what was waited for before; rejects when it does not within `deadlineMs`. */
  async hear(text: string, deadlineMs = 20_000): Promise<this> {
    await until(
      `"${text}"`,
      () => {
        if (this.state !== 'open' && !this.#heard.includes(text, this.#from))
          throw new Error(`${this.state} without "${text}": "${this.#heard.slice(-500)}"`);
        return this.#heard.includes(text, this.#from);
      },
      deadlineMs,
    );
    this.#from = this.#heard.indexOf(text, this.#from) + text.length;
    return this;
  }

  get state(): 'open' | 'ended' | 'reset' | 'failed' {
    if (!this.#closed) return 'open';
    if (this.#child.exitCode === 0) return 'ended';
    return this.#child.exitCode === resetExit ? 'reset' : 'failed';
  }

  /** How it ended, and after how many milliseconds; rejects when it does not within `deadlineMs`. */
  async over(deadlineMs: number): Promise<{ readonly state: string; readonly ms: number }> {
    const since = performance.now();
    await until('the end of the connection', () => this.state !== 'open', deadlineMs);
    return { state: this.state, ms: performance.now() - since };
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}
