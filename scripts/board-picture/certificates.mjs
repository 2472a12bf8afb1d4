// Certificates for the world of the picture: a CA, its servers at several ages, and self-signed ones.

import { webcrypto } from 'node:crypto';

// Its decorators need the metadata before it is loaded.
await import('reflect-metadata');
const x509 = await import('@peculiar/x509');

const dayMs = 86_400_000;
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

async function pem(key) {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${der.replace(/(.{64})/g, '$1\n')}\n-----END PRIVATE KEY-----\n`;
}

/** A CA that is ten years old, and what it issues. */
export async function makeAuthority() {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=Example Mail CA',
    notBefore: new Date(Date.now() - 1000 * dayMs),
    notAfter: new Date(Date.now() + 2000 * dayMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    pem: certificate.toString('pem'),
    issue: (host, days) => issue({ keys, certificate }, host, days),
  };
}

/** `days`: `[since, until]`, from now. `authority` null: self-signed. */
async function issue(authority, host, [since, until]) {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: '7b',
    subject: `CN=${host}`,
    issuer: authority?.certificate.subject ?? `CN=${host}`,
    notBefore: new Date(Date.now() + since * dayMs),
    notAfter: new Date(Date.now() + until * dayMs),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: (authority?.keys ?? keys).privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: host }]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create((authority?.keys ?? keys).publicKey),
    ],
  });
  return { cert: certificate.toString('pem'), key: await pem(keys.privateKey) };
}

export const selfSigned = (host, days) => issue(null, host, days);
