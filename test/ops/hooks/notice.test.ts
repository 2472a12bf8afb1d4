import { describe, expect, test } from 'vitest';
import { chosenClassNames, hookClasses, hookClassNames } from '../../../src/ops/hooks/classes.ts';
import { notice, noticeOf, type Notice } from '../../../src/ops/hooks/notice.ts';
import { payloadSchema } from '../../../src/ops/hooks/payload-schema.ts';
import { eventEnvironment, payloadOf, type Payload } from '../../../src/ops/hooks/payload.ts';
import type { ProxyEvent } from '../../../src/proxy/events.ts';
import { ended, everyEvent, judged, spki } from '../events.ts';
import { told } from './samples.ts';
import { teller } from './world.ts';

const now = 1_790_000_000_000;
const parts = { now: () => now, referenceOf: () => '7F3AK2QM' };
const of = (event: ProxyEvent): Notice | null => noticeOf(event, parts);
const sent = (made: Notice): Payload =>
  payloadOf({ id: 'msg_1', at: now, notice: made, suppressed: 0 }, { hook: 'h', teller });

const endpoint = 'imap.example.org:993';
const refused = (reason: string, facts: object = {}): ProxyEvent =>
  ended({ outcome: 'refused', reason, basis: null, said: `letterlock refused ${endpoint}`, ...facts });

describe('of an event is told', () => {
  test.each(told)('$class: $message', (row) => {
    const made = of(row.event);
    expect(made).toMatchObject({ class: row.class, severity: row.severity, message: row.message });
    expect(payloadSchema.parse(sent(made ?? notice('test', '', {})))).toMatchObject({
      type: row.class,
      data: { severity: row.severity, ...row.data },
    });
  });

  test('every class that events can have', () => {
    const byEvents = new Set(told.map((row) => row.class));
    const byDaemon = ['started', 'stopped', 'test'];
    expect([...byEvents, ...byDaemon].toSorted()).toEqual(hookClassNames.toSorted());
  });

  test.each([
    ['a session that is relayed', ended()],
    ['a client that left', ended({ outcome: 'failed', reason: 'client' })],
    ['a connection that broke', ended({ outcome: 'failed', reason: 'relay' })],
    ['a client closed by a shutdown', ended({ outcome: 'rejected', reason: 'draining' })],
    ['a CA that was seen to vouch', { ...pinChange('ca-verified') }],
    ['DANE that was seen to prove', { ...pinChange('dane-proven') }],
    ['trouble of a hook', { type: 'warning', code: 'hook-dropped', message: 'x' } as const],
    ['a verdict', judged()],
    ['a certificate in the middle of its life', judged({ verdict: 'ca', notAfter: now + 50_000_000_000 })],
    ['a certificate that only a pin vouches for', judged({ verdict: 'pin', notAfter: now + 1000 })],
    ['a certificate without dates', judged({ verdict: 'ca', notAfter: null })],
    ['vantage points that agree', corroborated([])],
  ])('nothing of %s', (_, event) => {
    expect(of(event)).toBeNull();
  });

  test('nothing twice in one event, and of every event it is decided', () => {
    for (const event of everyEvent) expect(() => of(event)).not.toThrow();
  });
});

function pinChange(event: Extract<ProxyEvent, { type: 'pin-changed' }>['event'], detail = ''): ProxyEvent {
  return { type: 'pin-changed', endpoint, event, origin: 'proxy', spki, detail };
}

function corroborated(differing: readonly string[]): ProxyEvent {
  return { type: 'corroborated', endpoint, spki, agreed: ['143'], differing, unreached: [], seconds: 1 };
}

/** What is news each time is the same as nothing. */
const same = (one: ProxyEvent, other: ProxyEvent): boolean =>
  typeof of(one)?.same === 'string' && of(one)?.same === of(other)?.same;

