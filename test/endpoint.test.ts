// The endpoint name: one spelling for one name, and nothing that is half a name and half an address.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalHost, endpointOf, parseEndpoint } from '../src/endpoint.ts';

const good: readonly (readonly [written: string, host: string, kind: 'dns' | 'ip'])[] = [
  ['imap.example.org', 'imap.example.org', 'dns'],
  ['IMAP.Example.ORG', 'imap.example.org', 'dns'],
  ['imap.example.org.', 'imap.example.org', 'dns'],
  ['imap%2Eexample%2eorg', 'imap.example.org', 'dns'],
  ['localhost', 'localhost', 'dns'],
  ['mail_server', 'mail_server', 'dns'],
  ['r3---sn-4g5.example.org', 'r3---sn-4g5.example.org', 'dns'],
  ['1und1.example', '1und1.example', 'dns'],
  ['bücher.example', 'xn--bcher-kva.example', 'dns'],
  ['BÜCHER.example。', 'xn--bcher-kva.example', 'dns'],
  ['b%C3%BCcher.example', 'xn--bcher-kva.example', 'dns'],
  ['xn--bcher-kva.example', 'xn--bcher-kva.example', 'dns'],
  ['XN--BCHER-KVA.example', 'xn--bcher-kva.example', 'dns'],
  ['straße.example', 'xn--strae-oqa.example', 'dns'],
  ['STRAẞE.example', 'xn--strae-oqa.example', 'dns'],
  ['βόλος.example', 'xn--nxasmm1c.example', 'dns'],
  ['ΒΌΛΟΣ.example', 'xn--nxasmq6b.example', 'dns'],
  ['日本｡example', 'xn--wgv71a.example', 'dns'],
  ['xn--ls8h.example', 'xn--ls8h.example', 'dns'],
  ['xn--58d.example', 'xn--58d.example', 'dns'],
  ['xn--mgba3gch31f060k.example', 'xn--mgba3gch31f060k.example', 'dns'],
  ['ｉｍａｐ.example', 'imap.example', 'dns'],
  [`${'a'.repeat(63)}.example`, `${'a'.repeat(63)}.example`, 'dns'],
  ['192.0.2.1', '192.0.2.1', 'ip'],
  ['0.0.0.0', '0.0.0.0', 'ip'],
  ['[::1]', '::1', 'ip'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1', 'ip'],
  ['[2001:db8:0:1:1:1:1:1]', '2001:db8:0:1:1:1:1:1', 'ip'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1', 'ip'],
  ['%5B::1%5D', '::1', 'ip'],
];

const bad: readonly (readonly [written: string, message: RegExp])[] = [
  ['', /"" has an empty label/],
  ['.', /empty label/],
  ['imap..example.org', /"imap\.\.example\.org" has an empty label/],
  ['.example.org', /empty label/],
  ['example.org..', /empty label/],
  ['0x7f.1', /"0x7f\.1" turns into an address: write an IPv4 address as four decimals/],
  ['127.1', /turns into an address/],
  ['2130706433', /turns into an address/],
  ['0177.0.0.1', /turns into an address/],
  ['127.0.0.01', /turns into an address/],
  ['127.0.0.1.', /turns into an address/],
  ['127.0.0.256', /turns into an address/],
  ['１２７.0.0.1', /turns into an address/],
  ['127。0。0。1', /turns into an address/],
  ['①.①.①.①', /turns into an address/],
  ['example.0x', /turns into an address/],
  ['fe80::1%eth0', /has a zone/],
  ['[fe80::1%25eth0]', /has a zone/],
  ['[::ffff:192.0.2.1]', /IPv4 address in IPv6 form/],
  ['::ffff:c000:201', /IPv4 address in IPv6 form/],
  ['[::1', /not an IPv6 address/],
  ['[imap.example.org]', /not an IPv6 address/],
  ['[]', /not an IPv6 address/],
  ['a b.example', /not a host name/],
  ['imap.example.org/', /not a host name/],
  ['user@imap.example.org', /not a host name/],
  ['me pass@word@imap.example.org', /^"\*{12}@imap\.example\.org" is not a host name/],
  ['imap.example.org?x', /not a host name/],
  ['imap.example.org#x', /not a host name/],
  ['imap%2525.example', /not a host name/],
  ['imap%00.example', /"imap\\u\{0\}\.example" is not a host name/],
  ['im\tap.example', /not a host name/],
  ['im\u001b[31map.example', /not an IPv6|not a host name/],
  ['%ff.example', /percent-encoding is not UTF-8/],
  ['%zz.example', /not a host name/],
  ['imap．／.example', /internationalised name|not a host name/],
  ['℀.example', /internationalised name|not a host name/],
  ['xn--a.example', /internationalised name/],
  ['xn--.example', /internationalised name/],
  ['xn--abc-.example', /internationalised name/],
  ['xn--bcher-kv.example', /internationalised name/],
  ['xn---tda.example', /internationalised name/],
  ['xn--99999999999.example', /internationalised name/],
  ['xn--u-ccb.example', /internationalised name/],
  ['xn--kz9a.example', /internationalised name/],
  ['xn--1ug.example', /internationalised name/],
  ['xn--a-xbb.example', /internationalised name/],
  ['xn--bücher.example', /internationalised name/],
  ['ｘｎ--a.example', /internationalised name/],
  ['im\u00adap.example', /internationalised name/],
  ['im\u200dap.example', /internationalised name/],
  ['\u0301a.example', /internationalised name/],
  ['ᾳ.example', /internationalised name/],
  ['ꭰ.example', /internationalised name/],
  ['☃.example', /internationalised name/],
  ['㏂.example', /internationalised name/],
  ['1…2.example', /internationalised name/],
  ['-imap.example', /hyphens inside/],
  ['imap-.example', /hyphens inside/],
  [`${'a'.repeat(64)}.example`, /label longer than 63/],
  [`${'a.'.repeat(127)}example`, /longer than 253/],
];

describe('a host is spelled in one way', () => {
  it.each(good)('%s is %s', (written, host, kind) => {
    expect(canonicalHost(written)).toEqual({ host, kind });
  });

  it.each(bad)('%j is refused', (written, message) => {
    expect(() => canonicalHost(written)).toThrow(RangeError);
    expect(() => canonicalHost(written)).toThrow(message);
  });

  it('no message carries a control or a bidirectional character', () => {
    // oxlint-disable-next-line no-control-regex
    const dangerous = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/u;
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('\u001b]0;x\u0007', '\u202e', '\u009b'),
        (text, trick) => {
          expect(messageOf(() => canonicalHost(`${text} ${trick}`))).not.toMatch(dangerous);
        },
      ),
    );
  });
});

