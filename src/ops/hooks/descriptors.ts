// Descriptors that a program would inherit. Node opens its own so that none is; what came with the process, and what LevelDB
// opens (its log and its lock), is not. Linux tells of each; elsewhere nothing is known.

import { readdir, readFile } from 'node:fs/promises';

/** Higher ones are left alone: each costs a place in a list. */
const highest = 4096;
const closeOnExec = 0o2000000;

/** Of this process, now, without the three that every program has. Never rejects. */
export async function inheritable(): Promise<readonly number[]> {
  const names = await readdir('/proc/self/fdinfo').catch((): string[] => []);
  const numbers = names.map(Number).filter((fd) => fd > 2 && fd < highest);
  const found = await Promise.all(numbers.map(async (fd) => ((await isInherited(fd)) ? [fd] : [])));
  return found.flat();
}

async function isInherited(fd: number): Promise<boolean> {
  const text = await readFile(`/proc/self/fdinfo/${fd}`, 'latin1').catch(() => '');
  const flags = /^flags:\s*([0-7]+)$/m.exec(text)?.[1];
  return flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) === 0;
}
