// Trust anchors, always explicit: what the environment or Node's defaults trust must not change a verdict.
// `system` is the operating system's bundle; where there is none, the roots that came with Node.

import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { LetterlockError } from '../errors.ts';
import { Pace } from '../pace.ts';
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

export interface LoadOptions {
  /** Files `system` stands for, the first that holds a certificate. */
  readonly bundles?: readonly string[];
  /** Sets there are: one of the same certificates lends its contexts, which take 30 ms in one go to make. */
  readonly known?: Iterable<AnchorSet>;
}

/** As loadAnchorsNow, but rejects, and lets the event loop turn while it reads. */
export async function loadAnchors(sources: readonly string[], options: LoadOptions = {}): Promise<AnchorSet> {
  const unique: Anchors = new Map();
  const pace = new Pace();
  for (const anchor of anchorsOf(sources, options)) {
    keep(unique, anchor);
    if (pace.isDue) await pace.rest();
  }
  return anchorSet(unique, options);
}

/**
 * Loads and merges the sources: `system`, or paths of PEM files. Throws AnchorError. An empty set trusts nothing.
 * Synchronous: it is done once for each list of sources, and a `tls.connect` that is replaced cannot wait.
 */
export function loadAnchorsNow(sources: readonly string[], options: LoadOptions = {}): AnchorSet {
  const unique: Anchors = new Map();
  for (const anchor of anchorsOf(sources, options)) keep(unique, anchor);
  return anchorSet(unique, options);
}

/** By the SHA-256 of the certificate. */
type Anchors = Map<string, Anchor>;

function keep(unique: Anchors, anchor: Anchor): void {
  const hash = createHash('sha256').update(anchor.der).digest('hex');
  if (!unique.has(hash)) unique.set(hash, anchor);
}

function* anchorsOf(sources: readonly string[], { bundles = systemBundles }: LoadOptions): Generator<Anchor> {
  for (const source of sources)
    if (source === 'system') yield* systemAnchors(bundles);
    else yield* fileAnchors(source);
}

function anchorSet(unique: Anchors, { known = [] }: LoadOptions): AnchorSet {
  const anchors = [...unique.values()];
  const certificates = anchors.map(({ der }) => der);
  const count = (source: Source): number => anchors.filter((anchor) => anchor.source === source).length;
  const digest = createHash('sha256')
    .update([...unique.keys()].toSorted().join('\n'))
    .digest('hex');
  const same = [...known].find((other) => other.digest === digest);
  return {
    digest,
    certificates,
    counts: { system: count('system'), bundled: count('bundled'), file: count('file') },
    contexts: same?.contexts ?? new Contexts(certificates),
    keys: same?.keys ?? new LeafKeys(),
  };
}

/** The file `system` stands for; null where the roots that came with Node are taken. */
export const systemBundle = (bundles: readonly string[] = systemBundles): string | null =>
  bundles.find((bundle) => bundleAnchors(bundle).next().done !== true) ?? null;

function* bundleAnchors(bundle: string): Generator<Anchor> {
  for (const der of pemBlocks(readIfThere(bundle) ?? '')) if (readable(der)) yield { source: 'system', der };
}

function* systemAnchors(bundles: readonly string[]): Generator<Anchor> {
  const bundle = systemBundle(bundles);
  if (bundle !== null) return yield* bundleAnchors(bundle);
  for (const root of rootCertificates) for (const der of pemBlocks(root)) yield { source: 'bundled', der };
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}

function* fileAnchors(path: string): Generator<Anchor> {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch (cause) {
    throw new AnchorError(`cannot read the CA file ${path}`, {
      cause,
      hint: 'Check that it exists and may be read.',
    });
  }
  let count = 0;
  for (const der of pemBlocks(text)) {
    count += 1;
    if (!readable(der)) throw new AnchorError(`certificate ${count} in ${path} cannot be read`);
    yield { source: 'file', der };
  }
  if (count === 0) {
    throw new AnchorError(`${path} holds no certificate`, {
      hint: 'A CA file is PEM text with BEGIN CERTIFICATE lines.',
    });
  }
}

function* pemBlocks(text: string): Generator<Uint8Array> {
  const pattern = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----/g;
  for (const [, body] of text.matchAll(pattern)) yield Buffer.from(body ?? '', 'base64');
}

function readable(der: Uint8Array): boolean {
  try {
    return new X509Certificate(der).raw.length === der.length;
  } catch {
    return false;
  }
}
