// Where a process finds the pins of its user: at the socket somebody named; at the daemons everybody looks for;
// in a state directory. A socket another user of the machine could have put there is asked nothing.

import { resolve } from 'node:path';
import { doubtOf, socketsToTry } from '../admin/find.ts';
import { maxSocketPathBytes } from '../admin/socket-path.ts';
import { defaultSocket, defaultState, thisHome } from '../config/paths.ts';
import { checkOwned, pathsIn } from '../store/directory.ts';
import { codeOf } from '../store/database.ts';

export interface PlaceOptions {
  /** The state directory; null for the user's own, or that of the daemon that is found. */
  readonly state: string | null;
  /** The admin socket of the daemon that is meant; null to look for one. */
  readonly socket: string | null;
  readonly env: NodeJS.ProcessEnv;
  /** Well-known sockets; a test has its own. */
  readonly wellKnown?: readonly string[];
}

export interface Place {
  /** Admin sockets, asked in this order. */
  readonly daemons: readonly string[];
  /** Absolute. */
  readonly directory: string;
}

/** Whoever names a state directory means its pins: a daemon of another state is not asked, whoever runs it. */
export function placeOf({ state, socket, env, wellKnown }: PlaceOptions): Place {
  const home = thisHome(env);
  const directory = resolve(state ?? defaultState(home));
  if (socket !== null) return { daemons: [socket], directory };
  if (state !== null) return { daemons: [], directory };
  const lookup = { flag: null, config: null, env, stateSocket: defaultSocket(directory, home) };
  return {
    daemons: socketsToTry({ ...lookup, ...(wellKnown === undefined ? {} : { wellKnown }) }),
    directory,
  };
}

export type Fitness = 'fit' | 'absent' | 'denied' | { readonly doubt: string };

/** Whether the socket may be asked. Never rejects. */
export async function fitnessOf(path: string): Promise<Fitness> {
  if (Buffer.byteLength(path) > maxSocketPathBytes)
    return { doubt: `its path is longer than ${maxSocketPathBytes} bytes` };
  try {
    const doubt = await doubtOf(path);
    return doubt === null ? 'fit' : { doubt };
  } catch (error) {
    const code = codeOf(error);
    return code === 'EACCES' || code === 'EPERM' ? 'denied' : 'absent';
  }
}

/** The socket beside the pins, once the directory is known to be ours alone. @throws StoreError `store-permissions` */
export async function ownSocket(directory: string): Promise<string> {
  const paths = pathsIn(directory);
  await checkOwned(paths);
  return paths.socket;
}
