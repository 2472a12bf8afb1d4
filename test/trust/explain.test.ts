// What people are told of a key and of an endpoint, sentence by sentence.

import { describe, expect, it } from 'vitest';
import type { Situation } from '../../src/trust/command.ts';
import type { TrustSettings } from '../../src/trust/evidence.ts';
import { explainCode } from '../../src/trust/explain-code.ts';
import { explainEndpoint, explainKey } from '../../src/trust/explain.ts';
import type { EndpointRecord, KeyEvidence, Pin } from '../../src/trust/record.ts';
import {
  candidateOf,
  day,
  endpoint,
  expectation,
  hour,
  keyEvidence,
  keyNamed,
  lastCaOf,
  noon,
  pinOf,
  recordOf,
  settingsOf,
  sha256Named,
} from './evidence.ts';

const about = (record: EndpointRecord | null, settings: Partial<TrustSettings> = {}): Situation => ({
  endpoint,
  record,
  settings: settingsOf(settings),
  sealed: { rejected: new Set(), until: new Map() },
  now: noon,
  origin: 'cli',
});
const ofKey = (record: EndpointRecord | null, settings: Partial<TrustSettings> = {}) =>
  explainKey('REF', keyNamed('server'), about(record, settings));
const pinned = (...pins: readonly Pin[]) => recordOf({ basis: 'pinned', pins });
const rejected = (name: string) => ({ rejected: [{ spki: keyNamed(name), at: noon - day }] });
const mine = (part: Partial<Pin> = {}) => pinOf('server', part);
const seen = '2026-11-18 12:00 UTC';

describe('of a key is said', () => {
  const key = `The key ${keyNamed('server')} of ${endpoint}`;
  it.each<[string, EndpointRecord | null, Partial<TrustSettings>, string]>([
    ['that it is pinned', pinned(mine()), {}, 'is accepted because it is pinned.'],
    [
      'that a CA vouches for it',
      recordOf({ basis: 'ca', lastCa: lastCaOf('server') }),
      {},
      'is accepted because a trusted CA vouches for it.',
    ],
    ['that a first use would pin it', null, { policy: 'tofu' }, 'would be pinned on first use.'],
    ['why it is refused', pinned(pinOf('other')), {}, 'is refused: its key changed (pin-mismatch).'],
  ])('%s', (_, record, settings, words) => {
    expect(ofKey(record, settings).summary).toBe(`${key} ${words}`);
  });

  const tofu = { policy: 'tofu' } as const;
  const ended = mine({ endedAt: noon - hour });
  it.each<[string, EndpointRecord, Partial<TrustSettings>, readonly string[]]>([
    [
      'its pin',
      pinned(mine()),
      {},
      [`Pin ${keyNamed('server')} (first-use, first seen ${seen}) counts.`, 'This key is pinned.'],
    ],
    [
      'the end of its pin',
      pinned(mine({ until: noon + day })),
      {},
      [
        `Pin ${keyNamed('server')} (first-use, first seen ${seen}) counts until 2026-11-24 12:00 UTC.`,
        'This key is pinned.',
      ],
    ],
    [
      'that its pin has ended',
      pinned(ended),
      {},
      [`Pin ${keyNamed('server')} (first-use, first seen ${seen}) has ended.`, 'This key is not pinned.'],
    ],
    [
      'that it was rejected',
      { ...pinned(mine()), ...rejected('server') },
      {},
      [`Pin ${keyNamed('server')} (first-use, first seen ${seen}) was rejected.`, 'This key was rejected.'],
    ],
    [
      'who handed over to it',
      pinned(mine({ origin: 'approved', parent: keyNamed('other') })),
      tofu,
      [
        `Pin ${keyNamed('server')} (approved, handed over by ${keyNamed('other')}, first seen ${seen}) counts.`,
        'This key is pinned.',
      ],
    ],
    [
      'the pin of its anchor',
      {
        ...pinned(pinOf('root', { kind: 'anchor' })),
        candidates: [candidateOf('server', { caValid: true, anchor: keyNamed('root') })],
      },
      { policy: 'ca+tofu', continuity: 'anchor' },
      [
        `Pin of the anchor ${keyNamed('root')} (first-use, first seen ${seen}) counts.`,
        'Its anchor, or the key itself, is pinned.',
      ],
    ],
  ])('%s', (_, record, settings, words) => {
    const { steps } = ofKey(record, settings);
    expect(steps.slice(2, 2 + words.length)).toEqual(words);
  });

  const certificate = (part: Partial<KeyEvidence>) =>
    ofKey(pinned(mine({ evidence: keyEvidence(part) }))).steps.slice(4, -1);
  const dates = 'issued by CN=Some CA, valid 2026-11-13 12:00 UTC to 2027-02-11 12:00 UTC.';
  it.each<[string, Partial<KeyEvidence>, string, readonly string[]]>([
    [
      'all of its certificate',
      {},
      'imap.example.org',
      ['No trusted CA vouched for it.', 'self-signed: The certificate is signed by its own key.'],
    ],
    ['that a CA vouched for it', { caValid: true }, 'imap.example.org', ['A trusted CA vouched for it.']],
    ['that it names nobody', { names: [], faults: [] }, 'no name', ['No trusted CA vouched for it.']],
    [
      'eight of its names',
      { names: 'abcdefghi'.split(''), faults: [] },
      'a, b, c, d, e, f, g, h',
      ['No trusted CA vouched for it.'],
    ],
  ])('%s', (_, part, names, words) => {
    expect(certificate(part)).toEqual([
      `Its certificate, last seen 2026-11-22 12:00 UTC: CN=imap.example.org, for ${names}, ${dates}`,
      `SHA-256 of the certificate: ${sha256Named('server')}.`,
      ...words,
    ]);
  });

  it('that its certificate was not kept', () => {
    expect(ofKey(null).steps).toContain('Its certificate was not kept.');
  });
});

