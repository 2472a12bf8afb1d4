// What TLSA records say of a chain, row by row: the records stand in the left column as they stand in a zone, with
// the certificate or key they are made of in place of the digits.

import { createHash, X509Certificate } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { daneResult, type DaneState, type TlsaAnswer, type TlsaRecord } from '../../src/trust/dane.ts';
import { Examiner } from '../../src/trust/examine.ts';
import {
  basicConstraints,
  clientAuth,
  dns,
  ecKeys,
  endpointOf,
  extendedKeyUsage,
  type Forged,
  forgeCa,
  forgeLeaf,
  nameConstraints,
  rsaKeys,
  san,
  serverAuth,
} from './forge.ts';

const server = extendedKeyUsage(serverAuth);
const root = forgeCa('Some Root');
const middle = forgeCa('Some Intermediate', { issuer: root });
const impostor = forgeCa('Some Root');
const constrained = forgeCa('Constrained', {
  issuer: root,
  extensions: [basicConstraints(true), nameConstraints({ permitted: [dns('example.org')] })],
});
const weak = forgeCa('Weak Root', { keys: rsaKeys(1024), algorithm: 'rsa-sha256' });
const noCa = forgeLeaf({ keys: ecKeys() });

const certificates = {
  leaf: forgeLeaf({ issuer: middle }),
  renewed: forgeLeaf({ issuer: middle, serial: Buffer.of(0x33) }),
  rekeyed: forgeLeaf({ issuer: middle, keys: ecKeys() }),
  alone: forgeLeaf(),
  expired: forgeLeaf({ issuer: middle, to: '2026-02-01T00:00:00Z' }),
  elsewhere: forgeLeaf({ issuer: middle, extensions: [san(dns('other.example.org')), server] }),
  aliased: forgeLeaf({ issuer: middle, extensions: [san(dns('mx.example.net')), server] }),
  client: forgeLeaf({
    issuer: middle,
    extensions: [san(dns('mail.example.org')), extendedKeyUsage(clientAuth)],
  }),
  stolen: forgeLeaf({ issuer: { subject: middle.subject, keys: impostor.keys } }),
  underWeak: forgeLeaf({ issuer: weak, algorithm: 'rsa-sha256' }),
  underLeaf: forgeLeaf({ issuer: noCa }),
  underConstrained: forgeLeaf({ issuer: constrained }),
  root,
  middle,
  impostor,
  constrained,
  weak,
  noCa,
} as const satisfies Record<string, Forged>;
type Name = keyof typeof certificates;
const isName = (text: string): text is Name => Object.hasOwn(certificates, text);
const derOf = (name: string): Buffer => {
  if (!isName(name)) throw new Error(`no certificate is called ${name}`);
  return certificates[name].certificate;
};

const spkiOf = (der: Buffer): Buffer =>
  new X509Certificate(der).publicKey.export({ type: 'spki', format: 'der' });

function recordOf(text: string): TlsaRecord {
  const [usage = 9, selector = 9, matching = 9] = text.slice(0, 3).split('').map(Number);
  const der = derOf(text.slice(4));
  const selected = selector === 1 ? spkiOf(der) : der;
  const data =
    matching === 0
      ? selected
      : createHash(matching === 1 ? 'sha256' : 'sha512')
          .update(selected)
          .digest();
  return { usage, selector, matching, data };
}

const now = Date.parse('2026-06-01T00:00:00Z');
const answerOf = (records: readonly TlsaRecord[], names = 'mail.example.org'): TlsaAnswer => {
  const [base = '', ...others] = names.split(',');
  return { state: 'records', records, names: [base, ...others], expires: now };
};
const presenting = (chain: readonly Uint8Array[], clockSuspect = false) => ({
  chain,
  endpoint: endpointOf('mail.example.org'),
  now,
  clockSuspect,
  examiner: new Examiner(),
});

