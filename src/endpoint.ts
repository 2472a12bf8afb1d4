// The unit of trust: canonical `name:port`. A key pinned for one endpoint vouches for no other, so two
// spellings of one name must never become two endpoints, and two names never one. What is not plainly a name
// or plainly an address is refused, never guessed (RFC 5890 A-labels, RFC 1123 section 2.1, RFC 5952).

import { isIPv4, isIPv6 } from 'node:net';
import { decodePunycode, encodePunycode } from './punycode.ts';

/** Canonical endpoint. `name` is the map key everywhere: `imap.example.org:993`, `[2001:db8::1]:993`. */
export interface Endpoint {
  readonly name: string;
  /** A-label host in lower case, dotted IPv4, or RFC 5952 IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly kind: 'dns' | 'ip';
}

/** A host in its one canonical spelling, without brackets. */
export type Host = Pick<Endpoint, 'host' | 'kind'>;

/**
 * The endpoint of a host as a person wrote it (percent-encoding, capitals, U-labels, one final dot, brackets
 * are all fine) and a port.
 * @throws RangeError naming the value and the way out
 */
export function endpointOf(host: string, port: number): Endpoint {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new RangeError(`${String(port)} is not a port: use a number from 1 to 65535`);
  }
  const canonical = canonicalHost(host);
  return { ...canonical, port, name: `${bracketed(canonical.host)}:${port}` };
}

/**
 * Reads `host:port`, an IPv6 address in brackets. Its own output's `name` reads back as the same endpoint.
 * @throws RangeError naming the value and the way out
 */
export function parseEndpoint(text: string): Endpoint {
  const found = /^(\[[^[\]]*\]|[^:[\]]*):([^:]*)$/s.exec(text);
  if (found === null) throw new RangeError(`${quoted(text)} is not an endpoint: ${endpointHint(text)}`);
  return endpointOf(found[1] ?? '', parsePort(found[2] ?? ''));
}

/** A port written in decimals, 1 to 65535. @throws RangeError */
export function parsePort(text: string): number {
  const port = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535)
    throw new RangeError(`${quoted(text)} is not a port: use a number from 1 to 65535`);
  return port;
}

/**
 * The canonical spelling of a DNS name or address.
 * @throws RangeError naming the value and the way out
 */
export function canonicalHost(text: string): Host {
  const host = percentDecoded(text);
  if (host.startsWith('[') || host.includes(':')) return { host: ipv6Of(host), kind: 'ip' };
  if (isIPv4(host)) return { host, kind: 'ip' };
  return { host: dnsNameOf(host), kind: 'dns' };
}

/** A canonical host as it stands before `:port`: an IPv6 address gets its brackets. */
export const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

function percentDecoded(text: string): string {
  try {
    // A zone (`%eth0`) is not percent-encoding; it is left for the address reader to name.
    return /%(?![0-9a-f]{2})/i.test(text) ? text : decodeURIComponent(text);
  } catch {
    throw new RangeError(`${quoted(text)} is not a host: its percent-encoding is not UTF-8`);
  }
}

function ipv6Of(host: string): string {
  const inner = /^\[(.*)\]$/s.exec(host)?.[1] ?? host;
  if (inner.includes('%'))
    throw new RangeError(`${quoted(host)} has a zone: name the server or use an address without %zone`);
  if (!isIPv6(inner))
    throw new RangeError(`${quoted(host)} is not an IPv6 address: write it as [2001:db8::1]`);
  const canonical = new URL(`http://[${inner}]`).hostname.slice(1, -1);
  if (canonical.startsWith('::ffff:')) {
    throw new RangeError(
      `${quoted(host)} is an IPv4 address in IPv6 form: write it as four decimals, like 192.0.2.1`,
    );
  }
  return canonical;
}

function dnsNameOf(host: string): string {
  const name = asciiOf(host);
  if (name.length > 253)
    throw new RangeError(`${quoted(host)} is longer than 253 characters: no DNS name is`);
  for (const label of name.split('.')) assertLabel(label, host);
  // WHATWG's "ends in a number": resolvers read such names as addresses in octal, hexadecimal or short form.
  if (/(?:^|\.)(?:\d+|0x[0-9a-f]*)$/.test(name)) {
    throw new RangeError(
      `${quoted(host)} turns into an address: write an IPv4 address as four decimals, like 192.0.2.1`,
    );
  }
  return name;
}

