// What a person is told of a refused key beside the known one: rows of what was known and what came.

import { describe, expect, it } from 'vitest';
import { describeCertificate } from '../../src/trust/certificate.ts';
import type { Situation } from '../../src/trust/command.ts';
import { compare, type Compared, type Comparison } from '../../src/trust/comparison.ts';
import type { Fault } from '../../src/trust/fault.ts';
import type { Candidate, EndpointRecord, KeyEvidence, LastCa, Pin } from '../../src/trust/record.ts';
import { day, deepFreeze, hour, noon, recordOf, settingsOf } from './evidence.ts';
import { cn, dns, ecKeys, email, forgeCa, forgeLeaf, rsaKeys, san, type Forged, type Wish } from './forge.ts';

const host = 'mail.example.org';
const endpoint = `${host}:993`;

/** With a key of its own. */
const own = (wish: Wish = {}): Forged => forgeLeaf({ keys: ecKeys(), serial: serial(), ...wish });
let serials = 0x20;
const serial = (): Buffer => Buffer.of((serials += 1));

const authority = forgeCa('Some CA');
const other = forgeCa('Other CA');
const issued = (wish: Wish = {}): Forged => own({ issuer: authority, ...wish });

interface Seen {
  readonly faults?: readonly Fault[];
  readonly caValid?: boolean;
}

function seen({ certificate }: Forged, { faults = [], caValid = false }: Seen = {}): KeyEvidence {
  const { sha256, subject, issuer, names, notBefore, notAfter, pem } = describeCertificate(certificate);
  return {
    seenAt: noon - day,
    caValid,
    faults,
    chainsToAnchor: caValid,
    sha256,
    subject,
    issuer,
    names: names.map(({ value }) => value),
    notBefore: Date.parse(notBefore ?? ''),
    notAfter: Date.parse(notAfter ?? ''),
    pem,
  };
}

const keyOf = ({ certificate }: Forged): string => describeCertificate(certificate).spki ?? '';
const pin = (forged: Forged, part: Partial<Pin> = {}, how: Seen = {}): Pin => ({
  spki: keyOf(forged),
  kind: 'leaf',
  origin: 'first-use',
  firstSeen: noon - 90 * day,
  lastSeen: noon - 2 * day,
  until: null,
  endedAt: null,
  evidence: seen(forged, how),
  ...part,
});
const lastCa = (forged: Forged): LastCa => {
  const { sha256, issuer, notAfter, seenAt, pem } = seen(forged);
  return { spki: keyOf(forged), sha256, issuer, notAfter, seenAt, pem };
};
const candidate = (forged: Forged, how: Seen = {}, part: Partial<Candidate> = {}): Candidate => ({
  spki: keyOf(forged),
  firstSeen: noon - hour,
  lastSeen: noon,
  seenCount: 3,
  reason: 'pin-mismatch',
  evidence: seen(forged, how),
  ...part,
});

const unreadable = (came: Candidate): Candidate => ({
  ...came,
  evidence: { ...came.evidence, pem: 'no PEM' },
});

interface Scene {
  readonly record?: Partial<EndpointRecord>;
  readonly situation?: Partial<Situation>;
  readonly elsewhere?: Compared['elsewhere'];
}

function comparison(came: Candidate, { record, situation, elsewhere = [] }: Scene = {}): Comparison {
  const grounds: Situation = {
    endpoint,
    record: record === undefined ? null : { ...recordOf(record), endpoint },
    settings: settingsOf(),
    sealed: { rejected: new Set<string>(), until: new Map<string, number>() },
    now: noon,
    origin: 'proxy',
    ...situation,
  };
  return compare(deepFreeze({ situation: grounds, candidate: came, ref: '7F3AK2QM', elsewhere }));
}

const home = own();
const sameNames = own();
const pinned = (forged: Forged, how: Seen = {}): Scene => ({
  record: { basis: 'pinned', pins: [pin(forged, {}, how)] },
});
const byCa = (forged: Forged): Scene => ({ record: { basis: 'ca', lastCa: lastCa(forged) } });
const selfMade: Seen = { faults: ['self-signed'] };
const vouched: Seen = { caValid: true };
const unknown: Seen = { faults: ['unknown-issuer'] };
const avast = forgeCa('Avast Web/Mail Shield Root');
const renamed = [san(dns('new.example.org'), dns(host))];
const foreign = [san(dns('www.example.net'))];

