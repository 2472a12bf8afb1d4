// Whatever octets stand where a certificate belongs: describing them never throws, never takes long, stays small, and
// what is printed of them holds nothing that a terminal acts on. LETTERLOCK_FUZZ says how many mutants (5000),
// LETTERLOCK_FUZZ_SEED which (the seed is printed with every failure).

import { expect, test } from 'vitest';
import { certificateLines, faultLines } from '../../cmd/certificate-lines.ts';
import { jsonText } from '../../cmd/io.ts';
import { describeCertificate, readCertificates } from '../../src/trust/certificate.ts';
import { escapeText } from '../../src/trust/escape.ts';
import { Examiner } from '../../src/trust/examine.ts';
import { isFault } from '../../src/trust/fault.ts';
import {
  anchorsOf,
  basicConstraints,
  cn,
  directory,
  dns,
  email,
  endpointOf,
  extendedKeyUsage,
  forgeCa,
  forgeLeaf,
  ip,
  issuerSource,
  keyUsage,
  name,
  nameConstraints,
  rsaKeys,
  san,
  serverAuth,
  srv,
  uri,
} from './forge.ts';

const mutants = Number(process.env['LETTERLOCK_FUZZ'] ?? 5000);
const seed = Number(process.env['LETTERLOCK_FUZZ_SEED'] ?? Date.now() % 2 ** 32);

/** Mulberry32: a small generator whose whole state is one number, so that a seed repeats a run. */
function randomFrom(start: number): (below: number) => number {
  let state = start >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const root = forgeCa('Example Root', {
  extensions: [
    basicConstraints(true, 3),
    keyUsage('keyCertSign', 'cRLSign'),
    nameConstraints({
      permitted: [dns('example.org'), ip(192, 0, 2, 0, 255, 255, 255, 0)],
      excluded: [email('.example.net')],
    }),
  ],
});
const anchors = anchorsOf(root);
const originals: readonly Buffer[] = [
  root,
  forgeLeaf(),
  forgeLeaf({
    issuer: root,
    subject: name(
      ['2.5.4.6', 'DE', 0x13],
      ['2.5.4.10', 'Bücher & Söhne'],
      ['2.5.4.3', '\u001b]0;x\u0007\u202egro.\u009b31m'],
    ),
    extensions: [
      san(
        dns('mail.example.org'),
        dns('*.example.org'),
        ip(192, 0, 2, 1),
        srv('_imaps.example.org'),
        uri('imaps://example.org'),
        email('a@example.org'),
        directory(cn('x')),
      ),
      extendedKeyUsage(serverAuth, '1.2.3.4'),
      keyUsage('digitalSignature'),
      basicConstraints(false),
      issuerSource('http://ca.example/i.crt'),
    ],
  }),
  forgeLeaf({
    keys: rsaKeys(2048),
    algorithm: 'rsa-sha256',
    from: '1999-12-31T23:59:59Z',
    to: '2060-01-01T00:00:00Z',
  }),
].map(({ certificate }) => certificate);

type Random = (below: number) => number;
type Change = (bytes: Buffer, random: Random) => Buffer;

const hostile = Buffer.from('\u001b\u0000\u0007\u007f\u009b\u202e\u2066\u200b\ufeff\r\n', 'utf8');
const tagsOfStrings = [
  0x0c, 0x13, 0x14, 0x16, 0x1a, 0x1c, 0x1e, 0x82, 0x86, 0x81, 0x30, 0x31, 0xa0, 0xa3, 0x05,
];

const changes: readonly Change[] = [
  (bytes, random) => {
    bytes[random(bytes.length)] = random(256);
    return bytes;
  },
  (bytes, random) => {
    const at = random(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
    return bytes;
  },
  (bytes, random) => {
    bytes[random(bytes.length)] = tagsOfStrings[random(tagsOfStrings.length)] ?? 0;
    return bytes;
  },
  (bytes, random) => {
    bytes[random(bytes.length)] = [0x7f, 0x80, 0x81, 0x82, 0x84, 0xff, 0x00][random(7)] ?? 0;
    return bytes;
  },
  (bytes, random) => {
    hostile.copy(bytes, random(bytes.length));
    return bytes;
  },
  (bytes, random) => bytes.subarray(0, random(bytes.length)),
  (bytes, random) => {
    const at = random(bytes.length);
    const from = random(bytes.length);
    return Buffer.concat([
      bytes.subarray(0, at),
      bytes.subarray(from, from + random(64)),
      bytes.subarray(at),
    ]);
  },
  (bytes, random) => {
    const at = random(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random(32))]);
  },
];

