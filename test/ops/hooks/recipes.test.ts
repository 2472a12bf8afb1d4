// The recipes of config/hooks/, each run as a hook would run it, with programs on PATH that write down what they get.
// Whatever a text holds, it is a text: no word more, no header more, no command.

import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runProgram, type Ran } from '../../../src/ops/hooks/exec.ts';
import { eventEnvironment } from '../../../src/ops/hooks/payload.ts';
import { somePayload, Workshop } from './world.ts';

const folder = join(import.meta.dirname, '../../../config/hooks');
const names = ['desktop', 'mail', 'ntfy', 'slack', 'journal'] as const;

let workshop: Workshop;
beforeEach(() => {
  workshop = new Workshop();
  // Words are ended by NUL, which no word can hold.
  for (const program of ['notify-send', 'sendmail', 'curl', 'logger'])
    workshop.program(program, `printf '%s\\0' "$@" > "$OUT/${program}.words"; cat > "$OUT/${program}.input"`);
});
afterEach(() => workshop.remove());

const wordsOf = (program: string): readonly string[] =>
  readFileSync(workshop.path(`${program}.words`), 'utf8')
    .split('\0')
    .slice(0, -1);
const inputOf = (program: string): string => readFileSync(workshop.path(`${program}.input`), 'utf8');

const usual = eventEnvironment(somePayload());

function run(
  name: (typeof names)[number],
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  return runProgram({
    argv: [join(folder, `${name}.sh`), ...args],
    env: { PATH: `${workshop.folder}:/usr/bin:/bin`, ...usual, ...env },
    input: `${JSON.stringify(somePayload())}\n`,
    timeoutMs: 10_000,
    signal: new AbortController().signal,
  });
}

const good = { ok: true, detail: null, output: '' };

describe('a recipe', () => {
  test.each(names)(
    '%s can be executed, is open to no stranger, and every variable it uses exists',
    (name) => {
      const path = join(folder, `${name}.sh`);
      expect(statSync(path).mode & 0o111).toBe(0o111);
      expect(statSync(path).mode & 0o002).toBe(0);
      const used = readFileSync(path, 'utf8').match(/LETTERLOCK_EVENT_[A-Z_]*[A-Z]/g) ?? [];
      expect(used.length).toBeGreaterThan(0);
      for (const variable of used) expect(Object.keys(usual)).toContain(variable);
    },
  );

  test('desktop shows a notice as urgent as it is', async () => {
    expect(await run('desktop')).toEqual(good);
    expect(wordsOf('notify-send')).toEqual([
      '--app-name=letterlock',
      '--icon=dialog-warning',
      '--urgency=normal',
      '--',
      'letterlock: imap.example.org:993',
      'letterlock refused imap.example.org: its key changed',
    ]);
    await run('desktop', [], {
      LETTERLOCK_EVENT_SEVERITY: 'critical',
      LETTERLOCK_EVENT_ADVICE: 'Ask <them>.',
    });
    expect(wordsOf('notify-send')[2]).toBe('--urgency=critical');
    expect(wordsOf('notify-send').at(-1)).toMatch(/changed\n\nAsk &lt;them&gt;\.$/);
  });

  test('mail writes one to the address, by the program that is named', async () => {
    expect(await run('mail', ['you@example.org'])).toEqual(good);
    expect(wordsOf('sendmail')).toEqual(['-i', '--', 'you@example.org']);
    const [head = '', ...body] = inputOf('sendmail').split('\n\n');
    expect(head.split('\n')).toEqual([
      'To: you@example.org',
      'Subject: letterlock: letterlock refused imap.example.org: its key changed',
      'Auto-Submitted: auto-generated',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: 8bit',
      'X-Letterlock-Event: refused',
    ]);
    expect(body.join('\n\n')).toContain('reason      pin-mismatch\n');
    workshop.program('msmtp', 'cat > "$OUT/msmtp.input"');
    expect(await run('mail', ['you@example.org', 'msmtp'])).toEqual(good);
    expect(inputOf('msmtp')).toContain('Subject: letterlock:');
  });

  test('ntfy sends title, priority and text, and no token stands among the words', async () => {
    writeFileSync(workshop.path('ntfy.curl'), 'url = "https://ntfy.example/topic"\n');
    expect(await run('ntfy', [workshop.path('ntfy.curl')])).toEqual(good);
    expect(wordsOf('curl')).toEqual(
      expect.arrayContaining([
        '--config',
        workshop.path('ntfy.curl'),
        'Title: letterlock: imap.example.org:993',
        'Priority: high',
      ]),
    );
    expect(inputOf('curl')).toBe('letterlock refused imap.example.org: its key changed\n\n\n');
  });

  test('slack sends JSON with the text', async () => {
    expect(await run('slack', ['/etc/letterlock/slack.curl'])).toEqual(good);
    expect(JSON.parse(inputOf('curl'))).toEqual({
      text: ':warning: *letterlock on machine.example*\nletterlock refused imap.example.org: its key changed\n',
    });
  });

  test('journal writes a line at the fitting priority', async () => {
    expect(await run('journal')).toEqual(good);
    expect(wordsOf('logger')).toEqual([
      '-t',
      'letterlock-hook',
      '-p',
      'mail.warning',
      '--',
      'refused: letterlock refused imap.example.org: its key changed',
    ]);
  });

  test('journal does without logger', async () => {
    workshop.program(
      'systemd-cat',
      'printf "%s\\0" "$@" > "$OUT/systemd-cat.words"; cat > "$OUT/systemd-cat.input"',
    );
    workshop.program('tr', 'exec /usr/bin/tr "$@"');
    workshop.program('cat', 'exec /bin/cat "$@"');
    const { rm } = await import('node:fs/promises');
    await rm(workshop.path('logger'));
    expect(await run('journal', [], { PATH: workshop.folder })).toEqual(good);
    expect(wordsOf('systemd-cat')).toEqual(['-t', 'letterlock-hook', '-p', 'warning']);
    expect(inputOf('systemd-cat')).toMatch(/^refused: .*\n$/);
  });

  test.each(['mail', 'ntfy', 'slack'] as const)('%s without its word says what is missing', async (name) => {
    expect(await run(name)).toMatchObject({ ok: false, output: expect.stringMatching(/(address|url)/) });
  });

  test.each(['ntfy', 'slack', 'mail', 'desktop', 'journal'] as const)(
    '%s fails when its program does',
    async (name) => {
      for (const program of ['notify-send', 'sendmail', 'curl', 'logger'])
        workshop.program(program, 'cat > /dev/null; exit 22');
      expect(await run(name, ['x'])).toMatchObject({ ok: false, detail: 'exit 22' });
    },
  );
});