function assertLabel(label: string, host: string): void {
  if (label === '')
    throw new RangeError(`${quoted(host)} has an empty label: remove the extra dot or give the name`);
  if (label.length > 63)
    throw new RangeError(`${quoted(host)} has a label longer than 63 characters: no DNS name has`);
  if (!/^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/.test(label)) {
    throw new RangeError(`${quoted(host)} is not a host name: use letters, digits, hyphens inside, and dots`);
  }
}

/**
 * Lower-case A-labels without the one final dot. Not by the platform's converter: it answers differently from one
 * Node version to the next, and a key learnt for a name must stay with that name through an update.
 */
function asciiOf(host: string): string {
  if (/\p{ASCII}/u.test(host.replace(/[A-Za-z0-9._-]/g, ''))) {
    throw new RangeError(`${quoted(host)} is not a host name: use letters, digits, hyphens inside, and dots`);
  }
  return withoutFinalDot(host.replace(/[。．｡]/gu, '.'))
    .split('.')
    .map((label) => aLabelOf(label, host))
    .join('.');
}

/** The label as DNS has it; one that has no single spelling is refused. */
function aLabelOf(written: string, host: string): string {
  const label = mapped(written);
  const found = !isAscii(label)
    ? encodedLabel(label)
    : label.startsWith('xn--')
      ? checkedALabel(label)
      : label;
  if (found === null || found.includes('.')) {
    throw new RangeError(`${quoted(host)} is not a valid internationalised name: check its spelling`);
  }
  return found;
}

/** An A-label must be the one spelling of what it stands for (RFC 5890 section 2.3.2.1). */
function checkedALabel(label: string): string | null {
  const decoded = decodePunycode(label.slice(4));
  if (decoded === null || isAscii(decoded) || !isSettled(decoded)) return null;
  return `xn--${encodePunycode(decoded)}` === label ? label : null;
}

/** A U-label of letters, marks and digits; symbols and joiners are taken only as a written A-label. */
function encodedLabel(label: string): string | null {
  const lettersOnly = /^[\p{L}\p{N}_](?:[\p{L}\p{M}\p{N}_-]*[\p{L}\p{M}\p{N}_])?$/u.test(label);
  return lettersOnly && !label.startsWith('xn--') && isSettled(label) ? `xn--${encodePunycode(label)}` : null;
}

/** Small letters of plain width; each character by itself, as the case of one must not hang on its neighbours. */
const mapped = (text: string): string =>
  Array.from(text, (char) => (char === 'ς' ? char : folded(char)))
    .join('')
    .normalize('NFKC');

const folded = (char: string): string =>
  char.toLowerCase().normalize('NFKC').toLowerCase().replaceAll('ς', 'σ');

/**
 * Nothing in the label has another spelling or none: no case or width to fold (ß and ς stand for themselves), no
 * control, blank, unassigned or ignorable character but the joiners, no other dot, no mark at the start.
 */
const isSettled = (label: string): boolean =>
  label.normalize('NFKC') === label &&
  !/(?![ßς\u200c\u200d])[\p{Changes_When_NFKC_Casefolded}\p{C}\p{Z}。]|^[\p{M}\u200c\u200d]/u.test(label);

const isAscii = (text: string): boolean => /^\p{ASCII}*$/u.test(text);

const withoutFinalDot = (name: string): string => (name.endsWith('.') ? name.slice(0, -1) : name);

function endpointHint(text: string): string {
  if (/^[^[\]]*:[^[\]]*:/s.test(text) && !text.includes('/'))
    return 'write an IPv6 address in brackets, like [2001:db8::1]:993';
  if (text.includes('//')) return 'give host:port without a scheme, like imap.example.org:993';
  return 'give host:port, like imap.example.org:993';
}

/**
 * The value as people may see it: bounded, and nothing in it can move a terminal's cursor or direction. Before an @, which
 * is in no name, stands a login.
 */
function quoted(written: string): string {
  const text = written.replace(/^.*(?=@)/s, (login) => '*'.repeat(login.length));
  const short = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return `"${short.replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`)}"`;
}
