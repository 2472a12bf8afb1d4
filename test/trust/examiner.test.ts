import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeCertificate } from '../../src/trust/certificate.ts';
import { type Anchors, type Circumstances, Examiner } from '../../src/trust/examine.ts';
import { isFault } from '../../src/trust/fault.ts';
import { spkiOfCertificate } from '../../src/trust/fingerprint.ts';
import {
  anchorsOf,
  basicConstraints,
  cn,
  dns,
  ecKeys,
  endpointOf,
  extendedKeyUsage,
  type Forged,
  forgeCa,
  forgeLeaf,
  ip,
  issuerSource,
  keyIdOf,
  keyUsage,
  san,
  serverAuth,
  srv,
} from './forge.ts';

const root = forgeCa('Example Root');
const middle = forgeCa('Example Intermediate', { issuer: root });
const anchors = anchorsOf(root);
const now = Date.parse('2026-06-01T00:00:00Z');
const usual: Circumstances = {
  anchors,
  endpoint: endpointOf('mail.example.org'),
  chainError: null,
  now,
  clockSuspect: false,
};
const bytes = (...chain: readonly Forged[]): readonly Buffer[] => chain.map(({ certificate }) => certificate);

const big = (at: number) => bytes(forgeLeaf({ issuer: root, subject: cn(`${at}${'x'.repeat(40_000)}`) }));

describe('what an examiner remembers', () => {
  const chain = bytes(forgeLeaf({ issuer: middle }), middle);

  test('is not made again, and is judged by the moment and the name asked for', () => {
    const examiner = new Examiner();
    const first = examiner.examine(chain, usual);
    const later = examiner.examine(
      chain.map((der) => Buffer.from(der)),
      { ...usual, now: Date.parse('2028-01-01T00:00:00Z') },
    );
    const elsewhere = examiner.examine(chain, { ...usual, endpoint: endpointOf('other.example.org') });
    expect([first.chain === later.chain, first.chain === elsewhere.chain, examiner.size]).toEqual([
      true,
      true,
      1,
    ]);
    expect([first.faults, later.faults, elsewhere.faults]).toEqual([[], ['expired'], ['name-mismatch']]);
    expect([first.caValid, later.caValid, elsewhere.caValid]).toEqual([true, false, false]);
  });

  test('holds for one set of anchors only', () => {
    const examiner = new Examiner();
    expect(examiner.examine(chain, usual).caValid).toBe(true);
    expect(examiner.examine(chain, { ...usual, anchors: anchorsOf(forgeCa('Another')) })).toMatchObject({
      caValid: false,
      faults: ['unknown-issuer'],
    });
    expect(examiner.examine(chain, usual).caValid).toBe(true);
    expect(examiner.size).toBe(2);
  });

  test('holds for one chain only, octet by octet and certificate by certificate', () => {
    const examiner = new Examiner();
    const [leaf = Buffer.alloc(0), issuer = Buffer.alloc(0)] = chain;
    examiner.examine([leaf, issuer], usual);
    expect(examiner.examine([Buffer.concat([leaf, issuer])], usual).caValid).toBe(false);
    expect(examiner.examine([leaf], usual).caValid).toBe(false);
    expect(examiner.examine([issuer, leaf], usual).caValid).toBe(false);
    expect(examiner.size).toBe(4);
  });

  test('is bounded in number, the longest unused going first', () => {
    const examiner = new Examiner({ chains: 2, octets: 1_000_000 });
    const [a, b, c] = ['a', 'b', 'c'].map((host) =>
      bytes(forgeLeaf({ issuer: root, extensions: [san(dns(host))] })),
    );
    const examine = (one: readonly Buffer[] = []) => examiner.examine(one, usual).chain;
    const [firstA, firstB] = [examine(a), examine(b)];
    expect(examine(a)).toBe(firstA);
    examine(c);
    expect(examiner.size).toBe(2);
    expect(examine(a)).toBe(firstA);
    expect(examine(b)).not.toBe(firstB);
  });

  test('is bounded in octets', () => {
    const examiner = new Examiner({ chains: 4096, octets: 100_000 });
    for (const at of [1, 2, 3, 4, 5]) examiner.examine(big(at), usual);
    expect(examiner.size).toBe(2);
  });

  test('is bounded in octets, to the very one', () => {
    const chains = [bytes(forgeLeaf({ issuer: middle }), middle), bytes(forgeLeaf({ issuer: root }))];
    const octets = chains.flat().reduce((sum, { length }) => sum + length, 0);
    const kept = (limit: number): number => {
      const examiner = new Examiner({ chains: 4096, octets: limit });
      for (const one of [...chains, ...chains]) examiner.examine(one, usual);
      return examiner.size;
    };
    expect([kept(octets), kept(octets - 1)]).toEqual([2, 1]);
  });
});

const forest = (count: number): Anchors =>
  anchorsOf(
    ...Array.from({ length: count }, () =>
      forgeCa('Example Root', { extensions: [basicConstraints(true)], keyId: keyIdOf(root.keys) }),
    ),
  );

