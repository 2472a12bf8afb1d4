// Whether others could put something else where a socket file is to be: whoever may do that catches passwords.

import { dirname } from 'node:path';
import { CommandError } from '../errors.ts';
import { weakStep, type WeakStep } from '../store/weak-step.ts';

/** Throws CommandError `listen-unsafe`, or `listen-failed` where there is no folder; else what the system says. */
export async function refuseUnsafeFolder(path: string): Promise<void> {
  const weak = await weakStep(dirname(path), { groups: [] });
  if (weak !== null) throw errorOf(weak, path);
}

function errorOf(weak: WeakStep, path: string): CommandError {
  const { here } = weak;
  switch (weak.kind) {
    case 'foreign': {
      const option = weak.what === 'link' ? ' -h' : '';
      const mend = `chown${option} ${process.geteuid?.() ?? -1} ${here}`;
      return unsafe(path, `the ${weak.what} ${here} belongs to uid ${weak.uid}`, mend);
    }
    case 'everybody':
      return unsafe(path, `everybody may replace files in ${here}`, `chmod o-w ${here}`);
    case 'group':
      return unsafe(path, `group ${weak.gid} may replace files in ${here}`, `chmod g-w ${here}`);
    case 'absent':
      return missing(dirname(path), path);
    case 'no-folder':
      return new CommandError('config', `cannot listen on unix:${path}: ${here} is not a folder`, {
        code: 'listen-failed',
      });
  }
}

const missing = (folder: string, path: string): CommandError =>
  new CommandError('config', `cannot listen on unix:${path}: the folder ${folder} does not exist`, {
    code: 'listen-failed',
    hint: `mkdir -p -m 0755 ${folder} (as the user letterlock runs as), or RuntimeDirectory= in its service unit.`,
  });

const unsafe = (path: string, why: string, mend: string): CommandError =>
  new CommandError('config', `cannot listen on unix:${path}: ${why}`, {
    code: 'listen-unsafe',
    hint: `Somebody else could put a socket of their own there and read passwords: ${mend}, or choose a folder that is letterlock's or root's, with all above it.`,
  });
