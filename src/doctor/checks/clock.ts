// Is the clock right? Certificates are judged by it, so a wrong one refuses good servers and takes expired ones.

import { finding, type Finding } from '../finding.ts';

export type SyncState = 'synchronised' | 'unsynchronised' | 'unknown';

export interface ClockFacts {
  readonly now: number;
  /** When this letterlock was built: no right clock shows less. */
  readonly builtAt: number;
  readonly sync: SyncState;
  /** Who said so; null where nobody could be asked. */
  readonly source: string | null;
  /** The clock is the host's. */
  readonly container: string | null;
}

/** Nobody runs a release for so long; a clock may well be wrong by centuries. */
const tooLateMs = 15 * 365.25 * 86_400_000;

export function checkClock(facts: ClockFacts): readonly Finding[] {
  const { now, builtAt, sync, source, container } = facts;
  const shows = new Date(now).toISOString().slice(0, 19) + 'Z';
  if (now < builtAt || now - builtAt > tooLateMs)
    return [
      finding('clock', 'fault', {
        message: `the clock shows ${shows}, and this letterlock was built on ${new Date(builtAt).toISOString().slice(0, 10)}`,
        meaning:
          'Every certificate would be judged by a wrong date: letterlock accepts no first use and no CA (clock-suspect).',
        advice:
          container === null
            ? 'Set the clock: timedatectl set-ntp true, or chronyc makestep.'
            : 'Set the clock of the host.',
      }),
    ];
  if (sync === 'synchronised')
    return [
      finding('clock', 'ok', { message: `${shows}, synchronised (${source ?? 'the system'} says so)` }),
    ];
  if (sync === 'unsynchronised')
    return [
      finding('clock', 'warning', {
        message: `${shows}, and ${source ?? 'the system'} says that it is not synchronised`,
        meaning: 'A clock that drifts calls good certificates expired, or not valid yet.',
        advice: 'Run a time service: timedatectl set-ntp true, or install chrony.',
      }),
    ];
  if (container !== null)
    return [
      finding('clock', 'note', {
        message: `${shows}; whether it is right cannot be told in a container`,
        meaning: 'It is the clock of the host: look there.',
      }),
    ];
  return [
    finding('clock', 'note', {
      message: `${shows}; nobody here can say whether it is synchronised`,
      meaning: 'Neither systemd-timesyncd, timedatectl nor chrony answered.',
      advice: 'Compare it with a clock you trust, or install chrony.',
    }),
  ];
}