describe('an endpoint', () => {
  it.each([
    ['IMAP.example.org:993', 'imap.example.org:993'],
    ['[2001:DB8::0:1]:993', '[2001:db8::1]:993'],
    ['192.0.2.1:143', '192.0.2.1:143'],
  ])('%s is named %s', (written, name) => {
    expect(parseEndpoint(written).name).toBe(name);
  });

  it.each([
    ['imap.example.org', /give host:port/],
    ['imaps://imap.example.org:993', /without a scheme/],
    ['2001:db8::1:993', /in brackets/],
    ['imap.example.org:', /"" is not a port/],
    ['imap.example.org:0', /"0" is not a port: use a number from 1 to 65535/],
    ['imap.example.org:65536', /not a port/],
    ['imap.example.org:0993', /not a port/],
    ['imap.example.org:9e2', /not a port/],
    [':993', /empty label/],
  ])('%j is refused', (written, message) => {
    expect(() => parseEndpoint(written)).toThrow(RangeError);
    expect(() => parseEndpoint(written)).toThrow(message);
  });

  it.each([0, -1, 1.5, 65_536, Number.NaN, Number.POSITIVE_INFINITY])('port %d is refused', (port) => {
    expect(() => endpointOf('imap.example.org', port)).toThrow(RangeError);
  });
});

const host = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.stringMatching(/^[A-Za-z0-9._:%[\]x-]{0,30}$/),
  fc.ipV6(),
  fc.ipV4Extended(),
  fc.domain(),
  fc
    .array(
      fc.constantFrom('xn--', 'a', 'ü', 'ß', '1', '0x', '.', '。', '٣', '-', '_', '\u00ad', '\u200d', 'K'),
      { maxLength: 12 },
    )
    .map((parts) => parts.join('')),
);

describe('whatever is written', () => {
  it('throws nothing but RangeError, and what it makes is a fixed point', () => {
    fc.assert(
      fc.property(host, fc.integer({ min: 1, max: 65_535 }), (text, port) => {
        const made = madeFrom(text, port);
        if (made === null) return;
        expect(endpointOf(made.host, port)).toEqual(made);
        expect(parseEndpoint(made.name)).toEqual(made);
        expect(made.host).toMatch(made.kind === 'dns' ? /^[a-z0-9._-]+$/ : /^[0-9a-f.:]+$/);
      }),
      { numRuns: 5000 },
    );
  });
});

function madeFrom(text: string, port: number): ReturnType<typeof endpointOf> | null {
  try {
    return endpointOf(text, port);
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError);
    return null;
  }
}

function messageOf(run: () => unknown): string {
  try {
    run();
    return '';
  } catch (error) {
    return String(error);
  }
}
