// Does the daemon have rights or habits that it does not need: those of root, and files with its memory when it crashes?

import { finding, type Finding } from '../finding.ts';

export interface ProcessFacts {
  /** Of the running daemon, or of this command. */
  readonly whose: 'daemon' | 'command';
  /** Null where the system has none, or does not tell. */
  readonly uid: number | null;
  /** Longest core file, octets; null where it cannot be told. */
  readonly coreBytes: number | null;
}

export function checkProcess({ whose, uid, coreBytes }: ProcessFacts): readonly Finding[] {
  const who = whose === 'daemon' ? 'the daemon' : 'a daemon started from here';
  const found: Finding[] = [];
  if (uid === 0)
    found.push(
      finding('process', whose === 'daemon' ? 'warning' : 'note', {
        message: `${who} runs as root`,
        meaning: 'It needs none of those rights, and a mistake in it would have all of them.',
        advice: 'Run it as a user of its own: docs/confinement.md, config/systemd/letterlock.service.',
      }),
    );
  if (coreBytes !== null && coreBytes > 0)
    found.push(
      finding('process', 'note', {
        message: `${who} leaves a core file when it crashes`,
        meaning: 'It would hold all of its memory, passwords that just passed among it.',
        advice: 'LimitCORE=0 in the systemd unit, ulimit -c 0 in a shell.',
      }),
    );
  if (found.length > 0) return found;
  if (uid === null)
    return [finding('process', 'note', { message: 'whose the process is cannot be told here' })];
  return [
    finding('process', 'ok', {
      message: `${who} is not root${coreBytes === null ? '' : ', and leaves no core files'}`,
    }),
  ];
}
