// Certificates of mail servers, made in memory in a fraction of a millisecond: P-256, as many as a campaign wants, for any
// names and dates, signed by themselves or by a CA. Only as much of DER as that takes.

import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { createSecureContext } from 'node:tls';

const dayMs = 86_400_000;

function tlv(tag, ...parts) {
  const body = Buffer.concat(parts);
  const { length } = body;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), body]);
}

const sequence = (...parts) => tlv(0x30, ...parts);
const set = (...parts) => tlv(0x31, ...parts);
const whole = (bytes) => tlv(0x02, Buffer.from(bytes));
const octets = (...parts) => tlv(0x04, ...parts);
const bits = (bytes) => tlv(0x03, Buffer.from([0]), bytes);
const yes = tlv(0x01, Buffer.from([0xff]));

function oid(text) {
  const [first, second, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const number of rest) {
    const groups = [number & 0x7f];
    for (let left = number >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return tlv(0x06, Buffer.from(bytes));
}

const nameOf = (common) => sequence(set(sequence(oid('2.5.4.3'), tlv(0x0c, Buffer.from(common)))));
const extension = (id, value, critical = false) =>
  sequence(oid(id), ...(critical ? [yes] : []), octets(value));
const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));

function dateOf(ms) {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return tlv(0x18, Buffer.from(digits));
}

const pem = (der) =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replaceAll(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;

/**
 * `{name, keys, cert, key, spki, context}`: PEM of both, the key as letterlock writes it, and what a TLS server needs.
 * `issuer` is another of these; without one it signs itself. `keys` those of another one: a renewal.
 */
export function makeIdentity({
  name = 'mail',
  names = ['*.faults.test'],
  issuer = null,
  authority = false,
  notBefore = Date.now() - dayMs,
  notAfter = Date.now() + 365 * dayMs,
  keys = generateKeyPairSync('ec', { namedCurve: 'P-256' }),
} = {}) {
  const spkiDer = keys.publicKey.export({ type: 'spki', format: 'der' });
  const serial = randomBytes(8);
  serial[0] = (serial[0] & 0x7f) | 1;
  const extensions = authority
    ? [extension('2.5.29.19', sequence(yes), true), extension('2.5.29.15', Buffer.from([3, 2, 1, 6]), true)]
    : [
        extension('2.5.29.17', sequence(...names.map((one) => tlv(0x82, Buffer.from(one))))),
        extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.1'))),
        extension('2.5.29.19', sequence(), true),
      ];
  const subject = nameOf(name);
  const body = sequence(
    tlv(0xa0, whole([2])),
    whole(serial),
    ecdsaWithSha256,
    issuer?.subject ?? subject,
    sequence(dateOf(notBefore), dateOf(notAfter)),
    subject,
    spkiDer,
    tlv(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', body, issuer?.keys.privateKey ?? keys.privateKey);
  const cert = pem(sequence(body, ecdsaWithSha256, bits(signature)));
  const key = keys.privateKey.export({ type: 'pkcs8', format: 'pem' });
  return {
    name,
    keys,
    subject,
    cert,
    key,
    spki: `sha256//${createHash('sha256').update(spkiDer).digest('base64')}`,
    context: createSecureContext({ cert, key }),
  };
}