const rows: readonly (readonly [string, Candidate, Scene, RegExp])[] = [
  [
    'only the key is another',
    candidate(sameNames, selfMade),
    pinned(home, selfMade),
    /^The key changed; subject, issuer and names stayed: .* and so does an impostor who copied the names\.$/,
  ],
  [
    'the whole certificate was copied',
    candidate(own({ serial: Buffer.of(0x20) }), selfMade),
    pinned(own({ serial: Buffer.of(0x20) }), selfMade),
    /^The key changed; name, issuer, dates and everything else stayed: /,
  ],
  [
    'a CA vouches as before',
    candidate(issued(), vouched),
    pinned(issued(), vouched),
    /^The key changed; subject, issuer and names stayed, and a trusted CA vouches for it as before: .* believe that the name is his\.$/,
  ],
  [
    'another subject, the same names and issuer',
    candidate(issued({ subject: cn('renamed') }), vouched),
    pinned(issued(), vouched),
    /^The key changed; issuer and names stayed, /,
  ],
  [
    'another CA vouches',
    candidate(own({ issuer: other }), vouched),
    pinned(issued(), vouched),
    /^The key and the issuer changed, and a trusted CA \(CN=Other CA\) vouches for the name: a move/,
  ],
  [
    'another issuer nobody trusts',
    candidate(own({ issuer: other }), unknown),
    pinned(issued(), unknown),
    /^The key and the issuer changed \(now CN=Other CA\), and no trusted CA vouches/,
  ],
  [
    'a move from its own certificate to a CA',
    candidate(issued(), vouched),
    pinned(home, selfMade),
    /^The server had a certificate that it made itself, and now a trusted CA \(CN=Some CA\) vouches for another key/,
  ],
  [
    'issued before and its own now',
    candidate(home, selfMade),
    pinned(issued(), unknown),
    /^The known certificate was issued by somebody, and this one the other side made itself: anybody can make it\.$/,
  ],
  [
    'CA-verified before and its own now',
    candidate(home, selfMade),
    byCa(issued()),
    /^A trusted CA vouched for the server before, and now it shows a certificate that it made itself: somebody in between can make no other/,
  ],
  [
    'CA-verified under a pin before and its own now',
    candidate(home, selfMade),
    pinned(issued(), vouched),
    /^A trusted CA vouched for the server before, and now it shows a certificate that it made itself/,
  ],
  [
    'CA-verified under one of two pins before and its own now',
    candidate(sameNames, selfMade),
    {
      record: {
        basis: 'pinned',
        pins: [pin(home, { lastSeen: noon - 9 * day }, selfMade), pin(issued(), {}, vouched)],
      },
    },
    /^A trusted CA vouched for the server before, and now it shows a certificate that it made itself/,
  ],
  [
    'CA-verified before and nothing that can be read now',
    unreadable(candidate(sameNames, { faults: ['malformed'] })),
    byCa(issued()),
    /^A trusted CA vouched for the server before, and now another key comes with .*\(issuer an unknown issuer\)\.$/,
  ],
  [
    'CA-verified before and an unknown issuer now',
    candidate(own({ issuer: other }), unknown),
    byCa(issued()),
    /^A trusted CA vouched for the server before, and now another key comes with .*\(issuer CN=Other CA\)\.$/,
  ],
  [
    'CA-verified before, the issuer’s name without its word now',
    candidate(issued(), unknown),
    byCa(issued()),
    /^The key changed; the issuer is the same by name, but .*\(unknown-issuer\): anybody can write that name\.$/,
  ],
  [
    'the key a CA vouched for, and its certificate has expired',
    candidate(home, { faults: ['expired'] }),
    byCa(home),
    /^The key stayed the same, but no trusted CA vouches for its certificate any more \(expired\)\.$/,
  ],
  [
    'a pin that has ended comes again',
    candidate(home, selfMade),
    { record: { basis: 'pinned', pins: [pin(home, { endedAt: noon - day })] } },
    /^The key is one that was trusted before and whose pin has ended\.$/,
  ],
  [
    'another key after the last pin ended',
    candidate(sameNames, selfMade),
    { record: { basis: 'pinned', pins: [pin(home, { endedAt: noon - day }, selfMade)] } },
    /^The key changed; subject, issuer and names stayed/,
  ],
  [
    'names were added',
    candidate(own({ extensions: renamed }), selfMade),
    pinned(home, selfMade),
    /^The key changed, and so did the names .*and no trusted CA vouches for it\.$/,
  ],
  [
    'names were added, and a CA vouches',
    candidate(issued({ extensions: renamed }), vouched),
    pinned(issued(), vouched),
    /^The key changed, and so did the names .*though a trusted CA vouches for it\.$/,
  ],
  [
    'it is for another host',
    candidate(own({ extensions: foreign }), { faults: ['self-signed', 'name-mismatch'] }),
    pinned(home, selfMade),
    /^The key changed, and the certificate is not for mail\.example\.org but for www\.example\.net: another server answered/,
  ],
  [
    'it is for no host at all',
    candidate(own({ extensions: [] }), { faults: ['self-signed', 'name-mismatch'] }),
    pinned(home, selfMade),
    /but for no name at all: /,
  ],
  [
    'a program in between',
    candidate(own({ issuer: avast }), { faults: ['known-interceptor', 'unknown-issuer'] }),
    pinned(home, selfMade),
    /^The certificate looks like that of Avast, AVG or Norton antivirus, which opens connections/,
  ],
  [
    'a program in between that the leaf alone does not show',
    candidate(own({ issuer: other }), { faults: ['known-interceptor'] }),
    byCa(issued()),
    /^The certificate is that of a program which opens connections on their way \(issuer CN=Other CA\)/,
  ],
  [
    'taken back by its CA',
    candidate(issued(), { faults: ['revoked'] }),
    byCa(issued()),
    /^The CA took this certificate back \(CN=Some CA\)/,
  ],
  [
    'rejected before',
    candidate(home, selfMade),
    {
      record: { basis: 'pinned', pins: [pin(sameNames)], rejected: [{ spki: keyOf(home), at: noon - day }] },
    },
    /^This key was rejected before/,
  ],
  [
    'rejected, as only the seal knows',
    candidate(home, selfMade),
    { record: {}, situation: { sealed: { rejected: new Set([keyOf(home)]), until: new Map() } } },
    /^This key was rejected before/,
  ],
  [
    'nothing was known',
    candidate(home, selfMade),
    { record: {} },
    /^Nothing was known of mail\.example\.org:993 before, .*no trusted CA vouches for this key\.$/,
  ],
  [
    'nothing was known, and a CA vouches',
    candidate(issued(), vouched),
    {},
    /^Nothing was known .*; a trusted CA vouches for this key under this name\.$/,
  ],
  [
    'a key is pinned that was never seen',
    candidate(home, selfMade),
    { record: {}, situation: { settings: settingsOf({ configPins: [keyOf(sameNames)] }) } },
    /^Another key is pinned, and its certificate was never seen/,
  ],
];

