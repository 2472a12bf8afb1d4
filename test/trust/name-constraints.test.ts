import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Examiner } from '../../src/trust/examine.ts';
import { keepTo, readNameConstraints } from '../../src/trust/name-constraints.ts';
import { relationOf } from '../../src/trust/name-subtree.ts';
import {
  anchorsOf,
  basicConstraints,
  cn,
  der,
  directory,
  dns,
  email,
  endpointOf,
  extension,
  type Forged,
  forgeCa,
  forgeLeaf,
  ip,
  keyUsage,
  name,
  nameConstraints,
  oid,
  san,
  sequence,
  srv,
  type Subtrees,
  text,
  uri,
} from './forge.ts';

const root = forgeCa('Example Root');
const nobody = name();
const own = dns('mail.example.org');

const caWith = (extensions: readonly Buffer[], issuer: Forged = root): Forged =>
  forgeCa('Example Confined', {
    issuer,
    extensions: [basicConstraints(true), keyUsage('keyCertSign'), ...extensions],
  });
const examine = (chain: readonly Forged[], anchor: Forged = root) =>
  new Examiner().examine(
    chain.map(({ certificate }) => certificate),
    {
      anchors: anchorsOf(anchor),
      endpoint: endpointOf('mail.example.org'),
      chainError: null,
      now: Date.parse('2026-06-01T00:00:00Z'),
      clockSuspect: false,
    },
  );

/** What the list of a chain says whose CA has these constraints and whose server has these names besides its own. */
const faultsUnder = (subtrees: Subtrees, names: readonly Buffer[], subject: Buffer = cn('x')) => {
  const ca = caWith([nameConstraints(subtrees)]);
  return examine([forgeLeaf({ issuer: ca, subject, extensions: [san(own, ...names)] }), ca]).faults;
};

const keeps = [] as const;
const breaks = ['name-constraint'] as const;
const permits = (...permitted: readonly Buffer[]): Subtrees => ({ permitted });
const excludes = (...excluded: readonly Buffer[]): Subtrees => ({ excluded });
const network = [192, 0, 2, 0, 255, 255, 255, 0];
const network6 = [
  0x20,
  1,
  0xd,
  0xb8,
  ...Array<number>(12).fill(0),
  ...Array<number>(4).fill(255),
  ...Array<number>(12).fill(0),
];
const address6 = ip(0x20, 1, 0xd, 0xb8, ...Array<number>(11).fill(0), 1);
const org = ['2.5.4.10', 'Example'] as const;
const jid = (value: string): Buffer => der(0xa0, oid('1.3.6.1.5.5.7.8.5'), der(0xa0, text(0x0c, value)));
const utf8Mailbox = (value: string): Buffer =>
  der(0xa0, oid('1.3.6.1.5.5.7.8.9'), der(0xa0, text(0x0c, value)));

const least = (base: Buffer): Buffer => sequence(base, der(0x80, Buffer.of(1)));

const bounded = (tag: number, base: Buffer): Forged =>
  caWith([extension('2.5.29.30', sequence(der(tag, least(base))), true)]);

describe('a DNS name', () => {
  test.each<[string, Subtrees, readonly Buffer[], readonly string[]]>([
    ['below a permitted domain', permits(dns('example.org')), [], keeps],
    ['that is the permitted one', permits(dns('mail.example.org')), [], keeps],
    ['in other letters', permits(dns('EXAMPLE.org')), [dns('A.Example.ORG')], keeps],
    ['of which one of several is outside', permits(dns('example.org')), [dns('a.example.net')], breaks],
    ['that only ends like the permitted one', permits(dns('example.org')), [dns('badexample.org')], breaks],
    ['under one of several permitted', permits(dns('example.net'), dns('example.org')), [], keeps],
    ['where everything is permitted', permits(dns('')), [], keeps],
    ['where everything is excluded', excludes(dns('')), [], breaks],
    ['below an excluded domain', excludes(dns('example.org')), [], breaks],
    ['beside an excluded one', excludes(dns('example.net')), [], keeps],
    ['both permitted and excluded', { ...permits(dns('example.org')), ...excludes(own) }, [], breaks],
    ['below a domain with a leading dot', permits(dns('.example.org')), [], keeps],
    ['that is the domain with a leading dot', permits(dns('.mail.example.org')), [], breaks],
    ['where other forms are constrained', permits(ip(...network)), [], keeps],
    ['under a base with a wildcard', permits(dns('*.example.org')), [], breaks],
    ['excluded by a base with a wildcard, which means nothing', excludes(dns('*.example.net')), [], breaks],
    ['under a base with a final dot', permits(dns('example.org.')), [], breaks],
    ['that is not well-formed', permits(dns('example.org')), [dns('.example.org')], breaks],
    [
      'that is not well-formed, where others are excluded',
      excludes(dns('example.net')),
      [dns('a..org')],
      breaks,
    ],
    [
      'that is not well-formed, where nothing is constrained but addresses',
      permits(ip(...network)),
      [dns('.a')],
      keeps,
    ],
  ])('%s', (_, subtrees, names, faults) => {
    expect(faultsUnder(subtrees, names)).toEqual(faults);
  });
});