describe('what to do', () => {
  it('is nothing where the key is accepted', () => {
    expect(ofKey(pinned(mine())).advice).toEqual(['There is nothing to do.']);
  });

  const approve = `pins approve ${endpoint} --expect FINGERPRINT`;
  it.each<[string, EndpointRecord | null, Partial<TrustSettings>, readonly string[]]>([
    ['pins-spent', pinned(mine({ endedAt: noon })), {}, ['', approve]],
    ['not-pinned', null, { policy: 'pinned' }, ['', approve]],
    ['pin-mismatch', pinned(pinOf('other')), {}, [approve]],
    ['first-use-off', null, { policy: 'tofu', firstUse: 'refuse' }, ['pins approve']],
    ['ca-invalid', null, { policy: 'ca' }, ['']],
    ['dane-unproven', null, { policy: 'dane' }, ['']],
    ['key-rejected', recordOf(rejected('server')), {}, ['--unreject']],
  ])('is to approve the key where that helps, once: %s', (reason, record, settings, words) => {
    const { decision, advice } = ofKey(record, settings);
    expect(decision).toMatchObject({ verdict: 'refused', reason, basis: null });
    expect(advice).toHaveLength(words.length);
    words.forEach((part, at) => expect(advice[at]).toContain(part));
    expect(advice.join(' ')).not.toContain('ENDPOINT');
  });
});

const first = ({ steps }: { readonly steps: readonly string[] }) => steps[1];

const waiting = (...names: readonly string[]) =>
  explainEndpoint(about(recordOf({ basis: 'ca', candidates: names.map((name) => candidateOf(name)) })))
    .summary;

const at = (name: string, lastSeen: number | null) => pinOf(name, { lastSeen });
const waits = (name: string, lastSeen: number) => ({ ...candidateOf(name), lastSeen });

