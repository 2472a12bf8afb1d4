// Who on this machine knows whether the clock is synchronised. The kernel does, but Node cannot ask it.

import { execFile } from 'node:child_process';
import type { ClockFacts, SyncState } from '../checks/clock.ts';
import { isThere } from './files.ts';

type Sync = Pick<ClockFacts, 'sync' | 'source'>;

const answerMs = 3_000;

export async function seeSync(env: NodeJS.ProcessEnv): Promise<Sync> {
  // systemd-timesyncd makes it once it has set the clock (systemd-timesyncd.service(8)).
  if (await isThere('/run/systemd/timesync/synchronized'))
    return { sync: 'synchronised', source: 'systemd-timesyncd' };
  const [chrony, timedatectl] = await Promise.all([
    output('chronyc', ['-n', 'tracking'], env),
    output('timedatectl', ['show', '--property=NTPSynchronized'], env),
  ]);
  const said: readonly Sync[] = [
    { sync: chronyState(chrony), source: 'chronyc' },
    { sync: timedatectlState(timedatectl), source: 'timedatectl' },
  ];
  return said.find(({ sync }) => sync !== 'unknown') ?? { sync: 'unknown', source: null };
}

export function chronyState(text: string): SyncState {
  const [, leap] = /^Leap status\s*:\s*(.+)$/m.exec(text) ?? [];
  if (leap === undefined) return 'unknown';
  return leap.trim() === 'Not synchronised' ? 'unsynchronised' : 'synchronised';
}

export function timedatectlState(text: string): SyncState {
  const [, answer] = /^NTPSynchronized=(yes|no)$/m.exec(text) ?? [];
  if (answer === undefined) return 'unknown';
  return answer === 'yes' ? 'synchronised' : 'unsynchronised';
}

/** Empty where there is no such program, or it does not answer. */
function output(program: string, words: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve) => {
    const options = { timeout: answerMs, maxBuffer: 65_536, env: { PATH: env['PATH'] ?? '', LC_ALL: 'C' } };
    execFile(program, [...words], options, (error, stdout) => resolve(error === null ? stdout : ''));
  });
}
