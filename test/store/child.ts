// Compiles and runs the process of committer.ts. The compiler is the project's own, so that any Node can run it.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(import.meta.dirname, '..', '..');

/** Compiles the committer into `directory`; the path of the script. */
export const compiledCommitter = (directory: string): string =>
  compiled(directory, 'test/store/committer.ts');

/** Compiles a script of the tests, and all it needs, into `directory`; the path of the result. */
export function compiled(directory: string, script: string): string {
  mkdirSync(directory, { recursive: true });
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      rootDir: root,
      outDir: directory,
      declaration: false,
      typeRoots: [join(root, 'node_modules/@types')],
    },
    include: [join(root, script)],
  };
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(config));
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', directory], {
    cwd: root,
  });
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  cpSync(join(root, 'package.json'), join(directory, 'package.json'));
  return join(directory, script.replace(/\.ts$/, '.js'));
}

export interface Committer {
  readonly pid: number;
  /** Reads lines until `enough` says so; every line so far. */
  read(enough: (lines: readonly string[]) => boolean): Promise<void>;
  /** Kills it outright; every line it wrote, once it is gone. */
  kill(): Promise<readonly string[]>;
}

export function startCommitter(script: string, directory: string, prefix: string): Committer {
  const child = spawn(process.execPath, [script, directory, prefix], { stdio: ['ignore', 'pipe', 'pipe'] });
  const { pid, stdout } = child;
  if (pid === undefined) throw new Error('the committer did not start');
  const lines: string[] = [];
  const told = { wake: (): void => undefined };
  const reader = createInterface({ input: stdout });
  reader.on('line', (line) => {
    lines.push(line);
    told.wake();
  });
  const ended = endOf(child).then(() => told.wake());
  return {
    pid,
    async read(enough) {
      while (!enough(lines)) {
        if (child.exitCode !== null) throw new Error(`the committer ended by itself (${child.exitCode})`);
        await new Promise<void>((resolve) => {
          told.wake = resolve;
        });
      }
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
      return lines;
    },
  };
}

// 'close' comes when the process is gone and its pipes are read to their end.
const endOf = (child: ChildProcess): Promise<unknown> => once(child, 'close');
