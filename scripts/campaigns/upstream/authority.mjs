// The certificates of a run, made in memory: one CA that the proxies trust, and every wrong kind a hostile server may show.
// All are for *.hostile.test unless their name says otherwise. Only the CA's certificate is ever written to a disk.

// oxlint-disable-next-line import/no-unassigned-import -- it is there for its effect: @peculiar/x509 does not load without it
import 'reflect-metadata';
import { createHash, randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

export const domain = 'hostile.test';
const everyName = `*.${domain}`;
const days = (count) => new Date(Date.now() + count * 86_400_000);
const ec = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const rsa1024 = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 1024,
  publicExponent: new Uint8Array([1, 0, 1]),
};

const keyPair = (algorithm = ec) => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
const serial = () => randomBytes(8).fill(1, 0, 1).toString('hex');

/** An authority that signs with its key; `path` is what its servers send besides their own certificate. */
async function authority(name, { by = null, ca = true, notAfter = days(30), more = [], keys } = {}) {
  const own = keys ?? (await keyPair());
  const signer = by ?? { name, keys: own };
  const certificate = await x509.X509CertificateGenerator.create({
    subject: name,
    issuer: signer.name,
    serialNumber: serial(),
    notBefore: days(-60),
    notAfter,
    signingAlgorithm: ec,
    publicKey: own.publicKey,
    signingKey: signer.keys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(ca, undefined, true),
      ...(ca ? [new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true)] : []),
      await x509.SubjectKeyIdentifierExtension.create(own.publicKey),
      ...(by === null ? [] : [await x509.AuthorityKeyIdentifierExtension.create(by.keys.publicKey)]),
      ...more,
    ],
  });
  const pem = certificate.toString('pem');
  return { name, keys: own, pem, path: by === null ? [] : [pem, ...by.path] };
}

const dns = (...names) => names.map((value) => ({ type: 'dns', value }));

async function leaf(
  by,
  {
    subject = 'CN=mail',
    names = dns(everyName),
    keys,
    notBefore = days(-2),
    notAfter = days(20),
    hash = 'SHA-256',
    purpose = x509.ExtendedKeyUsage.serverAuth,
    more = [],
    number = serial(),
    path,
  } = {},
) {
  const own = keys ?? (await keyPair());
  const certificate = await x509.X509CertificateGenerator.create({
    subject,
    issuer: by?.name ?? subject,
    serialNumber: number,
    notBefore,
    notAfter,
    signingAlgorithm: { ...ec, hash },
    publicKey: own.publicKey,
    signingKey: (by?.keys ?? own).privateKey,
    extensions: [
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.ExtendedKeyUsageExtension([purpose]),
      ...(by === null ? [] : [await x509.AuthorityKeyIdentifierExtension.create(by.keys.publicKey)]),
      ...more,
    ],
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', own.privateKey)).toString('base64');
  return {
    cert: [certificate.toString('pem'), ...(path ?? by?.path ?? [])].join('\n'),
    key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`,
    spki: `sha256//${createHash('sha256').update(Buffer.from(certificate.publicKey.rawData)).digest('base64')}`,
    keys: own,
  };
}

const nest = (tag, body) => Buffer.concat([Buffer.from([tag, body.length]), body]);

/** RFC 5280 section 4.2.1.10: only names below one. */
function onlyBelow(name) {
  const base = Buffer.concat([Buffer.from([0x82, name.length]), Buffer.from(name)]);
  return new x509.Extension('2.5.29.30', true, nest(0x30, nest(0xa0, nest(0x30, base))));
}

/** `{pem, identities}`: the trusted CA, and server certificates by the names that scripts use. */
export async function makeAuthority() {
  const root = await authority('CN=Campaign Root');
  const between = await authority('CN=Campaign Intermediate', { by: root });
  const foreign = await authority('CN=Foreign Root');
  const namesake = await authority('CN=Campaign Root');
  const dates = { notBefore: days(-2), notAfter: days(20), number: serial() };
  const good = await leaf(root, dates);
  const over = { notBefore: new Date('2024-01-01'), notAfter: new Date('2024-02-01') };
  const noCa = await authority('CN=No Authority', { by: root, ca: false });
  const oldCa = await authority('CN=Old Intermediate', { by: root, notAfter: days(-5) });
  const narrow = await authority('CN=Narrow Intermediate', { by: root, more: [onlyBelow('other.test')] });
  const antivirus = await authority('CN=Avast Web/Mail Shield Root, O=Avast Web/Mail Shield');
  const fillers = await Promise.all(Array.from({ length: 6 }, (_, count) => authority(`CN=Filler ${count}`)));
  const filling = Array.from({ length: 60 }, (_, count) => fillers[count % fillers.length].pem);
  const others = Array.from({ length: 300 }, (_, count) => `host${count}.other.test`);
  const identities = {
    good,
    other: await leaf(root),
    double: await leaf(root, dates),
    below: await leaf(between),
    stranger: await leaf(null),
    foreign: await leaf(foreign),
    foreignWithRoot: await leaf(foreign, { path: [foreign.pem] }),
    namesakeCa: await leaf(namesake),
    otherName: await leaf(root, { names: dns('mail.other.test') }),
    localhost: await leaf(root, { names: dns('localhost') }),
    address: await leaf(root, { names: [{ type: 'ip', value: '127.0.0.1' }] }),
    nameInSubject: await leaf(root, { subject: `CN=${everyName}`, names: [] }),
    partialWildcard: await leaf(root, { names: dns(`s*.${domain}`) }),
    wildcardAll: await leaf(root, { names: dns('*') }),
    twoWildcards: await leaf(root, { names: dns('*.*.test') }),
    nulName: await leaf(root, { names: dns(`${everyName}\0.attacker.example`) }),
    commaName: await leaf(root, { names: dns(`attacker.example, DNS:${everyName}`) }),
    expired: await leaf(root, over),
    future: await leaf(root, { notBefore: days(2) }),
    clientOnly: await leaf(root, { purpose: x509.ExtendedKeyUsage.clientAuth }),
    sha1: await leaf(root, { hash: 'SHA-1' }),
    weakKey: await leaf(root, { keys: await keyPair(rsa1024) }),
    notACa: await leaf(noCa),
    oldCa: await leaf(oldCa),
    incomplete: await leaf(between, { path: [] }),
    constrained: await leaf(narrow),
    criticalUnknown: await leaf(root, {
      more: [new x509.Extension('1.2.3.4.5', true, Buffer.from('0500', 'hex'))],
    }),
    antivirus: await leaf(antivirus, { path: [antivirus.pem] }),
    escapes: await leaf(null, { subject: 'CN=\u001b]0;pwned\u0007\u202etest', names: dns(everyName) }),
    manyNames: await leaf(root, { names: dns(...others) }),
    longChain: await leaf(foreign, { path: filling }),
    hugeChain: await leaf(root, { path: Array.from({ length: 6 }, () => filling).flat() }),
    goodKeyAlone: await leaf(null, { keys: good.keys }),
    goodKeyExpired: await leaf(root, { keys: good.keys, ...over }),
  };
  return { pem: root.pem, identities };
}