describe('whatever is presented, the work is bounded', () => {
  test('250 certificates: the first sixteen are looked at', () => {
    const many = Array.from({ length: 248 }, (_, at) => forgeCa(`Filler ${at}`, { keys: root.keys }));
    const near = new Examiner().examine(bytes(forgeLeaf({ issuer: middle }), middle, ...many), usual);
    expect(near).toMatchObject({ caValid: true });
    expect(near.chain).toHaveLength(16);
    const far = new Examiner().examine(bytes(forgeLeaf({ issuer: middle }), ...many, middle), usual);
    expect(far).toMatchObject({ caValid: false, chainsToAnchor: false, faults: ['unknown-issuer'] });
  });

  test('a hundred anchors of one name: the search gives up and does not trust', () => {
    const leaf = forgeLeaf({ issuer: root });
    const buried = {
      ...usual,
      anchors: { digest: 'buried', certificates: [...forest(100).certificates, root.certificate] },
    };
    expect(new Examiner().examine(bytes(leaf), buried)).toMatchObject({
      caValid: false,
      faults: ['unknown-issuer'],
    });
    const within = {
      ...usual,
      anchors: { digest: 'within', certificates: [...forest(20).certificates, root.certificate] },
    };
    expect(new Examiner().examine(bytes(leaf), within)).toMatchObject({ caValid: true });
  });

  test('fifteen CAs that all signed one another: the search gives up and does not trust', () => {
    const keys = ecKeys();
    const ring = Array.from({ length: 15 }, (_, at) => forgeCa('Ring', { keys, serial: Buffer.of(at + 1) }));
    const [first = root] = ring;
    expect(new Examiner().examine(bytes(forgeLeaf({ issuer: first }), ...ring), usual)).toMatchObject({
      chainsToAnchor: false,
    });
  });
});

const mutant = (certificate: Buffer) =>
  fc
    .array(fc.record({ at: fc.nat(certificate.length - 1), to: fc.nat(255) }), {
      minLength: 1,
      maxLength: 4,
    })
    .map((changes) => {
      const changed = Buffer.from(certificate);
      for (const { at, to } of changes) changed[at] = to;
      return changed;
    });

const named = (count: number) =>
  forgeLeaf({
    issuer: root,
    subject: cn('x'),
    extensions: [
      san(...Array.from({ length: count }, (_, at) => dns(`h${at}.example`)), dns('mail.example.org')),
    ],
  });

describe('hostile octets', { timeout: 60_000 }, () => {
  const leaf = forgeLeaf({
    issuer: middle,
    extensions: [
      san(dns('mail.example.org'), ip(192, 0, 2, 1), srv('_imaps.example.org')),
      extendedKeyUsage(serverAuth),
      keyUsage('digitalSignature'),
      basicConstraints(false),
      issuerSource('http://ca.example/i.crt'),
    ],
  });

  test('a changed certificate never throws, is never CA valid, and never has a fault that is not in the table', () => {
    const examiner = new Examiner({ chains: 8, octets: 1_000_000 });
    fc.assert(
      fc.property(mutant(leaf.certificate), (changed) => {
        fc.pre(!changed.equals(leaf.certificate));
        const examined = examiner.examine([changed, middle.certificate], usual);
        expect(examined.caValid).toBe(false);
        expect(examined.faults.length).toBeGreaterThan(0);
        expect(examined.faults.every(isFault)).toBe(true);
        expect(JSON.stringify(describeCertificate(changed)).length).toBeLessThan(20_000);
      }),
      { numRuns: 500 },
    );
  });

  test('a changed intermediate never carries the chain to the anchor', () => {
    const examiner = new Examiner({ chains: 8, octets: 1_000_000 });
    fc.assert(
      fc.property(mutant(middle.certificate), (changed) => {
        fc.pre(!changed.equals(middle.certificate));
        expect(examiner.examine([leaf.certificate, changed], usual)).toMatchObject({
          caValid: false,
          chainsToAnchor: false,
        });
      }),
      { numRuns: 250 },
    );
  });

  test('a changed anchor counts only as long as its key is the same', () => {
    fc.assert(
      fc.property(mutant(root.certificate), (changed) => {
        const set = { digest: changed.toString('hex'), certificates: [changed] };
        const { chainsToAnchor } = new Examiner().examine(bytes(leaf, middle), { ...usual, anchors: set });
        if (chainsToAnchor) expect(spkiOfCertificate(changed)).toBe(spkiOfCertificate(root.certificate));
      }),
      { numRuns: 150 },
    );
  });

  test('any octets at all are described', () => {
    const noise = fc.uint8Array({ maxLength: 300 });
    const framed = noise.map((inner) => Buffer.concat([leaf.certificate.subarray(0, 40), inner]));
    fc.assert(
      fc.property(fc.oneof(noise, framed), (octets) => {
        expect(describeCertificate(octets).faults).toContain('malformed');
        expect(spkiOfCertificate(octets)).toBeNull();
      }),
      { numRuns: 500 },
    );
  });

  test('a certificate of twenty thousand names is refused, and one of a few thousand is matched', () => {
    expect(new Examiner().examine(bytes(named(3500)), usual)).toMatchObject({ caValid: true, faults: [] });
    expect(new Examiner().examine(bytes(named(20_000)), usual)).toMatchObject({
      caValid: false,
      faults: ['malformed', 'name-mismatch'],
    });
  });
});
