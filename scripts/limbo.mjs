// How strict letterlock is beside Node, OpenSSL, GnuTLS and Go, over the public corpus x509-limbo: one table.
// Usage: node scripts/limbo.mjs PATH-OF-limbo.json [--ratchet]
// Needs openssl, certtool (gnutls-bin) and go. --ratchet also writes test/limbo/ratchet.json anew.

import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [corpus, flag] = process.argv.slice(2);
if (corpus === undefined || (flag !== undefined && flag !== '--ratchet')) {
  console.error('usage: node scripts/limbo.mjs PATH-OF-limbo.json [--ratchet]');
  process.exit(2);
}

// What the machine trusts must not reach any of the validators.
const machineTrust = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_TLS_REJECT_UNAUTHORIZED'];
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !machineTrust.includes(name)));

const compiled = join(root, '.cache/limbo');
rmSync(compiled, { recursive: true, force: true });
execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', join(root, 'test/limbo')], { stdio: 'inherit' });
const report = [
  join(compiled, 'test/limbo/report.js'),
  resolve(corpus),
  join(root, 'scripts/limbo/verify.go'),
];
const ratchet = flag === undefined ? [] : [join(root, 'test/limbo/ratchet.json')];
execFileSync(process.execPath, [...report, ...ratchet], { env, stdio: 'inherit' });
