// PEM files with certificates or public keys. They say nothing of a server: the endpoint is named beside the file.
// Of several certificates those count that are for this server; the others (CAs, other servers) are left out.

import type { Endpoint } from '../endpoint.ts';
import { describeCertificate } from '../trust/certificate.ts';
import { matchIdentity } from '../trust/identity.ts';
import { parseCertificate } from '../trust/parsed-certificate.ts';
import { certificateIn, spkiOfOctets } from './octets.ts';
import { byCertificate, type Printer } from './printing.ts';
import { Findings, type Reader } from './reading.ts';

interface PemBlock {
  readonly line: number;
  readonly label: string;
  readonly text: string;
}

const block = /-----BEGIN ([A-Z0-9 ]{1,64})-----[^-]*-----END \1-----/g;

/** Every block, with the line it begins at. */
function blocksOf(text: string): readonly PemBlock[] {
  let line = 1;
  let at = 0;
  return [...text.matchAll(block)].map((found) => {
    line += (text.slice(at, found.index).match(/\n/g) ?? []).length;
    at = found.index;
    return { line, label: found[1] ?? '', text: found[0] };
  });
}

export const readPem: Reader = (source) => {
  const found = new Findings(source);
  const blocks = blocksOf(source.text);
  if (source.endpoints.length === 0)
    found.problem(1, 'certificates do not say at which port they are served: give --endpoint HOST:PORT');
  if (blocks.length === 0) found.problem(1, 'there is no certificate and no public key in this file');
  for (const endpoint of source.endpoints) addBlocks(blocks, { endpoint, found });
  return found;
};

/** Adds what of `blocks` is for `endpoint`. */
function addBlocks(
  blocks: readonly PemBlock[],
  { endpoint, found }: { readonly endpoint: Endpoint; readonly found: Findings },
): void {
  const shown = blocks.flatMap((one) => contentOf(one, { endpoint, found }));
  const alone = shown.length === 1;
  const fitting = shown.filter((one) => alone || isFor(one, endpoint));
  for (const { line, spki } of fitting) found.add(line, endpoint, { kind: 'pin', spki, until: null });
  for (const one of shown.filter((other) => !fitting.includes(other)))
    found.skip(
      one.line,
      `${endpoint.name}: ${one.isCa ? 'a CA certificate' : 'a certificate for another name'}`,
    );
  if (fitting.length === 0 && shown.length > 0)
    found.problem(
      shown[0]?.line ?? 1,
      `${endpoint.name}: none of the certificates is for this server; give a file with its own alone`,
    );
}

interface Shown {
  readonly line: number;
  readonly spki: string;
  readonly isCa: boolean;
  /** Null for a bare public key. */
  readonly der: Uint8Array | null;
}

function contentOf(
  { line, label, text }: PemBlock,
  { endpoint, found }: { readonly endpoint: Endpoint; readonly found: Findings },
): readonly Shown[] {
  if (label === 'PUBLIC KEY') {
    const spki = spkiOfOctets(Buffer.from(text.replace(/-----[A-Z ]+-----/g, ''), 'base64'));
    if (spki !== null) return [{ line, spki, isCa: false, der: null }];
  } else if (label.endsWith('CERTIFICATE')) {
    const der = certificateIn(text);
    const { spki = null, ca: isCa = false } = der === null ? {} : describeCertificate(der);
    if (spki !== null) return [{ line, spki, isCa, der }];
  } else {
    found.skip(line, `${endpoint.name}: ${label} is no certificate`);
    return [];
  }
  found.problem(line, `${endpoint.name}: this ${label} cannot be read`);
  return [];
}

function isFor({ der }: Shown, endpoint: Endpoint): boolean {
  if (der === null) return true;
  const { extensions, subject } = parseCertificate(der);
  const { match, faults } = matchIdentity(
    { alternative: extensions.names, common: subject.commonNames },
    endpoint,
  );
  return match || faults.includes('name-only-in-cn');
}

export const printPem: Printer = (exported) =>
  byCertificate(exported, (seen) => seen.flatMap(({ pem }) => (pem ?? '').trimEnd().split('\n')));
