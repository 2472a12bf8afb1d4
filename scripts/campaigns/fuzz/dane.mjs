// TLSA records beside a chain (src/trust/dane.ts): a match under usage 3 is one that hashing here finds too, nothing but
// what is usable counts, and no record makes it throw. JSON of records, as fast-check or a mutant makes them.

import { createHash, X509Certificate } from 'node:crypto';
import { demand, demandPlain } from './engine/broken.mjs';
import { forgedCertificates } from './engine/der.mjs';

const parts = (certificate) => {
  try {
    const { raw, publicKey } = new X509Certificate(certificate);
    return [raw, publicKey.export({ type: 'spki', format: 'der' })];
  } catch {
    return [certificate, null];
  }
};

const isByte = (one) => Number.isInteger(one) && one >= 0 && one <= 255;

export const target = {
  name: 'dane',
  files: ['src/trust/dane'],
  structured: 0.6,
  prepare: async (from) => {
    const { daneResult } = await from('src/trust/dane');
    const { Examiner } = await from('src/trust/examine');
    const { forge, leaf, alone, root } = await forgedCertificates(from);
    const chains = [
      [alone.certificate],
      [leaf.certificate, root.certificate],
      [leaf.certificate],
      [Buffer.from('no certificate')],
    ];
    const endpoint = forge.endpointOf('mail.example.org');
    const digests = [
      (octets) => octets,
      (octets) => createHash('sha256').update(octets).digest(),
      (octets) => createHash('sha512').update(octets).digest(),
    ];
    const everything = chains.flatMap((chain) =>
      chain.flatMap((one) =>
        parts(one).flatMap((octets) =>
          octets === null ? [] : digests.map((digest) => digest(octets).toString('hex')),
        ),
      ),
    );
    const isOf = ({ selector, matching, data }, certificate) => {
      const octets = parts(certificate)[selector];
      return octets != null && digests[matching]?.(octets).equals(data) === true;
    };
    const run = (bytes) => {
      const given = parsed(bytes);
      if (given === null) return;
      const chain = chains[given.chain % chains.length];
      const records = given.records.map(({ usage, selector, matching, data }) => ({
        usage,
        selector,
        matching,
        data: Buffer.from(data, 'hex'),
      }));
      const answer = { state: 'records', records, names: ['mail.example.org'], expires: 0 };
      const { state, detail } = daneResult(answer, {
        chain,
        endpoint,
        now: Date.parse('2026-06-01T00:00:00Z'),
        clockSuspect: false,
        examiner: new Examiner({ chains: 2, octets: 100_000 }),
      });
      demandPlain(detail, 'what is said of records');
      demand(
        ['match', 'mismatch', 'unusable'].includes(state),
        'records match, do not, or cannot be used',
        state,
      );
      const byLeaf = records.some(
        (record) => record.usage === 3 && [0, 1].includes(record.selector) && isOf(record, chain[0]),
      );
      const byAnchor = records.some(({ usage }) => usage === 2);
      demand(
        state !== 'match' || byLeaf || byAnchor,
        'a match is one that can be found',
        JSON.stringify(given),
      );
      const isAlone = records.filter(({ usage }) => usage === 3).length === 1 && records.length === 1;
      demand(
        !(isAlone && byLeaf) || state === 'match',
        'the record of a key matches it',
        JSON.stringify(given),
      );
    };
    const values = (fc) => {
      const small = fc.constantFrom(0, 1, 2, 3, 4, 255);
      const data = fc.oneof(
        fc.constantFrom(...everything),
        fc.constantFrom(...everything).map((hex) => hex.slice(0, -2)),
        fc.constant(''),
        fc.uint8Array({ maxLength: 70 }).map((octets) => Buffer.from(octets).toString('hex')),
      );
      return fc.record({
        chain: fc.nat(3),
        records: fc.array(
          fc.record({ usage: fc.oneof(small, fc.constant(3)), selector: small, matching: small, data }),
          { maxLength: 5 },
        ),
      });
    };
    const seeds = everything.slice(0, 6).map((data, at) =>
      JSON.stringify({
        chain: 0,
        records: [{ usage: 3, selector: at < 3 ? 0 : 1, matching: at % 3, data }],
      }),
    );
    return { seeds, run, values };
  },
};

function parsed(bytes) {
  try {
    const given = JSON.parse(bytes.toString('utf8'));
    const isSound =
      Number.isInteger(given.chain) &&
      given.chain >= 0 &&
      given.records.every(
        ({ usage, selector, matching, data }) =>
          [usage, selector, matching].every(isByte) && typeof data === 'string',
      );
    return isSound ? given : null;
  } catch {
    return null;
  }
}
