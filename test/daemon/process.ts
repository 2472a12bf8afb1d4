// Compiles and runs the process of runner.ts. The compiler is the project's own, so that any Node can run it.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(import.meta.dirname, '..', '..');

/** Compiles the runner into `directory`; the path of the script. */
export function compiledRunner(directory: string): string {
  mkdirSync(directory, { recursive: true });
  const compilerOptions = {
    rootDir: root,
    outDir: directory,
    declaration: false,
    typeRoots: [join(root, 'node_modules/@types')],
  };
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions,
    include: [join(root, 'test/daemon/runner.ts')],
  };
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(config));
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', directory], {
    cwd: root,
  });
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  cpSync(join(root, 'package.json'), join(directory, 'package.json'));
  return join(directory, 'test/daemon/runner.js');
}

export type Entry = Readonly<Record<string, unknown>>;

/** A running daemon, its log as it comes. */
export class RunningDaemon {
  readonly entries: Entry[] = [];
  readonly text: string[] = [];
  readonly #child: ReturnType<typeof spawn>;
  readonly #over: Promise<unknown>;
  #wake: () => void = () => undefined;
  #ended = false;

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#over = this.#end();
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#take(line));
    }
  }

  async #end(): Promise<void> {
    await once(this.#child, 'close');
    this.#ended = true;
    this.#wake();
  }

  #take(line: string): void {
    this.text.push(line);
    if (line.startsWith('{')) this.entries.push(JSON.parse(line));
    this.#wake();
  }

  /** The first entry of this event, or the `count`th; throws when the process ends without it. */
  async entry(event: string, count = 1): Promise<Entry> {
    for (;;) {
      const found = this.entries.filter((entry) => entry['event'] === event)[count - 1];
      if (found !== undefined) return found;
      if (this.#ended) throw new Error(`ended without ${event}: ${this.text.join('\n')}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** The port of the route in the `ready` entry. */
  async port(): Promise<number> {
    return Number(
      String((await this.entry('ready'))['addresses'])
        .split(':')
        .at(-1),
    );
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Exit code, or the signal it died of. */
  async exit(): Promise<number | string | null> {
    await this.#over;
    return this.#child.exitCode ?? this.#child.signalCode;
  }

  async kill(): Promise<void> {
    if (!this.#ended) this.#child.kill('SIGKILL');
    await this.#over;
  }
}