/** `usage selector matching:certificate`, comma-separated; the chain as sent, leaf first. */
const table = `
records                              | chain                        | found     | why
311:leaf                             | leaf,middle                  | match     | the usual record
310:leaf                             | leaf,middle                  | match     | the whole key
312:leaf                             | leaf                         | match     | SHA-512
300:leaf                             | leaf                         | match     | the whole certificate
301:leaf                             | leaf                         | match     | digest of the certificate
302:leaf                             | leaf                         | match     | SHA-512 of the certificate
301:leaf                             | renewed,middle               | mismatch  | another certificate of the same key
311:leaf                             | renewed,middle               | match     | the key stays through a renewal
311:leaf                             | rekeyed,middle               | mismatch  | another key
311:rekeyed,311:leaf                 | leaf                         | match     | both keys in a roll-over
311:expired                          | expired                      | match     | usage 3 looks at no dates
311:elsewhere                        | elsewhere                    | match     | usage 3 looks at no name
311:client                           | client                       | match     | usage 3 looks at no purpose
311:alone                            | alone                        | match     | self-signed
311:middle                           | leaf,middle                  | mismatch  | usage 3 is about the server's own key
-- usage 2
201:root                             | leaf,middle,root             | match     | digest of the root
211:root                             | leaf,middle,root             | match     | key of the root
212:root                             | leaf,root,middle             | match     | in whatever order
210:root                             | leaf,middle,root             | match     | whole key of a root that was sent
211:middle                           | leaf,middle                  | match     | an intermediate
201:root                             | leaf,middle                  | mismatch  | the root was not sent
200:root                             | leaf,middle                  | match     | the root stands in the record
210:root                             | leaf,middle                  | mismatch  | a bare key is no certificate of an issuer
201:root                             | leaf,root                    | mismatch  | the link between is missing
211:middle                           | expired,middle               | mismatch  | usage 2 looks at dates
211:middle                           | elsewhere,middle             | mismatch  | usage 2 looks at the name
211:middle                           | client,middle                | mismatch  | usage 2 looks at the purpose
211:middle                           | stolen,middle                | mismatch  | the signature is of another key
211:impostor                         | leaf,middle,impostor         | mismatch  | the name of the root is not its key
211:weak                             | underWeak,weak               | mismatch  | an anchor with a weak key
211:noCa                             | underLeaf,noCa               | mismatch  | an anchor without the rights of a CA
211:alone                            | alone                        | mismatch  | no certificate is its own anchor
211:alone                            | alone,alone                  | mismatch  | also when it is sent twice
211:root                             | underConstrained,constrained,root | mismatch | name constraints, though they permit the name
211:constrained                      | underConstrained,constrained | mismatch | also those of the anchor itself
200:constrained                      | underConstrained             | mismatch  | also where it stands in the record
211:middle                           | leaf,middle,constrained      | mismatch  | also beside the path
211:rekeyed,211:middle               | leaf,middle                  | match     | one of several
-- both usages
211:root,311:leaf                    | leaf                         | match     | usage 3 alone does
211:middle,311:rekeyed               | leaf,middle                  | match     | usage 2 alone does
211:root,311:rekeyed                 | leaf,middle                  | mismatch  | neither
-- the usages of the PKIX world, and what is unknown
111:leaf                             | leaf,middle                  | unusable  | PKIX-EE
001:root                             | leaf,middle,root             | unusable  | PKIX-TA
011:middle,111:leaf                  | leaf,middle                  | unusable  | both
411:leaf                             | leaf                         | unusable  | an unknown usage
321:leaf                             | leaf                         | unusable  | an unknown selector
313:leaf                             | leaf                         | unusable  | an unknown matching type
111:rekeyed,311:leaf                 | leaf                         | match     | unusable ones are as if they were not there
111:leaf,311:rekeyed                 | leaf                         | mismatch  | and save nobody
-- digest agility: the strongest digest of a usage and selector decides
312:leaf,311:rekeyed                 | leaf                         | match     | the weaker record is not looked at
312:rekeyed,311:leaf                 | leaf                         | mismatch  | nor does it save
312:rekeyed,301:leaf                 | leaf                         | match     | another selector is another list
212:root,311:leaf                    | leaf                         | match     | so is another usage
312:rekeyed,310:leaf                 | leaf                         | match     | full values count beside digests
`;

