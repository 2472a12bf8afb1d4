// The campaign's side of shim.c: compiles it, and writes into the file that a letterlock started with it has mapped.

import { execFile } from 'node:child_process';
import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

// In the order of shim.c.
const fields = [
  'mask',
  'at',
  'errno',
  'sticky',
  'count',
  'done',
  'torn',
  'clock',
  'names',
  'namesMs',
  'namesAsked',
];
/** Steps by which a process touches a disk. */
export const steps = {
  open: 1,
  write: 2,
  sync: 4,
  rename: 8,
  unlink: 16,
  mkdir: 32,
  link: 64,
  look: 128,
  read: 256,
  map: 512,
  cut: 1024,
};
export const changes =
  steps.open | steps.write | steps.sync | steps.rename | steps.unlink | steps.mkdir | steps.link | steps.cut;
export const reads = steps.look | steps.read | steps.map;
const names = { asIs: 0, again: 1, unknown: 2, broken: 3, slow: 4, moved: 5, both: 6, hangs: 7 };
/** Not an error of the system: the process ends at that step, without another word. */
const killed = 9999;

/** The shared object, or what kept it from being made. */
export async function compileShim(folder) {
  const object = join(folder, 'shim.so');
  const source = join(dirname(fileURLToPath(import.meta.url)), 'shim.c');
  try {
    await run('cc', ['-O1', '-shared', '-fPIC', '-o', object, source, '-ldl']);
    return { object, missing: null };
  } catch (error) {
    return { object: null, missing: error.code === 'ENOENT' ? 'no C compiler' : error.message };
  }
}

/** The plan for one process and those that come after it in the same place. Whoever makes one closes it. */
export class Plan {
  #fd;

  constructor({ object, file, under }) {
    writeFileSync(file, Buffer.alloc(4096));
    this.#fd = openSync(file, 'r+');
    this.environment = { LD_PRELOAD: object, FAULTS_PLAN: file, FAULTS_UNDER: under };
  }

  #write(field, value) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(value));
    writeSync(this.#fd, bytes, 0, 8, fields.indexOf(field) * 8);
  }

  #read(field) {
    const bytes = Buffer.alloc(8);
    readSync(this.#fd, bytes, 0, 8, fields.indexOf(field) * 8);
    return Number(bytes.readBigInt64LE());
  }

  /** From now on the `at`th of these steps fails with `error` (a name such as EIO; KILL ends the process there). */
  arm({ mask = changes, at, error, sticky = false, torn = false }) {
    this.disarm();
    this.#write('errno', error === 'KILL' ? killed : constants.errno[error]);
    this.#write('sticky', sticky ? 1 : 0);
    this.#write('torn', torn ? 1 : 0);
    this.#write('at', at);
    this.#write('mask', mask);
  }

  /** Counts these steps and lets them happen. */
  watch(mask = changes) {
    this.disarm();
    this.#write('mask', mask);
  }

  disarm() {
    for (const field of ['mask', 'at', 'count', 'done']) this.#write(field, 0);
  }

  /** Steps since it was armed. */
  get count() {
    return this.#read('count');
  }

  /** How many of them failed. */
  get done() {
    return this.#read('done');
  }

  /** The wall clock is so many seconds ahead. */
  set clock(seconds) {
    this.#write('clock', seconds);
  }

  /** How names that end in .faults.test are answered. */
  names(mode, ms = 0) {
    this.#write('namesMs', ms);
    this.#write('names', names[mode]);
  }

  get namesAsked() {
    return this.#read('namesAsked');
  }

  close() {
    closeSync(this.#fd);
  }
}
