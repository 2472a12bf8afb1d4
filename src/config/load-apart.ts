// Reads a long configuration in a thread of its own: thousands of routes take seconds, and the event loop relays mail
// meanwhile. The same code reads there, so that the answer is the same. A thread that fails, ends or is late gives no
// configuration: whoever asked goes on with the one it has. A short one is read here: a thread would cost more.

import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads';
import { CommandError } from '../errors.ts';
import { Pace } from '../pace.ts';
import { loadConfig, type ConfigSources } from './load.ts';
import { Assembly, piecesOf, type Piece, type Program, type ReadConfig } from './pieces.ts';

export interface ApartOptions {
  /** What the thread runs: it calls `tellConfig`. */
  readonly script: URL;
  /** What this process was loaded from; a thread out of files that came later is not believed. */
  readonly program: Program;
  /** Of file and command line together; what is longer is read apart. */
  readonly shortBytes?: number;
  /** For all of it. */
  readonly deadlineMs?: number;
}

/** Some twenty routes. */
const usualShortBytes = 2048;
const usualDeadlineMs = 60_000;
/** The longest configuration there may be needs a third of it. */
const heapMegabytes = 512;

/** @throws CommandError `config-unread` when the thread gave no answer */
export async function loadConfigApart(sources: ConfigSources, options: ApartOptions): Promise<ReadConfig> {
  const { shortBytes = usualShortBytes } = options;
  return (await bytesOf(sources)) <= shortBytes ? loadConfig(sources) : readApart(sources, options);
}

/** What a thread is asked; its `workerData`. */
export interface Asked {
  readonly sources: ConfigSources;
  readonly port: MessagePort;
}

/** What the thread does: reads, and answers over the port it was given. `program` is what it was loaded from. */
export async function tellConfig({ sources, port }: Asked, program: Program): Promise<void> {
  const read = await loadConfig(sources);
  for (const piece of piecesOf(read, program)) port.postMessage(piece);
  port.close();
}

/** A file that cannot be looked at is short: reading it tells why. */
async function bytesOf({ file, cwd, routes }: ConfigSources): Promise<number> {
  const inFile = file === null ? 0 : await sizeOf(resolve(cwd, file));
  return routes.reduce((sum, route) => sum + route.length, inFile);
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

async function readApart(sources: ConfigSources, options: ApartOptions): Promise<ReadConfig> {
  const { port1: port, port2 } = new MessageChannel();
  try {
    await threadOver({ sources: plain(sources), port: port2 }, options);
    return await assembled(port, options.program);
  } finally {
    port.close();
  }
}

/** The environment is an object of the process's own. */
const plain = (sources: ConfigSources): ConfigSources => ({
  ...sources,
  home: { ...sources.home, env: { ...sources.home.env } },
});

/** Resolves when the thread ended in good order: all it said waits in the port. */
async function threadOver(asked: Asked, { script, deadlineMs }: ApartOptions): Promise<void> {
  const signal = AbortSignal.timeout(deadlineMs ?? usualDeadlineMs);
  let thread: Worker | null = null;
  try {
    thread = new Worker(script, {
      workerData: asked,
      transferList: [asked.port],
      // Nothing preloaded in there, and nothing it grows can take the memory of the whole process.
      execArgv: [],
      env: { ...process.env, NODE_OPTIONS: '' },
      resourceLimits: { maxOldGenerationSizeMb: heapMegabytes },
    });
    // After the deadline nobody listens any more, and it must not end the program.
    thread.on('error', () => undefined);
    // Whoever is to end does not wait for it.
    thread.unref();
    await once(thread, 'exit', { signal });
  } catch (error) {
    throw unread(signal.aborted ? 'it took too long' : `the thread that reads it failed (${nameOf(error)})`);
  } finally {
    // Not waited for: a file system that hangs keeps it.
    void thread?.terminate();
  }
}

/** Piece by piece out of the port, the event loop in between. */
async function assembled(port: MessagePort, program: Program): Promise<ReadConfig> {
  const assembly = new Assembly(program);
  const pace = new Pace();
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
    const piece: Piece = next.message;
    const whole = assembly.put(piece);
    if (whole === 'foreign') throw replaced();
    if (whole !== null) return whole;
    if (pace.isDue) await pace.rest();
  }
  throw unread('the thread that reads it ended without an answer');
}

const unread = (why: string): CommandError =>
  new CommandError('internal', `the configuration was not read: ${why}`, {
    code: 'config-unread',
    hint: 'The old one goes on. Reload again; a restart reads it without a thread.',
  });

/** Files of another version would be read by rules this process does not know. */
const replaced = (): CommandError =>
  new CommandError('internal', 'the configuration was not read: letterlock was replaced since it started', {
    code: 'config-unread',
    hint: 'The old one goes on. Restart letterlock.',
  });

/** No text of it: it may quote what was read. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
