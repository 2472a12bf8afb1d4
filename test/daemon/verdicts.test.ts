// What is told of a server's last verdict when events come in an order people do not think of.

import { beforeEach, describe, expect, test } from 'vitest';
import { Verdicts } from '../../src/daemon/verdicts.ts';
import type { ProxyEvent } from '../../src/proxy/events.ts';
import type { PinChangeEvent } from '../../src/trust/change.ts';

type Ended = Extract<ProxyEvent, { readonly type: 'session-ended' }>;

const endpoint = 'mail.example:993';
let now: number;
let verdicts: Verdicts;
beforeEach(() => {
  now = 1_800_000_000_000;
  verdicts = new Verdicts(() => now);
});

const judged = (session: string, spki: string, verdict: 'pin' | 'refused'): void =>
  verdicts.take({
    type: 'judged',
    session,
    endpoint,
    verdict,
    reason: verdict === 'pin' ? null : 'pin-mismatch',
    spki,
    faults: [],
    notBefore: null,
    notAfter: null,
    pathNotAfter: null,
    by: 'session',
    leaf: null,
  });

const ended = (session: string, changes: Partial<Pick<Ended, 'spki' | 'seconds'>> = {}): void =>
  verdicts.take({
    type: 'session-ended',
    session,
    route: 'imap',
    protocol: 'imap',
    endpoint,
    clientTls: null,
    basis: null,
    spki: 'B',
    reference: null,
    said: null,
    detail: null,
    bytesUp: 0,
    bytesDown: 0,
    seconds: 5,
    outcome: 'refused',
    reason: 'pin-mismatch',
    ...changes,
  });

const change = (event: PinChangeEvent, spki: string | null): void =>
  verdicts.take({ type: 'pin-changed', endpoint, event, origin: 'admin', spki, detail: '' });

describe('a client that was refused and leaves later', () => {
  test('does not undo an approval, nor what was accepted since', () => {
    judged('K-1', 'B', 'refused');
    now += 1000;
    change('approved', 'B');
    now += 4000;
    ended('K-1');
    expect(verdicts.of(endpoint)).toMatchObject({ refusing: false });
    judged('K-2', 'B', 'pin');
    ended('K-3', { seconds: 4.5 });
    expect(verdicts.of(endpoint)).toMatchObject({ refusing: false, last: { verdict: 'pin', spki: 'B' } });
  });

  test('is told of where nothing was judged for it', () => {
    judged('K-1', 'A', 'pin');
    now += 1000;
    ended('K-2', { spki: null });
    expect(verdicts.of(endpoint)).toMatchObject({ refusing: true, last: { spki: null } });
  });

  test('is told of where its key was taken first and refused then', () => {
    judged('K-1', 'A', 'pin');
    now += 1000;
    ended('K-1', { spki: 'A' });
    expect(verdicts.of(endpoint)).toMatchObject({ refusing: true });
  });
});

describe('a change of trust', () => {
  test('that lets nothing in ends no refusal', () => {
    judged('K-1', 'B', 'refused');
    for (const event of ['candidate', 'rejected', 'expired'] as const) {
      change(event, 'B');
      expect(verdicts.of(endpoint), event).toMatchObject({ refusing: true });
    }
    change('undone', 'B');
    expect(verdicts.of(endpoint)).toMatchObject({ refusing: false });
  });

  test('that rejects the key the server shows is a refusal at once, of another one none', () => {
    judged('K-1', 'A', 'pin');
    change('rejected', 'B');
    expect(verdicts.of(endpoint)).toMatchObject({ refusing: false });
    change('rejected', 'A');
    expect(verdicts.of(endpoint)).toMatchObject({ refusing: true });
  });
});
