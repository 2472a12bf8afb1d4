// The sockets a service manager passed under one name are all used; systemd may give several one name.

import type { Door, Listening } from './door.ts';
import { listeningAt } from './door.ts';
import type { Inherited } from './inherited.ts';
import { refuseOpen } from './listen-tcp.ts';
import type { ListenPlace } from './route.ts';

type FdPlace = Extract<ListenPlace, { kind: 'fd' }>;

export interface ListenFdOptions {
  readonly reach: 'loopback' | 'anywhere';
  readonly open: ReadonlyMap<string, Door>;
  readonly inherited: Inherited;
}

/** Throws CommandError: code `listen-unsafe` or `listen-failed`. */
export async function listenFd(
  { name }: FdPlace,
  { reach, open, inherited }: ListenFdOptions,
): Promise<Listening> {
  const doors = await inherited.doors(name);
  if (reach === 'loopback') for (const { address } of doors) if (address !== null) refuseOpen(address);
  return listeningAt(doors, { opened: doors.filter((door) => !open.has(door.key)) });
}
