// RFC 9525 section 6, rule by rule, and RFC 7817 where mail differs: what a name of a certificate covers. The
// properties below say the same for names nobody thought of.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { GeneralName } from '../../src/trust/general-name.ts';
import { matchIdentity } from '../../src/trust/identity.ts';
import { endpointOf } from './forge.ts';

type Kind = GeneralName['type'];
type Presented = readonly (readonly [Kind, string])[];

const matches = (host: string, presented: Presented, common: readonly string[] = []): boolean => {
  const kind = /^[\d.]+$|:/.test(host) ? 'ip' : 'dns';
  const alternative = presented.map(([type, value]) => ({ type, value }));
  return matchIdentity({ alternative, common }, endpointOf(host, kind)).match;
};

const host = 'mail.example.org';
const yes = true;
const no = false;

describe('RFC 9525', () => {
  test.each<[string, string, Presented, boolean]>([
    [
      '6.2: the list of presented names is searched as a whole',
      host,
      [
        ['dns', 'a.example'],
        ['dns', host],
      ],
      yes,
    ],
    [
      '6.2: the search ends in failure when nothing is left',
      host,
      [
        ['dns', 'a.example'],
        ['dns', 'b.example'],
      ],
      no,
    ],
    ['6.2: an empty list matches nothing', host, [], no],
    ['6.3: labels are compared without regard to letter case', host, [['dns', 'MAIL.EXAMPLE.ORG']], yes],
    ['6.3: all labels are compared', host, [['dns', 'mail.example.com']], no],
    ['6.3: a label more on the left is another name', host, [['dns', 'a.mail.example.org']], no],
    ['6.3: a label less on the left is another name', host, [['dns', 'example.org']], no],
    [
      '6.3: an A-label is compared as it is',
      'xn--bcher-kva.example',
      [['dns', 'xn--bcher-kva.example']],
      yes,
    ],
    ['6.3: a U-label in a certificate is no name', 'xn--bcher-kva.example', [['dns', 'bücher.example']], no],
    [
      '6.3: the Turkish i is no i',
      'info.example',
      [
        ['dns', 'İnfo.example'],
        ['dns', 'ınfo.example'],
      ],
      no,
    ],
    ['6.3: the Kelvin sign is no k', 'k.example', [['dns', '\u212a.example']], no],
    ['6.3: one wildcard as the whole left-most label', host, [['dns', '*.example.org']], yes],
    ['6.3: a wildcard covers an A-label', 'xn--bcher-kva.example.org', [['dns', '*.example.org']], yes],
    ['6.3: a wildcard covers one label only', 'a.mail.example.org', [['dns', '*.example.org']], no],
    ['6.3: a wildcard covers not none', 'example.org', [['dns', '*.example.org']], no],
    ['6.3: no second wildcard', host, [['dns', '*.*.org']], no],
    ['6.3: no wildcard further right', host, [['dns', 'mail.*.org']], no],
    ['6.3: no wildcard as part of a label, at its end', host, [['dns', 'm*.example.org']], no],
    ['6.3: no wildcard as part of a label, at its beginning', host, [['dns', '*l.example.org']], no],
    ['6.3: no wildcard as part of a label, inside', host, [['dns', 'm*l.example.org']], no],
    ['6.3: no wildcard as part of an A-label', 'xn--bcher-kva.example', [['dns', 'xn--*.example']], no],
    ['7.1: no wildcard for a whole top-level domain', 'example.org', [['dns', '*.org']], no],
    ['7.1: no wildcard by itself', 'localhost', [['dns', '*']], no],
    ['6.4: an address is compared octet by octet', '192.0.2.1', [['ip', '192.0.2.1']], yes],
    ['6.4: another address', '192.0.2.1', [['ip', '192.0.2.10']], no],
    ['6.4: an IPv6 address however it is spelt', '2001:db8:0:0:0:0:0:1', [['ip', '2001:db8::1']], yes],
    ['6.4: an address is not looked for among DNS names', '192.0.2.1', [['dns', '192.0.2.1']], no],
    ['6.4: a name is not looked for among addresses', host, [['ip', '192.0.2.1']], no],
    [
      '6.4: no wildcard for addresses',
      '192.0.2.1',
      [
        ['dns', '*.0.2.1'],
        ['dns', '*'],
      ],
      no,
    ],
    [
      '6.5: a SRV-ID of another service is no name of this server',
      host,
      [['srv', '_xmpp.mail.example.org']],
      no,
    ],
    [
      '6.5: a SRV-ID of this service is none as long as no endpoint is found by SRV',
      host,
      [['srv', '_imaps.mail.example.org']],
      no,
    ],
    ['6.5: a URI-ID is no DNS-ID', host, [['uri', 'imaps://mail.example.org']], no],
    ['RFC 7817: a mailbox is no name of a server', host, [['email', 'postmaster@mail.example.org']], no],
    ['a name of a form that is not understood', host, [['other', host]], no],
  ])('%s', (_, asked, presented, match) => {
    expect(matches(asked, presented)).toBe(match);
  });

  test('6.1: the common name is no name, with others beside it or none', () => {
    for (const beside of [[], [['email', 'a@example.org']], [['dns', 'a.example']]] as readonly Presented[])
      expect(matches(host, beside, [host])).toBe(false);
  });
});

