import { createServer } from 'node:net';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { passedEnvironment, runProgram, type Ran, type Run } from '../../../src/ops/hooks/exec.ts';
import { until } from '../../lab/wait.ts';
import { listen } from '../../net/peers.ts';
import { Workshop } from './world.ts';

let workshop: Workshop;
beforeEach(() => {
  workshop = new Workshop();
});
afterEach(() => workshop.remove());

const run = (script: string, facts: Partial<Run> = {}): Promise<Ran> =>
  runProgram({
    argv: [workshop.program('hook', script), 'one', 'two words', '$(touch gone)'],
    env: { PATH: process.env['PATH'] ?? '' },
    input: '{"type":"refused"}\n',
    timeoutMs: 10_000,
    signal: new AbortController().signal,
    graceMs: 300,
    ...facts,
  });

const isAlive = (pid: number): boolean => {
  try {
    // A zombie that nobody waits for is no life.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

describe('a program that does as it should', () => {
  test('gets its words as they are, the notice on stdin, and what it writes is kept', async () => {
    const ran = await run('printf "%s|" "$@"; cat; echo oops >&2');
    expect(ran).toMatchObject({ ok: true, detail: null });
    expect(ran.output).toContain('one|two words|$(touch gone)|{"type":"refused"}\n');
    expect(ran.output).toContain('oops');
  });

  test('has no environment but the one it is given, and runs in / as leader of a group of its own', async () => {
    process.env['LETTERLOCK_CANARY'] = 'secret';
    const { output } = await run('env | sort; pwd; ps -o pgid= -p $$ | tr -d " "; echo $$', {
      env: { PATH: process.env['PATH'] ?? '', LETTERLOCK_EVENT_TYPE: 'refused' },
    });
    delete process.env['LETTERLOCK_CANARY'];
    const lines = output.trim().split('\n');
    expect(lines.filter((line) => line.includes('=')).map((line) => line.split('=')[0])).toEqual(
      expect.arrayContaining(['LETTERLOCK_EVENT_TYPE', 'PATH']),
    );
    expect(output).not.toMatch(/CANARY|NODE_|VITEST/);
    expect(lines).toContain('/');
    expect(lines.at(-1)).toBe(lines.at(-2));
  });

  test('inherits no socket and no file of the daemon', async () => {
    const server = await listen(createServer());
    const file = openSync(workshop.path('open'), 'w');
    const { output } = await run('', { argv: ['/bin/ls', '-l', '/proc/self/fd'] });
    server.close();
    closeSync(file);
    const rows = output.match(/\d+ -> .*/g) ?? [];
    expect(rows.length).toBeGreaterThan(2);
    expect(rows.filter((row) => !/^[012] /.test(row) && /socket:|open$/.test(row))).toEqual([]);
  });

  test('need not read its input, however long that is', async () => {
    expect(await run('exit 0', { input: 'x'.repeat(1_000_000) })).toMatchObject({ ok: true });
  });
});

describe('a program that fails', () => {
  test.each([
    ['exit 3', 'exit 3'],
    ['kill -SEGV $$', 'it was ended by SIGSEGV'],
  ])('%s: %s', async (script, detail) => {
    expect(await run(script)).toMatchObject({ ok: false, detail });
  });

  test('by not being there: it is told, nothing is thrown', async () => {
    const ran = await run('', { argv: [workshop.path('absent')] });
    expect(ran).toEqual({ ok: false, detail: 'it cannot be started (ENOENT)', output: '' });
  });

  test('by being no program', async () => {
    expect(await run('', { argv: ['/etc/passwd'] })).toMatchObject({
      detail: 'it cannot be started (EACCES)',
    });
  });

  test('by a word that no program can get', async () => {
    expect(await run('', { argv: ['/bin/echo', 'a\0b'] })).toMatchObject({
      detail: 'it cannot be started (ERR_INVALID_ARG_VALUE)',
    });
  });
});

describe('a program that goes on too long', () => {
  test('ends with all it started, also what does not listen to SIGTERM', async () => {
    const started = performance.now();
    const ran = await run(
      "trap '' TERM; sh -c 'trap \"\" TERM; while :; do sleep 1; done' & echo $! > $OUT/child; echo $$ > $OUT/own; while :; do sleep 1; done",
      { timeoutMs: 500 },
    );
    expect(ran).toMatchObject({ ok: false, detail: 'it had not ended after 0.5 s' });
    expect(performance.now() - started).toBeLessThan(2500);
    for (const name of ['child', 'own']) {
      const pid = Number(workshop.read(name));
      expect(pid).toBeGreaterThan(1);
      await until(`the end of ${name}`, () => !isAlive(pid));
    }
  });

  test('may end by itself when it is asked to', async () => {
    const ran = await run("trap 'echo tidy; exit 0' TERM; while :; do sleep 0.05; done", { timeoutMs: 500 });
    expect(ran).toMatchObject({
      ok: false,
      detail: 'it had not ended after 0.5 s',
      output: expect.stringContaining('tidy\n'),
    });
  });

  test('ends at once when it is broken off', async () => {
    const stop = new AbortController();
    const over = run('echo $$ > $OUT/own; exec sleep 60', { signal: stop.signal });
    await until('its start', () => workshop.read('own')?.endsWith('\n') ?? false);
    stop.abort();
    expect(await over).toMatchObject({ ok: false, detail: 'broken off' });
  });
});

test('what a program leaves behind in its group ends with it', async () => {
  expect(await run('sleep 60 & echo $! > $OUT/child')).toMatchObject({ ok: true });
  await until('the end of what was left', () => !isAlive(Number(workshop.read('child'))));
});

test('who holds the output open after the end is not waited for', async () => {
  const started = performance.now();
  const ran = await run('setsid sleep 3 & exit 0');
  expect(ran).toMatchObject({ ok: true });
  expect(performance.now() - started).toBeLessThan(2500);
});

test('who writes without end is not listened to without end', async () => {
  const ran = await run('exec yes', { timeoutMs: 10_000 });
  expect(ran).toMatchObject({
    ok: false,
    detail: expect.stringMatching(/^(?:exit 1|it was ended by SIGPIPE)$/),
  });
  expect(ran.output.length).toBe(2048);
});

test('of the environment it gets what finds programs, user and desktop', () => {
  const env = {
    PATH: '/bin',
    HOME: '/home/you',
    DISPLAY: ':0',
    NODE_OPTIONS: '--inspect',
    LETTERLOCK_SOCKET: '/s',
    SSL_CERT_FILE: 'x',
    LD_PRELOAD: 'evil.so',
  };
  expect(passedEnvironment(env)).toEqual({ PATH: '/bin', HOME: '/home/you', DISPLAY: ':0' });
});
