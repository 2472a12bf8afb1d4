// Small looks at the file system, none of which changes anything or throws.

import { readFile, realpath, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DiskFacts } from '../checks/disk.ts';

/** Empty where it cannot be read. */
export const textOf = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

export const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** The path itself, or the nearest folder above it that is there. */
export async function nearestFolder(path: string): Promise<string> {
  let here = path;
  while (!(await isThere(here)) && here !== dirname(here)) here = dirname(here);
  return realpath(here).catch(() => here);
}

/** What the kernel's table of mounts says of a real path; null where it says nothing. */
export interface Mount {
  readonly point: string;
  readonly filesystem: string;
  readonly readOnly: boolean;
}

export function mountOf(table: string, path: string): Mount | null {
  let best: Mount | null = null;
  for (const line of table.split('\n')) {
    const [, point = '', filesystem = '', options = ''] = line.split(' ').map(unescaped);
    if (point === '' || !(path === point || path.startsWith(point === '/' ? '/' : `${point}/`))) continue;
    // Of two on one place the later one hides the earlier.
    if (best === null || point.length >= best.point.length)
      best = { point, filesystem, readOnly: options.split(',').includes('ro') };
  }
  return best;
}

/** `\040` is a space. */
const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

export async function seeMount(path: string): Promise<Mount | null> {
  return mountOf(await textOf('/proc/mounts'), await nearestFolder(path));
}

export async function seeDisk(state: string): Promise<DiskFacts> {
  const folder = await nearestFolder(state);
  const mount = await seeMount(folder);
  const facts = await statfs(folder).catch(() => null);
  return {
    folder,
    freeBytes: facts === null ? null : facts.bavail * facts.bsize,
    freeFiles: facts === null || facts.files === 0 ? null : facts.ffree,
    readOnly: mount?.readOnly ?? false,
  };
}