describe('a wildcard stands for every name it covers', () => {
  const wild = [dns('*.example.org')];
  test.each<[string, Subtrees, readonly string[]]>([
    ['all below the permitted domain', permits(dns('example.org')), keeps],
    ['all below, with a leading dot', permits(dns('.example.org')), keeps],
    ['of which one alone is permitted', permits(dns('mail.example.org')), breaks],
    ['of which one is excluded', excludes(dns('shop.example.org')), breaks],
    ['of which all are excluded', excludes(dns('example.org')), breaks],
    ['of which names below are excluded, which it does not cover', excludes(dns('a.b.example.org')), keeps],
    ['of which what lies below one is excluded', excludes(dns('.shop.example.org')), keeps],
    ['of another domain than the excluded one', excludes(dns('example.net')), keeps],
  ])('%s', (_, subtrees, faults) => {
    expect(faultsUnder(subtrees, wild)).toEqual(faults);
  });

  test.each(['f*.example.org', '*.*.example.org', '*', 'a.*.example.org', '**.example.org'])(
    '%s is none, and keeps to no constraint on DNS names',
    (pattern) => {
      expect(faultsUnder(permits(dns('')), [dns(pattern)])).toEqual(breaks);
      expect(faultsUnder(excludes(dns('example.net')), [dns(pattern)])).toEqual(breaks);
    },
  );

  test('whatever it is and whatever is excluded: a name it covers that is excluded shows', () => {
    const label = fc.stringMatching(/^[a-z]{1,3}$/);
    const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
    fc.assert(
      fc.property(host, host, label, (parent, base, one) => {
        const covered = relationOf({ form: 'dns', text: `${one}.${parent}` }, { form: 'dns', text: base });
        const whole = relationOf({ form: 'dns', text: `*.${parent}` }, { form: 'dns', text: base });
        if (covered?.inside === true) expect(whole?.touches).toBe(true);
        if (whole?.inside === true) expect(covered?.inside).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('an address', () => {
  test.each<[string, Subtrees, readonly Buffer[], readonly string[]]>([
    ['in the permitted network', permits(ip(...network)), [ip(192, 0, 2, 7)], keeps],
    ['outside it', permits(ip(...network)), [ip(192, 0, 3, 7)], breaks],
    ['in an excluded network', excludes(ip(...network)), [ip(192, 0, 2, 7)], breaks],
    ['outside it too', excludes(ip(...network)), [ip(192, 0, 3, 7)], keeps],
    ['of IPv6 in the permitted network', permits(ip(...network6)), [address6], keeps],
    ['of IPv6 where only IPv4 is permitted', permits(ip(...network)), [address6], breaks],
    ['of IPv6 where only IPv4 is excluded', excludes(ip(...network)), [address6], keeps],
    ['under a mask with holes', permits(ip(192, 0, 2, 0, 255, 0, 255, 0)), [ip(192, 0, 2, 7)], breaks],
    ['under a base without a mask', permits(ip(192, 0, 2, 7)), [ip(192, 0, 2, 7)], breaks],
    ['under a base of odd length', excludes(ip(192, 0, 2, 7, 255)), [ip(192, 0, 3, 7)], breaks],
  ])('%s', (_, subtrees, names, faults) => {
    expect(faultsUnder(subtrees, names)).toEqual(faults);
  });
});

describe('a subject or directory name', () => {
  test.each<[string, Subtrees, readonly Buffer[], Buffer, readonly string[]]>([
    ['below the permitted one', permits(directory(name(org))), [], name(org, ['2.5.4.3', 'x']), keeps],
    [
      'in other letters and another string type',
      permits(directory(name(['2.5.4.10', ' EXAMPLE', 0x13]))),
      [],
      name(org),
      keeps,
    ],
    ['that is another', permits(directory(name(org))), [], cn('x'), breaks],
    ['above the permitted one', permits(directory(name(org, ['2.5.4.3', 'x']))), [], name(org), breaks],
    ['that is excluded', excludes(directory(name(org))), [], name(org, ['2.5.4.3', 'x']), breaks],
    ['that is empty says nothing', permits(directory(name(org))), [], nobody, ['off-profile']],
    ['among the alternative names', permits(directory(name(org))), [directory(cn('y'))], name(org), breaks],
  ])('%s', (_, subtrees, names, subject, faults) => {
    expect(faultsUnder(subtrees, names, subject)).toEqual(faults);
  });
});

describe('a mailbox', () => {
  test.each<[string, Subtrees, readonly Buffer[], readonly string[]]>([
    ['at the permitted host', permits(email('example.org')), [email('a@EXAMPLE.org')], keeps],
    [
      'at a host below, which is not meant',
      permits(email('example.org')),
      [email('a@b.example.org')],
      breaks,
    ],
    ['at a host below, which is meant', permits(email('.example.org')), [email('a@b.example.org')], keeps],
    ['that alone is permitted', permits(email('a@example.org')), [email('a@example.org')], keeps],
    [
      'that differs in the letters of its local part',
      permits(email('a@example.org')),
      [email('A@example.org')],
      breaks,
    ],
    ['that is excluded', excludes(email('example.org')), [email('a@example.org')], breaks],
    ['in UTF-8 that is excluded', excludes(email('example.org')), [utf8Mailbox('ä@example.org')], breaks],
    ['that is none', permits(email('example.org')), [email('example.org')], breaks],
  ])('%s', (_, subtrees, names, faults) => {
    expect(faultsUnder(subtrees, names)).toEqual(faults);
  });

  test('in the subject counts as well', () => {
    const subject = name(['2.5.4.3', 'x'], ['1.2.840.113549.1.9.1', 'a@example.net', 0x16]);
    expect(faultsUnder(permits(email('example.org')), [], subject)).toEqual(breaks);
    expect(faultsUnder(permits(email('example.net')), [], subject)).toEqual(keeps);
  });
});

describe('other names', () => {
  test.each<[string, Subtrees, readonly Buffer[], readonly string[]]>([
    ['a URI at the permitted host', permits(uri('example.org')), [uri('imaps://u@example.org:993/x')], keeps],
    [
      'a URI at a host below, which is not meant',
      permits(uri('example.org')),
      [uri('imaps://a.example.org')],
      breaks,
    ],
    [
      'a URI at a host below, which is meant',
      permits(uri('.example.org')),
      [uri('imaps://a.example.org')],
      keeps,
    ],
    ['a URI at an excluded host', excludes(uri('example.org')), [uri('imaps://example.org')], breaks],
    ['a URI at an address', excludes(uri('example.org')), [uri('imaps://192.0.2.1')], breaks],
    ['a URI without a host', excludes(uri('example.org')), [uri('mailto:a@example.net')], breaks],
    [
      'of a form that is constrained and not understood',
      permits(jid('example.org')),
      [jid('a@example.org')],
      breaks,
    ],
    [
      'of a form that is excluded and not understood',
      excludes(jid('example.org')),
      [jid('a@example.net')],
      breaks,
    ],
    [
      'of another form than the one not understood',
      excludes(jid('example.org')),
      [srv('_imaps.example.org')],
      keeps,
    ],
  ])('%s', (_, subtrees, names, faults) => {
    expect(faultsUnder(subtrees, names)).toEqual(faults);
  });
});

describe('constraints', () => {
  const confined = caWith([nameConstraints(permits(dns('example.net')))]);

  test('of any CA on the path count, the anchor included, and critical or not', () => {
    const below = forgeCa('Example Below', { issuer: confined });
    expect(examine([forgeLeaf({ issuer: below }), below, confined]).faults).toEqual(breaks);
    const anchor = forgeCa('Confined Root', {
      extensions: [
        basicConstraints(true),
        keyUsage('keyCertSign'),
        nameConstraints(permits(dns('example.net'))),
      ],
    });
    expect(examine([forgeLeaf({ issuer: anchor })], anchor).faults).toEqual(breaks);
    const plain = caWith([nameConstraints(permits(dns('example.net')), false)]);
    expect(examine([forgeLeaf({ issuer: plain }), plain]).faults).toEqual(breaks);
  });

  test('hold for the names of CAs below, but not for one that only renewed itself', () => {
    const ca = caWith([nameConstraints(permits(directory(cn('mail.example.org'))))]);
    const below = forgeCa('Example Below', { issuer: ca });
    expect(examine([forgeLeaf({ issuer: below }), below, ca]).faults).toEqual(breaks);
    const renewed = forgeCa('Example Confined', { issuer: ca });
    expect(examine([forgeLeaf({ issuer: renewed }), renewed, ca]).faults).toEqual(keeps);
  });

  test('that cannot be read permit nothing, in an anchor as well', () => {
    const broken = [
      extension('2.5.29.30', sequence(), true),
      extension('2.5.29.30', sequence(der(0xa0)), true),
      extension('2.5.29.30', Buffer.of(5, 0), true),
    ];
    for (const one of broken) {
      const ca = caWith([one]);
      expect(examine([forgeLeaf({ issuer: ca }), ca]).faults).toEqual(['malformed', 'name-constraint']);
      const anchor = forgeCa('Broken Root', {
        extensions: [basicConstraints(true), keyUsage('keyCertSign'), one],
      });
      expect(examine([forgeLeaf({ issuer: anchor })], anchor).faults).toEqual(breaks);
    }
  });

  test('with a minimum or maximum, which the standard never allows, permit nothing and exclude all', () => {
    for (const ca of [bounded(0xa0, dns('example.org')), bounded(0xa1, dns('example.net'))])
      expect(examine([forgeLeaf({ issuer: ca }), ca]).faults).toEqual(breaks);
  });

  test('stand in no certificate of a server', () => {
    const leaf = forgeLeaf({
      issuer: root,
      extensions: [san(own), nameConstraints(permits(dns('example.org')))],
    });
    expect(examine([leaf]).faults).toEqual(['off-profile']);
  });

  test('of too many subtrees for too many names count as broken, at once', () => {
    const many = Array.from({ length: 1500 }, (_, at) => dns(`n${at}.example.org`));
    expect(faultsUnder(excludes(...many.slice(0, 50)), many.slice(100, 1000))).toEqual(keeps);
    expect(faultsUnder(excludes(...many.slice(0, 120)), many.slice(200))).toEqual(breaks);
  });

  test('of many CAs above one another are counted together', () => {
    const hosts = Array.from({ length: 300 }, (_, at) => dns(`n${at}.example.org`));
    const excluding = nameConstraints(
      excludes(...Array.from({ length: 60 }, (_, at) => dns(`m${at}.example.net`))),
    );
    const chain: Forged[] = [];
    let issuer = root;
    for (let at = 0; at < 12; at += 1) {
      issuer = forgeCa(`CA ${at}`, {
        issuer,
        extensions: [basicConstraints(true), excluding, san(...hosts)],
      });
      chain.splice(0, 0, issuer);
    }
    const from = process.cpuUsage();
    expect(examine([forgeLeaf({ issuer }), ...chain]).faults).toEqual(breaks);
    expect(process.cpuUsage(from).user).toBeLessThan(2_000_000);
    const few = chain.slice(-2);
    expect(examine([forgeLeaf({ issuer: few[0] ?? root }), ...few]).faults).toEqual(keeps);
  });

  test('whatever octets stand there, reading them throws or gives subtrees, and asking never throws', () => {
    const value = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc.uint8Array({ maxLength: 40 }).map((inner) => sequence(der(0xa1, sequence(der(0x82, inner))))),
    );
    const names = [{ form: 'dns', text: 'a.b' } as const, { form: 'directory', parts: null } as const];
    fc.assert(
      fc.property(value, (octets) => {
        let read;
        try {
          read = readNameConstraints(octets);
        } catch {
          return;
        }
        expect(typeof keepTo([{ names, constraints: read }])).toBe('boolean');
      }),
      { numRuns: 2000 },
    );
  });
});

test('a certificate that no CA constrains may have any name', () => {
  expect(
    examine([forgeLeaf({ issuer: root, extensions: [san(own, dns('*.other.example'))] })]).faults,
  ).toEqual(keeps);
});
