// What the kernel says of the socket behind an open descriptor (Linux, /proc). Node cannot ask whether a
// socket listens, and would make one listen that never did: an unbound one on every address there is.

import { readFile, readlink } from 'node:fs/promises';

/** `absent`: in no table of this network namespace. */
export type SocketState = 'listening' | 'not listening' | 'absent' | 'no socket';

/** Which field of a table's line holds the inode, and whether the line is one of a listening socket. */
const tables = [
  { path: '/proc/net/tcp', inode: 9, listens: (fields: readonly string[]) => fields[3] === '0A' },
  { path: '/proc/net/tcp6', inode: 9, listens: (fields: readonly string[]) => fields[3] === '0A' },
  // The flag is SO_ACCEPTCON.
  {
    path: '/proc/net/unix',
    inode: 6,
    listens: (fields: readonly string[]) => (Number.parseInt(fields[3] ?? '', 16) & 0x10000) !== 0,
  },
] as const;

/** Never rejects; what cannot be read is `no socket`. */
export async function socketState(fd: number): Promise<SocketState> {
  const target = await readlink(`/proc/self/fd/${fd}`).catch(() => '');
  const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
  if (inode === undefined) return 'no socket';
  for (const table of tables) {
    const text = await readFile(table.path, 'utf8').catch(() => '');
    for (const line of text.split('\n')) {
      const fields = line.trim().split(/\s+/);
      if (fields[table.inode] === inode) return table.listens(fields) ? 'listening' : 'not listening';
    }
  }
  return 'absent';
}
