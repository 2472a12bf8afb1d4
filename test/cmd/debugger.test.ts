// SIGUSR1, which opens the debugger of Node to every user of the machine: not in letterlock.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { until } from '../lab/wait.ts';
import { Home } from './program.ts';

let home: Home;
beforeEach(async () => {
  home = await Home.make();
});
afterEach(() => home.remove());

// Any port: two tests may run at once.
const node = ['--inspect-port=0'];
const route = ['run', '127.0.0.1:0=imaps://127.0.0.1:1', '--log-format', 'json'];

test('a plain program of Node opens its debugger at SIGUSR1', async () => {
  const child = spawn(process.execPath, [...node, '-e', 'console.error("up"); setInterval(() => {}, 1e6)'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  try {
    await until('it to run', () => said.includes('up'));
    child.kill('SIGUSR1');
    await until('the debugger', () => said.includes('Debugger listening'));
  } finally {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
});

test('letterlock run opens none, and goes on', async () => {
  const started = home.start(route, { node });
  await started.writes('stderr', /"ready"/);
  // What is answered after it came after it.
  for (const signal of ['SIGUSR1', 'SIGUSR1', 'SIGHUP'] as const) started.child.kill(signal);
  await started.writes('stderr', /"reloaded"/);
  started.child.kill('SIGTERM');
  const { exit, stderr } = await started.ended;
  expect(stderr).not.toContain('Debugger');
  expect(exit).toBe(0);
});

test('a debugger asked for at the start is refused', async () => {
  const { exit, stderr } = await home.run(route, { env: { NODE_OPTIONS: '--inspect=127.0.0.1:0' } });
  expect(stderr).toContain('Node was started with --inspect');
  expect(exit).toBe(3);
});
