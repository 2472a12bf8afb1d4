// What people are told: the sentence in the mail client, and the explanations.

import { describe, expect, it } from 'vitest';
import {
  failures,
  isFailure,
  isRefusal,
  misuses,
  refusals,
  clientRejections,
  isClientRejection,
} from '../../src/errors.ts';
import type { Situation } from '../../src/trust/command.ts';
import { explainCode } from '../../src/trust/explain-code.ts';
import { explainEndpoint, explainKey } from '../../src/trust/explain.ts';
import { isBigProvider } from '../../src/trust/providers.ts';
import { failureSentence, maxSentence, refusalSentence } from '../../src/trust/refusal.ts';
import { candidateOf, endpoint, keyNamed, noon, pinOf, recordOf, settingsOf } from './evidence.ts';

const reasons = Object.keys(refusals).filter(isRefusal);
const causes = Object.keys(failures).filter(isFailure);
const rejections = Object.keys(clientRejections).filter(isClientRejection);

describe('the sentence of a refusal', () => {
  it('says who, why, that nothing was sent, and what to run', () => {
    expect(
      refusalSentence({ host: 'imap.example.org' }, { reason: 'pin-mismatch', reference: '7F3AK2QM' }),
    ).toBe(
      'letterlock refused imap.example.org: its key changed. Nothing was sent. Run: letterlock explain 7F3AK2QM',
    );
    expect(
      refusalSentence({ host: 'imap.example.org' }, { reason: 'starttls-missing', reference: null }),
    ).toBe(
      'letterlock refused imap.example.org: it does not offer STARTTLS. Nothing was sent. Run: letterlock explain starttls-missing',
    );
    expect(failureSentence({ host: 'imap.example.org' }, { reason: 'dns' })).toBe(
      'letterlock could not reach imap.example.org: its name could not be looked up. Nothing was sent. Run: letterlock explain dns',
    );
  });

  it('names the connection where there is one, before the command that is copied', () => {
    const about = { reason: 'pin-mismatch', reference: '7F3AK2QM', connection: 'K7Q-123' } as const;
    expect(refusalSentence({ host: 'imap.example.org' }, about)).toBe(
      'letterlock refused imap.example.org: its key changed. Nothing was sent (#K7Q-123). Run: letterlock explain 7F3AK2QM',
    );
  });

  const connection = 'K7Q-1234567';
  const hosts = ['imap.example.org', '2001:db8::1', `${'a'.repeat(63)}.${'b'.repeat(63)}.mail.example.org`];
  it.each(hosts)('is short printable ASCII and ends with the whole command for %s', (host) => {
    const said = [
      ...reasons.map((reason) => [
        refusalSentence({ host }, { reason, reference: '7F3AK2QM', connection }),
        '7F3AK2QM',
      ]),
      ...reasons.map((reason) => [
        refusalSentence({ host }, { reason, reference: null, connection }),
        reason,
      ]),
      ...causes.map((reason) => [failureSentence({ host }, { reason, connection }), reason]),
    ];
    for (const [sentence = '', target = ''] of said) {
      expect(sentence).toMatch(/^letterlock [\x20-\x7e]+$/);
      expect(sentence.length).toBeLessThanOrEqual(maxSentence);
      expect(sentence.endsWith(`Nothing was sent (#K7Q-1234567). Run: letterlock explain ${target}`)).toBe(
        true,
      );
    }
  });

  it('shortens a long host at its beginning and nothing else', () => {
    const host = `${'a'.repeat(63)}.${'b'.repeat(63)}.mail.example.org`;
    const sentence = refusalSentence({ host }, { reason: 'pin-mismatch', reference: '7F3AK2QM' });
    expect(sentence).toMatch(/^letterlock refused \.\.\.b+\.mail\.example\.org: its key changed\. /);
    expect(sentence).toHaveLength(maxSentence);
  });
});

describe('big providers', () => {
  it.each([
    'imap.gmail.com',
    'gmail.com',
    'smtp.office365.com',
    'imap.mail.yahoo.com',
    'imap.web.de',
    'imap.gmx.net',
    'imap.mail.me.com',
    'secureimap.t-online.de',
    'imap.qq.com',
  ])('%s is one', (host) => {
    expect(isBigProvider(host)).toBe(true);
  });

  it.each([
    'mail.example.org',
    'notgmail.com',
    'gmail.com.example.org',
    'com',
    '127.0.0.1',
    '2001:db8::1',
    '',
  ])('%s is none', (host) => {
    expect(isBigProvider(host)).toBe(false);
  });
});

const situation = (part: Partial<Situation> = {}): Situation => ({
  endpoint,
  record: recordOf({
    basis: 'pinned',
    pins: [pinOf('old')],
    candidates: [candidateOf('server', { subject: 'CN=\u001b[31mred', names: ['evil\u202etxt'] })],
  }),
  settings: settingsOf(),
  sealed: { rejected: new Set(), until: new Map() },
  now: noon,
  origin: 'cli',
  ...part,
});

