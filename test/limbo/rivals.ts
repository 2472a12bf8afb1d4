// What other validators say of the same cases: Node's own check in a real handshake, and OpenSSL, GnuTLS and Go as
// programs over files. Each is asked as strictly as its documentation shows for a TLS server of that name.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkServerIdentity, connect, type ConnectionOptions, type Server } from 'node:tls';
import { portOf } from '../net/peers.ts';
import { z } from 'zod';
import type { Case } from './corpus.ts';

/** Node as a program has it that changes nothing; a name that is an address is not sent, but looked for all the same. */
export function nodeAccepts({ name, roots }: Case, server: Server): Promise<boolean> {
  const check: ConnectionOptions['checkServerIdentity'] = (_, certificate) =>
    checkServerIdentity(name.host, certificate);
  const socket = connect({
    port: portOf(server),
    host: '127.0.0.1',
    ca: [...roots],
    servername: name.kind === 'dns' ? name.host : '',
    checkServerIdentity: check,
  });
  return new Promise((resolve) => {
    socket.once('secureConnect', () => {
      resolve(socket.authorized);
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
  });
}

interface Files {
  readonly roots: string;
  readonly intermediates: string | null;
  readonly leaf: string;
  readonly chain: string;
}

type Command = (testcase: Case, files: Files) => readonly [string, ...string[]];

/** `openssl verify` without what the machine trusts. */
export const opensslStrict: Command = ({ name }, { roots, intermediates, leaf }) => [
  'openssl',
  'verify',
  '-x509_strict',
  '-auth_level',
  '2',
  '-purpose',
  'sslserver',
  '-no-CApath',
  '-no-CAstore',
  '-CAfile',
  roots,
  // An empty file is an error to it.
  ...(intermediates === null ? [] : ['-untrusted', intermediates]),
  name.kind === 'ip' ? '-verify_ip' : '-verify_hostname',
  name.host,
  leaf,
];

export const gnutls: Command = ({ name }, { roots, chain }) => [
  'certtool',
  '--verify',
  '--verify-purpose=1.3.6.1.5.5.7.3.1',
  `--load-ca-certificate=${roots}`,
  `--infile=${chain}`,
  `--verify-hostname=${name.host}`,
];

/** Whether a command takes the case, by its exit code. Throws where the program is missing. */
export function programAccepts(testcase: Case, command: Command): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'letterlock-limbo-'));
  const written = (file: string, certificates: readonly string[]): string => {
    const path = join(folder, file);
    writeFileSync(path, certificates.join('\n'));
    return path;
  };
  try {
    const [program, ...args] = command(testcase, {
      roots: written('roots.pem', testcase.roots),
      intermediates:
        testcase.intermediates.length === 0 ? null : written('intermediates.pem', testcase.intermediates),
      leaf: written('leaf.pem', [testcase.leaf]),
      chain: written('chain.pem', [testcase.leaf, ...testcase.intermediates]),
    });
    return succeeds(program, args);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function succeeds(program: string, args: readonly string[]): boolean {
  const { status, error } = spawnSync(program, args, { stdio: 'ignore', timeout: 60_000 });
  if (error !== undefined) throw error;
  return status === 0;
}

/** Go's crypto/x509 by `program`, the path of a Go file: all cases in one run, the identifiers of those it takes. */
export function goAccepts(cases: readonly Case[], program: string): ReadonlySet<string> {
  const { status, stdout, stderr, error } = spawnSync('go', ['run', program], {
    input: JSON.stringify(cases),
    encoding: 'utf8',
    timeout: 300_000,
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`go run failed: ${stderr}`);
  return new Set(z.array(z.string()).parse(JSON.parse(stdout)));
}
