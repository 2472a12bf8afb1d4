// Has a database opened by another process first, where there is reason to doubt its files: LevelDB answers some damage by
// ending the process. It tells an end that the files brought about from one that says nothing about them, and must never
// call a database damaged because a process could not be had. The other process inherits nothing of this one's.

import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isObject, parsed } from './codec.ts';
import { codeOf } from './database.ts';

/**
 * `survived`: it was opened, read as far as it can be, put together and closed. `refused`: LevelDB does not open it. `unsaid`:
 * nobody can be asked here. `deadly`: whoever opens it ends. `untold`: not now.
 */
export type Probed =
  | { readonly state: 'survived' | 'unsaid' }
  | { readonly state: 'refused'; readonly isLocked: boolean; readonly detail: string }
  | { readonly state: 'deadly' | 'untold'; readonly detail: string };

/** `try` changes no record. `copy` writes what can be read to a new database at `target`, `repair` after LevelDB's own repair. */
export type Work = { readonly kind: 'try' } | { readonly kind: 'copy' | 'repair'; readonly target: string };

export interface ProbeOptions {
  readonly work: Work;
  readonly deadlineMs?: number;
  /** What Node runs. */
  readonly script?: string;
}

/** Of a hundred thousand pins it needs a twentieth of it. */
const usualDeadlineMs = 60_000;
const maxWordsBytes = 8192;

/** Node finds its own libraries by them on some systems; nothing else of the environment goes along. */
const passedOn = ['LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'SystemRoot'];
/** Where our own program is what `execPath` runs, it would start itself for ever. */
const mark = 'LETTERLOCK_PROBE';

/** null in a bundle that knows no place of its own. */
function usualScript(): string | null {
  const here: string | undefined = import.meta.dirname;
  return here === undefined ? null : join(here, 'probe-child.mjs');
}

/** Never rejects. `location` is not open in this process. */
export async function probeDatabase(location: string, options: ProbeOptions): Promise<Probed> {
  const { work, deadlineMs = usualDeadlineMs, script = usualScript() } = options;
  if (script === null || !canBeAsked(script)) return { state: 'unsaid' };
  const place = resolve(location);
  const words = work.kind === 'try' ? [] : [resolve(work.target)];
  try {
    const child = spawn(process.execPath, [script, work.kind, place, ...words], {
      cwd: dirname(place),
      env: environment(),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    return probedBy(await endOf(child, deadlineMs));
  } catch (error) {
    if (codeOf(error) === 'ERR_ACCESS_DENIED') return { state: 'unsaid' };
    return notStarted(error);
  }
}

/** A program of one file, or one that was bundled without it, has nothing to start. */
function canBeAsked(script: string): boolean {
  if (process.env[mark] !== undefined || !existsSync(script)) return false;
  // oxlint-disable-next-line typescript/no-unnecessary-condition -- Node 20 has it since 20.12 only
  return !(process.getBuiltinModule('node:sea')?.isSea() ?? false);
}

function environment(): NodeJS.ProcessEnv {
  const own: NodeJS.ProcessEnv = { [mark]: '1', ELECTRON_RUN_AS_NODE: '1' };
  for (const name of passedOn) if (process.env[name] !== undefined) own[name] = process.env[name];
  return own;
}

type End =
  | { readonly state: 'not-started'; readonly error: unknown }
  | { readonly state: 'late'; readonly seconds: number }
  | {
      readonly state: 'ended';
      readonly code: number | null;
      readonly signal: NodeJS.Signals | null;
      /** Whether LevelDB was reached. */
      readonly opening: boolean;
      /** Why LevelDB refused, as JSON. */
      readonly reason: string;
      readonly words: string;
    };

function endOf(child: ChildProcess, deadlineMs: number): Promise<End> {
  return new Promise((done) => {
    const said = headOf(child.stdout);
    const complained = headOf(child.stderr);
    // It is held open and never written to: it ends with this process.
    child.stdin?.on('error', () => undefined);
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      done({ state: 'late', seconds: deadlineMs / 1000 });
    }, deadlineMs);
    const over = (end: End): void => {
      clearTimeout(timer);
      done(end);
    };
    child.on('error', (error) => over({ state: 'not-started', error }));
    child.on('close', (code, signal) => {
      const [first = '', reason = ''] = said().split('\n');
      over({ state: 'ended', code, signal, opening: first !== '', reason, words: complained() });
    });
  });
}

/** The first of what comes; all is read, so that nobody waits. */
function headOf(stream: ChildProcess['stdout']): () => string {
  let head = Buffer.alloc(0);
  stream?.on('error', () => undefined);
  stream?.on('data', (bytes: Buffer) => {
    if (head.length < maxWordsBytes) head = Buffer.concat([head, bytes.subarray(0, maxWordsBytes)]);
  });
  return () => head.toString('latin1');
}

/** Codes of probe-child.mjs. */
const exits = { refused: 3, unloadable: 4 } as const;

function probedBy(end: End): Probed {
  switch (end.state) {
    case 'not-started':
      return notStarted(end.error);
    case 'late':
      return { state: 'untold', detail: `a process that tried it was not done within ${end.seconds} s` };
    case 'ended':
      break;
  }
  const { code, signal, opening, reason, words } = end;
  if (code === 0) return { state: 'survived' };
  if (code === exits.refused) return refusedFor(parsed(reason));
  if (code === exits.unloadable) return { state: 'unsaid' };
  // Beside another file system than Node's own, such as an archive of packages.
  if (!opening && words.includes('ERR_MODULE_NOT_FOUND')) return { state: 'unsaid' };
  const how = `${signal ?? `exit ${code}`}${wordsOf(words)}`;
  if (opening && isOfFiles(signal, words))
    return { state: 'deadly', detail: `LevelDB ends every process that opens it (${how})` };
  return { state: 'untold', detail: `a process that tried it ended (${how})` };
}

function refusedFor(reason: unknown): Probed {
  const message = isObject(reason) ? reason['message'] : null;
  return {
    state: 'refused',
    isLocked: codeOf(reason) === 'LEVEL_LOCKED',
    detail: typeof message === 'string' ? message : 'unknown reason',
  };
}

const notStarted = (error: unknown): Probed => ({
  state: 'untold',
  detail: `no process could be started to try it (${codeOf(error) ?? 'unknown error'})`,
});

const faults: readonly unknown[] = ['SIGSEGV', 'SIGBUS', 'SIGFPE'];
/** Of LevelDB's own checks, and of sizes that cannot be. Memory or threads that could not be had end in an abort as well. */
const ofFiles = /assertion|std::length_error|std::out_of_range/i;

const isOfFiles = (signal: NodeJS.Signals | null, words: string): boolean =>
  faults.includes(signal) || ofFiles.test(words);

/** ": block.cc:19: Assertion `…' failed.", without folders, types and what no terminal should get. */
function wordsOf(words: string): string {
  const line = words.split('\n').find((one) => ofFiles.test(one)) ?? words.split('\n')[0] ?? '';
  const short = /([\w.-]+:\d+): .*?(assertion .*)/i.exec(line)?.slice(1).join(': ') ?? line;
  const plain = short.replaceAll(/[^ -~]/g, '?').slice(0, 200);
  return plain === '' ? '' : `: ${plain}`;
}
