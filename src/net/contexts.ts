// What letterlock asks of TLS towards servers, and the contexts made of it: one for each set of anchors, profile
// and client certificate, made when first needed and kept. Node's own defaults can be moved by --tls-cipher-list,
// --tls-min-v1.0 and --tls-max-v1.2, so nothing is left to them.

import { constants } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { HandshakeProfile } from '../trust/evidence.ts';
import type { ClientIdentity } from './client-identity.ts';

/** `tls13` is `modern` without TLS 1.2. */
export type TlsProfile = HandshakeProfile | 'tls13';

/**
 * Level 2 keeps Node 20 and 22 from accepting RSA-1024 and DH-1024. Level 0 is the only one that OpenSSL 3 speaks TLS 1.0
 * on, and old servers do not know secure renegotiation. Renegotiation could swap the certificate after the verdict: never.
 */
const asked: Readonly<Record<TlsProfile, SecureContextOptions>> = {
  modern: {
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ciphers: `${constants.defaultCoreCipherList}:@SECLEVEL=2`,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  },
  tls13: {
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ciphers: `${constants.defaultCoreCipherList}:@SECLEVEL=2`,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  },
  legacy: {
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.3',
    ciphers: 'DEFAULT:@SECLEVEL=0',
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_LEGACY_SERVER_CONNECT,
  },
};

/** The profile as the judge sees it. */
export const handshakeProfileOf = (profile: TlsProfile): HandshakeProfile =>
  profile === 'legacy' ? 'legacy' : 'modern';

/** In the forms Node takes. */
export type ClientCredentials = Pick<SecureContextOptions, 'cert' | 'key' | 'pfx' | 'passphrase'>;

interface Kept {
  plain: SecureContext | null;
  readonly showing: WeakMap<ClientIdentity, SecureContext>;
}

/** The contexts of one set of anchors: these anchors and no others. A big set takes some 30 ms and a megabyte each. */
export class Contexts {
  readonly #anchors: readonly Uint8Array[];
  readonly #kept = new Map<TlsProfile, Kept>();

  /** Makes the context nearly every route uses, so that anchors OpenSSL cannot use are found now. */
  constructor(anchors: readonly Uint8Array[]) {
    this.#anchors = anchors;
    this.of('modern', null);
  }

  /** `identity` is shown to every server that asks for one, before anything is decided about that server. */
  of(profile: TlsProfile, identity: ClientIdentity | null): SecureContext {
    const kept = this.#kept.get(profile) ?? { plain: null, showing: new WeakMap() };
    this.#kept.set(profile, kept);
    if (identity === null) return (kept.plain ??= this.#made(profile, {}));
    const known = kept.showing.get(identity);
    if (known !== undefined) return known;
    const made = this.#made(profile, { cert: identity.certificate, key: identity.key });
    kept.showing.set(identity, made);
    return made;
  }

  /** As `of`, with a client certificate as a program gave it; not kept. Throws what Node throws for one it cannot use. */
  showing(profile: TlsProfile, own: ClientCredentials): SecureContext {
    return this.#made(profile, own);
  }

  #made(profile: TlsProfile, own: ClientCredentials): SecureContext {
    return createSecureContext({
      ...asked[profile],
      ...own,
      ca: this.#anchors.map(pemOf),
      // What is named as an anchor is one, also an intermediate whose root is not here.
      allowPartialTrustChain: true,
    });
  }
}

const pemOf = (der: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`;