function mutant(random: Random): Buffer {
  let bytes: Buffer = Buffer.from(originals[random(originals.length)] ?? Buffer.alloc(1));
  for (let left = 1 + random(4); left > 0 && bytes.length > 0; left -= 1)
    bytes = changes[random(changes.length)]?.(bytes, random) ?? bytes;
  return bytes;
}

/** What a terminal could act on: controls (C0, DEL, C1), and marks that turn the reading direction. */
const acting = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u;

/** Examined as a server's certificate, and as that of a CA above one; every eighth, since it takes longer. */
function wrongInChain(bytes: Buffer, examiner: Examiner): string | null {
  const circumstances = {
    anchors,
    endpoint: endpointOf('mail.example.org'),
    chainError: null,
    now: Date.parse('2026-06-01T00:00:00Z'),
    clockSuspect: false,
  };
  const [, , leaf = bytes] = originals;
  const asLeaf = examiner.examine([bytes, ...anchors.certificates], circumstances);
  const asCa = examiner.examine([leaf, bytes], circumstances);
  const faulty = [asLeaf, asCa].find(({ faults }) => !faults.every(isFault));
  if (faulty !== undefined) return 'has a fault that is none in a chain';
  return asLeaf.caValid && !bytes.equals(leaf) ? 'is CA valid' : null;
}

/** What is wrong with the description of these octets; null when nothing is. */
function wrongWith(bytes: Buffer): string | null {
  const description = describeCertificate(bytes);
  const lines = [...certificateLines(description), ...faultLines(description.faults)].map(escapeText);
  const printed = lines.find((line) => acting.test(line));
  if (printed !== undefined) return `prints ${JSON.stringify(printed)}`;
  const json = jsonText({ ...description, pem: '' });
  if (acting.test(json.replaceAll('\n', ''))) return `is JSON ${JSON.stringify(json)}`;
  if (!description.faults.every(isFault)) return 'has a fault that is none';
  return json.length > 100_000 ? `takes ${json.length} characters` : null;
}

function readAsFile(bytes: Buffer): string | null {
  try {
    readCertificates(bytes);
    return null;
  } catch (error) {
    return error instanceof RangeError ? null : `throws ${String(error)} when read as a file`;
  }
}

const slowestMs = 1000;

test(`${mutants} mutants of certificates, seed ${seed}`, { timeout: 60_000 + mutants * 10 }, () => {
  const random = randomFrom(seed);
  const examiner = new Examiner({ chains: 8, octets: 100_000 });
  const before = process.memoryUsage().rss;
  for (let at = 0; at < mutants; at += 1) {
    const bytes = mutant(random);
    const from = process.cpuUsage();
    const inChain = at % 8 === 0 ? wrongInChain(bytes, examiner) : null;
    const wrong = wrongWith(bytes) ?? readAsFile(bytes) ?? inChain;
    const tookMs = process.cpuUsage(from).user / 1000;
    if (wrong !== null || tookMs > slowestMs)
      expect.fail(
        `seed ${seed}, mutant ${at} (${bytes.toString('base64')}): ${wrong ?? `takes ${tookMs} ms`}`,
      );
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024);
});

test('the mutants are not all refused at once: most of the certificate is often still read', () => {
  const random = randomFrom(1);
  const read = Array.from({ length: 300 }, () => describeCertificate(mutant(random))).filter(
    ({ subject, spki }) => subject !== '' && spki !== null,
  );
  expect(read.length).toBeGreaterThan(30);
});
