// Runs programs for tests: clean environment, own process group, hard deadline, nothing left behind.

import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { userInfo } from 'node:os';

const debianPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What Debian's own programs get: no trust settings, no proxies, no other Python or Perl in the path. */
export const cleanEnvironment = (home: string): NodeJS.ProcessEnv => ({
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: home,
  USER: userInfo().username,
  LOGNAME: userInfo().username,
  LANG: 'C.UTF-8',
  TERM: 'xterm',
  TMPDIR: home,
});

/** Words of a command line that hold no spaces themselves. */
export const words = (text: string): readonly string[] => text.split(' ');

export interface Ran {
  /** null when the deadline killed it. */
  readonly exit: number | null;
  readonly stdout: Buffer;
  /** Standard output and error in the order they came, as text. */
  readonly shown: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env: NodeJS.ProcessEnv;
  readonly input?: Uint8Array | string;
  readonly deadlineMs?: number;
}

/** Runs to the end, or kills the whole process group after `deadlineMs` (default 60 s). */
export async function run(command: readonly string[], options: RunOptions): Promise<Ran> {
  const [file = '', ...args] = command;
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const stdout: Buffer[] = [];
  const all: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout.push(chunk);
    all.push(chunk);
  });
  child.stderr.on('data', (chunk: Buffer) => all.push(chunk));
  // A program that ends before it read everything breaks the pipe; its exit code tells more.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const timer = setTimeout(() => killGroup(child), options.deadlineMs ?? 60_000);
  try {
    await once(child, 'close');
    return {
      exit: child.exitCode,
      stdout: Buffer.concat(stdout),
      shown: Buffer.concat(all).toString('utf8'),
    };
  } finally {
    clearTimeout(timer);
    killGroup(child);
  }
}

/** A server that runs in the foreground until `stop`. */
export interface Running {
  readonly pid: number;
  /** What it wrote so far. */
  output(): string;
  /** null while it runs. */
  exit(): number | string | null;
  /** Ends it by signal and waits; kills its group when it does not end within `graceMs`. */
  stop(graceMs?: number): Promise<void>;
}

export async function start(command: readonly string[], options: SpawnOptions): Promise<Running> {
  // Should this process be killed, the server gets a SIGTERM all the same.
  const [file = '', ...args] =
    process.platform === 'linux' ? ['setpriv', '--pdeathsig', 'TERM', ...command] : command;
  const child = spawn(file, args, {
    env: { PATH: debianPath },
    ...options,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  await once(child, 'spawn');
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = once(child, 'exit');
  const exit = (): number | string | null => child.exitCode ?? child.signalCode;
  return {
    pid: child.pid ?? 0,
    output: () => Buffer.concat(chunks).toString('utf8'),
    exit,
    stop: async (graceMs = 10_000) => {
      if (exit() !== null) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => killGroup(child), graceMs);
      await ended;
      clearTimeout(timer);
      killGroup(child);
    },
  };
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // the group is gone already
  }
}
