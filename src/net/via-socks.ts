// SOCKS version 5 (RFC 1928) with user name and password (RFC 1929), CONNECT only. Names go out as names, so that
// no resolver here learns them and `.onion` names work; of ourselves nothing is said but the login configured.

import { isIPv4, isIPv6 } from 'node:net';
import {
  failedVia,
  refusedVia,
  type ViaEnd,
  type ViaLogin,
  type ViaSteps,
  type ViaTalk,
  type ViaTarget,
} from './via-talk.ts';

const version = 5;
const loginVersion = 1;
const methods = { none: 0x00, login: 0x02, nothingGoes: 0xff } as const;
const addressTypes = { ipv4: 1, name: 3, ipv6: 4 } as const;

/** RFC 1928 section 6, and Tor's own for onion services (its proposal 304). */
const replies: Readonly<Record<number, readonly [words: string, passes: 'passes' | 'stays']>> = {
  0x01: ['general failure', 'passes'],
  0x02: ['not allowed by its rules', 'stays'],
  0x03: ['network unreachable', 'passes'],
  0x04: ['host unreachable, or its name is unknown', 'passes'],
  0x05: ['connection refused', 'passes'],
  0x06: ['TTL expired', 'passes'],
  0x07: ['CONNECT is not supported', 'stays'],
  0x08: ['this kind of address is not supported', 'stays'],
  0xf0: ['the onion service was not found', 'passes'],
  0xf1: ['the onion service’s descriptor is invalid', 'stays'],
  0xf2: ['the introduction to the onion service failed', 'passes'],
  0xf3: ['the rendezvous with the onion service failed', 'passes'],
  0xf4: ['the onion service asks for client authorization', 'stays'],
  0xf5: ['the onion service did not accept the client authorization', 'stays'],
  0xf6: ['the onion name is not valid', 'stays'],
  0xf7: ['the introduction to the onion service took too long', 'passes'],
};

/** @throws RangeError for a login or name that does not fit into its length byte; the configuration lets none through */
export function* socksTalk(target: ViaTarget, login: ViaLogin | null): ViaTalk {
  const offered = login === null ? [methods.none] : [methods.none, methods.login];
  const choice = yield { send: Buffer.from([version, offered.length, ...offered]), read: 2 };
  if (choice[0] !== version) return refusedVia('it does not speak SOCKS 5');
  const denied = yield* authenticate(choice[1], login);
  if (denied !== null) return denied;
  const request = Buffer.concat([
    Buffer.from([version, 1, 0]),
    addressOf(target.host),
    Buffer.from([target.port >> 8, target.port & 0xff]),
  ]);
  const reply = yield { send: request, read: 4 };
  if (reply[0] !== version || reply[2] !== 0) return refusedVia('its reply is not one of SOCKS 5');
  if (reply[1] !== 0) return saidNo(reply[1] ?? 0xff);
  return yield* swallowBound(reply[3]);
}

/** Null when the request may follow. */
function* authenticate(method: number | undefined, login: ViaLogin | null): ViaSteps<ViaEnd | null> {
  if (method === methods.none) return null;
  if (method === methods.nothingGoes)
    return refusedVia(login === null ? 'it asks for a login' : 'it takes none of the ways to log in');
  if (method !== methods.login || login === null) return refusedVia('it chose a login that was not offered');
  const user = counted(login.user);
  const status = yield {
    send: Buffer.concat([Buffer.from([loginVersion]), user, counted(login.password)]),
    read: 2,
  };
  return status[1] === 0 ? null : refusedVia('it did not accept the login');
}

/** The address the proxy connected from: of no interest, but the bytes after it are the server's. */
function* swallowBound(type: number | undefined): ViaTalk {
  const length = yield* boundBytes(type);
  if (length === null) return refusedVia('its reply holds no address');
  yield { send: nothing, read: length + 2 };
  return { opened: true };
}

/** Of the address without its port; null for a type there is not. */
function* boundBytes(type: number | undefined): ViaSteps<number | null> {
  if (type === addressTypes.ipv4) return 4;
  if (type === addressTypes.ipv6) return 16;
  if (type !== addressTypes.name) return null;
  const [length = 0] = yield { send: nothing, read: 1 };
  return length;
}

function saidNo(code: number): ViaEnd {
  const [words, passes] = replies[code] ?? ['a reply without a meaning', 'stays'];
  const detail = `${words} (reply ${code})`;
  return passes === 'passes' ? failedVia(detail) : refusedVia(detail);
}

function addressOf(host: string): Uint8Array {
  if (isIPv4(host)) return Buffer.from([addressTypes.ipv4, ...host.split('.').map(Number)]);
  if (isIPv6(host)) return Buffer.from([addressTypes.ipv6, ...ipv6Octets(host)]);
  return Buffer.concat([Buffer.from([addressTypes.name]), counted(host)]);
}

/** Sixteen octets; the platform's URL reader writes every form as groups of hexadecimals with one `::` at most. */
function ipv6Octets(host: string): readonly number[] {
  const [front = '', back] = new URL(`http://[${host}]`).hostname.slice(1, -1).split('::');
  const head = groupsOf(front);
  const tail = groupsOf(back ?? '');
  const zeros = Array.from({ length: back === undefined ? 0 : 8 - head.length - tail.length }, () => 0);
  return [...head, ...zeros, ...tail].flatMap((group) => [group >> 8, group & 0xff]);
}

const groupsOf = (text: string): readonly number[] =>
  text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));

/** The length in one byte, then the text in UTF-8. */
function counted(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length > 255) throw new RangeError('SOCKS takes names, users and passwords of 255 bytes at most');
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

const nothing = new Uint8Array(0);
