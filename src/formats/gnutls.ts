// GnuTLS's ~/.gnutls/known_hosts (gnutls_verify_stored_pubkey, its file format "g0"): `|g0|HOST|SERVICE|EXPIRES|KEY`
// with the DER SubjectPublicKeyInfo in base64, and `|c0|HOST|SERVICE|EXPIRES|ALGORITHM|HEX` with its hash.

import { spkiOf } from '../trust/fingerprint.ts';
import { hashOctets, type HashAlgorithm } from '../trust/record.ts';
import type { Endpoint } from '../endpoint.ts';
import { readFrame } from '../trust/frame.ts';
import { spkiOfOctets } from './octets.ts';
import { keyDigest, seenPins, type Printer } from './printing.ts';
import { Findings, linesOf, shortened, type Reader } from './reading.ts';

/** gnutls_digest_algorithm_t. */
const algorithms: Readonly<Record<string, HashAlgorithm>> = {
  2: 'md5',
  3: 'sha1',
  6: 'sha256',
  7: 'sha384',
  8: 'sha512',
  9: 'sha224',
};

/** Services as people give them to gnutls-cli -p. */
const services: Readonly<Record<string, number>> = {
  smtp: 25,
  pop3: 110,
  imap: 143,
  imap2: 143,
  https: 443,
  submissions: 465,
  smtps: 465,
  urd: 465,
  submission: 587,
  imaps: 993,
  pop3s: 995,
  sieve: 4190,
};

export const readGnutls: Reader = (source) => {
  const found = new Findings(source);
  for (const [line, text] of linesOf(source.text)) {
    const bare = text.trim();
    if (bare === '' || bare.startsWith('#')) continue;
    const [front, kind, host = '', service = '', expires = '', ...rest] = bare.split('|');
    if (front !== '' || (kind !== 'g0' && kind !== 'c0') || rest.length !== (kind === 'g0' ? 1 : 2)) {
      found.problem(line, `${shortened(bare)} is not a line of GnuTLS: |g0|HOST|SERVICE|EXPIRES|KEY`);
      continue;
    }
    const endpoint = endpointOfLine(line, { host, service, found });
    const until = untilOf(expires);
    if (until === undefined) found.problem(line, `${shortened(expires)} is not a time`);
    else if (endpoint !== null) addKey(line, { kind, endpoint, until, rest, found });
  }
  return found;
};

function endpointOfLine(
  line: number,
  { host, service, found }: { readonly host: string; readonly service: string; readonly found: Findings },
): Endpoint | null {
  const port = services[service.toLowerCase()] ?? service;
  if (typeof port === 'number' || /^\d+$/.test(port)) return found.endpoint(line, host, port);
  found.problem(line, `${host}: ${shortened(service)} is no port; write its number in its place`);
  return null;
}

/** Seconds since 1970, 0 for never; undefined for what is no time. */
function untilOf(text: string): number | null | undefined {
  if (!/^\d{1,12}$/.test(text)) return undefined;
  return Number(text) === 0 ? null : Number(text) * 1000;
}

function addKey(
  line: number,
  parts: {
    readonly kind: 'g0' | 'c0';
    readonly endpoint: Endpoint;
    readonly until: number | null;
    readonly rest: readonly string[];
    readonly found: Findings;
  },
): void {
  const { kind, endpoint, until, rest, found } = parts;
  const [first = '', second = ''] = rest;
  if (kind === 'g0') {
    const spki = spkiOfKeyText(first);
    if (spki === null) found.problem(line, `${endpoint.name}: what stands there is not a key in base64`);
    else found.add(line, endpoint, { kind: 'pin', spki, until });
    return;
  }
  const algorithm = algorithms[first];
  const digest = second.toLowerCase();
  if (algorithm === undefined || !isDigest(digest, algorithm))
    found.problem(line, `${endpoint.name}: hash ${shortened(first)} of this length is not known`);
  else if (algorithm === 'sha256')
    found.add(line, endpoint, {
      kind: 'pin',
      spki: `sha256//${Buffer.from(digest, 'hex').toString('base64')}`,
      until,
    });
  else found.hash(line, endpoint, { of: 'key', algorithm, digest, until });
}

const isDigest = (text: string, algorithm: HashAlgorithm): boolean =>
  /^[0-9a-f]+$/.test(text) && text.length === hashOctets[algorithm] * 2;

function spkiOfKeyText(text: string): string | null {
  return /^[\w+/]+={0,2}$/.test(text) ? spkiOfOctets(Buffer.from(text, 'base64')) : null;
}

/** With the key where a certificate has shown it, else with its hash: GnuTLS takes both. */
export const printGnutls: Printer = ({ endpoint, pins }) => {
  const keys = new Map(seenPins({ pins }).map(({ spki, der }) => [spki, writtenKey(der, spki)]));
  return {
    lines: pins.map(({ spki, until }) => {
      const expires = until === null ? 0 : Math.floor(until / 1000);
      const place = `${endpoint.host}|${endpoint.port}|${expires}`;
      const key = keys.get(spki) ?? null;
      return key === null
        ? `|c0|${place}|6|${keyDigest(spki)}`
        : `|g0|${place}|${Buffer.from(key).toString('base64')}`;
    }),
  };
};

function writtenKey(certificate: Uint8Array, spki: string): Uint8Array | null {
  try {
    const key = readFrame(certificate).spki.whole;
    return spkiOf(key) === spki ? key : null;
  } catch {
    return null;
  }
}
