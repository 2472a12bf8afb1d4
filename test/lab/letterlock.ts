// The built program as a user runs it: `letterlock run -c FILE` in a process of its own, its log as entries,
// and its other commands against the same state.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { builtBin } from './build.ts';
import { temporaryFolder } from './folder.ts';
import { cleanEnvironment, run, start, type Ran } from './run.ts';
import { until } from './wait.ts';

/** One entry of its log, as JSON. */
export type Entry = Readonly<Record<string, unknown>>;

/** A route as written in the configuration file; `listen` is a port on 127.0.0.1. */
export interface LabRoute {
  readonly name: string;
  readonly listen: number;
  readonly upstream: string;
  readonly address: string;
  readonly settings?: Readonly<Record<string, unknown>>;
}

export interface Letterlock {
  /** Entries so far whose `event` is this. */
  entries(event: string): readonly Entry[];
  /** Everything it wrote so far. */
  output(): string;
  /** Certificate of the local CA; there once a route speaks TLS with its clients. */
  readonly localCa: string;
  /** Runs another command against the same state and waits for its end. */
  command(...args: readonly string[]): Promise<Ran>;
  /** Sends it a signal. */
  signal(name: NodeJS.Signals): void;
  /** Kilobytes of memory it holds now, by /proc. */
  residentKb(): Promise<number>;
  /** Stops it and removes its state. */
  stop(): Promise<void>;
}

/**
 * Starts it and waits until every route listens. Connecting to look would already be a session. `inside`: words before
 * a command that run it in another place.
 */
export async function startLetterlock(
  routes: readonly LabRoute[],
  settings: Readonly<Record<string, unknown>> = {},
  inside: readonly string[] = [],
): Promise<Letterlock> {
  const bin = await builtBin();
  const folder = await temporaryFolder();
  const file = join(folder.path, 'letterlock.yaml');
  // JSON is YAML.
  const text = JSON.stringify({
    state: join(folder.path, 'state'),
    metrics: null,
    ...settings,
    log: { format: 'json' },
    routes: routes.map(({ settings: extra, listen, ...route }) => ({
      ...route,
      ...extra,
      listen: `127.0.0.1:${listen}`,
    })),
  });
  await writeFile(file, text);
  const env = cleanEnvironment(folder.path);
  const running = await start([...inside, process.execPath, bin, 'run', '-c', file], {
    env,
    cwd: folder.path,
  });
  const entries = (event: string): readonly Entry[] =>
    entriesOf(running.output()).filter((entry) => entry['event'] === event);
  const stop = async (): Promise<void> => {
    // A stopped process would not hear of its end.
    if (running.exit() === null) process.kill(running.pid, 'SIGCONT');
    await running.stop();
    await folder.remove();
  };
  try {
    await until('letterlock to listen', () => {
      if (running.exit() !== null)
        throw new Error(`letterlock ended (${running.exit()}): ${running.output()}`);
      return routes.every(({ name }) => entries('listening').some((entry) => entry['route'] === name));
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    entries,
    localCa: join(folder.path, 'state/local-ca/ca.crt'),
    output: () => running.output(),
    signal: (name) => process.kill(running.pid, name),
    residentKb: async () =>
      Number(/^VmRSS:\s+(\d+) kB/m.exec(await readFile(`/proc/${running.pid}/status`, 'utf8'))?.[1]),
    command: (...args) =>
      run([process.execPath, bin, ...args, '-c', file], { env, cwd: folder.path, deadlineMs: 30_000 }),
    stop,
  };
}

/** Runs a command that needs no state of its own, like `inspect` or `cert`. */
export async function letterlock(...args: readonly string[]): Promise<Ran> {
  const folder = await temporaryFolder();
  try {
    const command = [process.execPath, await builtBin(), ...args];
    return await run(command, { env: cleanEnvironment(folder.path), cwd: folder.path, deadlineMs: 30_000 });
  } finally {
    await folder.remove();
  }
}

const isEntry = (value: unknown): value is Entry => typeof value === 'object' && value !== null;

function entriesOf(output: string): readonly Entry[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .flatMap((line) => {
      try {
        const parsed: unknown = JSON.parse(line);
        return isEntry(parsed) ? [parsed] : [];
      } catch {
        // the last line may not be whole yet
        return [];
      }
    });
}
