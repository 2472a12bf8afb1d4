// What a preloaded process starts is preloaded too: child processes by the environment, workers by their options. A
// program that gives its children an environment of its own takes that away again; docs/library/preload.md says so.

import { syncBuiltinESMExports } from 'node:module';
import { fileURLToPath } from 'node:url';
import workers, { type WorkerOptions } from 'node:worker_threads';
import type { Surroundings } from './surroundings.ts';

const variable = 'NODE_OPTIONS';
const surroundingsKey = 'letterlock.surroundings';

/** In a worker of a preloaded process: what that process goes by. */
export function inheritedSurroundings(): Surroundings | null {
  const inherited: unknown = workers.isMainThread ? null : workers.getEnvironmentData(surroundingsKey);
  return isSurroundings(inherited) ? inherited : null;
}

const isSurroundings = (value: unknown): value is Surroundings =>
  typeof value === 'object' && value !== null && 'common' in value && 'ready' in value;

/** `register` is the module to preload, `evaluated` the one for workers made of text, which run no preload. */
export interface Modules {
  readonly register: URL;
  readonly evaluated: URL;
}

/** Beside one of them, compiled or not. */
export function modulesBeside(url: string): Modules {
  const [, start = '', extension = 'js'] = /^(.*\/)register(?:-evaluated)?\.([jt]s)$/.exec(url) ?? [];
  return {
    register: new URL(`${start}register.${extension}`),
    evaluated: new URL(`${start}register-evaluated.${extension}`),
  };
}

export function preloadOffspring(modules: Modules, surroundings: Surroundings): void {
  const given = process.env[variable] ?? '';
  if (!given.includes(modules.register.href))
    process.env[variable] = `${given} --import=${modules.register.href}`.trim();
  // A worker goes by the surroundings of this process, whatever environment it is given.
  workers.setEnvironmentData(surroundingsKey, surroundings);
  const original = workers.Worker;
  class PreloadedWorker extends original {
    constructor(file: string | URL, options: WorkerOptions = {}) {
      // Node takes whatever is truthy.
      if (options.eval && typeof file === 'string')
        super(`${prefix(file, modules, surroundings)}${file}`, options);
      else super(file, withImport(options, modules));
    }
  }
  Object.defineProperty(PreloadedWorker, 'name', { value: 'Worker' });
  Object.assign(workers, { Worker: PreloadedWorker });
  syncBuiltinESMExports();
}

/** Without options of its own a worker has those of this process; named, Node refuses some of them. */
const withImport = (options: WorkerOptions, { register }: Modules): WorkerOptions =>
  options.execArgv === undefined || options.execArgv.includes(register.href)
    ? options
    : { ...options, execArgv: [...options.execArgv, '--import', register.href] };

/** On the first line, so that places in errors stay right; a directive must stay first. */
function prefix(text: string, { evaluated }: Modules, surroundings: Surroundings): string {
  const strict = /^\s*(['"])use strict\1/.test(text) ? "'use strict';" : '';
  const path = JSON.stringify(fileURLToPath(evaluated));
  return `${strict}require(${path}).secure(${JSON.stringify(surroundings)});`;
}