describe('two notices are the same', () => {
  test('when class, server, key and reason are', () => {
    expect(
      same(refused('pin-mismatch'), refused('pin-mismatch', { session: 2, route: 'other', bytesUp: 9 })),
    ).toBe(true);
    expect(same(refused('pin-mismatch'), refused('key-rejected'))).toBe(false);
    expect(same(refused('pin-mismatch'), refused('pin-mismatch', { endpoint: 'a.example:993' }))).toBe(false);
    expect(same(refused('pin-mismatch'), refused('pin-mismatch', { spki: 'sha256//other' }))).toBe(false);
    expect(same(pinChange('approved'), pinChange('rejected'))).toBe(false);
    const [one, other] = ['a', 'b'].map((message): ProxyEvent => ({ type: 'warning', code: 'crl', message }));
    expect(one !== undefined && other !== undefined && same(one, other)).toBe(false);
  });

  test('a refusal is told already to whoever knows that its key waits', () => {
    const candidate = of(pinChange('candidate', 'pin-mismatch'));
    expect(of(refused('pin-mismatch'))?.told).toBe(candidate?.same);
    expect(of(refused('pin-mismatch', { spki: 'sha256//other' }))?.told).not.toBe(candidate?.same);
    expect(of(refused('starttls-missing', { spki: null }))?.told).toBeNull();
  });
});

describe('what is sent', () => {
  test('holds nothing of an event but what is named: no client, no bytes, no detail of the wire', () => {
    const event = refused('pin-mismatch', {
      detail: 'CANARY',
      bytesUp: 4711,
      session: 4712,
      password: 'CANARY',
    });
    const text = JSON.stringify(sent(of(event) ?? notice('test', '', {})));
    expect(text).not.toMatch(/CANARY|4711|4712/);
  });

  test('has no character that moves a terminal, ends a line or a word, whatever a server wrote', () => {
    const hostile = 'x\r\nBcc: a@example.org\u001b[2J\u202e\0$(touch gone)`id`\'"';
    for (const event of [
      refused('pin-mismatch', { said: hostile, endpoint: hostile, reference: hostile }),
      pinChange('approved', hostile),
      { type: 'warning', code: 'crl', message: hostile } as const,
    ]) {
      const payload = sent(of(event) ?? notice('test', '', {}));
      const words = Object.values(eventEnvironment(payload));
      for (const word of words) expect(word).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      expect(words.join(' ')).toContain('\\x0d\\x0aBcc');
    }
  });

  test('is bounded', () => {
    const long = 'x'.repeat(100_000);
    const faults = Array.from({ length: 1000 }, () => long);
    const made = notice('refused', long, { endpoint: long, detail: long, faults });
    expect(JSON.stringify(sent(made)).length).toBeLessThan(25_000);
  });

  test('is in the environment too, each field, empty where it is not known', () => {
    const made = of(refused('pin-mismatch', { reference: null }));
    const env = eventEnvironment(sent(made ?? notice('test', '', {})));
    expect(env).toMatchObject({
      LETTERLOCK_EVENT_TYPE: 'refused',
      LETTERLOCK_EVENT_ENDPOINT: endpoint,
      LETTERLOCK_EVENT_REASON: 'pin-mismatch',
      LETTERLOCK_EVENT_REFERENCE: '',
      LETTERLOCK_EVENT_NOT_AFTER: '',
      LETTERLOCK_EVENT_SUPPRESSED: '0',
    });
    expect(Object.keys(env)).toHaveLength(2 + Object.keys(payloadSchema.shape.data.shape).length);
  });

  test('survives a date that no calendar has', () => {
    const made = notice('certificate-expiring', 'x', { notAfter: Number.NaN });
    expect(sent(made).data.notAfter).toBe('1970-01-01T00:00:00.000Z');
  });
});

test('the classes are public: a change here is a change for users', () => {
  expect(
    chosenClassNames.map((name) => `${name} ${hookClasses[name].usual ? 'usual' : 'asked for'}`),
  ).toEqual([
    'first-use usual',
    'candidate usual',
    'refused usual',
    'ca-lost usual',
    'pin-changed usual',
    'retiring-key-in-use usual',
    'certificate-expiring usual',
    'certificate-renewed asked for',
    'corroboration-differs usual',
    'probe-refused usual',
    'session-revoked asked for',
    'failed asked for',
    'client-rejected asked for',
    'store-damaged usual',
    'store-unavailable usual',
    'store-recovered usual',
    'reload-failed usual',
    'reloaded asked for',
    'warning usual',
    'started asked for',
    'stopped asked for',
  ]);
});
