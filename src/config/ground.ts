// What every part of reading a configuration stands on, and what a written path means there.

import { dirname, resolve } from 'node:path';
import type { Layers } from './layers.ts';
import type { Home } from './paths.ts';
import type { Path } from './problem.ts';
import type { RawConfig } from './schema.ts';

export interface Ground {
  readonly raw: RawConfig;
  readonly layers: Layers;
  readonly home: Home;
  readonly cwd: string;
  /** Absolute path of the configuration file; null without one. */
  readonly file: string | null;
}

/** Relative paths of a file are relative to it, those of environment and flags to the working directory. */
export function absolutePath(ground: Ground, path: Path, text: string): string {
  const inFile = ground.file !== null && ground.layers.locate(path).line !== null;
  return resolve(inFile && ground.file !== null ? dirname(ground.file) : ground.cwd, text);
}
