// The certificates a mail server may come up with one day, made with the openssl command line. All nine are
// for mail.lab.test; two keys only, so that "same key" and "another key" are known by construction.
// Dates in the past need `openssl ca`: OpenSSL 3.0 can backdate nowhere else.

import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cleanEnvironment, run, words } from './run.ts';

/** `self1r` renews `self1` with the same key; `self2` and `ca2` have the other key; the rest the first key. */
export const variants = [
  'self1',
  'self1r',
  'self2',
  'ca1',
  'ca2',
  'expired',
  'future',
  'wronghost',
  'selfexpired',
] as const;
export type Variant = (typeof variants)[number];

export const labHost = 'mail.lab.test';
const names = `DNS:${labHost},DNS:localhost,IP:127.0.0.1,IP:127.0.0.3`;
const dayMs = 86_400_000;

interface Recipe {
  readonly key: 'k1' | 'k2';
  readonly signed: 'self' | 'ca';
  readonly names: string;
  readonly notBefore: string;
  readonly notAfter: string;
}

const stamp = (at: number): string => new Date(at).toISOString().replaceAll(/[-:T]|\.\d+/g, '');

function recipes(now: number): Readonly<Record<Variant, Recipe>> {
  const good = { names, notBefore: stamp(now - dayMs), notAfter: stamp(now + 365 * dayMs) };
  const over = { names, notBefore: '20240101000000Z', notAfter: '20240201000000Z' };
  return {
    self1: { ...good, key: 'k1', signed: 'self', notAfter: stamp(now + 90 * dayMs) },
    self1r: { ...good, key: 'k1', signed: 'self' },
    self2: { ...good, key: 'k2', signed: 'self' },
    ca1: { ...good, key: 'k1', signed: 'ca' },
    ca2: { ...good, key: 'k2', signed: 'ca' },
    expired: { ...over, key: 'k1', signed: 'ca' },
    future: { names, notBefore: '20400101000000Z', notAfter: '20410101000000Z', key: 'k1', signed: 'ca' },
    wronghost: { ...good, names: 'DNS:other.lab.test', key: 'k1', signed: 'ca' },
    selfexpired: { ...over, key: 'k1', signed: 'self' },
  };
}

/** Makes all variants as NAME.crt and NAME.key in `folder`, and `ca.crt`, the private CA. About a second. */
export async function makeCertificates(folder: string): Promise<void> {
  await mkdir(join(folder, 'new'), { recursive: true });
  await writeFile(join(folder, 'index'), '');
  await writeFile(join(folder, 'ca.cnf'), caConfiguration(folder));
  for (const key of ['ca', 'k1', 'k2']) {
    await openssl(folder, [
      'genpkey',
      '-algorithm',
      'EC',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-out',
      `${key}.key`,
    ]);
  }
  await openssl(folder, [
    ...words('req -new -x509 -key ca.key -subj'),
    '/CN=Lab Private CA',
    ...words('-days 3650 -out ca.crt'),
    ...words('-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign'),
  ]);
  for (const [variant, recipe] of Object.entries(recipes(Date.now()))) await issue(folder, variant, recipe);
}

async function issue(folder: string, variant: string, recipe: Recipe): Promise<void> {
  const key = `${recipe.key}.key`;
  const subject = recipe.names.split(',', 1)[0]?.replace('DNS:', '/CN=') ?? '';
  await openssl(folder, [
    ...words('req -new -key'),
    key,
    '-subj',
    subject,
    '-addext',
    `subjectAltName=${recipe.names}`,
    '-out',
    'request.csr',
  ]);
  const signer =
    recipe.signed === 'ca' ? ['-cert', 'ca.crt', '-keyfile', 'ca.key'] : ['-selfsign', '-keyfile', key];
  await openssl(folder, [
    ...words('ca -batch -config ca.cnf -extensions leaf'),
    ...signer,
    ...words('-in request.csr -notext'),
    '-out',
    `${variant}.crt`,
    '-startdate',
    recipe.notBefore,
    '-enddate',
    recipe.notAfter,
  ]);
  await copyFile(join(folder, key), join(folder, `${variant}.key`));
}

async function openssl(folder: string, args: readonly string[]): Promise<void> {
  const { exit, shown } = await run(['openssl', ...args], { cwd: folder, env: cleanEnvironment(folder) });
  if (exit !== 0) throw new Error(`openssl ${args.join(' ')}: ${shown}`);
}

const caConfiguration = (folder: string): string => `[ca]
default_ca = lab
[lab]
dir = ${folder}
database = ${folder}/index
new_certs_dir = ${folder}/new
serial = ${folder}/serial
rand_serial = yes
default_md = sha256
policy = names
unique_subject = no
copy_extensions = copy
[names]
commonName = supplied
[leaf]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = serverAuth
`;
