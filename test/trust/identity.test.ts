import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { GeneralName } from '../../src/trust/general-name.ts';
import { matchIdentity } from '../../src/trust/identity.ts';
import { parseCertificate } from '../../src/trust/parsed-certificate.ts';
import { cn, dns, email, endpointOf, forge, ip, name, san, srv, uri } from './forge.ts';

const match = [] as const;
const mismatch = ['name-mismatch'] as const;
const onlyCn = ['name-only-in-cn'] as const;
const misused = ['name-mismatch', 'wildcard-misused'] as const;

/** The names as they come out of a real certificate, judged for `host`. */
const faultsFor = (host: string, subject: Buffer, names: readonly Buffer[], kind: 'dns' | 'ip' = 'dns') => {
  const parsed = parseCertificate(
    forge({ subject, extensions: names.length === 0 ? [] : [san(...names)] }).certificate,
  );
  const presented = { alternative: parsed.extensions.names, common: parsed.subject.commonNames };
  const { match: matches, faults } = matchIdentity(presented, endpointOf(host, kind));
  expect(matches).toBe(faults.length === 0);
  return faults;
};

const other = cn('something else');

describe('a name in subjectAltName', () => {
  test.each([
    ['the very name', 'mail.example.org', [dns('mail.example.org')], match],
    ['another letter case', 'mail.example.org', [dns('MAIL.Example.ORG')], match],
    [
      'one of several',
      'mail.example.org',
      [dns('a.example'), ip(192, 0, 2, 1), dns('mail.example.org')],
      match,
    ],
    ['another name', 'mail.example.org', [dns('other.example.org')], mismatch],
    ['a name above', 'mail.example.org', [dns('example.org')], mismatch],
    ['a name below', 'example.org', [dns('mail.example.org')], mismatch],
    ['a name with this one at its end', 'example.org', [dns('badexample.org')], mismatch],
    ['an A-label', 'xn--bcher-kva.example', [dns('xn--bcher-kva.example')], match],
    ['the U-label of an A-label', 'xn--bcher-kva.example', [dns('b\u00fccher.example')], mismatch],
    ['an underscore', '_x.example.org', [dns('_x.example.org')], match],
    ['a final dot', 'mail.example.org', [dns('mail.example.org.')], mismatch],
    ['a NUL behind the name', 'mail.example.org', [dns('mail.example.org\0.evil.example')], mismatch],
    ['a NUL before the end', 'mail.example.org', [dns('mail.example.org\0')], mismatch],
    [
      'a comma and a further name inside',
      'mail.example.org',
      [dns('evil.example, DNS:mail.example.org')],
      mismatch,
    ],
    ['quotes', 'mail.example.org', [dns('"mail.example.org"')], mismatch],
    ['spaces', 'mail.example.org', [dns(' mail.example.org')], mismatch],
    ['nothing', 'mail.example.org', [dns('')], mismatch],
    [
      'the name as e-mail, URI and SRV-ID only',
      'mail.example.org',
      [email('mail.example.org'), uri('imaps://mail.example.org'), srv('_imaps.mail.example.org')],
      mismatch,
    ],
  ])('%s', (_, host, names, faults) => {
    expect(faultsFor(host, other, names)).toEqual(faults);
  });
});

describe('a wildcard', () => {
  test.each([
    ['covers one label', 'mail.example.org', '*.example.org', match],
    ['covers a label of one letter', 'm.example.org', '*.example.org', match],
    ['covers one label in any case', 'mail.example.org', '*.EXAMPLE.org', match],
    ['covers an A-label', 'xn--bcher-kva.example.org', '*.example.org', match],
    ['covers a label with an underscore', '_x.example.org', '*.example.org', match],
    ['covers a label below a public suffix, which we hold no list of', 'example.co.uk', '*.co.uk', match],
    ['covers no two labels', 'a.mail.example.org', '*.example.org', mismatch],
    ['covers no missing label', 'example.org', '*.example.org', mismatch],
    ['covers no empty label', '.example.org', '*.example.org', misused],
    ['covers no other domain', 'mail.example.net', '*.example.org', mismatch],
    ['is no wildcard with text behind it', 'foo.example.org', 'f*.example.org', misused],
    ['is no wildcard with text before it', 'foo.example.org', '*o.example.org', misused],
    ['is no wildcard inside text', 'foo.example.org', 'f*o.example.org', misused],
    ['is no wildcard in an A-label', 'xn--bcher-kva.example.org', 'xn--*.example.org', misused],
    ['must not be the second label', 'a.b.example.org', 'a.*.example.org', misused],
    ['must not come twice', 'a.b.example.org', '*.*.example.org', misused],
    ['must not come twice, not even for a host that has one', 'a.*.example.org', '*.*.example.org', misused],
    ['must not come twice in a label', 'mail.example.org', '**.example.org', misused],
    ['must not come twice in a label that has text', 'faxbo.example.org', 'f*x*o.example.org', misused],
    ['must not cover a top-level domain', 'example.com', '*.com', misused],
    ['must not stand alone', 'mail.example.org', '*', misused],
    ['must not have a final dot behind it', 'mail.example.org', '*.example.org.', mismatch],
    ['must not have an empty label behind it', 'mail..org', '*..org', misused],
    [
      'that is misused and whose parts would overlap is only another name',
      'aba.example.org',
      'ab*ba.example.org',
      mismatch,
    ],
    ['that is misused for another host is only another name', 'mail.example.net', 'f*.example.org', mismatch],
  ])('%s', (_, host, pattern, faults) => {
    expect(faultsFor(host, other, [dns(pattern)])).toEqual(faults);
  });

  test('that is misused beside a name that matches does no harm', () => {
    expect(faultsFor('foo.example.org', other, [dns('f*.example.org'), dns('foo.example.org')])).toEqual(
      match,
    );
  });

  test('of a hostile certificate costs no more than its length', () => {
    const pattern = `${'*a'.repeat(20_000)}.example.org`;
    expect(faultsFor(`${'a'.repeat(60)}b.example.org`, other, [dns(pattern)])).toEqual(mismatch);
  });
});

