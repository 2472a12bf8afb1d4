// Records for the growth benchmark, made and stored with the code of the built product: a first-used pin with the
// certificate it was seen with, as a daemon leaves it behind.

import { X509Certificate, createHash, randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './growth-world.mjs';

/** Milliseconds since 1970, a moment all records agree on. */
const anHourAgo = Date.now() - 3_600_000;

/** A CA-less certificate and key for 127.0.0.1 and localhost, files and all; they stay in a folder that is given. */
export function makeCertificate(folder = temporaryFolder()) {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = '-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1';
  const kind = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30';
  const words = `req ${kind} ${subject}`.split(' ');
  execFileSync('openssl', [...words, '-keyout', key, '-out', cert], {
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  const pem = readFileSync(cert, 'utf8');
  const spki = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
  return {
    keyFile: key,
    certFile: cert,
    pem,
    pin: `sha256//${createHash('sha256').update(spki).digest('base64')}`,
  };
}

export const endpointOf = (index) => `mail-${String(index).padStart(6, '0')}.example.org:993`;
export const freshKey = () => `sha256//${randomBytes(32).toString('base64')}`;

const evidenceOf = (endpoint, pem) => ({
  seenAt: anHourAgo,
  caValid: false,
  faults: ['self-signed'],
  chainsToAnchor: false,
  sha256: randomBytes(32).toString('hex').toUpperCase().match(/../g).join(':'),
  subject: `CN=${endpoint.split(':')[0]}`,
  issuer: `CN=${endpoint.split(':')[0]}`,
  names: [endpoint.split(':')[0]],
  notBefore: anHourAgo,
  notAfter: anHourAgo + 30 * 86_400_000,
  pem,
});

const pinOf = (endpoint, { spki, pem }) => ({
  spki,
  kind: 'leaf',
  origin: pem === null ? 'added' : 'first-use',
  firstSeen: anHourAgo,
  lastSeen: null,
  until: null,
  endedAt: null,
  evidence: pem === null ? null : evidenceOf(endpoint, pem),
});

/** `pem` null: as `pins add` leaves it, no certificate seen. `waiting`: how many refused keys wait for the operator. */
function recordOf(endpoint, { pem, spki = freshKey(), waiting = 0 }) {
  return {
    endpoint,
    epoch: 1,
    basis: 'pinned',
    pins: [pinOf(endpoint, { spki, pem })],
    rejected: [],
    candidates: Array.from({ length: waiting }, () => ({
      spki: freshKey(),
      firstSeen: anHourAgo,
      lastSeen: anHourAgo,
      seenCount: 1,
      reason: 'pin-mismatch',
      evidence: evidenceOf(endpoint, pem),
    })),
    lastCa: null,
    undo: null,
  };
}

const entryOf = (endpoint, spki) => ({
  at: anHourAgo,
  endpoint,
  event: 'first-use',
  origin: 'proxy',
  spki,
  detail: `first use of ${endpoint}`,
});

/** Opens the store of the built product. */
export async function openStore(dist, state, options = {}) {
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const { openLevelStore } = await import(join(dist, 'src/store/level.js'));
  return openLevelStore({ directory: state, create: true, now: Date.now, ...options });
}

/** Stores `count` endpoints from `from` on, `batch` at a time; answers what each batch took, in milliseconds. */
export async function fill(store, { from, count, batch = 2000, ...how }) {
  const took = [];
  for (let at = from; at < from + count; at += batch) {
    const names = Array.from({ length: Math.min(batch, from + count - at) }, (_, i) => endpointOf(at + i));
    const changes = names.map((endpoint) => {
      const record = recordOf(endpoint, how);
      return { endpoint, expected: 0, record, audit: [entryOf(endpoint, record.pins[0].spki)] };
    });
    const startedAt = performance.now();
    const answer = await store.commit(changes);
    if (!answer.committed) throw new Error('the store already has these endpoints');
    took.push(performance.now() - startedAt);
  }
  return took;
}

/** `count` audit entries, many in one commit, on one endpoint. */
export async function fillAudit(store, { endpoint, revision, count, batch = 5000 }) {
  const record = recordOf(endpoint, { pem: null });
  let expected = revision;
  const took = [];
  for (let at = 0; at < count; at += batch) {
    const audit = Array.from({ length: Math.min(batch, count - at) }, () => ({
      ...entryOf(endpoint, record.pins[0].spki),
      at: Date.now(),
    }));
    const startedAt = performance.now();
    const answer = await store.commit([{ endpoint, expected, record, audit }]);
    if (!answer.committed) throw new Error('somebody else wrote');
    expected += 1;
    took.push(performance.now() - startedAt);
  }
  return { took, revision: expected };
}
