// Whether a certificate names the server we asked for: RFC 9525 section 6 (RFC 7817 for mail) on the names as
// they were signed. The common name never counts, a wildcard only as the whole left-most label, an address only
// as octets. The reference name comes from the configuration alone, never from DNS or the server.

import { isIPv6 } from 'node:net';
import type { Endpoint } from '../endpoint.ts';
import { type Fault, orderFaults } from './fault.ts';
import type { GeneralName } from './general-name.ts';

/** The names of one certificate. SRV-IDs are shown in descriptions; they match nothing as long as no endpoint is found by SRV. */
export interface PresentedNames {
  readonly alternative: readonly GeneralName[];
  readonly common: readonly string[];
}

export interface IdentityMatch {
  readonly match: boolean;
  /** Empty when it matches. */
  readonly faults: readonly Fault[];
}

const lower = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** An address in the one spelling that general-name.ts gives to octets. */
const addressOf = (host: string): string =>
  isIPv6(host) ? new URL(`http://[${host}]`).hostname.slice(1, -1) : host;

/** `*` as the whole left-most label, at least two labels behind it, no other wildcard. */
const isWildcard = (name: string): boolean =>
  name.startsWith('*.') && !name.includes('*', 1) && name.slice(2).split('.').length >= 2;

const dnsMatches = (presented: string, host: string): boolean => {
  const name = lower(presented);
  if (!name.includes('*')) return name === host;
  const dot = host.indexOf('.');
  return isWildcard(name) && dot > 0 && host.slice(dot) === name.slice(1) && !name.split('.').includes('', 1);
};

/** A label with `*` anywhere, read as file name patterns are. Linear: nothing a peer sent is run as an expression. */
const looselyCoversLabel = (pattern: string, label: string): boolean => {
  const [front = '', ...others] = pattern.split('*');
  const back = others.at(-1);
  if (back === undefined) return pattern === label;
  return label.startsWith(front) && label.endsWith(back) && label.length >= front.length + back.length;
};

/** Whether a wildcard would cover the host when read as loosely as anybody ever read one. A name without one covers itself. */
const looselyCovers = (presented: string, host: string): boolean => {
  const patterns = lower(presented).split('.');
  const labels = host.split('.');
  const whole = patterns.length === labels.length;
  return (
    presented === '*' ||
    (whole && patterns.every((pattern, at) => looselyCoversLabel(pattern, labels[at] ?? '')))
  );
};

const ipMatch = (names: PresentedNames, host: string): IdentityMatch => {
  const address = addressOf(host);
  if (names.alternative.some(({ type, value }) => type === 'ip' && value === address))
    return { match: true, faults: [] };
  const none = !names.alternative.some(({ type }) => type === 'ip' || type === 'dns');
  return {
    match: false,
    faults: [none && names.common.some((name) => lower(name) === host) ? 'name-only-in-cn' : 'name-mismatch'],
  };
};

const dnsMatch = (names: PresentedNames, host: string): IdentityMatch => {
  const dns = names.alternative.flatMap(({ type, value }) => (type === 'dns' ? [value] : []));
  if (dns.some((name) => dnsMatches(name, host))) return { match: true, faults: [] };
  const onlyInCn = dns.length === 0 && names.common.some((name) => dnsMatches(name, host));
  const found: Fault[] = [onlyInCn ? 'name-only-in-cn' : 'name-mismatch'];
  if (dns.some((name) => looselyCovers(name, host))) found.push('wildcard-misused');
  return { match: false, faults: orderFaults(found) };
};

/**
 * Matches the names against the endpoint. When nothing matches, exactly one of `name-mismatch` and `name-only-in-cn`
 * is listed: the latter where readers of old would have taken the common name, for want of a DNS name beside it.
 * `wildcard-misused` comes with it where only a wildcard that may not stand so would have covered the name. A misused
 * wildcard beside a name that matches is no fault: it is just no name.
 */
export const matchIdentity = (names: PresentedNames, endpoint: Endpoint): IdentityMatch => {
  switch (endpoint.kind) {
    case 'ip':
      return ipMatch(names, endpoint.host);
    case 'dns':
      return dnsMatch(names, endpoint.host);
  }
};
