// A reader of the log that does not keep up, or goes: the proxy neither waits nor grows.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformSync } from 'esbuild';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LogSink, type Lost } from '../../src/ops/log-sink.ts';

let folder: string;
const fds: number[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'letterlock-sink-'));
});
afterEach(() => {
  for (const fd of fds.splice(0)) closeSync(fd);
  rmSync(folder, { recursive: true });
});

const opened = (path: string, flags: number): number => {
  const fd = openSync(path, flags);
  fds.push(fd);
  return fd;
};

/** A pipe as a shell makes it: its writing end waits when it is full. */
function pipe(): { readonly reader: number; readonly writer: number } {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = opened(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, writer: opened(path, constants.O_WRONLY) };
}

/** Everything there is to read now. */
function readAll(fd: number): string {
  const chunk = Buffer.alloc(65_536);
  const parts: Buffer[] = [];
  try {
    for (let length = readSync(fd, chunk); length > 0; length = readSync(fd, chunk))
      parts.push(Buffer.from(chunk.subarray(0, length)));
  } catch {
    // Nothing more.
  }
  return Buffer.concat(parts).toString();
}

const said = ({ lines, bytes }: Lost): string => `LOST ${lines} ${bytes}\n`;
const line = (number: number): string => `${String(number).padStart(8, '0')} ${'x'.repeat(90)}\n`;

async function readUntil(fd: number, mark: string): Promise<string> {
  let read = '';
  const deadline = performance.now() + 10_000;
  while (!read.includes(mark)) {
    if (performance.now() > deadline) throw new Error(`not heard: ${mark}`);
    read += readAll(fd);
    await new Promise(setImmediate);
  }
  return read;
}

test('a full pipe holds nobody up; what is lost is counted, and said when the reader is back', async () => {
  const { reader, writer } = pipe();
  const sink = new LogSink(writer, said);
  const started = performance.now();
  for (let number = 0; number < 50_000; number += 1) sink.write(line(number));
  expect(performance.now() - started).toBeLessThan(5_000);
  const read = await readUntil(reader, 'LOST');
  const [, lines, bytes] = /LOST (\d+) (\d+)/.exec(read) ?? [];
  const whole = read.split('\n').filter((text) => /^\d{8} x{90}$/.test(text));
  expect(whole.length + Number(lines)).toBe(50_000);
  expect(Number(bytes)).toBe(Number(lines) * 100);
  // What is kept is bounded: the pipe itself and a quarter of a megabyte.
  expect(whole.length * 100).toBeLessThan(65_536 + 256 * 1024 + 200);
  expect(read.split('\n').filter((text) => text !== '' && !/^\d{8} x{90}$|^LOST/.test(text))).toEqual([]);
  sink.write(line(1));
  expect(readAll(reader)).toBe(line(1));
  sink.close();
});

test('a line is written in the tick in which it comes, so that none is lost at the end', () => {
  const { reader, writer } = pipe();
  const sink = new LogSink(writer, said);
  sink.write(line(1));
  expect(readAll(reader)).toBe(line(1));
  sink.close();
});

test('the end of the process waits a moment for a slow reader, and no longer', () => {
  const { writer } = pipe();
  const sink = new LogSink(writer, said);
  for (let number = 0; number < 2_000; number += 1) sink.write(line(number));
  const started = performance.now();
  sink.close();
  expect(performance.now() - started).toBeLessThan(2_000);
});

test('a reader that went away is no error', () => {
  const { reader, writer } = pipe();
  closeSync(reader);
  fds.splice(fds.indexOf(reader), 1);
  const sink = new LogSink(writer, said);
  for (let number = 0; number < 5_000; number += 1) sink.write(line(number));
  sink.close();
});

test('the descriptor given is left as it was, and a closed log writes to nobody', () => {
  const path = join(folder, 'file');
  const fd = opened(path, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND);
  const sink = new LogSink(fd, said);
  sink.write('one\n');
  sink.close();
  sink.write('two\n');
  const again = new LogSink(fd, said);
  again.write('three\n');
  again.close();
  expect(readFileSync(path, 'utf8')).toBe('one\nthree\n');
});

test('a socket as stderr, which is what systemd gives, holds nobody up either', async () => {
  const source = readFileSync(join(import.meta.dirname, '../../src/ops/log-sink.ts'), 'utf8');
  writeFileSync(join(folder, 'sink.mjs'), transformSync(source, { loader: 'ts', format: 'esm' }).code);
  const program = `
    import { fstatSync } from 'node:fs';
    import { LogSink } from './sink.mjs';
    const sink = new LogSink(2, ({ lines }) => 'LOST ' + lines + '\\n');
    for (let n = 0; n < 20000; n += 1) sink.write('x'.repeat(99) + '\\n');
    process.stdout.write(fstatSync(2).isSocket() ? 'socket' : 'other');
    process.stdin.resume().once('end', () => { sink.close(); process.exit(0); });
  `;
  writeFileSync(join(folder, 'main.mjs'), program);
  const child = spawn(process.execPath, [join(folder, 'main.mjs')], { stdio: ['pipe', 'pipe', 'pipe'] });
  // Only once it has written everything is anything read.
  const [kind] = await once(child.stdout, 'data');
  expect(String(kind)).toBe('socket');
  let read = '';
  child.stderr.on('data', (chunk: Buffer) => {
    read += chunk.toString();
    // What was lost is said when all that was kept is read.
    if (read.endsWith('\n') && read.includes('LOST')) child.stdin.end();
  });
  await once(child, 'close');
  const [, lines] = /LOST (\d+)/.exec(read) ?? [];
  expect(Number(lines)).toBeGreaterThan(1_000);
  expect((read.match(/^x{99}$/gm) ?? []).length + Number(lines)).toBe(20_000);
});

test.runIf(process.getuid?.() === 0)(
  'a pipe of another user, as after setpriv, holds nobody up either',
  async () => {
    const { reader, writer } = pipe();
    const source = readFileSync(join(import.meta.dirname, '../../src/ops/log-sink.ts'), 'utf8');
    // It changes its user itself: others may not be allowed to run this very Node.
    const program = `${transformSync(source, { loader: 'ts', format: 'esm' }).code}
      process.setuid(65534);
      const sink = new LogSink(2, ({ lines }) => 'LOST ' + lines + '\\n');
      for (let n = 0; n < 20000; n += 1) sink.write('x'.repeat(99) + '\\n');
      process.stdout.write('written');
      process.stdin.resume().once('end', () => { sink.close(); process.exit(0); });
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['pipe', 'pipe', writer],
      cwd: '/',
    });
    const gone = once(child, 'exit');
    const { stdin, stdout } = child;
    if (stdin === null || stdout === null) throw new Error('both are pipes');
    // Only once it has written everything is anything read.
    const [written] = await once(stdout, 'data', { signal: AbortSignal.timeout(10_000) });
    expect(String(written)).toBe('written');
    expect(await readUntil(reader, 'LOST')).toContain('x'.repeat(99));
    stdin.end();
    await gone;
  },
  20_000,
);