describe('the sentence', () => {
  it.each(rows)('when %s', (_name, came, scene, said) => {
    expect(comparison(came, scene).sentence).toMatch(said);
  });

  it('never calls anything good, and always names what proves it', () => {
    for (const [, came, scene] of rows) {
      const { sentence, notes, proof, presented } = comparison(came, scene);
      expect([sentence, ...notes].join(' ')).not.toMatch(
        /\b(?:safe|fine|harmless|legitimate|genuine|probably|likely|trustworthy|nothing to worry|approve)\b/i,
      );
      expect(proof).toContain(presented.spki);
      expect(proof).toContain(presented.sha256 ?? 'no certificate');
      expect(proof).toMatch(/^Nothing in a certificate proves whose key it is\./);
    }
  });

  it('holds nothing that moves a terminal', () => {
    const hostile = own({ issuer: forgeCa('\u001b[2J\u202eevil') });
    const { sentence, notes } = comparison(candidate(hostile, unknown), byCa(issued()));
    // oxlint-disable-next-line no-control-regex -- that is what must not be there
    expect([sentence, ...notes].join('')).not.toMatch(/[\u0000-\u001f\u202e]/u);
    expect(sentence).toContain('\\x1b[2J\\u202eevil');
  });
});

const names = (...of: readonly string[]): Forged => own({ extensions: [san(...of.map(dns))] });
const stranger = (): Forged => own({ extensions: foreign });
const notesOf = (came: Candidate, scene: Scene): string => comparison(came, scene).notes.join('\n');

