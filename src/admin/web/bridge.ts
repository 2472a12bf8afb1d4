// The page without a daemon that serves it: a door of its own on 127.0.0.1, every question handed on to the
// daemon's socket. It lives as long as the command that opened it, and its tokens with it.

import { remoteOperator } from '../client.ts';
import type { Rejection } from '../rejection.ts';
import { builtPage, loadAssets } from './assets.ts';
import { openDoor } from './door.ts';
import type { WebDoor } from './door.ts';

export interface BridgeOptions {
  readonly socket: string;
  /** 0 for any. */
  readonly port: number;
  readonly now: () => number;
  readonly rejected: (reason: Rejection) => void;
}

/** @throws CommandError when the port cannot be had */
export async function openBridge({ socket, port, now, rejected }: BridgeOptions): Promise<WebDoor> {
  return openDoor({
    listen: { host: '127.0.0.1', port },
    assets: await loadAssets(builtPage),
    operator: remoteOperator(socket, { origin: 'admin' }),
    now,
    rejected,
    // Nobody scrapes a command; what it orders is told in the daemon's log.
    served: () => undefined,
    opened: () => undefined,
  });
}
