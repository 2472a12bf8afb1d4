// A storm in the log: what is written, what is summed up, and what never is.

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openLog, type Log, type LogOptions } from '../../src/ops/log.ts';
import { ended, everyEvent, spki, started } from './events.ts';

let folder: string;
let fd: number;
let now: number;

beforeEach(() => {
  vi.useFakeTimers();
  folder = mkdtempSync(join(tmpdir(), 'letterlock-repeats-'));
  fd = openSync(join(folder, 'log'), 'a');
  now = 1_700_000_000_000;
});
afterEach(() => {
  vi.useRealTimers();
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

const open = (options: Partial<LogOptions> = {}): Log =>
  openLog({ level: 'info', format: 'json', fd, env: {}, terminal: false, now: () => now, ...options });
const text = (): string => readFileSync(join(folder, 'log'), 'utf8');
const rows = (): readonly Record<string, unknown>[] =>
  text()
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Record<string, unknown> => JSON.parse(line));
const refused = (session: number, facts: object = {}) =>
  ended({ session, outcome: 'refused', reason: 'pin-mismatch', basis: null, ...facts });
const later = (ms: number): void => {
  now += ms;
  vi.advanceTimersByTime(ms);
};

describe('refusals that say the same', () => {
  test('are written five times a minute, and the others summed up with their first and last connection', () => {
    const log = open();
    for (let session = 1; session <= 4_817; session += 1) log.event(refused(session));
    later(60_000);
    expect(rows()).toHaveLength(6);
    expect(rows().at(-1)).toEqual({
      level: 'warn',
      time: new Date(now).toISOString(),
      event: 'repeated',
      of: 'session-ended',
      route: 'imaps-1143',
      endpoint: 'imap.example.org:993',
      outcome: 'refused',
      reason: 'pin-mismatch',
      times: 4_812,
      seconds: 60,
      firstSession: 'T3S-6',
      lastSession: 'T3S-4817',
      msg: 'refused imap.example.org:993 (pin-mismatch) 4 812 more times in the last 60 s',
    });
    log.close();
  });

  test('are all written while they are few', () => {
    const log = open();
    for (let session = 1; session <= 20; session += 1) {
      log.event(refused(session));
      later(15_000);
    }
    log.close();
    expect(rows().map(({ event }) => event)).toEqual(Array.from({ length: 20 }, () => 'session-ended'));
  });

  test.each([
    [{ reason: 'ca-lost' }],
    [{ route: 'other' }],
    [{ endpoint: 'b.example:993' }],
    [{ outcome: 'failed', reason: 'dial' }],
  ])('hide none that says something else: %j', (other) => {
    const log = open();
    for (let session = 1; session <= 100; session += 1) log.event(refused(session));
    log.event(refused(101, other));
    expect(rows().at(-1)).toMatchObject({ session: 'T3S-101', ...other });
    log.close();
  });

  test('are told of at the end, however short the window was', () => {
    const log = open();
    for (let session = 1; session <= 7; session += 1) log.event(refused(session));
    later(2_000);
    log.close();
    expect(rows().at(-1)).toMatchObject({ event: 'repeated', times: 2, seconds: 2 });
  });

  test('are told of when the clock was set back', () => {
    const log = open();
    for (let session = 1; session <= 7; session += 1) log.event(refused(session));
    now -= 86_400_000;
    log.event(refused(8));
    expect(rows().slice(-2)).toMatchObject([
      { event: 'repeated', times: 2, seconds: 0 },
      { session: 'T3S-8' },
    ]);
    log.close();
  });

  test('leave a debug log bounded as well', () => {
    const log = open({ level: 'debug' });
    for (let session = 1; session <= 5_000; session += 1) {
      log.event(started(session));
      log.event(refused(session));
    }
    log.close();
    expect(rows()).toHaveLength(100 + 5 + 2);
  });
});

describe('what never is summed up', () => {
  const changes = everyEvent.filter(({ type }) =>
    ['pin-changed', 'key-untrusted', 'session-revoked', 'store-health', 'reloaded'].includes(type),
  );
  test.each(changes.map((event) => [event.type, event] as const))('%s', (_type, event) => {
    const log = open();
    for (let time = 0; time < 500; time += 1) log.event(event);
    log.close();
    expect(rows()).toHaveLength(500);
  });

  test('a first use in the middle of a storm', () => {
    const log = open();
    for (let session = 1; session <= 1_000; session += 1) log.event(refused(session));
    log.event({
      type: 'pin-changed',
      endpoint: 'imap.example.org:993',
      event: 'first-use',
      origin: 'proxy',
      spki,
      detail: '',
    });
    expect(rows().at(-1)).toMatchObject({ event: 'pin-changed', change: 'first-use' });
    log.close();
  });
});

describe('bounds', () => {
  test('ten thousand refusals are at most twelve lines and six kilobytes', () => {
    const log = open();
    for (let session = 1; session <= 10_000; session += 1) {
      log.event(
        refused(session, { said: `letterlock refused imap.example.org: its key changed (#${session})` }),
      );
      later(10);
    }
    log.close();
    expect(rows()).toHaveLength(12);
    expect(text().length).toBeLessThan(6 * 1024);
    const told = rows().reduce((sum, { times }) => sum + (typeof times === 'number' ? times : 1), 0);
    expect(told).toBe(10_000);
  });

  test('a hundred thousand different warnings are told apart up to a thousand, and none is lost from the count', () => {
    const log = open();
    for (let time = 0; time < 100_000; time += 1)
      log.event({ type: 'warning', code: 'listener', message: `number ${time}` });
    log.close();
    const sums = rows().filter(({ event }) => event === 'repeated');
    expect(rows()).toHaveLength(1_000 + 5 + 1);
    expect(sums).toMatchObject([{ of: 'warning', times: 100_000 - 1_000 - 5 }]);
  });

  test('what came in a crowd does not crowd out what comes in the next minute', () => {
    const log = open();
    for (let time = 0; time < 2_000; time += 1)
      log.event({ type: 'warning', code: 'listener', message: `number ${time}` });
    later(60_000);
    log.event(refused(1));
    expect(rows().at(-1)).toMatchObject({ session: 'T3S-1' });
    log.close();
  });
});
