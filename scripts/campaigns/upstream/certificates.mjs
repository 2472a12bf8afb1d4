// Wrong certificates, under each policy and over both modes: no mode may be milder than another, and no exception may
// spread (C15, Geary's CVE-2020-24661). The names are those of authority.mjs.

import { goodSteps, pairs, script } from './script.mjs';

/** Without a record, under `ca`. */
const invalid = [
  ['self-signed', 'stranger'],
  ['of an unknown CA', 'foreign'],
  ['of an unknown CA, its root sent along', 'foreignWithRoot'],
  ['of a CA of the same name', 'namesakeCa'],
  ['for another name', 'otherName'],
  ['for localhost', 'localhost'],
  ['for the address it is reached at', 'address'],
  ['with the name in its subject only', 'nameInSubject'],
  ['with a wildcard in the middle of a label', 'partialWildcard'],
  ['with a wildcard for everything', 'wildcardAll'],
  ['with two wildcards', 'twoWildcards'],
  ['with a NUL in its name', 'nulName'],
  ['with a name behind a comma', 'commaName'],
  ['expired', 'expired'],
  ['of tomorrow', 'future'],
  ['for clients only', 'clientOnly'],
  ['signed with SHA-1', 'sha1'],
  ['with a key of 1024 bits', 'weakKey'],
  ['signed by one that is no CA', 'notACa'],
  ['below a CA that expired', 'oldCa'],
  ['without the one in between', 'incomplete'],
  ['below a CA for other names', 'constrained'],
  ['with a critical extension that nobody knows', 'criticalUnknown'],
  ['of an antivirus program', 'antivirus'],
  ['with escape sequences in its names', 'escapes'],
  ['with three hundred names of others', 'manyNames'],
].map(([name, identity]) => ({
  kind: 'certificate',
  name: `${name}, policy ca`,
  identity,
  route: { trust: 'ca' },
  ends: 'ca-invalid',
  needs: null,
}));

const huge = [
  {
    kind: 'huge chain',
    name: 'sixty certificates that do not belong',
    identity: 'longChain',
    route: { trust: 'ca' },
    ends: 'ca-invalid',
    needs: null,
  },
  {
    kind: 'huge chain',
    name: 'more than 100 KiB',
    identity: 'hugeChain',
    route: { trust: 'ca' },
    ends: 'tls-failed',
    needs: null,
  },
];

/** Where even a good key is none that may be learnt. */
const staysUnlearnt = ({ trust, firstUse }) =>
  trust === 'pinned' || (trust === 'tofu' && firstUse !== undefined);

/** What a first use must not take, by policy and setting. */
const unlearnt = [
  ['auto: expired, of a trusted CA', 'expired', {}, 'first-use-held'],
  ['auto: for another name, of a trusted CA', 'otherName', {}, 'first-use-held'],
  ['auto: for localhost, of a trusted CA', 'localhost', {}, 'first-use-held'],
  ['auto: an antivirus program', 'antivirus', {}, 'first-use-unsafe'],
  ['tofu: an antivirus program', 'antivirus', { trust: 'tofu' }, 'first-use-unsafe'],
  ['tofu: a key of 1024 bits', 'weakKey', { trust: 'tofu' }, 'first-use-unsafe'],
  ['tofu: a critical extension that nobody knows', 'criticalUnknown', { trust: 'tofu' }, 'first-use-unsafe'],
  ['auto: firstUse hold', 'stranger', { firstUse: 'hold' }, 'first-use-held'],
  ['auto: firstUse refuse', 'stranger', { firstUse: 'refuse' }, 'first-use-off'],
  ['tofu: firstUse hold', 'stranger', { trust: 'tofu', firstUse: 'hold' }, 'first-use-held'],
  ['tofu: firstUse refuse', 'stranger', { trust: 'tofu', firstUse: 'refuse' }, 'first-use-off'],
  ['ca+tofu: self-signed', 'stranger', { trust: 'ca+tofu' }, 'ca-invalid'],
  ['pinned: nothing is pinned', 'good', { trust: 'pinned' }, 'not-pinned'],
].map(([name, identity, route, ends]) => ({
  kind: 'first use',
  name,
  identity,
  route,
  ends,
  needs: 'route',
  after: staysUnlearnt(route) ? 'none' : 'same',
}));

/** Keys in the configuration that are not the one shown. */
const configured = [
  ['pinned: another key', 'good', { trust: 'pinned', pins: ['other'] }, 'pin-mismatch'],
  ['auto with pins: another key, of a trusted CA', 'good', { pins: ['other'] }, 'pin-mismatch'],
  ['tofu with pins: self-signed', 'stranger', { trust: 'tofu', pins: ['other'] }, 'pin-mismatch'],
].map(([name, identity, route, ends]) => ({
  kind: 'pin',
  name,
  identity,
  route,
  ends,
  needs: 'pins',
  after: 'none',
}));

/** A good session before, then somebody else (section 6: a certificate swapped later). */
const swapped = [
  ['tofu: another key, self-signed', 'stranger', { trust: 'tofu' }, 'pin-mismatch'],
  ['tofu: another key, of a trusted CA', 'other', { trust: 'tofu' }, 'pin-mismatch'],
  ['tofu: the same names, dates and serial with another key', 'double', { trust: 'tofu' }, 'pin-mismatch'],
  ['tofu: an antivirus program', 'antivirus', { trust: 'tofu' }, 'pin-mismatch'],
  ['ca+tofu: another key, of a trusted CA', 'other', { trust: 'ca+tofu' }, 'pin-mismatch'],
  ['ca+tofu: the same key in a certificate of its own', 'goodKeyAlone', { trust: 'ca+tofu' }, 'ca-lost'],
  ['ca+tofu: the same key, expired', 'goodKeyExpired', { trust: 'ca+tofu' }, 'ca-lost'],
  ['auto: self-signed after a CA', 'stranger', {}, 'ca-lost'],
  ['auto: expired after a CA', 'expired', {}, 'ca-lost'],
  ['auto: for another name after a CA', 'otherName', {}, 'ca-lost'],
  ['auto: an unknown CA after a CA', 'foreign', {}, 'ca-lost'],
  ['auto: the same key without its CA', 'goodKeyAlone', {}, 'ca-lost'],
  ['ca: self-signed after a CA', 'stranger', { trust: 'ca' }, 'ca-lost'],
].map(([name, identity, route, ends]) => ({
  kind: 'swapped certificate',
  name,
  identity,
  route,
  ends,
  learns: true,
  needs: 'pins',
}));

const renewed = [
  ['tofu: the same key in a new certificate', 'goodKeyAlone', { trust: 'tofu' }],
  ['tofu: the same key, expired', 'goodKeyExpired', { trust: 'tofu' }],
  ['auto: another key of a trusted CA, after a CA', 'other', {}],
].map(([name, identity, route]) => ({
  kind: 'harmless',
  name,
  identity,
  route,
  ends: 'accept',
  learns: true,
  needs: 'pins',
}));

const rows = [...invalid, ...huge, ...unlearnt, ...configured, ...swapped, ...renewed];

export const certificateScripts = rows.flatMap(({ identity, ...row }) =>
  pairs.map((pair) => script({ ...row, ...pair, steps: goodSteps(pair.protocol, pair.mode, { identity }) })),
);