describe('a note says', () => {
  it('for whom it is, where the sentence does not', () => {
    const came = candidate(stranger(), { faults: ['name-mismatch'] });
    const note = /it is not for mail\.example\.org but for www\.example\.net\./i;
    expect(comparison(came, pinned(stranger())).sentence).toMatch(
      /^The key changed; subject, issuer and names stayed/,
    );
    expect(notesOf(came, pinned(stranger()))).toMatch(note);
    expect(notesOf(came, {})).toMatch(
      /certificate is not for mail\.example\.org but for www\.example\.net\./,
    );
    expect(notesOf(came, pinned(home))).not.toMatch(note);
    expect(notesOf(candidate(home, selfMade), {})).not.toContain('not for');
  });

  it.each([
    [4, 'host1.example, host2.example, host3.example, host4.example.'],
    [5, 'host1.example, host2.example, host3.example, host4.example and 1 more.'],
    [6, 'host1.example, host2.example, host3.example, host4.example and 2 more.'],
  ])('four of %i names, and how many more there are', (count, shown) => {
    const many = names(...Array.from({ length: count }, (_, at) => `host${at + 1}.example`));
    expect(notesOf(candidate(many, { faults: ['name-mismatch'] }), {})).toContain(`but for ${shown}`);
  });

  it('that a serial number was copied, where issuer and number stayed and the key did not', () => {
    const numbered = (): Forged => issued({ serial: Buffer.of(0x42) });
    expect(notesOf(candidate(numbered(), unknown), byCa(numbered()))).toContain('never gives a number twice');
    expect(notesOf(candidate(issued(), unknown), byCa(issued()))).not.toContain('never gives a number twice');
  });

  it('that the key is weaker, between keys of one kind only', () => {
    const [weak, strong] = [issued({ keys: rsaKeys(1024) }), issued({ keys: rsaKeys(2048) })];
    const scene = byCa(strong);
    expect(notesOf(candidate(weak, { faults: ['weak-key'] }), scene)).toMatch(
      /weaker than the known one: RSA 1024 after RSA 2048\.\nThe key is weak/,
    );
    expect(notesOf(candidate(strong), byCa(weak))).not.toContain('weaker');
    expect(notesOf(candidate(issued(), vouched), scene)).not.toContain('weaker');
    expect(notesOf(candidate(issued(), vouched), byCa(issued()))).not.toContain('weaker');
  });

  it.each([
    [
      'is over',
      { from: '2025-01-01T00:00:00Z', to: '2026-01-01T00:00:00Z' },
      'The presented certificate ended on 2026-01-01 00:00 UTC.',
    ],
    [
      'has not begun',
      { from: '2026-12-01T00:00:00Z' },
      'The presented certificate begins only on 2026-12-01 00:00 UTC.',
    ],
  ])('that the presented certificate %s', (_name, dates, said) => {
    expect(notesOf(candidate(own(dates), selfMade), pinned(home, selfMade))).toContain(said);
  });

  it.each(['2026-01-01T00:00:00Z', '2026-11-23T12:00:00Z', '2027-01-01T00:00:00Z'])(
    'no end and no beginning of certificates that are in date on %s',
    (at) => {
      const scene = { ...pinned(home, selfMade), situation: { now: Date.parse(at) } };
      const said = notesOf(candidate(sameNames, selfMade), scene);
      expect(said).not.toMatch(/presented certificate (?:ended|begins)/);
      expect(said).toContain('The known certificate is good until 2027-01-01 00:00 UTC');
    },
  );

  it('when the known certificate ends, which excuses nothing', () => {
    const over = own({ from: '2025-01-01T00:00:00Z', to: '2026-11-01T00:00:00Z' });
    expect(notesOf(candidate(home, selfMade), pinned(over, selfMade))).toContain(
      'ended on 2026-11-01 00:00 UTC: a new one was due, which an impostor can know too.',
    );
    expect(notesOf(candidate(sameNames, selfMade), pinned(home, selfMade))).toContain(
      'good until 2027-01-01 00:00 UTC: it was replaced before its end.',
    );
  });

  it('which names came and went', () => {
    const moved = own({ extensions: [san(dns('new.example.org'))] });
    expect(notesOf(candidate(moved, selfMade), pinned(home, selfMade))).toContain(
      'The certificate is no longer for mail.example.org, and now for new.example.org.',
    );
    expect(notesOf(candidate(own({ extensions: renamed }), selfMade), pinned(home, selfMade))).toContain(
      'The certificate is now for new.example.org.',
    );
    const mistakable = own({ extensions: [san(email('a@example'))] });
    expect(notesOf(candidate(mistakable), pinned(names('a@example')))).not.toContain('The certificate is');
  });

  it('what a CA vouched for while pins decided', () => {
    const [ca, unlike] = [issued(), issued()];
    const scene: Scene = { record: { basis: 'pinned', pins: [pin(home)], lastCa: lastCa(ca) } };
    expect(notesOf(candidate(ca, vouched), scene)).toContain('A trusted CA vouched for this very key');
    expect(notesOf(candidate(unlike, vouched), scene)).toContain('vouched for another key of this server');
  });

  it('that both keys are in use', () => {
    const scene = (lastSeen: number): Scene => ({
      record: { basis: 'pinned', pins: [pin(home, { lastSeen }, selfMade)] },
    });
    expect(notesOf(candidate(sameNames, selfMade), scene(noon))).toContain('The known key was seen again on');
    expect(notesOf(candidate(sameNames, selfMade), scene(noon - hour))).not.toContain('seen again');
    const early = candidate(issued(), unknown, { firstSeen: noon - day - 1 });
    expect(notesOf(early, byCa(issued()))).toContain('The known key was seen again on 2026-11-22 12:00 UTC');
    const late = candidate(issued(), unknown, { firstSeen: noon - day });
    expect(notesOf(late, byCa(issued()))).not.toContain('seen again');
  });

  it('where else the same key is known', () => {
    const elsewhere = [
      { endpoint: 'a.example:993', as: 'pinned' },
      { endpoint: 'b.example:465', as: 'rejected' },
    ] as const;
    expect(comparison(candidate(home), { ...pinned(sameNames), elsewhere }).notes).toContain(
      'The same key is pinned for a.example:993, rejected for b.example:465.',
    );
    const known = (count: number): string =>
      comparison(candidate(home), {
        ...pinned(sameNames),
        elsewhere: Array.from({ length: count }, (_, at) => ({ endpoint: `${at}.example:993`, as: 'ca' })),
      }).notes.join('\n');
    const at = 'vouched for by a CA at';
    expect(known(0)).not.toContain('The same key');
    expect(known(1)).toContain(`The same key is ${at} 0.example:993.`);
    expect(known(4)).toContain(`${at} 2.example:993, ${at} 3.example:993.`);
    expect(known(6)).toContain(`${at} 3.example:993 and known for 2 more.`);
  });

  it('what was seen from elsewhere', () => {
    const looked = { spki: keyOf(home), agreed: ['port 143'], differing: [], unreached: [] };
    const came = (corroboration: KeyEvidence['corroboration']): Candidate => {
      const plain = candidate(home, selfMade);
      return {
        ...plain,
        evidence: { ...plain.evidence, ...(corroboration === undefined ? {} : { corroboration }) },
      };
    };
    expect(notesOf(came(looked), {})).toContain('1 of 1 vantage points showed the same key (port 143)');
    const against = { ...looked, agreed: [], differing: [{ where: 'port 995', spki: keyOf(sameNames) }] };
    expect(notesOf(came(against), {})).toContain(`Seen from port 995 the server shows ${keyOf(sameNames)}.`);
    expect(comparison(came(against), {}).corroboration).toEqual(against);
  });
});

