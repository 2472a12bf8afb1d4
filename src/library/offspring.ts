// What a preloaded process starts is preloaded too: child processes by the environment, workers by their options. A
// program that gives its children an environment of its own takes that away again; docs/library/preload.md says so.

import { syncBuiltinESMExports } from 'node:module';
import { fileURLToPath } from 'node:url';
import workers, { type WorkerOptions } from 'node:worker_threads';
import type { Surroundings } from './surroundings.ts';

const variable = 'NODE_OPTIONS';

/** `register` is the module to preload, `evaluated` the one for workers made of text, which run no preload. */
export interface Modules {
  readonly register: URL;
  readonly evaluated: URL;
}

export function preloadOffspring(modules: Modules, surroundings: Surroundings): void {
  const given = process.env[variable] ?? '';
  if (!given.includes(modules.register.href))
    process.env[variable] = `${given} --import=${modules.register.href}`.trim();
  const original = workers.Worker;
  class PreloadedWorker extends original {
    constructor(file: string | URL, options: WorkerOptions = {}) {
      if (options.eval === true && typeof file === 'string')
        super(`${prefix(file, modules, surroundings)}${file}`, options);
      else super(file, { ...options, execArgv: withImport(options.execArgv ?? process.execArgv, modules) });
    }
  }
  Object.defineProperty(PreloadedWorker, 'name', { value: 'Worker' });
  Object.assign(workers, { Worker: PreloadedWorker });
  syncBuiltinESMExports();
}

const withImport = (execArgv: readonly string[], { register }: Modules): string[] =>
  execArgv.includes(register.href) ? [...execArgv] : [...execArgv, '--import', register.href];

/** On the first line, so that places in errors stay right; a directive must stay first. */
function prefix(text: string, { evaluated }: Modules, surroundings: Surroundings): string {
  const strict = /^\s*(['"])use strict\1/.test(text) ? "'use strict';" : '';
  const path = JSON.stringify(fileURLToPath(evaluated));
  return `${strict}require(${path}).secure(${JSON.stringify(surroundings)});`;
}
