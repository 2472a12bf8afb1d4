// Who listens on a port already, as far as the kernel tells: /proc/net/tcp and tcp6 on Linux, nothing
// elsewhere. For the message only; it decides nothing, because it is true only for the moment it was read.

import { readFile } from 'node:fs/promises';

const listening = '0A';

export interface PortOwner {
  readonly uid: number;
  /** From /etc/passwd; null when the uid has no name there. */
  readonly user: string | null;
}

/** The owner of the first listening socket on `port`, of any family and address; null when it cannot be found. */
export async function findPortOwner(port: number): Promise<PortOwner | null> {
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const uid = uidOfListener(await readText(table), port);
    if (uid !== null) return { uid, user: userNamed(await readText('/etc/passwd'), uid) };
  }
  return null;
}

/** Reads one table of the kernel: local address second, state fourth, uid eighth, inode tenth. */
export function uidOfListener(table: string, port: number): number | null {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const line of table.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    // Inode 0 is a socket that is going away, and its uid then reads 0.
    if (fields[1]?.endsWith(suffix) === true && fields[3] === listening && fields[9] !== '0')
      return Number(fields[7]);
  }
  return null;
}

function userNamed(passwd: string, uid: number): string | null {
  for (const line of passwd.split('\n')) {
    const fields = line.split(':');
    if (fields[2] === String(uid)) return fields[0] ?? null;
  }
  return null;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return '';
  }
}