describe('explain', () => {
  it.each([...reasons, ...causes, ...rejections, ...Object.keys(misuses)])(
    'knows what %s means and what to do',
    (code) => {
      const explanation = explainCode(code);
      expect(explanation?.summary).toContain(code);
      expect(explanation?.steps.length).toBeGreaterThan(0);
      expect(explanation?.advice.join('')).not.toBe('');
    },
  );

  it('knows a fault of a certificate, however it is written', () => {
    expect(explainCode(' EXPIRED ')).toMatchObject({
      kind: 'code',
      summary: 'expired: The certificate has expired.',
      steps: ['Such a certificate is never CA-verified.'],
    });
    expect(explainCode('weak-key')?.steps).toEqual([
      'Such a certificate is never CA-verified and never a first use.',
    ]);
  });

  it('knows no other word as a code', () => {
    expect(explainCode('constructor')).toBeNull();
    expect(explainCode('')).toBeNull();
  });

  it('leads from the policy over pins and certificate to the verdict', () => {
    const { summary, steps, advice } = explainKey('7F3AK2QM', keyNamed('server'), situation());
    expect(summary).toBe(
      `The key ${keyNamed('server')} of ${endpoint} is refused: its key changed (pin-mismatch).`,
    );
    expect(steps[0]).toContain('trust: auto');
    expect(steps.join('\n')).toContain(
      `Pin ${keyNamed('old')} (first-use, first seen 2026-11-18 12:00 UTC) counts.`,
    );
    expect(steps.join('\n')).toContain('self-signed: The certificate is signed by its own key.');
    expect(steps.at(-1)).toBe('Verdict: Another key is pinned for this endpoint.');
    expect(advice.at(-1)).toContain(`pins approve ${endpoint} --expect FINGERPRINT`);
  });

  it('repeats nothing from a certificate that could move a terminal', () => {
    const text = explainKey('7F3AK2QM', keyNamed('server'), situation()).steps.join('');
    expect(text).toContain('\\x1b[31mred');
    expect(text).toMatch(/^[\x20-\x7e]+$/);
  });

  it('never advises to approve what was rejected without saying so', () => {
    const record = recordOf({ basis: 'pinned', rejected: [{ spki: keyNamed('server'), at: noon }] });
    const { summary, advice } = explainKey('7F3AK2QM', keyNamed('server'), situation({ record }));
    expect(summary).toContain('key-rejected');
    expect(advice.at(-1)).toMatch(/--expect PIN --unreject\.$/);
  });

  it.each([
    ['not known yet', null],
    ['CA-verified', recordOf({ basis: 'ca' })],
    ['pinned', recordOf({ basis: 'pinned', pins: [pinOf('old')] })],
    ['pinned, and no pin counts any more', recordOf({ basis: 'pinned' })],
  ] as const)('says that an endpoint is %s', (words, record) => {
    const { summary, advice } = explainEndpoint(situation({ record }));
    expect(summary).toBe(`${endpoint} is ${words}.`);
    expect(advice).toEqual(['Nothing waits for a decision.']);
  });

  it('says which keys of an endpoint wait and what each verdict was', () => {
    const { summary, steps } = explainEndpoint(situation());
    expect(summary).toContain('1 refused key waits for a decision');
    expect(steps.at(-1)).toContain(`Waiting: ${keyNamed('server')}, refused as pin-mismatch`);
  });
});

const knownByDane = (settings: Situation['settings']): Situation => ({
  endpoint,
  record: recordOf({ basis: 'pinned', byDane: true }),
  settings,
  sealed: { rejected: new Set(), until: new Map() },
  now: noon,
  origin: 'cli',
});

describe('an endpoint known by DANE alone', () => {
  it('is explained as what it is, with the setting that asks for it', () => {
    const { summary, steps } = explainEndpoint(knownByDane(settingsOf({ dane: 'prefer' })));
    expect(summary).toBe(`${endpoint} is known by DANE alone.`);
    expect(steps).toEqual([
      `The policy of ${endpoint} is trust: auto, firstUse: accept, dane: prefer.`,
      'It is known by DANE alone: without a proven TLSA record no key counts.',
      'What DANE says now is not asked here: letterlock inspect does.',
    ]);
  });

  it('is told nothing of DANE under a policy that does not ask it', () => {
    const { steps } = explainEndpoint(knownByDane(settingsOf({ policy: 'tofu', dane: 'prefer' })));
    expect(steps).toEqual([
      `The policy of ${endpoint} is trust: tofu, firstUse: accept.`,
      'It is known by DANE alone: without a proven TLSA record no key counts.',
    ]);
  });
});