describe('the sides', () => {
  it('are the live pin last seen and the candidate, with their certificates', () => {
    const [older, newer] = [own(), own()];
    const pins = [
      pin(older, { lastSeen: noon - 9 * day }),
      pin(newer),
      pin(own(), { endedAt: noon, lastSeen: noon }),
    ];
    const { known, presented } = comparison(candidate(home), { record: { basis: 'pinned', pins } });
    expect(known).toMatchObject({ spki: keyOf(newer), basis: 'pinned', certificate: { key: 'EC P-256' } });
    expect(presented).toMatchObject({ spki: keyOf(home), basis: 'candidate', pem: seen(home).pem });
  });

  it('are of two live pins seen at one time that whose certificate was kept', () => {
    const pins = [pin(own(), { evidence: null }), pin(home), pin(own(), { evidence: null })];
    for (const some of [pins.slice(0, 2), pins.slice(1), pins]) {
      const { known } = comparison(candidate(sameNames), { record: { basis: 'pinned', pins: some } });
      expect(known?.spki).toBe(keyOf(home));
    }
  });

  it('show no pin that has ended and was rejected', () => {
    const pins = [pin(home, { endedAt: noon - day })];
    const rejected = [{ spki: keyOf(home), at: noon - day }];
    expect(comparison(candidate(sameNames), { record: { basis: 'pinned', pins } }).known).toMatchObject({
      basis: 'ended',
    });
    expect(
      comparison(candidate(sameNames), { record: { basis: 'pinned', pins, rejected } }).known,
    ).toBeNull();
  });

  it('show what a CA vouched for, where the CA decides, even beside an exception', () => {
    const ca = issued();
    const record = { basis: 'ca', lastCa: lastCa(ca), pins: [pin(home, { origin: 'approved' })] } as const;
    expect(comparison(candidate(sameNames), { record }).known).toMatchObject({
      basis: 'ca',
      spki: keyOf(ca),
    });
  });

  it('show the certificate below a pinned anchor with its own key', () => {
    const below = issued();
    const record = {
      basis: 'pinned',
      pins: [pin(below, { kind: 'anchor', spki: keyOf(authority) })],
    } as const;
    expect(comparison(candidate(home), { record }).known?.spki).toBe(keyOf(below));
  });

  it('show no certificate where none can be read', () => {
    expect(comparison(unreadable(candidate(home)), pinned(sameNames)).presented).toMatchObject({
      spki: keyOf(home),
      certificate: null,
    });
  });
});

