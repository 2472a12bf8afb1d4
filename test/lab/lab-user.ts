// The unprivileged user the servers run as. As root: the system user letterlock-lab, made when it is missing
// and kept, as Debian keeps system users. Otherwise: whoever runs the tests.

import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { cleanEnvironment, run } from './run.ts';

export interface LabUser {
  readonly name: string;
  readonly group: string;
  readonly uid: number;
  readonly gid: number;
}

const systemName = 'letterlock-lab';

export async function labUser(): Promise<LabUser> {
  if (process.getuid?.() !== 0) return described(userInfo().username);
  // Two test files may try at once: what counts is that the user is there afterwards.
  await run(
    [
      'useradd',
      '--system',
      '--user-group',
      '--no-create-home',
      '--home-dir',
      '/nonexistent',
      '--shell',
      '/usr/sbin/nologin',
      systemName,
    ],
    {
      env: cleanEnvironment('/'),
    },
  );
  return described(systemName);
}

async function described(name: string): Promise<LabUser> {
  const [, , uid, gid] = await entry('/etc/passwd', (fields) => fields[0] === name);
  const [group = ''] = await entry('/etc/group', (fields) => fields[2] === gid);
  return { name, group, uid: Number(uid), gid: Number(gid) };
}

async function entry(
  file: string,
  wanted: (fields: readonly string[]) => boolean,
): Promise<readonly string[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').map((line) => line.split(':'));
  const found = lines.find(wanted);
  if (found === undefined) throw new Error(`no such entry in ${file}`);
  return found;
}
