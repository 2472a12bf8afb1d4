// Runs an unchanged program with letterlock preloaded, with pins of its own.

import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { builtBin } from './build.ts';
import { cleanEnvironment, run, type Ran } from './run.ts';

export interface Program {
  /** Absolute path. */
  readonly script: string;
  /** State and home of the run. */
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Without letterlock, to see that it is letterlock that decides. */
  readonly bare?: true;
}

/** The URL of the built preload. */
async function builtRegister(): Promise<string> {
  return pathToFileURL(join(dirname(await builtBin()), '../src/register.js')).href;
}

export async function runProgram({ script, folder, env = {}, bare }: Program): Promise<Ran> {
  const preload = bare === true ? [] : [`--import=${await builtRegister()}`];
  return run([process.execPath, ...preload, script], {
    cwd: folder,
    env: { ...cleanEnvironment(folder), LETTERLOCK_STATE: join(folder, 'state'), ...env },
    deadlineMs: 60_000,
  });
}
