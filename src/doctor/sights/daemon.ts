// The running daemon, where one answers: what it says of itself and of its store.

import { remoteOperator } from '../../admin/client.ts';
import { findDaemon, type Lookup } from '../../admin/find.ts';
import type { StatusShape, VerifyShape } from '../../admin/shapes.ts';
import { CommandError } from '../../errors.ts';
import type { DaemonFacts } from '../checks/daemon.ts';

export interface DaemonSight {
  readonly facts: DaemonFacts;
  readonly status: StatusShape | null;
  readonly verified: VerifyShape | null;
}

const answerMs = 10_000;

export async function seeDaemon(lookup: Lookup, ownVersion: string): Promise<DaemonSight> {
  const { path, tried } = await findDaemon(lookup);
  if (path === null) {
    const denied = tried.find(({ trouble }) => trouble === 'permission denied')?.path ?? null;
    return { facts: { state: 'absent', tried, denied }, status: null, verified: null };
  }
  const operator = remoteOperator(path, { deadlineMs: answerMs });
  try {
    const status = await operator.status();
    const verified = await operator.verify();
    const { version, pid, user, routes } = status;
    const troubled = routes
      .filter(({ state }) => state === 'refusing' || state === 'failing')
      .map(({ name, state }) => ({ route: name, state }));
    return {
      facts: { state: 'answers', socket: path, version, pid, user, ownVersion, troubled },
      status,
      verified,
    };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { facts: { state: 'odd', socket: path, message: error.message }, status: null, verified: null };
  }
}
