// Runs the built program as a user would: in a folder of its own, with nothing of this machine's settings.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jsonText } from '../../cmd/io.ts';
import { runProgram } from '../../cmd/program.ts';
import { builtBin } from '../lab/build.ts';

export interface Ended {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Given {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  /** Options of Node itself. */
  readonly node?: readonly string[];
}

/** A home folder; every command runs in it. Whoever makes it removes it. */
export class Home {
  readonly folder: string;
  readonly #bin: string;
  readonly #children: ChildProcess[] = [];

  private constructor(folder: string, bin: string) {
    this.folder = folder;
    this.#bin = bin;
  }

  static async make(): Promise<Home> {
    const bin = await builtBin();
    return new Home(await mkdtemp(join(tmpdir(), 'll-cmd-')), bin);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  async file(name: string, content: string | Uint8Array): Promise<string> {
    await writeFile(this.path(name), content);
    return this.path(name);
  }

  /** Starts a command that goes on; it is killed with the folder. */
  start(words: readonly string[], given: Given = {}): Started {
    const child = spawn(process.execPath, [...(given.node ?? []), this.#bin, ...words], {
      cwd: this.folder,
      env: {
        PATH: process.env['PATH'],
        HOME: this.folder,
        XDG_STATE_HOME: this.path('state'),
        XDG_RUNTIME_DIR: this.path('run'),
        ...this.#apart(),
        ...given.env,
      },
      stdio: 'pipe',
    });
    this.#children.push(child);
    return new Started(child, given.input ?? '');
  }

  run(words: readonly string[], given: Given = {}): Promise<Ended> {
    return this.start(words, given).ended;
  }

  /** The same in this process, for tables of many rows: the program with streams and surroundings of its own. */
  async say(words: readonly string[], given: Given = {}): Promise<Ended> {
    const streams = { stdout: '', stderr: '' };
    const exit = await runProgram(words, {
      env: {
        HOME: this.folder,
        XDG_STATE_HOME: this.path('state'),
        XDG_RUNTIME_DIR: this.path('run'),
        ...this.#apart(),
        ...given.env,
      },
      execArgv: [],
      cwd: this.folder,
      words,
      program: 'letterlock',
      stdin: chunks(given.input ?? ''),
      now: () => Date.now(),
      print: (...lines) => {
        streams.stdout += lines.map((line) => `${line}\n`).join('');
      },
      printFile: (...lines) => {
        streams.stdout += lines.map((line) => `${line}\n`).join('');
      },
      printJson: (value) => {
        streams.stdout += `${jsonText(value)}\n`;
      },
      note: (...lines) => {
        streams.stderr += lines.map((line) => `${line}\n`).join('');
      },
    });
    return { exit, ...streams };
  }

  /** Neither a daemon of this machine nor its store answers in the place of the test's: for root both have one fixed place. */
  #apart(): Readonly<Record<string, string>> {
    return { STATE_DIRECTORY: this.path('state'), LETTERLOCK_SOCKET: this.path('nobody.sock') };
  }

  async remove(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function* chunks(input: string | Uint8Array): AsyncGenerator<Uint8Array> {
  yield Buffer.from(input);
}

export class Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';
  #wake: () => void = () => undefined;

  constructor(child: ChildProcess, input: string | Uint8Array) {
    this.child = child;
    child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString('utf8');
      this.#wake();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString('utf8');
      this.#wake();
    });
    // A command that does not read its input closes the pipe; that is no error of the test.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
    this.ended = once(child, 'close').then(() => {
      this.#wake();
      return { exit: child.exitCode, stdout: this.stdout, stderr: this.stderr };
    });
  }

  /** Resolves once `pattern` stands in what was written; fails when the command ends without it. */
  async writes(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this[stream]);
      if (found !== null) return found;
      if (this.child.exitCode !== null)
        throw new Error(`it ended with ${this.child.exitCode}: ${this.stderr}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** The JSON a command wrote. */
export const parsed = (text: string): unknown => JSON.parse(text);
