// Whether a name lies in a subtree of RFC 5280 section 4.2.1.10. A wildcard stands for many names: it is `inside`
// when all of them are, and `touches` when one of them is. What is not well-formed is inside nothing and touches all.

import type { BoundName } from './bound-name.ts';

export interface Relation {
  readonly inside: boolean;
  readonly touches: boolean;
}

const apart: Relation = { inside: false, touches: false };
const within: Relation = { inside: true, touches: true };
/** Of a name or a base that means nothing certain. */
const doubtful: Relation = { inside: false, touches: true };

const plain = (inside: boolean): Relation => (inside ? within : apart);

const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const isHost = (text: string): boolean =>
  text.length <= 253 && text.split('.').every((part) => label.test(part));

/** `.example.org` is for what lies below alone; the standard has that for URIs only, but it is used for DNS names too. */
const below = (host: string, base: string): boolean =>
  host.endsWith(base.startsWith('.') ? base : `.${base}`);

const dnsRelation = (name: string, base: string): Relation => {
  const root = base.replace(/^\./, '');
  if (base !== '' && !isHost(root)) return doubtful;
  const wildcard = name.startsWith('*.');
  const host = wildcard ? name.slice(2) : name;
  if (!isHost(host)) return doubtful;
  if (base === '') return within;
  if (!wildcard) return plain(host === base || below(host, base));
  if (host === root || below(host, base)) return within;
  // `*.example.org` can be `mail.example.org`, but never what lies below that.
  const covered = base.endsWith(`.${host}`) && !base.slice(0, -host.length - 1).includes('.');
  return { inside: false, touches: covered };
};

/** A host by itself, `.host` for the hosts below, or a whole mailbox. */
const emailRelation = (name: string, base: string): Relation => {
  const at = name.lastIndexOf('@');
  const host = name.slice(at + 1);
  const root = base.slice(base.lastIndexOf('@') + 1).replace(/^\./, '');
  if (at < 1 || !isHost(host) || !isHost(root)) return doubtful;
  if (base.includes('@')) return plain(name === base);
  return plain(base.startsWith('.') ? host.endsWith(base) : host === base);
};

/** The host of a URI; null where there is none that is a name: the standard refuses those under any constraint. */
const hostOf = (uri: string): string | null => {
  const [, host] = /^[a-z][a-z0-9+.-]*:\/\/(?:[^@/?#]*@)?([^@/?#:[\]]+)(?::\d*)?(?:[/?#]|$)/.exec(uri) ?? [];
  return host === undefined || !isHost(host) || /^[\d.]+$/.test(host) ? null : host;
};

const uriRelation = (name: string, base: string): Relation => {
  const host = hostOf(name);
  if (host === null || !isHost(base.replace(/^\./, ''))) return doubtful;
  return plain(base.startsWith('.') ? host.endsWith(base) : host === base);
};

/** Octets of an address and its mask; the mask is ones, then zeros. */
const isMask = (mask: Uint8Array): boolean => {
  const bits = [...mask].map((octet) => octet.toString(2).padStart(8, '0')).join('');
  return /^1*0*$/.test(bits);
};

const ipRelation = (name: Uint8Array, base: Uint8Array): Relation => {
  const half = base.length / 2;
  const mask = base.subarray(half);
  if ((half !== 4 && half !== 16) || !isMask(mask)) return doubtful;
  if (name.length !== 4 && name.length !== 16) return doubtful;
  if (name.length !== half) return apart;
  return plain(name.every((octet, at) => ((octet ^ (base[at] ?? 0)) & (mask[at] ?? 0) & 0xff) === 0));
};

const directoryRelation = (name: readonly string[] | null, base: readonly string[] | null): Relation => {
  if (name === null || base === null) return doubtful;
  return plain(base.length <= name.length && base.every((part, at) => part === name[at]));
};

/** Null where the base says nothing about names of this form. */
export const relationOf = (name: BoundName, base: BoundName): Relation | null => {
  if (name.form === 'dns' && base.form === 'dns') return dnsRelation(name.text, base.text);
  if (name.form === 'email' && base.form === 'email') return emailRelation(name.text, base.text);
  if (name.form === 'uri' && base.form === 'uri') return uriRelation(name.text, base.text);
  if (name.form === 'ip' && base.form === 'ip') return ipRelation(name.octets, base.octets);
  if (name.form === 'directory' && base.form === 'directory')
    return directoryRelation(name.parts, base.parts);
  if (name.form === 'other' && base.form === 'other') return name.of === base.of ? doubtful : null;
  return null;
};
