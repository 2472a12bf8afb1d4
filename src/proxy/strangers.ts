// Turns away clients of users whom the route does not serve (allowUsers). It is a look at the kernel's table
// at one moment, not authentication; docs/multi-user.md says what it cannot do. Whoever cannot be told is a
// stranger.

import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { isLoopback } from './address.ts';
import { ClientRejected } from './client-leg.ts';
import type { PeerTable } from './peer-table.ts';
import type { Route } from './route.ts';
import { unlessAborted } from './unless-aborted.ts';

/** The kernel shows this uid also for every user whom this process's user namespace has no number for. */
export const overflowUid = 65_534;

/** A row may be missed while the table changes: waits before the second look and those after it. */
const pausesMs = [10, 40, 120] as const;

export interface Strangeness {
  readonly route: Pick<Route, 'allowUsers'>;
  readonly peers: PeerTable;
  readonly signal: AbortSignal;
}

/** Reads and writes nothing. Throws ClientRejected `peer-uid`, or the signal's reason. */
export async function refuseStrangers(client: Socket, { route, peers, signal }: Strangeness): Promise<void> {
  if (route.allowUsers === null) return;
  signal.throwIfAborted();
  const uid = await unlessAborted(peerUid(client, { peers, signal }), signal);
  if (uid === null)
    throw new ClientRejected('peer-uid', 'nothing tells which user this connection belongs to');
  if (uid === overflowUid || !route.allowUsers.includes(uid))
    throw new ClientRejected('peer-uid', `user ${uid} is not served here (allowUsers)`);
}

/** Whose connection it is; null when nothing tells. Rejects only with the signal's reason. */
export async function peerUid(
  client: Socket,
  { peers, signal }: Pick<Strangeness, 'peers' | 'signal'>,
): Promise<number | null> {
  const { remoteAddress, remotePort, localAddress, localPort } = client;
  if (remoteAddress === undefined || !isLoopback(remoteAddress)) return null;
  const ends = { remoteAddress, remotePort, localAddress, localPort };
  for (const ms of [...pausesMs, null]) {
    const uid = await peers.uidOf(ends);
    if (uid !== null || ms === null) return uid;
    await pause(ms, undefined, { signal });
  }
  return null;
}
