// The local CA of a state directory as people and scripts are shown it. Certificates only are read: a key is
// never opened to describe one, and never leaves its folder.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError } from '../errors.ts';
import { codeOf } from '../store/database.ts';
import { describeCertificate, readCertificates } from '../trust/certificate.ts';
import { readAuthority } from './authority.ts';
import { certificateIn, folderIn, type PairName } from './folder.ts';

export interface LocalCaDescription {
  readonly subject: string;
  /** `sha256//BASE64=` of the key, `AB:CD:…` of the certificate. */
  readonly spki: string;
  readonly sha256: string;
  /** ISO 8601 in UTC. */
  readonly notBefore: string;
  readonly notAfter: string;
  /** What it may vouch for, names below a name included; null: anything. */
  readonly permitted: { readonly dns: readonly string[]; readonly networks: readonly string[] } | null;
  /** What clients are shown; null before it is made. */
  readonly leaf: LeafDescription | null;
  /** The same for clients that know RSA only. */
  readonly rsaLeaf: LeafDescription | null;
  readonly file: string;
  /** Certificates of CAs that were replaced: what clients may still trust. */
  readonly kept: readonly string[];
  readonly pem: string;
}

export interface LeafDescription {
  readonly names: readonly string[];
  readonly spki: string | null;
  readonly sha256: string;
  readonly notBefore: string | null;
  readonly notAfter: string | null;
  readonly file: string;
}

/** null where there is no local CA. @throws CommandError `store` when it cannot be read; code `local-ca-denied` for lack of permission */
export async function describeLocalCa(state: string): Promise<LocalCaDescription | null> {
  const file = certificateIn(state, 'ca');
  const der = await certificateAt(file);
  if (der === null) return null;
  const { subject, spki, sha256, notBefore, notAfter, constraints } = asUnreadable(file, () =>
    readAuthority(der),
  );
  return {
    subject,
    spki,
    sha256,
    notBefore: new Date(notBefore).toISOString(),
    notAfter: new Date(notAfter).toISOString(),
    permitted: constraints,
    leaf: await describeLeaf(state, 'leaf'),
    rsaLeaf: await describeLeaf(state, 'leaf-rsa'),
    file,
    kept: await keptIn(state),
    pem: describeCertificate(der).pem,
  };
}

async function describeLeaf(state: string, name: PairName): Promise<LeafDescription | null> {
  const file = certificateIn(state, name);
  const der = await certificateAt(file);
  if (der === null) return null;
  const { names, spki, sha256, notBefore, notAfter } = describeCertificate(der);
  return { names: names.map(({ value }) => value), spki, sha256, notBefore, notAfter, file };
}

async function keptIn(state: string): Promise<readonly string[]> {
  const folder = folderIn(state);
  const names = await readdir(folder);
  return names
    .filter((name) => /^ca-.*\.crt$/.test(name))
    .toSorted()
    .map((name) => join(folder, name));
}

/** The first certificate of a file; null when there is no file. */
async function certificateAt(file: string): Promise<Uint8Array | null> {
  try {
    const bytes = await readFile(file);
    return asUnreadable(file, () => {
      const [der] = readCertificates(bytes);
      if (der === undefined) throw new RangeError('holds no certificate');
      return der;
    });
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    const code = codeOf(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    const isDenied = code === 'EACCES' || code === 'EPERM';
    throw new CommandError('store', `${file} cannot be read (${code ?? 'unknown error'})`, {
      code: isDenied ? 'local-ca-denied' : 'local-ca-damaged',
      cause,
    });
  }
}

function asUnreadable<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new CommandError('store', `${file} ${cause.message}`, {
      code: 'local-ca-damaged',
      cause,
      hint: 'Put ca.crt and ca.key back from a copy, or move both away: a new CA is made, which clients must import.',
    });
  }
}
