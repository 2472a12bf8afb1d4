// Trust anchors, always explicit: what the environment or Node's defaults trust must not change a verdict.
// `system` is the operating system's bundle; where there is none, the roots that came with Node.

import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { LetterlockError } from '../errors.ts';
import { Contexts } from './contexts.ts';
import type { CrlFiles } from './crl-files.ts';
import { LeafKeys } from './leaf-keys.ts';

export interface AnchorSet {
  /** Identity of the set: SHA-256 over the sorted certificate hashes. Part of cache keys. */
  readonly digest: string;
  /** DER, deduplicated by SHA-256. */
  readonly certificates: readonly Uint8Array[];
  /** Where they came from; `bundled` is not 0 only where the system has no bundle. */
  readonly counts: { readonly system: number; readonly bundled: number; readonly file: number };
  /** Shared by every handshake under these anchors. */
  readonly contexts: Contexts;
  /** Of the certificates that were shown in those. */
  readonly keys: LeafKeys;
  /** What the CAs took back, by files of the operator; absent where there are none. */
  readonly crls?: CrlFiles;
}

/** An anchor source that cannot be used; code `anchors`. */
export class AnchorError extends LetterlockError {
  constructor(message: string, options: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super('anchors', message, options);
  }
}

type Source = keyof AnchorSet['counts'];
interface Anchor {
  readonly source: Source;
  readonly der: Uint8Array;
}

const systemBundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
  '/usr/local/share/certs/ca-root-nss.crt',
] as const;

/** As loadAnchorsNow, but rejects. */
export async function loadAnchors(
  sources: readonly string[],
  options: { readonly bundles?: readonly string[] } = {},
): Promise<AnchorSet> {
  return loadAnchorsNow(sources, options);
}

/**
 * Loads and merges the sources: `system`, or paths of PEM files. Throws AnchorError. An empty set trusts nothing.
 * Synchronous: it is done once for each list of sources, and a `tls.connect` that is replaced cannot wait.
 */
export function loadAnchorsNow(
  sources: readonly string[],
  options: { readonly bundles?: readonly string[] } = {},
): AnchorSet {
  const unique = new Map<string, Anchor>();
  for (const source of sources) {
    const loaded =
      source === 'system' ? systemAnchors(options.bundles ?? systemBundles) : fileAnchors(source);
    for (const anchor of loaded) {
      const hash = createHash('sha256').update(anchor.der).digest('hex');
      if (!unique.has(hash)) unique.set(hash, anchor);
    }
  }
  return anchorSet(unique);
}

function anchorSet(unique: ReadonlyMap<string, Anchor>): AnchorSet {
  const anchors = [...unique.values()];
  const certificates = anchors.map(({ der }) => der);
  const count = (source: Source): number => anchors.filter((anchor) => anchor.source === source).length;
  return {
    digest: createHash('sha256')
      .update([...unique.keys()].toSorted().join('\n'))
      .digest('hex'),
    certificates,
    counts: { system: count('system'), bundled: count('bundled'), file: count('file') },
    contexts: new Contexts(certificates),
    keys: new LeafKeys(),
  };
}

/** The file `system` stands for; null where the roots that came with Node are taken. */
export const systemBundle = (bundles: readonly string[] = systemBundles): string | null =>
  bundles.find((bundle) => bundleAnchors(bundle).length > 0) ?? null;

function bundleAnchors(bundle: string): readonly Anchor[] {
  const text = readIfThere(bundle);
  if (text === null) return [];
  return pemBlocks(text).flatMap((der) => (readable(der) ? [{ source: 'system' as const, der }] : []));
}

function systemAnchors(bundles: readonly string[]): readonly Anchor[] {
  for (const bundle of bundles) {
    const anchors = bundleAnchors(bundle);
    if (anchors.length > 0) return anchors;
  }
  return rootCertificates.flatMap(pemBlocks).map((der) => ({ source: 'bundled' as const, der }));
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}

function fileAnchors(path: string): readonly Anchor[] {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch (cause) {
    throw new AnchorError(`cannot read the CA file ${path}`, {
      cause,
      hint: 'Check that it exists and may be read.',
    });
  }
  const blocks = pemBlocks(text);
  const bad = blocks.findIndex((der) => !readable(der));
  if (bad !== -1) throw new AnchorError(`certificate ${bad + 1} in ${path} cannot be read`);
  if (blocks.length === 0) {
    throw new AnchorError(`${path} holds no certificate`, {
      hint: 'A CA file is PEM text with BEGIN CERTIFICATE lines.',
    });
  }
  return blocks.map((der) => ({ source: 'file' as const, der }));
}

const pemBlocks = (text: string): readonly Uint8Array[] =>
  [...text.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----/g)].map(
    ([, body]) => Buffer.from(body ?? '', 'base64'),
  );

function readable(der: Uint8Array): boolean {
  try {
    return new X509Certificate(der).raw.length === der.length;
  } catch {
    return false;
  }
}