const rows = table
  .trim()
  .split('\n')
  .slice(1)
  .filter((line) => !line.startsWith('--'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([records = '', chain = '', found = '', why = '']) => ({ records, chain, found, why }));

const found = (records: string, chain: string): DaneState =>
  daneResult(answerOf(records.split(',').map(recordOf)), presenting(chain.split(',').map(derOf))).state;

describe('TLSA records and a chain', () => {
  it.each(rows)('$records on $chain: $found ($why)', ({ records, chain, found: expected }) => {
    expect(found(records, chain)).toBe(expected);
  });

  it.each([
    ['mail.example.org', 'aliased', 'mismatch'],
    ['mx.example.net,mail.example.org', 'aliased', 'match'],
    ['mx.example.net,mail.example.org', 'leaf', 'match'],
    ['mx.example.net', 'leaf', 'mismatch'],
  ])('usage 2 with the names %s and a certificate %s: %s', (names, leaf, state) => {
    const answer = answerOf([recordOf('211:middle')], names);
    expect(daneResult(answer, presenting([derOf(leaf), derOf('middle')])).state).toBe(state);
  });

  it('a clock that is not to be believed proves no dates, and does not touch usage 3', () => {
    const chain = [derOf('leaf'), derOf('middle')];
    const suspect = presenting(chain, true);
    expect(daneResult(answerOf([recordOf('211:middle')]), suspect).state).toBe('mismatch');
    expect(daneResult(answerOf([recordOf('311:leaf')]), suspect).state).toBe('match');
  });

  it.each([
    ['a digest that is too short', { ...recordOf('311:leaf'), data: recordOf('311:leaf').data.subarray(1) }],
    ['a digest that is too long', { ...recordOf('311:leaf'), data: Buffer.alloc(33) }],
    ['nothing', { ...recordOf('310:leaf'), data: Buffer.alloc(0) }],
    ['SHA-512 of the length of SHA-256', { ...recordOf('311:leaf'), matching: 2 }],
  ])('%s is no usable record', (_, record) => {
    const presented = presenting([derOf('leaf')]);
    expect(daneResult(answerOf([record]), presented).state).toBe('unusable');
    expect(daneResult(answerOf([record, recordOf('311:leaf')]), presented).state).toBe('match');
  });

  it('a stronger digest that is no digest does not hide a weaker one', () => {
    const broken = { ...recordOf('312:leaf'), data: Buffer.alloc(10) };
    const answer = answerOf([broken, recordOf('311:leaf')]);
    expect(daneResult(answer, presenting([derOf('leaf')])).state).toBe('match');
  });

  it.each(['absent', 'insecure', 'bogus', 'failed'] as const)('%s stays what it is', (state) => {
    const answer = { state, detail: 'why', expires: now } as TlsaAnswer;
    expect(daneResult(answer, presenting([derOf('leaf')]))).toEqual({ state, detail: 'why' });
  });

  it('names the record that matched, and what it would have taken', () => {
    const digest = createHash('sha256')
      .update(spkiOf(derOf('leaf')))
      .digest('hex')
      .slice(0, 16);
    const answer = answerOf([recordOf('311:leaf')]);
    expect(daneResult(answer, presenting([derOf('leaf')])).detail).toBe(`3 1 1 ${digest}...`);
    expect(daneResult(answer, presenting([derOf('rekeyed')])).detail).toBe(`3 1 1 ${digest}...`);
  });

  it('names the kinds of records that prove nothing, each once', () => {
    const answer = answerOf(['001:root', '111:leaf', '111:rekeyed'].map(recordOf));
    expect(daneResult(answer, presenting([derOf('leaf')])).detail).toBe(
      'no usable record among 0 0 1, 1 1 1',
    );
  });

  it.each(['01', '0102030405060708'])(
    'shows the whole of a short value that is not of this key: %s',
    (hex) => {
      const record = { ...recordOf('310:leaf'), data: Buffer.from(hex, 'hex') };
      expect(daneResult(answerOf([record]), presenting([derOf('leaf')]))).toEqual({
        state: 'mismatch',
        detail: `3 1 0 ${hex}`,
      });
    },
  );

  it('nothing was presented, or nothing that can be read: nothing matches, and nothing is thrown', () => {
    const answer = answerOf([recordOf('311:leaf'), recordOf('211:middle')]);
    expect(daneResult(answer, presenting([])).state).toBe('mismatch');
    expect(daneResult(answer, presenting([Buffer.of(0x30, 0x80)])).state).toBe('mismatch');
  });

  it('accepts no record of random octets, and never throws', () => {
    const octet = fc.nat(4);
    const records = fc.array(
      fc.record({ usage: octet, selector: octet, matching: octet, data: fc.uint8Array({ maxLength: 80 }) }),
      { maxLength: 6 },
    );
    const chain = fc.array(
      fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.constantFrom(derOf('leaf'), derOf('middle'))),
      { maxLength: 3 },
    );
    fc.assert(
      fc.property(records, chain, (some, sent) => {
        // Short full values could be what a random chain holds: only what decides something stays.
        const serious = some.filter(({ matching }) => matching !== 0);
        expect(daneResult(answerOf(serious), presenting(sent)).state).not.toBe('match');
        daneResult(answerOf(some), presenting(sent));
      }),
      { numRuns: 300 },
    );
  });
});

describe('the certificates of these tests', () => {
  it('are what the rows take them for', () => {
    expect(spkiOf(derOf('leaf')).equals(spkiOf(derOf('renewed')))).toBe(true);
    expect(spkiOf(derOf('leaf')).equals(spkiOf(derOf('rekeyed')))).toBe(false);
  });
});