describe('the common name', () => {
  const named = cn('mail.example.org');
  test.each([
    ['alone never counts', 'mail.example.org', named, [], onlyCn],
    ['alone never counts in another case', 'mail.example.org', cn('Mail.example.org'), [], onlyCn],
    ['alone never counts as a wildcard', 'mail.example.org', cn('*.example.org'), [], onlyCn],
    ['never counts beside an address', 'mail.example.org', named, [ip(192, 0, 2, 1)], onlyCn],
    ['never counts beside an e-mail address', 'mail.example.org', named, [email('a@example.org')], onlyCn],
    ['never counts beside a URI', 'mail.example.org', named, [uri('https://mail.example.org')], onlyCn],
    ['never counts beside an SRV-ID', 'mail.example.org', named, [srv('_imaps.example.org')], onlyCn],
    [
      'never counted beside another DNS name',
      'mail.example.org',
      named,
      [dns('other.example.org')],
      mismatch,
    ],
    [
      'never counts when there are several',
      'mail.example.org',
      name(['2.5.4.3', 'x'], ['2.5.4.3', 'mail.example.org']),
      [],
      onlyCn,
    ],
    ['that is another name is no near miss', 'mail.example.org', cn('other.example.org'), [], mismatch],
    ['as a partial wildcard is no near miss', 'mail.example.org', cn('m*.example.org'), [], mismatch],
    ['does no harm beside the name', 'mail.example.org', named, [dns('mail.example.org')], match],
  ])('%s', (_, host, subject, names, faults) => {
    expect(faultsFor(host, subject, names)).toEqual(faults);
  });

  test('never counts for an address', () => {
    expect(faultsFor('192.0.2.1', cn('192.0.2.1'), [], 'ip')).toEqual(onlyCn);
    expect(faultsFor('192.0.2.1', cn('192.0.2.2'), [], 'ip')).toEqual(mismatch);
    expect(faultsFor('192.0.2.1', cn('192.0.2.1'), [ip(192, 0, 2, 2)], 'ip')).toEqual(mismatch);
    expect(faultsFor('192.0.2.1', cn('192.0.2.1'), [dns('mail.example.org')], 'ip')).toEqual(mismatch);
    expect(faultsFor('192.0.2.1', cn('192.0.2.1'), [email('a@example.org')], 'ip')).toEqual(onlyCn);
    const several = name(['2.5.4.3', 'x'], ['2.5.4.3', '192.0.2.1']);
    expect(faultsFor('192.0.2.1', several, [], 'ip')).toEqual(onlyCn);
  });
});

const loopback6 = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const documented6 = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1];

describe('an address', () => {
  test.each([
    ['IPv4', '192.0.2.1', [ip(192, 0, 2, 1)], match],
    ['IPv6', '2001:db8::1', [ip(...documented6)], match],
    ['IPv6 loopback', '::1', [ip(...loopback6)], match],
    ['IPv6 with an IPv4 end', '::ffff:192.0.2.1', [ip(...mapped)], match],
    ['another IPv4', '192.0.2.1', [ip(192, 0, 2, 2)], mismatch],
    ['another IPv6', '2001:db8::2', [ip(...documented6)], mismatch],
    ['IPv4 for the IPv6 it is mapped to', '::ffff:192.0.2.1', [ip(192, 0, 2, 1)], mismatch],
    ['IPv6 for the IPv4 that is mapped to it', '192.0.2.1', [ip(...mapped)], mismatch],
    ['an address as a DNS name', '192.0.2.1', [dns('192.0.2.1')], mismatch],
    ['an address under a wildcard', '192.0.2.1', [dns('*.0.2.1')], mismatch],
    ['a network with its mask', '192.0.2.1', [ip(192, 0, 2, 1, 255, 255, 255, 255)], mismatch],
    ['three octets', '192.0.2.1', [ip(192, 0, 2)], mismatch],
    ['no octets', '192.0.2.1', [ip()], mismatch],
  ])('%s', (_, host, names, faults) => {
    expect(faultsFor(host, other, names, 'ip')).toEqual(faults);
  });

  test('in the certificate is no DNS name', () => {
    expect(faultsFor('mail.example.org', other, [ip(192, 0, 2, 1)])).toEqual(mismatch);
  });
});

test('a wildcard or a name never matches a host that has a label more or less', () => {
  const label = fc.stringMatching(/^[a-z0-9*-]{1,6}$/);
  fc.assert(
    fc.property(
      fc.array(label, { minLength: 1, maxLength: 5 }),
      fc.array(label, { minLength: 1, maxLength: 5 }),
      (pattern, host) => {
        fc.pre(pattern.length !== host.length && !host.join('').includes('*'));
        const alternative: readonly GeneralName[] = [{ type: 'dns', value: pattern.join('.') }];
        expect(matchIdentity({ alternative, common: [] }, endpointOf(host.join('.'))).match).toBe(false);
      },
    ),
  );
});
