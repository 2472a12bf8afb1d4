// DNS messages: what is asked, octet for octet, and what is read. Whatever arrives is a message or one kind of error.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessage, DnsFormatError, encodeQuery, recordTypes } from '../../src/net/dns-message.ts';

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s+/g, ''), 'hex');

/** An answer with a compressed CNAME and a TLSA record, AD set, and EDNS behind it. */
const good = `
  1234 81a0 0001 0002 0001 0001
  04 5f393933 04 5f746370 02 4d58 04 74657374 00  0034 0001
  c00c 0005 0001 0000012c 0009  06 746172676574 c019
  06 746172676574 c019 0034 0001 0000003c 0005  03 01 01 abcd
  c019 0006 0001 00000e10 0018  00 00 00000001 00000002 00000003 00000004 00000005 0000
  00 0029 04d0 00 00 8000 0000
`;

describe('a question', () => {
  it('is asked recursively, with AD, DO and EDNS', () => {
    expect(encodeQuery(0x1234, { name: '_993._tcp.mx.test', type: recordTypes.tlsa }).toString('hex')).toBe(
      hex(
        '1234 0120 0001 0000 0000 0001 04 5f393933 04 5f746370 02 6d78 04 74657374 00 0034 0001 00 0029 04d0 0000 8000 0000',
      ).toString('hex'),
    );
  });

  it('asks not to check where that is wanted', () => {
    const query = encodeQuery(1, { name: 'a.test', type: recordTypes.a, checkingDisabled: true });
    expect(query.readUInt16BE(2)).toBe(0x0130);
  });

  it.each(['', 'a..test', `${'a'.repeat(64)}.test`, `${'abcdefg.'.repeat(32)}test`])(
    'cannot be asked of the name "%s"',
    (name) => {
      expect(() => encodeQuery(1, { name, type: 1 })).toThrow(RangeError);
    },
  );
});

/** Read, or refused as it should be. */
function isRead(bytes: Uint8Array): boolean {
  try {
    decodeMessage(bytes);
    return true;
  } catch (error) {
    return error instanceof DnsFormatError;
  }
}

describe('an answer', () => {
  it('is read with its pointers, in lower case, with its bits', () => {
    const message = decodeMessage(hex(good));
    expect(message).toMatchObject({
      id: 0x1234,
      isResponse: true,
      isTruncated: false,
      isAuthentic: true,
      rcode: 0,
      question: { name: '_993._tcp.mx.test', type: 52 },
    });
    expect(message.answers).toEqual([
      {
        name: '_993._tcp.mx.test',
        type: 5,
        ttl: 300,
        data: hex('06 746172676574 c019'),
        target: 'target.test',
      },
      { name: 'target.test', type: 52, ttl: 60, data: hex('03 01 01 abcd'), target: null },
    ]);
    expect(message.authorities).toMatchObject([{ type: 6, ttl: 3_600 }]);
  });

  it.each([
    ['81a0', { isAuthentic: true, rcode: 0 }],
    ['8180', { isAuthentic: false, rcode: 0 }],
    ['8182', { isAuthentic: false, rcode: 2 }],
    ['83a3', { isAuthentic: true, isTruncated: true, rcode: 3 }],
    ['0120', { isResponse: false }],
  ])('with the bits %s', (bits, expected) => {
    expect(decodeMessage(hex(good.replace('81a0', bits)))).toMatchObject(expected);
  });

  it('has the whole code where EDNS carries the rest of it', () => {
    const message = decodeMessage(hex(good.replace('04d0 00 00', '04d0 01 00')));
    expect(message.rcode).toBe(16);
  });

  it('shows octets that no host name has as what they are', () => {
    const message = decodeMessage(hex('0001 8180 0001 0000 0000 0000 04 612e620a 04 54455354 00 0034 0001'));
    expect(message.question?.name).toBe('a\\046b\\010.test');
  });

  it('of another class is no answer', () => {
    const chaos = good.replace('0034 0001 0000003c', '0034 0003 0000003c');
    expect(decodeMessage(hex(chaos)).answers).toHaveLength(1);
  });

  const end = hex(good).length;
  it.each([
    ['no header', '1234 81a0'],
    ['two questions', good.replace('0001 0002', '0002 0002')],
    ['more records than there are', good.replace('0001 0002', '0001 0009')],
    ['a pointer to itself', good.replace('c00c 0005', 'c023 0005')],
    ['a pointer that leads on', good.replace('c00c 0005', 'c0f0 0005')],
    ['a record longer than the message', good.replace('0000003c 0005', '0000003c 7fff')],
    ['a CNAME with something behind it', good.replace('0000012c 0009', '0000012c 000a')],
    ['a label of a kind nobody knows', good.replace('04 5f393933', '44 5f393933')],
    ['a question of another class', good.replace('0034 0001\n', '0034 0003\n')],
  ])('is none with %s', (_, text) => {
    expect(() => decodeMessage(hex(text))).toThrow(DnsFormatError);
  });

  it('is none when it is cut short anywhere', () => {
    for (let length = 0; length < end; length += 1)
      expect(() => decodeMessage(hex(good).subarray(0, length))).toThrow(DnsFormatError);
    expect(() => decodeMessage(hex(good))).not.toThrow();
  });

  it('with a name of pointers that lead back for ever is none', () => {
    const loop = hex('0001 8180 0001 0001 0000 0000 00 0001 0001 c00c 0005');
    loop.writeUInt16BE(0xc011, 17);
    expect(() => decodeMessage(loop)).toThrow(DnsFormatError);
  });

  it('of any octets is a message or one kind of error', () => {
    const changed = fc
      .array(fc.tuple(fc.nat(end - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
      .map((changes) => {
        const bytes = hex(good);
        for (const [at, octet] of changes) bytes[at] = octet;
        return bytes;
      });
    fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), changed), isRead), { numRuns: 5_000 });
  });
});
