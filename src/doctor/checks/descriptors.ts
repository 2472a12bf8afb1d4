// Are there descriptors for as many connections as the configuration allows?

import { finding, type Finding } from '../finding.ts';

export interface DescriptorFacts {
  /** Open files that the daemon, or a daemon started from here, may have; null where it cannot be told. */
  readonly limit: number | null;
  /** Of the running daemon, or of this command. */
  readonly whose: 'daemon' | 'command';
  /** All clients that all routes together let in. */
  readonly connections: number;
  /** Connections kept ready. */
  readonly warm: number;
}

/** Log, store, listeners, names being looked up. */
const beside = 128;

export function checkDescriptors({ limit, whose, connections, warm }: DescriptorFacts): readonly Finding[] {
  // A client and its server; a second server while the first one is given up.
  const needed = connections * 2 + warm + beside;
  if (limit === null)
    return [finding('descriptors', 'note', { message: 'how many files may be open cannot be told here' })];
  const of = whose === 'daemon' ? 'the daemon' : 'a daemon started from here';
  if (limit >= needed)
    return [
      finding('descriptors', 'ok', {
        message: `${of} may open ${limit} files; ${needed} at most are needed`,
      }),
    ];
  return [
    finding('descriptors', 'warning', {
      message: `${of} may open ${limit} files, and limits.connections allows for ${needed}`,
      meaning: 'In a storm of clients connections would fail before the limit is reached that was chosen.',
      advice: `LimitNOFILE=${needed} in the systemd unit (ulimit -n in a shell), or fewer limits.connections.`,
    }),
  ];
}
