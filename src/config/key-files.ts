// Certificates and keys of the operator's own must exist, be readable and belong together when the configuration
// is checked, not at the first client.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { ConfigProblem } from '../config.ts';
import type { Draft } from './drafts.ts';
import { absolutePath } from './ground.ts';
import type { Ground } from './ground.ts';
import { pathName, problemAt } from './problem.ts';
import type { Findings, Path } from './problem.ts';
import { readSmallFile } from './small-file.ts';

/** A certificate file and its key file, and the mapping that names them. */
interface Pair {
  readonly certificate: string;
  readonly key: string;
  readonly path: Path;
}

export async function keyFileFindings(ground: Ground, drafts: readonly Draft[]): Promise<Findings> {
  const found = await Promise.all(drafts.flatMap(pairsOf).map((pair) => pairFindings(ground, pair)));
  return {
    problems: found.flatMap(({ problems }) => problems),
    warnings: found.flatMap(({ warnings }) => warnings),
  };
}

function pairsOf({ index, raw }: Draft): readonly Pair[] {
  const own = typeof raw.clientTls === 'object' ? raw.clientTls : null;
  const certificate = own?.certificate;
  const key = own?.key;
  return [
    ...(certificate === undefined || key === undefined
      ? []
      : [{ certificate, key, path: ['routes', index, 'clientTls'] }]),
    ...(raw.clientCertificate === undefined
      ? []
      : [{ ...raw.clientCertificate, path: ['routes', index, 'clientCertificate'] }]),
  ];
}

async function pairFindings(ground: Ground, pair: Pair): Promise<Findings> {
  const at = (key: 'certificate' | 'key') => (message: string, hint: string | null) => {
    const path = [...pair.path, key];
    return problemAt(ground.layers.locate(path), `${pathName(path)}: ${message}`, hint);
  };
  const certificate = await certificateOf(
    absolutePath(ground, pair.path, pair.certificate),
    at('certificate'),
  );
  const keyPath = absolutePath(ground, pair.path, pair.key);
  const { key, warnings } = await keyOf(keyPath, at('key'));
  const problems = [certificate, key].filter((part) => 'message' in part);
  if ('message' in certificate || 'message' in key) return { problems, warnings };
  if (certificate.checkPrivateKey(key)) return { problems, warnings };
  const mismatch = at('key')(
    `${keyPath} is not the key of the certificate`,
    'the certificate must be the first in its file, before those of its chain',
  );
  return { problems: [mismatch], warnings };
}

type Report = (message: string, hint: string | null) => ConfigProblem;

const checkHint = 'check the path and its permissions';

/** The first of the file; those of its chain must be readable too. */
async function certificateOf(path: string, report: Report): Promise<X509Certificate | ConfigProblem> {
  const file = await readSmallFile(path);
  if (typeof file === 'string') return report(`cannot read ${path} (${file})`, checkHint);
  const blocks = file.text.match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs) ?? [];
  const parsed = blocks.map(parsedCertificate);
  const [first] = parsed;
  if (first === undefined)
    return report(`${path} holds no certificate`, 'it must be PEM text with BEGIN CERTIFICATE lines');
  const broken = parsed.indexOf(null);
  return first === null || broken !== -1
    ? report(`certificate ${broken + 1} in ${path} cannot be read`, null)
    : first;
}

function parsedCertificate(pem: string): X509Certificate | null {
  try {
    return new X509Certificate(pem);
  } catch {
    return null;
  }
}

async function keyOf(
  path: string,
  report: Report,
): Promise<{ readonly key: KeyObject | ConfigProblem; readonly warnings: readonly ConfigProblem[] }> {
  const file = await readSmallFile(path);
  if (typeof file === 'string')
    return { key: report(`cannot read ${path} (${file})`, checkHint), warnings: [] };
  const warnings = file.openToAll
    ? [report(`every user of this machine can read ${path}`, `chmod 600 ${path}`)]
    : [];
  return { key: parsedKey(file.text) ?? report(...keyFault(path, file.text)), warnings };
}

/** The first key in the file, as TLS takes it; Node's reader of keys alone wants nothing else before it. */
function parsedKey(text: string): KeyObject | null {
  const [block] = /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----.*?-----END /s.exec(text) ?? [];
  if (block === undefined) return null;
  try {
    return createPrivateKey(text.slice(text.indexOf(block)));
  } catch {
    return null;
  }
}

function keyFault(path: string, text: string): readonly [string, string] {
  if (/ENCRYPTED/.test(text))
    return [
      `the key in ${path} is encrypted, and nobody is there to be asked`,
      `write it without: openssl pkey -in ${path} -out FILE`,
    ];
  return [`${path} holds no key that can be read`, 'it must be PEM text with a BEGIN PRIVATE KEY line'];
}
