// From the name of a group to its number. Only /etc/group is read: Node cannot ask the system.

import { readFile } from 'node:fs/promises';
import { CommandError } from '../errors.ts';

/** A number stands for itself. Throws CommandError `config` for a name that is not there. */
export async function groupId(group: string): Promise<number> {
  if (/^\d{1,9}$/.test(group)) return Number(group);
  const table = await readFile('/etc/group', 'utf8').catch(() => '');
  for (const line of table.split('\n')) {
    const [name, , gid] = line.split(':');
    if (name === group && gid !== undefined) return Number(gid);
  }
  throw new CommandError('config', `there is no group ${group} on this machine`, {
    hint: 'Only /etc/group is read: of a group that stands elsewhere give the number.',
  });
}
