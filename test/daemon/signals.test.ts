import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { remoteOperator } from '../../src/admin/client.ts';
import { selfSigned } from '../net/peers.ts';
import { FakeClient, FakeServer } from '../proxy/world.ts';
import { compiledRunner, RunningDaemon } from './process.ts';
import { echoing } from './world.ts';

let compiled: string;
let script: string;
let server: FakeServer;
let folder: string;
let daemon: RunningDaemon | null;
let clients: FakeClient[];

beforeAll(async () => {
  compiled = mkdtempSync(join(tmpdir(), 'letterlock-runner-'));
  script = compiledRunner(compiled);
  server = await new FakeServer(await selfSigned(), echoing).listen();
});
afterAll(() => {
  server.close();
  rmSync(compiled, { recursive: true });
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'letterlock-run-'));
  [daemon, clients] = [null, []];
});
afterEach(async () => {
  for (const { socket } of clients) socket.destroy();
  await daemon?.kill();
  rmSync(folder, { recursive: true });
});

function run(action = ''): RunningDaemon {
  daemon = new RunningDaemon(process.execPath, [script, folder, String(server.port), action]);
  return daemon;
}

async function connected(running: RunningDaemon): Promise<FakeClient> {
  const client = new FakeClient(await running.port());
  clients.push(client);
  await client.hear('* OK ready');
  return client;
}

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s lets open sessions end, takes no new ones, and exits 0',
  async (signal) => {
    const running = run();
    const client = await connected(running);
    running.signal(signal);
    await running.entry('stopping');
    await client.say('last words\r\n').hear('last words');
    const late = new FakeClient(await running.port());
    await late.over();
    expect(late.text).toBe('');
    client.socket.end();
    expect(await running.exit()).toBe(0);
    expect(running.entries.at(-1)).toMatchObject({ event: 'session-ended', outcome: 'relayed' });
    expect(existsSync(join(folder, 'admin.sock'))).toBe(false);
  },
);

test('a second signal exits at once', async () => {
  const running = run();
  const client = await connected(running);
  running.signal('SIGTERM');
  await running.entry('stopping');
  running.signal('SIGTERM');
  expect(await running.exit()).toBe(1);
  await client.over();
});

test('SIGHUP takes the new configuration, or tells why not and keeps the old', async () => {
  const running = run();
  await running.entry('ready');
  const operator = remoteOperator(join(folder, 'admin.sock'));
  running.signal('SIGHUP');
  expect(await running.entry('reload-problem')).toMatchObject({
    level: 'error',
    msg: expect.stringContaining('reload: '),
  });
  expect((await operator.status()).routes.map(({ name }) => name)).toEqual(['first']);
  writeFileSync(join(folder, 'next.json'), '"second"');
  running.signal('SIGHUP');
  expect(await running.entry('reloaded', 2)).toMatchObject({ ok: true });
  expect((await operator.status()).routes.map(({ name }) => name)).toEqual(['second']);
});

describe('an error nobody foresaw', () => {
  test.each([
    ['throw', 'RangeError ERR_TEST'],
    ['reject', 'TypeError'],
  ])('(%s) ends the process with 1 and says where it was, not what it said', async (action, error) => {
    const running = run(action);
    expect(await running.exit()).toBe(1);
    expect(running.entries.at(-1)).toMatchObject({
      event: 'crashed',
      level: 'error',
      error,
      at: expect.arrayContaining([expect.stringMatching(/^runner\.js:\d+:\d+$/)]),
    });
    expect(running.text.join('\n')).not.toMatch(/CANARY|canary/);
  });
});