const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,8}[a-z0-9])?$/);
const name = fc.array(label, { minLength: 2, maxLength: 5 });
const anyCase = (text: string, flips: readonly boolean[]): string =>
  Array.from(text, (letter, at) => (flips[at % flips.length] === true ? letter.toUpperCase() : letter)).join(
    '',
  );
const many = { numRuns: 1000 };

describe('for every name', () => {
  const hosts = name.filter((labels) => !/^[\d.]+$/.test(labels.join('.')));

  test('it is matched by itself, in any letter case', () => {
    fc.assert(
      fc.property(hosts, fc.array(fc.boolean(), { minLength: 1, maxLength: 16 }), (labels, flips) => {
        expect(matches(labels.join('.'), [['dns', anyCase(labels.join('.'), flips)]])).toBe(true);
      }),
      many,
    );
  });

  test('a wildcard covers exactly one label: any, and no more and no fewer', () => {
    fc.assert(
      fc.property(hosts, label, label, (parent, one, two) => {
        const wildcard: Presented = [['dns', `*.${parent.join('.')}`]];
        expect(matches([one, ...parent].join('.'), wildcard)).toBe(true);
        expect(matches([two, one, ...parent].join('.'), wildcard)).toBe(false);
        expect(matches(parent.join('.'), wildcard)).toBe(false);
      }),
      many,
    );
  });

  test('an asterisk anywhere but as the whole first label matches nothing', () => {
    fc.assert(
      fc.property(hosts, fc.nat(), fc.nat(), (labels, which, where) => {
        const at = which % labels.length;
        const one = labels[at] ?? '';
        const cut = where % (one.length + 1);
        const partial = `${one.slice(0, cut)}*${one.slice(cut)}`;
        const inside = labels.with(at, partial).join('.');
        expect(matches(labels.join('.'), [['dns', inside]])).toBe(false);
        if (at > 0) expect(matches(labels.join('.'), [['dns', labels.with(at, '*').join('.')]])).toBe(false);
      }),
      many,
    );
  });

  test('a change of one character matches no longer', () => {
    fc.assert(
      fc.property(hosts, fc.nat(), fc.stringMatching(/^[\s\S]$/u), (labels, where, other) => {
        const text = labels.join('.');
        const at = where % text.length;
        fc.pre(other.toLowerCase() !== text[at] && other !== '');
        const changed = `${text.slice(0, at)}${other}${text.slice(at + 1)}`;
        fc.pre(changed !== `*.${labels.slice(1).join('.')}`);
        expect(matches(text, [['dns', changed]])).toBe(false);
      }),
      many,
    );
  });

  test('more names beside it never take a match away, and names of other forms never give one', () => {
    const others = fc.array(
      fc.tuple(fc.constantFrom<Kind>('srv', 'uri', 'email', 'other', 'ip'), fc.string({ maxLength: 20 })),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(
        hosts,
        others,
        fc.array(fc.string({ maxLength: 12 }), { maxLength: 4 }),
        (labels, more, strings) => {
          const text = labels.join('.');
          const dns = strings.map((value) => ['dns', value] as const);
          expect(matches(text, [...more, ...dns, ['dns', text]])).toBe(true);
          expect(matches(text, more)).toBe(false);
          expect(
            matches(
              text,
              more.map(([kind]) => [kind, text] as const),
              [text],
            ),
          ).toBe(false);
        },
      ),
      many,
    );
  });
});
