// The daemon as a process: signals, crashes and the exit code. Fail closed: after an error nobody foresaw the
// process ends; a proxy of unknown state must relay nothing. No error's text is logged then, only where it was.

import type { Config } from './config.ts';
import { startDaemon } from './daemon/start.ts';
import type { Daemon, DaemonOptions } from './daemon/start.ts';
import { exitCodes } from './errors.ts';
import { Pace } from './pace.ts';

export { startDaemon } from './daemon/start.ts';
export type { Daemon, DaemonOptions } from './daemon/start.ts';
export type { Reread } from './daemon/reloading.ts';

export interface RunOptions extends Omit<DaemonOptions, 'listening'> {
  /** Called once everything listens and signals are heard. */
  readonly started?: (daemon: Daemon) => void;
}

/**
 * Runs until SIGTERM or SIGINT, drains, and resolves with the exit code; a second signal exits at once.
 * SIGHUP reloads. Rejects, with CommandError, only when it could not start.
 */
export async function runDaemon(config: Config, options: RunOptions = {}): Promise<number> {
  const heard: { ended: Promise<void> } = { ended: Promise.resolve() };
  const listening = (daemon: Daemon): void => {
    heard.ended = listenToSignals(daemon);
  };
  options.started?.(await startDaemon(config, { ...options, listening }));
  await heard.ended;
  return exitCodes.done;
}

/** Resolves when a signal ended the daemon in good order. */
function listenToSignals(daemon: Daemon): Promise<void> {
  process.on('uncaughtException', (error) => crash(daemon, error));
  process.on('unhandledRejection', (reason) => crash(daemon, reason));
  process.on('SIGHUP', () => void reload(daemon));
  return untilSignal(daemon);
}

function untilSignal(daemon: Daemon): Promise<void> {
  let stopping = false;
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals): void => {
      if (stopping) {
        daemon.log.close();
        process.exit(exitCodes.internal);
      }
      stopping = true;
      daemon.log.write('info', { event: 'stopping', message: `${signal}: letting open sessions end` });
      void daemon.close().then(resolve);
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  });
}

/** What was wrong is logged place by place: nobody reads the answer to a signal. */
async function reload(daemon: Daemon): Promise<void> {
  const { problems } = await daemon.reload();
  const pace = new Pace();
  for (const { source, line, column, message } of problems) {
    const place = line === null ? source : `${source}:${line}:${column ?? 1}`;
    daemon.log.write('error', { event: 'reload-problem', message: `${place}: ${message}` });
    if (pace.isDue) await pace.rest();
  }
}

function crash(daemon: Daemon, error: unknown): never {
  daemon.log.write('error', {
    event: 'crashed',
    message: 'letterlock made a mistake and ends; please report this line',
    fields: { error: nameOf(error), at: framesOf(error) },
  });
  daemon.log.close();
  process.exit(exitCodes.internal);
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return 'code' in error && typeof error.code === 'string' ? `${error.name} ${error.code}` : error.name;
}

/** The places of a stack without its first lines: the message may quote what a peer or a client sent. */
function framesOf(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [];
  const stack = (error.stack ?? '').replace(`${error.name}: ${error.message}`, '');
  const frames = [...stack.matchAll(/^ {4}at .*?([\w.-]+:\d+:\d+)\)?$/gm)];
  return frames.slice(0, 8).map(([, place]) => place ?? '');
}