describe('the differences', () => {
  it('go through every field, in order, and say which are the same', () => {
    const { differences } = comparison(candidate(issued(), vouched), pinned(home, selfMade));
    expect(differences.map(({ field, same }) => [field, same])).toEqual([
      ['key', false],
      ['keyType', true],
      ['subject', true],
      ['issuer', false],
      ['names', true],
      ['notBefore', true],
      ['notAfter', true],
      ['serial', false],
      ['signature', true],
      ['selfSigned', false],
    ]);
    expect(differences.at(-1)).toEqual({ field: 'selfSigned', known: 'yes', presented: 'no', same: false });
  });

  it('takes no name for several, nor for one of another type', () => {
    for (const [one, known] of [
      [names('a.example, b.example'), names('a.example', 'b.example')],
      [names('email:a@example'), own({ extensions: [san(email('a@example'))] })],
    ] as const) {
      const { differences } = comparison(candidate(one), pinned(known));
      expect(differences.find(({ field }) => field === 'names')).toMatchObject({ same: false });
    }
  });

  it('take names as a set', () => {
    const { differences } = comparison(
      candidate(names('b.example', 'a.example')),
      pinned(names('a.example', 'b.example')),
    );
    expect(differences.find(({ field }) => field === 'names')).toEqual({
      field: 'names',
      known: 'a.example, b.example',
      presented: 'a.example, b.example',
      same: true,
    });
  });

  it('are the same in nothing where nothing was known', () => {
    const { differences } = comparison(candidate(home));
    expect(differences.filter(({ known, same }) => same || known !== null)).toEqual([]);
  });
});

it('explains every fault', () => {
  const { faults } = comparison(candidate(home, { faults: ['self-signed', 'expired'] }), {});
  expect(faults).toEqual([
    { code: 'self-signed', meaning: expect.stringMatching(/\.$/), advice: expect.stringMatching(/\.$/) },
    { code: 'expired', meaning: expect.stringMatching(/\.$/), advice: expect.stringMatching(/\.$/) },
  ]);
});
