// The places a route can listen at: an address, a socket file, a socket of the service manager. Reads them as
// they are written, shows them so, and knows which of them exclude each other.

import { bracketed } from '../endpoint.ts';
import type { ListenPlace } from '../proxy/route.ts';
import { quoted, UnusableValue } from './unusable.ts';
import { isLoopback, parseListen } from './upstream.ts';
import type { Address } from './upstream.ts';

/** Nobody but the user of letterlock, where nothing else is written. */
const defaultMode = 0o600;

/** `HOST:PORT`, `unix:PATH` or `fd:NAME`; the path as written. @throws UnusableValue or RangeError */
export function parsePlace(text: string): ListenPlace {
  const [, kind, rest = ''] = /^(unix|fd):(.*)$/s.exec(text) ?? [];
  if (kind === 'unix') return unixPlace({ unix: rest });
  if (kind === 'fd') return { kind: 'fd', name: readFdName(rest) };
  if (/^\.{0,2}\//.test(text))
    throw new UnusableValue(`${quoted(text)} is not an address to listen on`, `write unix:${text}`);
  return { kind: 'tcp', ...parseListen(text) };
}

/** A place in its long form. */
export interface WrittenSocket {
  readonly unix: string;
  readonly mode?: string | undefined;
  readonly group?: string | undefined;
}

/** @throws UnusableValue */
export const unixPlace = ({ unix, mode, group }: WrittenSocket): ListenPlace => ({
  kind: 'unix',
  path: readSocketPath(unix),
  mode: mode === undefined ? defaultMode : readSocketMode(mode),
  group: group ?? null,
});

/** @throws UnusableValue */
export function readSocketPath(text: string): string {
  if (text === '' || text.includes('\0'))
    throw new UnusableValue(
      `${quoted(text)} is not the path of a socket`,
      'write unix:PATH, like unix:/run/mail.sock',
    );
  return text;
}

/** Others may be let in: such a socket is no worse than a port of loopback. @throws UnusableValue */
export function readSocketMode(text: string): number {
  const mode = readOctal(text);
  if ((mode & 0o600) !== 0o600)
    throw new UnusableValue(`${quoted(text)} shuts out the owner`, 'begin with 6, like "0600" or "0660"');
  return mode;
}

/** @throws UnusableValue */
export function readOctal(text: string): number {
  if (!/^0?[0-7]{3}$/.test(text))
    throw new UnusableValue(`"${text}" is not a file mode`, 'write it in quotes, like "0600" or "0660"');
  return Number.parseInt(text, 8);
}

/** As the service manager lists it in LISTEN_FDNAMES, where a colon ends a name. */
function readFdName(text: string): string {
  if (!/^[\x21-\x39\x3b-\x7e]{1,255}$/.test(text))
    throw new UnusableValue(
      `${quoted(`fd:${text}`)} names no socket`,
      'write fd:NAME, with the FileDescriptorName= of the socket unit',
    );
  return text;
}

/** As it is written in its short form. */
export function placeText(place: ListenPlace): string {
  switch (place.kind) {
    case 'tcp':
      return `${bracketed(place.host)}:${place.port}`;
    case 'unix':
      return `unix:${place.path}`;
    case 'fd':
      return `fd:${place.name}`;
  }
}

/** Whether the mode and group are those of the short form. */
export const isPlain = (place: ListenPlace): boolean =>
  place.kind !== 'unix' || (place.mode === defaultMode && place.group === null);

/** Whether other machines reach it, as far as its address tells; what is behind `fd:` shows when it is there. */
export const isOpen = (place: ListenPlace): boolean => place.kind === 'tcp' && !isLoopback(place.host);

/** Whether binding one place takes what the other needs. Paths are compared as they are: make them absolute first. */
export function overlaps(one: ListenPlace, other: ListenPlace): boolean {
  if (one.kind === 'tcp') return other.kind === 'tcp' && addressesOverlap(one, other);
  return placeText(one) === placeText(other);
}

function addressesOverlap(one: Address, other: Address): boolean {
  if (one.port !== other.port || one.port === 0) return false;
  return one.host === other.host || covers(one.host, other.host) || covers(other.host, one.host);
}

/** Whether whoever binds `wide` is found at `host` too. */
function covers(wide: string, host: string): boolean {
  if (wide === '::') return true;
  if (wide === '0.0.0.0') return !host.includes(':');
  return wide === 'localhost' && (host === '127.0.0.1' || host === '::1');
}