/** Escaped before they get here; the recipes must not count on that. */
const hostile = [
  '$(touch gone)',
  '`touch gone`',
  '"; touch gone; "',
  "'; touch gone; '",
  '\n.\nBcc: thief@example.org\nX: y',
  '\r\nBcc: thief@example.org',
  '--help',
  '-f /etc/passwd',
  '@/etc/passwd',
  '%s%s%n\\n\\c',
  '<b>&amp;"</b>\\',
  '"}, {"text": "forged',
  '\u001b[2J\u0007',
  '*',
];

describe('a text is a text', () => {
  test.each(hostile.flatMap((text) => names.map((name) => [name, text] as const)))(
    '%s: %j',
    async (name, text) => {
      const fields = Object.fromEntries(
        Object.keys(usual)
          .filter((variable) => variable !== 'LETTERLOCK_EVENT_SEVERITY')
          .map((variable) => [variable, text] as const),
      );
      const args = name === 'mail' ? ['you@example.org'] : name === 'ntfy' || name === 'slack' ? ['/c'] : [];
      expect(await run(name, args, { ...fields, IFS: '/' })).toEqual(good);
      expect(existsSync('/gone')).toBe(false);
      expect(existsSync(workshop.path('gone'))).toBe(false);
      const counts = {
        desktop: ['notify-send', 6],
        mail: ['sendmail', 3],
        ntfy: ['curl', 19],
        slack: ['curl', 15],
        journal: ['logger', 6],
      } as const;
      const [program, words] = counts[name];
      expect(wordsOf(program)).toHaveLength(words);
      for (const word of wordsOf(program)) expect(word.replaceAll('\n\n', '')).not.toMatch(/\p{Cc}/u);
      if (name === 'mail') {
        const [head = ''] = inputOf('sendmail').split('\n\n');
        expect(head.split('\n').map((header) => header.split(':')[0])).toEqual([
          'To',
          'Subject',
          'Auto-Submitted',
          'MIME-Version',
          'Content-Type',
          'Content-Transfer-Encoding',
          'X-Letterlock-Event',
        ]);
      }
      if (name === 'slack') expect(JSON.parse(inputOf('curl'))).toEqual({ text: expect.any(String) });
    },
  );
});
