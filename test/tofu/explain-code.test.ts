// What clients get of a code: the words of the very conversation that tells them.

import { describe, expect, it } from 'vitest';
import { explanationLines } from '../../cmd/explanation-lines.ts';
import { failures, isFailure, isRefusal, refusals } from '../../src/errors.ts';
import { explainCode } from '../../src/tofu/explain-code.ts';

const gets = (code: string): Readonly<Record<string, string>> =>
  Object.fromEntries((explainCode(code)?.code?.clients ?? []).map((one) => [one.protocol, one.gets]));

describe('what clients get', () => {
  it('of a refusal that does not pass by itself', () => {
    const said =
      'letterlock refused NAME: its key changed. Nothing was sent (#K7Q-123). Run: letterlock explain pin-mismatch';
    expect(gets('pin-mismatch')).toEqual({
      imap: `* BYE [ALERT] ${said}`,
      pop3: `-ERR [SYS/PERM] ${said}`,
      smtp: `421 4.7.0 ${said}`,
      lmtp: `421 4.7.0 ${said}`,
      sieve: `NO "${said}"`,
      tls: 'a reset, without words',
    });
  });

  it('of one that may pass, and of a failure', () => {
    expect(gets('store-unavailable')['pop3']).toMatch(/^-ERR \[SYS\/TEMP\] letterlock refused NAME/);
    expect(gets('dial')['imap']).toMatch(/^\* BYE letterlock could not reach NAME/);
    expect(gets('dial')['smtp']).toMatch(/^421 4\.4\.1 /);
  });

  it.each(['expired', 'http', 'client'])('of %s nothing', (code) => {
    expect(explainCode(code)).not.toBeNull();
    expect(gets(code)).toEqual({});
  });

  it.each([...Object.keys(refusals).filter(isRefusal), ...Object.keys(failures).filter(isFailure)])(
    'of %s is the sentence, in every protocol with words',
    (code) => {
      if (code === 'client') return;
      const { tls, ...worded } = gets(code);
      expect(tls).toBe('a reset, without words');
      for (const line of Object.values(worded)) expect(line).toContain(`Run: letterlock explain ${code}`);
    },
  );
});

it('a person reads which question decided, and where its answer came from', () => {
  const lines = explanationLines({
    target: 'REF',
    kind: 'reference',
    endpoint: 'imap.example.org:993',
    spki: 'sha256//x',
    summary: 'It is refused.',
    steps: ['One.'],
    advice: ['Do.'],
    code: null,
    decision: {
      spki: 'sha256//x',
      verdict: 'refused',
      basis: null,
      reason: 'pin-mismatch',
      why: 'Another key is pinned.',
      steps: [
        { rule: 'known', asks: 'Known?', found: 'its pins', from: 'record', decides: false },
        { rule: 'hand-over', asks: 'Does it hand over?', found: 'no', from: 'certificate', decides: true },
      ],
    },
  });
  expect(lines).toContain('    Known?              its pins (record)');
  expect(lines).toContain('  > Does it hand over?  no (certificate)');
  expect(lines).toContain('  = refused: pin-mismatch. Another key is pinned.');
  expect(lines.slice(-2)).toEqual(['What to do:', '  Do.']);
});
