// Runs the program of a hook: its own process group, no shell, nothing of ours but stdin, stdout and stderr, and a limit in
// time after which the whole group ends. It never throws, and what the program does never reaches a session.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { codeOf } from '../../net/failure.ts';

export interface Run {
  readonly argv: readonly [string, ...string[]];
  /** All of the environment there is. */
  readonly env: Readonly<Record<string, string>>;
  readonly input: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Our own process ends at once: nobody is left to wait for what does not listen to SIGTERM. */
  readonly dying?: AbortSignal;
  /** Descriptors of ours that it would inherit: in their place it has /dev/null. */
  readonly hidden?: readonly number[];
  /** From SIGTERM to SIGKILL. */
  readonly graceMs?: number;
}

export interface Ran {
  readonly ok: boolean;
  /** Null when all went well. */
  readonly detail: string | null;
  /** The beginning of what it wrote, unescaped. */
  readonly output: string;
}

/** What of our environment a program gets, so that it finds other programs, its user and the desktop: no more. */
const passed = [
  'PATH',
  'HOME',
  'LANG',
  'XDG_RUNTIME_DIR',
  'DBUS_SESSION_BUS_ADDRESS',
  'DISPLAY',
  'WAYLAND_DISPLAY',
] as const;

export const passedEnvironment = (env: NodeJS.ProcessEnv): Readonly<Record<string, string>> =>
  Object.fromEntries(passed.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const])));

const usualGraceMs = 2000;
/** For a process that not even SIGKILL ends, such as one that waits for a dead network disk. */
const afterKillMs = 2000;
/** Written after the end by what the program left behind. */
const flushMs = 200;
const keptOutput = 2048;
/** Who writes more is not listened to any longer: reading is work of the thread that relays mail. */
const maxOutput = 65_536;

/** Never rejects. */
export async function runProgram(run: Run): Promise<Ran> {
  if (run.signal.aborted) return { ok: false, detail: 'broken off', output: '' };
  const child = started(run);
  if (typeof child === 'string') return { ok: false, detail: child, output: '' };
  const output = new Output([child.stdout, child.stderr]);
  feed(child, run.input);
  const detail = await ended(child, run);
  await output.flushed();
  return { ok: detail === null, detail, output: output.text };
}

function started({ argv: [file, ...args], env, hidden = [] }: Run): ChildProcess | string {
  let nothing: number | null = null;
  try {
    nothing = openSync('/dev/null', 'r+');
    const more = stdioFrom3(hidden, nothing);
    return spawn(file, args, { cwd: '/', env, detached: true, stdio: ['pipe', 'pipe', 'pipe', ...more] });
  } catch (error) {
    return `it cannot be started (${codeOf(error)})`;
  } finally {
    // The program was begun within the call and has its own by now.
    if (nothing !== null) closeSync(nothing);
  }
}

/** `ignore` leaves a descriptor as it is. */
const stdioFrom3 = (hidden: readonly number[], nothing: number): readonly (number | 'ignore')[] =>
  Array.from({ length: Math.max(2, ...hidden) - 2 }, (_, index) =>
    hidden.includes(index + 3) ? nothing : 'ignore',
  );

/** A program that does not read its input closes the pipe: that is its right. */
function feed({ stdin }: ChildProcess, input: string): void {
  stdin?.on('error', () => undefined);
  stdin?.end(input);
}

/** Null for an end in good order, else what was wrong with it. */
function ended(child: ChildProcess, run: Run): Promise<string | null> {
  const { timeoutMs, signal, dying, graceMs = usualGraceMs } = run;
  return new Promise((resolve) => {
    const timers = new Set<NodeJS.Timeout>();
    let broken: string | null = null;
    const later = (ms: number, act: () => void): void => void timers.add(setTimeout(act, ms));
    const finish = (detail: string | null): void => {
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
      dying?.removeEventListener('abort', dies);
      // Whatever it left in its group; what is to stay calls setsid.
      kill(child, 'SIGKILL');
      resolve(broken ?? detail);
    };
    const stop = (why: string): void => {
      if (broken !== null) return;
      broken = why;
      kill(child, 'SIGTERM');
      later(graceMs, () => {
        kill(child, 'SIGKILL');
        later(afterKillMs, () => finish(null));
      });
    };
    const aborted = (): void => stop('broken off');
    const dies = (): void => kill(child, 'SIGKILL');
    later(timeoutMs, () => stop(`it had not ended after ${timeoutMs / 1000} s`));
    signal.addEventListener('abort', aborted, { once: true });
    dying?.addEventListener('abort', dies, { once: true });
    child.once('error', (error) => finish(`it cannot be started (${codeOf(error)})`));
    child.once('exit', (code, by) => finish(judged(code, by)));
  });
}

const judged = (code: number | null, by: NodeJS.Signals | null): string | null =>
  code === 0 ? null : code === null ? `it was ended by ${by ?? 'a signal'}` : `exit ${code}`;

/** The whole group; that it is gone already is no error. */
function kill({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody is left, or nobody we may end.
  }
}

/** Both streams, in the order in which they are read. */
class Output {
  readonly #streams: readonly Readable[];
  readonly #kept: Buffer[] = [];
  #bytes = 0;

  constructor(streams: readonly (Readable | null)[]) {
    this.#streams = streams.filter((stream) => stream !== null);
    for (const stream of this.#streams) {
      stream.on('error', () => undefined);
      stream.on('data', (chunk: Buffer) => this.#take(chunk));
    }
  }

  get text(): string {
    return Buffer.concat(this.#kept).subarray(0, keptOutput).toString('utf8');
  }

  /** Resolves when all was read; what others still hold open is closed on our side. */
  async flushed(): Promise<void> {
    const signal = AbortSignal.timeout(flushMs);
    const open = this.#streams.filter((stream) => !stream.destroyed && !stream.readableEnded);
    await Promise.all(open.map((stream) => once(stream, 'close', { signal }).catch(() => undefined)));
    for (const stream of this.#streams) stream.destroy();
  }

  #take(chunk: Buffer): void {
    if (this.#bytes < keptOutput) this.#kept.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > maxOutput) for (const stream of this.#streams) stream.destroy();
  }
}
