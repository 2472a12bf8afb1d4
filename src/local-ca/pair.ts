// A certificate with its private key, read and found to belong together. What is kept of it are texts and plain
// facts; where the files lie is not known here.

import { createPrivateKey, sign, verify, X509Certificate, type KeyObject } from 'node:crypto';
import { readCertificates } from '../trust/certificate.ts';
import { parseCertificate, type ParsedCertificate } from '../trust/parsed-certificate.ts';

export interface PairText {
  /** PEM; the first certificate is the pair's own, the others go with it to the client. */
  readonly certificate: string;
  /** PEM, not encrypted. */
  readonly key: string;
}

export interface Pair extends PairText {
  /** The pair's own certificate. */
  readonly parsed: ParsedCertificate;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Why these bytes are no pair, in words that follow a file name; `part` says which of the two it is about. */
export class UnusablePair extends RangeError {
  readonly part: keyof PairText;
  constructor(part: keyof PairText, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = 'UnusablePair';
    this.part = part;
  }
}

/** @throws UnusablePair */
export function readPair(bytes: Readonly<Record<keyof PairText, Uint8Array>>): Pair {
  const chain = readChain(bytes.certificate);
  const [parsed] = chain;
  const key = readKey(bytes.key);
  if (parsed?.openssl?.checkPrivateKey(key) !== true)
    throw new UnusablePair('key', 'does not belong to the certificate');
  if (!signsFor(parsed.openssl, key))
    throw new UnusablePair('key', 'is damaged: what it signs does not fit the certificate');
  const { dates } = parsed;
  if (dates === null) throw new UnusablePair('certificate', 'has no dates that can be read');
  return {
    certificate: chain.map(({ der }) => new X509Certificate(der).toString()).join(''),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    parsed,
    ...dates,
  };
}

const anything = Buffer.from('letterlock');

/** A key file holds the public key as well, and only that is compared: a secret part that is damaged shows when it signs. */
function signsFor({ publicKey }: X509Certificate, key: KeyObject): boolean {
  const digest = key.asymmetricKeyType?.startsWith('ed') === true ? null : 'sha256';
  try {
    return verify(digest, anything, publicKey, sign(digest, anything, key));
  } catch {
    return false;
  }
}

function readChain(bytes: Uint8Array): readonly ParsedCertificate[] {
  try {
    const chain = readCertificates(bytes).map(parseCertificate);
    if (chain.length > 0 && chain.every(({ openssl }) => openssl !== null)) return chain;
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new UnusablePair('certificate', `cannot be used: ${cause.message}`, { cause });
  }
  throw new UnusablePair('certificate', 'holds no certificate that can be read');
}

function readKey(bytes: Uint8Array): KeyObject {
  try {
    return createPrivateKey(Buffer.from(bytes));
  } catch (cause) {
    const text = Buffer.from(bytes).toString('latin1');
    // Nobody is there to be asked when a daemon starts.
    if (/ENCRYPTED/.test(text))
      throw new UnusablePair('key', 'is protected by a passphrase: letterlock needs it without one', {
        cause,
      });
    throw new UnusablePair('key', 'holds no private key that can be read', { cause });
  }
}
