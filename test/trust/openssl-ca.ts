// A certificate authority run by the openssl program in a folder of its own: certificates, revocation, lists (CRL)
// and OCSP answers as real CAs make them, read by code that had no part in writing them.

import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Issued {
  /** PEM files. */
  readonly certificate: string;
  readonly key: string;
  readonly der: Buffer;
}

const configuration = (folder: string): string => `[ca]
default_ca = lab
[lab]
dir = ${folder}
database = ${folder}/index
new_certs_dir = ${folder}
crlnumber = ${folder}/crlnumber
rand_serial = yes
default_md = sha256
default_days = 30
default_crl_days = 7
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
[server]
subjectAltName = DNS:mail.test,DNS:mail.example.org,IP:127.0.0.1
extendedKeyUsage = serverAuth
[staple]
subjectAltName = DNS:mail.test,DNS:mail.example.org,IP:127.0.0.1
extendedKeyUsage = serverAuth
tlsfeature = status_request
[responder]
extendedKeyUsage = OCSPSigning
[middle]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
`;

export class OpensslCa {
  readonly folder: string;
  readonly certificate: string;
  readonly #key: string;
  #made = 0;

  constructor(called = 'Revoking CA', above: OpensslCa | null = null) {
    this.folder = mkdtempSync(join(tmpdir(), 'll-ca-'));
    writeFileSync(this.path('index'), '');
    writeFileSync(this.path('crlnumber'), '01\n');
    writeFileSync(this.path('ca.cnf'), configuration(this.folder));
    if (above === null) {
      this.#key = this.#keyFile('ca');
      this.certificate = this.path('ca.crt');
      const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];
      const asked = ['req', '-new', '-x509', '-key', this.#key, '-subj', `/CN=${called}`, '-days', '30'];
      this.run([...asked, '-out', this.certificate, ...extensions.flatMap((text) => ['-addext', text])]);
    } else {
      const made = above.issue('middle', called);
      this.#key = made.key;
      this.certificate = made.certificate;
    }
  }

  get der(): Buffer {
    return new X509Certificate(readFileSync(this.certificate)).raw;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  run(args: readonly string[]): string {
    return execFileSync('openssl', args, {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
    });
  }

  issue(kind: 'server' | 'staple' | 'responder' | 'middle' = 'server', called = 'mail.test'): Issued {
    this.#made += 1;
    const key = this.#keyFile(`key-${this.#made}`);
    const request = this.path('request.csr');
    const certificate = this.path(`issued-${this.#made}.crt`);
    this.run(['req', '-new', '-key', key, '-subj', `/CN=${called}`, '-out', request]);
    this.#ca(['-extensions', kind, '-notext', '-in', request, '-out', certificate]);
    return { certificate, key, der: new X509Certificate(readFileSync(certificate)).raw };
  }

  revoke({ certificate }: Issued, reason: string = 'keyCompromise'): void {
    this.#ca(['-revoke', certificate, '-crl_reason', reason]);
  }

  /** Path of a new list; `days` until the next one. */
  crl({ name = 'list.pem', days = 7 }: { readonly name?: string; readonly days?: number } = {}): string {
    const ends =
      days > 0
        ? ['-crldays', String(days)]
        : ['-crl_lastupdate', '20240101000000Z', '-crl_nextupdate', '20240201000000Z'];
    this.#ca(['-gencrl', ...ends, '-out', this.path(name)]);
    return this.path(name);
  }

  /** The DER answer about `asked`, signed by this CA or by `by`. */
  ocsp(asked: Issued, by: Issued | null = null, args: readonly string[] = ['-ndays', '3']): Buffer {
    const about = ['-issuer', this.certificate, '-cert', asked.certificate];
    this.run(['ocsp', ...about, '-no_nonce', '-reqout', 'request.ocsp']);
    const signer = by ?? { certificate: this.certificate, key: this.#key };
    const responder = ['-rsigner', signer.certificate, '-rkey', signer.key, '-CA', this.certificate];
    this.run([
      'ocsp',
      '-index',
      'index',
      ...responder,
      '-reqin',
      'request.ocsp',
      '-respout',
      'answer.ocsp',
      ...args,
    ]);
    return readFileSync(this.path('answer.ocsp'));
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #keyFile(name: string): string {
    const path = this.path(`${name}.key`);
    this.run(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', path]);
    return path;
  }

  #ca(args: readonly string[]): void {
    this.run([
      'ca',
      '-batch',
      '-config',
      'ca.cnf',
      '-cert',
      this.certificate,
      '-keyfile',
      this.#key,
      ...args,
    ]);
  }
}
