// Whether the folder of a socket file is safe from others.

import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CommandError } from '../errors.ts';
import { codeOf } from '../net/failure.ts';

export async function refuseUnsafeFolder(path: string): Promise<void> {
  const folder = dirname(path);
  const facts = await stat(folder).catch((error: unknown) => {
    throw codeOf(error) === 'ENOENT' ? missing(folder, path) : error;
  });
  const uid = process.geteuid?.() ?? -1;
  if (!facts.isDirectory())
    throw new CommandError('config', `cannot listen on unix:${path}: ${folder} is not a folder`, {
      code: 'listen-failed',
    });
  if (facts.uid !== 0 && facts.uid !== uid)
    throw unsafe(path, `the folder ${folder} belongs to uid ${facts.uid}`, `chown ${uid} ${folder}`);
  const sticky = (facts.mode & 0o1000) !== 0;
  if ((facts.mode & 0o002) !== 0 && !sticky)
    throw unsafe(path, `everybody may replace files in ${folder}`, `chmod o-w ${folder}`);
  if ((facts.mode & 0o020) !== 0 && facts.gid !== 0 && !sticky)
    throw unsafe(path, `group ${facts.gid} may replace files in ${folder}`, `chmod g-w ${folder}`);
}

const missing = (folder: string, path: string): CommandError =>
  new CommandError('config', `cannot listen on unix:${path}: the folder ${folder} does not exist`, {
    code: 'listen-failed',
    hint: `mkdir -p -m 0755 ${folder} (as the user letterlock runs as), or RuntimeDirectory= in its service unit.`,
  });

const unsafe = (path: string, why: string, mend: string): CommandError =>
  new CommandError('config', `cannot listen on unix:${path}: ${why}`, {
    code: 'listen-unsafe',
    hint: `Somebody else could put a socket of their own there and read passwords: ${mend}, or name a folder of letterlock's own inside it.`,
  });