describe('of an endpoint is said', () => {
  it.each<[string, EndpointRecord | null, string]>([
    ['nothing', null, 'No key was ever trusted for it.'],
    [
      'nothing but candidates',
      recordOf({ candidates: [candidateOf('server')] }),
      'No key was ever trusted for it.',
    ],
    [
      'a CA that only the ratchet remembers',
      recordOf({ lastCa: lastCaOf('former') }),
      'It was CA-verified before, so it never falls back to an unverified first use.',
    ],
    [
      'a CA',
      recordOf({ basis: 'ca' }),
      'It is known as CA-verified: the CA decides, and never a first use without one.',
    ],
    ['pins', pinned(mine()), 'It is known by pinned keys: only those count.'],
  ])('what it is known by: %s', (_, record, words) => {
    expect(first(explainEndpoint(about(record)))).toBe(words);
  });

  it('each pin, rejection and candidate, what is configured and what is expected', () => {
    const record = {
      ...recordOf({ basis: 'pinned', pins: [mine()], candidates: [candidateOf('other')] }),
      ...rejected('gone'),
      expected: [expectation('third'), expectation('past', { until: noon })],
    };
    expect(
      explainEndpoint(about(record, { configPins: [keyNamed('fourth')], dane: 'prefer' })).steps,
    ).toEqual([
      `The policy of ${endpoint} is trust: auto, firstUse: accept, dane: prefer.`,
      `The configuration pins ${keyNamed('fourth')}.`,
      'It is known by pinned keys: only those count.',
      `Expected by an import, and not seen yet: the certificate with SHA-256 ${sha256Named('third')}.`,
      'What DANE says now is not asked here: letterlock inspect does.',
      `Pin ${keyNamed('server')} (first-use, first seen ${seen}) counts.`,
      `Rejected: ${keyNamed('gone')}, since 2026-11-22 12:00 UTC.`,
      `Waiting: ${keyNamed('other')}, refused as pin-mismatch, last seen 2026-11-23 11:00 UTC.`,
    ]);
  });

  it('how many keys wait', () => {
    expect([waiting(), waiting('one'), waiting('one', 'two')]).toEqual([
      `${endpoint} is CA-verified.`,
      `${endpoint} is CA-verified; 1 refused key waits for a decision.`,
      `${endpoint} is CA-verified; 2 refused keys wait for a decision.`,
    ]);
  });

  it('what to do about the last of the keys that wait', () => {
    const record = {
      ...recordOf({ basis: 'pinned', candidates: [candidateOf('first'), candidateOf('second')] }),
      ...rejected('first'),
    };
    const { advice } = explainEndpoint(about(record));
    expect(advice).toHaveLength(2);
    expect(advice[1]).toContain('--expect FINGERPRINT');
  });

  it.each<[string, Partial<EndpointRecord>, string | null]>([
    ['a pin', { pins: [at('one', noon - 2), at('two', noon - 1), at('three', null)] }, 'two'],
    ['a pin that stands first', { pins: [at('one', noon - 1), at('two', noon - 2)] }, 'one'],
    ['one that waits', { pins: [at('one', noon - 2)], candidates: [waits('two', noon - 1)] }, 'two'],
    [
      'one that a CA verified',
      { pins: [at('one', noon - 2)], lastCa: lastCaOf('two', { seenAt: noon }) },
      'two',
    ],
    [
      'one before what a CA verified',
      { pins: [at('one', noon)], lastCa: lastCaOf('two', { seenAt: 1 }) },
      'one',
    ],
    ['none', { pins: [at('one', null)] }, null],
  ])('how the key that was shown last is judged: %s', (_, part, name) => {
    const { decision } = explainEndpoint(about(recordOf({ basis: 'pinned', ...part })));
    expect(decision?.spki ?? null).toBe(name === null ? null : keyNamed(name));
  });
});

describe('of the code of a refusal is said', () => {
  it.each([
    ['pin-mismatch', 'This does not pass by itself: a person has to look.'],
    ['store-damaged', 'This may pass by itself.'],
  ])('whether it passes: %s', (code, words) => {
    expect(explainCode(code)?.steps).toEqual([
      'letterlock decided not to relay; no byte of the mail client was sent to the server.',
      words,
    ]);
  });
});
