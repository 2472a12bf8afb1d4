import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { isQuiet, logEntry } from '../../src/ops/log-entry.ts';
import { openLog } from '../../src/ops/log.ts';
import type { LogOptions } from '../../src/ops/log.ts';
import { printable } from '../../src/ops/printable.ts';
import type { ProxyEvent } from '../../src/proxy/events.ts';
import { ended, everyEvent, probed, spki, started } from './events.ts';

let folder: string;
let fd: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'letterlock-log-'));
  fd = openSync(join(folder, 'log'), 'a');
});
afterEach(() => {
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

const written = (): string => readFileSync(join(folder, 'log'), 'utf8');
const open = (options: Partial<LogOptions> = {}) =>
  openLog({
    level: 'info',
    format: 'json',
    fd,
    env: {},
    terminal: false,
    now: () => 1_700_000_000_000,
    ...options,
  });
const rows = (): readonly Record<string, unknown>[] =>
  written()
    .trimEnd()
    .split('\n')
    .map((line): Record<string, unknown> => JSON.parse(line));

describe('json', () => {
  test('the end of a session is one line with its facts, there as soon as the call returns', () => {
    open().event(ended({ outcome: 'refused', reason: 'pin-mismatch', basis: null, reference: '7F3AK2QM' }));
    expect(rows()).toEqual([
      {
        level: 'warn',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        event: 'session-ended',
        session: 'T3S-1',
        route: 'imaps-1143',
        protocol: 'imap',
        endpoint: 'imap.example.org:993',
        clientTls: null,
        outcome: 'refused',
        reason: 'pin-mismatch',
        basis: null,
        spki,
        reference: '7F3AK2QM',
        said: null,
        detail: null,
        bytesUp: 10,
        bytesDown: 20,
        seconds: 1.5,
        msg: 'refused imap.example.org:993: pin-mismatch',
      },
    ]);
  });

  test('a first use is loud: a warning with its own words', () => {
    open({ level: 'warn' }).event({
      type: 'pin-changed',
      endpoint: 'imap.example.org:993',
      event: 'first-use',
      origin: 'proxy',
      spki,
      detail: '',
    });
    expect(rows()).toMatchObject([
      { level: 'warn', change: 'first-use', spki, msg: expect.stringMatching(/^FIRST USE/) },
    ]);
  });

  test('a key that only waits is not told as a change of trust', () => {
    open().event({
      type: 'pin-changed',
      endpoint: 'imap.example.org:993',
      event: 'candidate',
      origin: 'proxy',
      spki,
      detail: 'pin-mismatch',
    });
    expect(rows()).toMatchObject([
      {
        level: 'info',
        change: 'candidate',
        msg: 'a key of imap.example.org:993 is not trusted and waits for a decision',
      },
    ]);
  });

  test('seconds have the digits of a clock', () => {
    open().event(ended({ seconds: 0.07359196800000017 }));
    expect(rows()).toMatchObject([{ seconds: 0.073592 }]);
  });

  test.each([
    ['error', ['error']],
    ['warn', ['error', 'warn']],
    ['info', ['error', 'warn', 'info']],
    ['debug', ['error', 'warn', 'info', 'debug']],
  ] as const)('level %s lets through %j, in either format', (level, expected) => {
    for (const format of ['json', 'pretty'] as const) {
      const log = open({ level, format });
      for (const each of ['error', 'warn', 'info', 'debug'] as const)
        log.write(each, { event: 'stopping', message: `<${each}>` });
    }
    expect([...written().matchAll(/<([a-z]+)>/g)].map(([, name]) => name)).toEqual([
      ...expected,
      ...expected,
    ]);
  });

  test('every kind of event makes exactly one entry, under its own name', () => {
    const log = open({ level: 'debug' });
    for (const event of everyEvent) log.event(event);
    expect(rows().map((row) => row['event'])).toEqual(everyEvent.map(({ type }) => type));
  });
});

describe('levels', () => {
  test('an event that no entry need be made of is one for debugging, and its entry is made when somebody debugs', () => {
    expect(everyEvent.filter(isQuiet).length).toBeGreaterThan(5);
    for (const event of everyEvent.filter(isQuiet)) expect(logEntry(event).level).toBe('debug');
    const made = vi.fn(logEntry);
    const log = open({ level: 'info' });
    for (const event of everyEvent.filter(isQuiet)) log.event(event, made);
    expect(made).not.toHaveBeenCalled();
    log.configure({ level: 'debug', format: 'json' });
    for (const event of everyEvent.filter(isQuiet)) log.event(event, made);
    expect(made).toHaveBeenCalledTimes(everyEvent.filter(isQuiet).length);
  });

  test.each([
    [{ outcome: 'relayed', reason: null }, 'info'],
    [{ outcome: 'refused', reason: 'ca-lost' }, 'warn'],
    [{ outcome: 'rejected', reason: 'http' }, 'warn'],
    [{ outcome: 'failed', reason: 'dial' }, 'warn'],
    [{ outcome: 'failed', reason: 'client' }, 'info'],
    [{ outcome: 'failed', reason: 'internal' }, 'error'],
  ] as const)('a session that ended %j is logged at %s', (outcome, level) => {
    expect(logEntry(ended(outcome)).level).toBe(level);
  });

  test.each([
    [{}, 'info', 'accepted (pinned key, no CA involved)'],
    [{ verdict: 'first-use' }, 'info', 'nobody knows its key; a client would make it a first use'],
    [
      { result: 'refused', verdict: 'refused', reason: 'pin-mismatch', reference: '7F3AK2QM' },
      'warn',
      'a client would be refused (pin-mismatch). Run: letterlock explain 7F3AK2QM',
    ],
    [{ result: 'failed', verdict: null, reason: 'dns' }, 'warn', 'no answer to judge (dns)'],
  ] as const)('a probe that ended %j is logged at %s', (outcome, level, words) => {
    const told = logEntry(probed(outcome));
    expect([told.level, told.message]).toEqual([level, `probed imap.example.org:993: ${words}`]);
  });

  test.each([
    ['ca', 'verified by a CA'],
    ['pin', 'no CA involved'],
    ['first-use', 'nobody verified it'],
  ] as const)('a session accepted by %s is never worded like another', (basis, words) => {
    expect(logEntry(ended({ basis })).message).toContain(words);
  });
});

describe('what must not get in', () => {
  test('fields an event carries beyond those of its type are not logged', () => {
    for (const event of everyEvent) {
      const spiked = {
        ...event,
        password: 'CANARY',
        line: 'A1 LOGIN u CANARY',
        chunk: Buffer.from('CANARY'),
      };
      open({ level: 'debug' }).event(spiked);
    }
    expect(written()).not.toContain('CANARY');
    expect(rows()).toHaveLength(everyEvent.length);
  });

  test('no event can put a second line, a control or a direction change into any field', () => {
    fc.assert(
      fc.property(fc.constantFrom(...everyEvent), fc.string({ unit: 'binary' }), (event, text) => {
        const hostile: unknown = Object.fromEntries(
          Object.entries(event).map(([name, value]) =>
            typeof value === 'string' &&
            name !== 'type' &&
            name !== 'outcome' &&
            !(name === 'result' && event.type === 'probed')
              ? [name, `${text}\n\u001b[2J\u202e`]
              : [name, value],
          ),
        );
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        const { message, fields } = logEntry(hostile as ProxyEvent);
        for (const shown of [message, ...Object.values(fields)])
          expect(String(shown)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
      }),
    );
  });

  test('what a server said is cut at 300 characters', () => {
    const { fields } = logEntry(ended({ detail: 'x'.repeat(100_000) }));
    expect(fields['detail']).toBe(`${'x'.repeat(300)}…`);
  });

  test('plain text stays as it is', () => {
    expect(printable('CN=Zoë, O="Пример" 1.2.3.4 \\x')).toBe('CN=Zoë, O="Пример" 1.2.3.4 \\x');
  });

  test('texts given to write are escaped too', () => {
    open().write('info', { event: 'ready', message: 'a\nb', fields: { admin: 'c\u009bd' } });
    expect(rows()).toMatchObject([{ msg: 'a\\x0ab', admin: 'c\\x9bd' }]);
  });
});

describe('pretty', () => {
  test('one line an entry, with time, level, message and the fields that say something', () => {
    open({ format: 'pretty' }).event(ended());
    expect(written()).toBe(
      '22:13:20Z INFO  relayed imap.example.org:993 (pinned key, no CA involved)  #T3S-1 route=imaps-1143 protocol=imap ' +
        `basis=pin ${JSON.stringify(spki).replace(/^"/, 'spki="')} bytesUp=10 bytesDown=20 seconds=1.5\n`,
    );
  });

  test('what the message says already is not said again; JSON says it all', () => {
    const refused = {
      outcome: 'refused',
      basis: null,
      said: 'letterlock refused x: y',
      detail: 'why',
    } as const;
    open({ format: 'pretty' }).event(ended(refused));
    expect(written()).toMatch(/refused x: y {2}#T3S-1 .*detail=why/);
    expect(written()).not.toContain('said=');
    open({ format: 'json' }).event(ended(refused));
    expect(written()).toContain('"said":"letterlock refused x: y"');
  });

  test.each([
    [{ terminal: true, env: {} }, true],
    [{ terminal: true, env: { NO_COLOR: '1' } }, false],
    [{ terminal: false, env: {} }, false],
  ])('colours with %j: %s', (look, coloured) => {
    open({ format: 'pretty', ...look }).event(ended());
    expect(written().includes('\u001b[32m')).toBe(coloured);
    expect(written().includes('\u001b')).toBe(coloured);
  });

  test.each([
    [true, false],
    [false, true],
  ])('auto on a terminal (%s) writes JSON: %s', (terminal, json) => {
    open({ format: 'auto', terminal }).event(ended());
    expect(written().startsWith('{')).toBe(json);
  });
});

const stream = (): string => {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  return `${dev}:${ino}`;
};

describe('under systemd', () => {
  test.each(['json', 'pretty'] as const)('a line of the journal starts with its priority (%s)', (format) => {
    const log = open({ format, level: 'debug', env: { JOURNAL_STREAM: stream() } });
    log.event(started(1));
    log.event(ended());
    log.event(ended({ outcome: 'refused', reason: 'ca-lost' }));
    log.event({ type: 'reloaded', ok: false, problems: 2 });
    expect(
      written()
        .split('\n')
        .map((line) => line.slice(0, 3)),
    ).toEqual(['<7>', '<6>', '<4>', '<3>', '']);
  });

  test('a stderr that was sent elsewhere has none', () => {
    open({ env: { JOURNAL_STREAM: '1:2' } }).event(ended());
    expect(written().startsWith('{')).toBe(true);
  });
});
