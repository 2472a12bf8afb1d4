// Hooks of a running daemon, with real programs and receivers: they are told, and whatever they do, sessions are as
// without them.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Config } from '../../src/config.ts';
import type { Daemon } from '../../src/daemon.ts';
import type { ExecHook, Hook } from '../../src/ops/hooks/hook.ts';
import type { Payload } from '../../src/ops/hooks/payload.ts';
import { until } from '../lab/wait.ts';
import { selfSigned, type Identity } from '../net/peers.ts';
import { exec, Receiver, verified, webhook, Workshop } from '../ops/hooks/world.ts';
import { FakeClient, FakeServer, keyOf } from '../proxy/world.ts';
import { activated } from './activation.ts';
import { compiledRunner, RunningDaemon } from './process.ts';
import { echoing, page, routeTo, World } from './world.ts';

let world: World;
let workshop: Workshop;
let own: Identity;
let impostor: Identity;
const open: Receiver[] = [];
beforeAll(async () => {
  [own, impostor] = [await selfSigned(), await selfSigned()];
});
beforeEach(() => {
  [world, workshop] = [new World(), new Workshop()];
});
afterEach(async () => {
  await world.close();
  for (const receiver of open.splice(0)) await receiver.close();
  workshop.remove();
});

/** Each notice a line of `told`, by a program that writes down what it was given. */
const writing = (facts: Partial<ExecHook> = {}): Hook =>
  exec([workshop.program('write', 'cat >> "$OUT/told"'), 'x'], {
    on: ['first-use', 'candidate', 'refused', 'started'],
    ...facts,
  });

const toldTo = (name = 'told'): readonly Payload[] =>
  (workshop.read(name) ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Payload => JSON.parse(line));

async function told(count: number, name = 'told'): Promise<readonly Payload[]> {
  return until(`${count} notices`, () => (toldTo(name).length >= count ? toldTo(name) : null), 15_000);
}

async function relayed(daemon: Daemon): Promise<void> {
  const client = world.client(daemon);
  await client.hear('* OK ready');
  await client.say('a NOOP\r\n').hear('a NOOP');
  client.socket.destroy();
}

describe('who is told', () => {
  test('hears of the start, a first use and another key, by program and by signed webhook', async () => {
    const receiver = await Receiver.open(own, 204);
    open.push(receiver);
    const server = await world.server(own);
    const hooks = [writing(), webhook(receiver, { on: ['candidate'], pins: [keyOf(own)] })];
    const daemon = await world.start(world.config([routeTo(server, {})], { hooks }));
    await relayed(daemon);
    server.identity = impostor;
    const { text } = await world.client(daemon).over();
    const [, reference] = /letterlock explain (\w{8})/.exec(text) ?? [];
    const notices = await told(3);
    expect(notices.map(({ type, data }) => [type, data.endpoint, data.spki, data.reason])).toEqual([
      ['started', null, null, null],
      ['first-use', `127.0.0.1:${server.port}`, keyOf(own), null],
      ['candidate', `127.0.0.1:${server.port}`, keyOf(impostor), 'pin-mismatch'],
    ]);
    expect(notices[2]?.data.reference).toBe(reference);
    await expect.poll(() => receiver.got.length).toBe(1);
    expect(receiver.got.map((got) => verified(got))[0]).toMatchObject({
      type: 'candidate',
      data: { hook: 'pager', reference },
    });

    await expect
      .poll(async () => (await page(daemon, '/metrics')).text)
      .toContain('letterlock_hook_deliveries_total{hook="pager",result="delivered"} 1');
    const metrics = (await page(daemon, '/metrics')).text;
    // The refusal of the key that waits is not told as well.
    expect(metrics).toContain('letterlock_hook_deliveries_total{hook="desktop",result="delivered"} 3');
    expect(metrics).toContain('letterlock_hook_deliveries_total{hook="desktop",result="deduplicated"} 1');
    expect(metrics).toContain('letterlock_hook_deliveries_total{hook="pager",result="failed"} 0');
    expect(metrics).toContain('letterlock_hook_queue_length{hook="desktop"} 0');
  });

  test('and does not do its part is in the log, with nothing of its secret', async () => {
    const receiver = await Receiver.open(impostor, 204);
    open.push(receiver);
    const server = await world.server(own);
    const hooks = [
      writing({
        name: 'broken',
        argv: [workshop.program('fail', 'echo "no display" >&2; exit 3')],
      }),
      webhook(receiver, {
        on: ['started'],
        pins: [keyOf(own)],
        url: { scheme: 'https', host: '127.0.0.1', port: receiver.port, path: '/hunter2' },
      }),
    ];
    const config = world.config([routeTo(server, {})], { hooks, log: { level: 'debug', format: 'json' } });
    await world.start(config);
    await expect
      .poll(() => world.log.filter(({ event }) => event === 'hook-delivered').length, { timeout: 10_000 })
      .toBe(2);
    const lines = world.log.filter(({ event }) => event === 'hook-delivered' || event === 'hook-output');
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'warn', msg: 'hook broken failed: exit 3', hook: 'broken' }),
    );
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'debug', msg: 'hook broken wrote: no display' }),
    );
    expect(lines).toContainEqual(
      expect.objectContaining({
        msg: 'hook pager failed: its key is not the one pinned for it',
        attempts: 1,
      }),
    );
    expect(receiver.got).toEqual([]);
    expect(world.text).not.toMatch(/hunter2|whsec/);
  });
});

/** What a client sees and what is decided, for good and for bad servers, one after the other. */
async function course(hooks: readonly Hook[]): Promise<readonly string[]> {
  const place = new World();
  try {
    const server = await place.server(own);
    const daemon = await place.start(place.config([routeTo(server, {})], { hooks }));
    const said: string[] = [];
    for (let round = 0; round < 30; round++) {
      // A refusal is held for a while: the good ones come first.
      const isGood = round < 20;
      server.identity = isGood ? own : impostor;
      const client = place.client(daemon);
      if (!isGood) said.push((await client.over()).text);
      else said.push((await (await client.hear('* OK ready')).say('a NOOP\r\n').hear('a NOOP')).text);
      client.socket.destroy();
    }
    await place.event('session-ended', 30);
    const verdicts = place.events.flatMap((event) =>
      event.type === 'session-ended' ? [`${event.outcome} ${event.reason} ${event.basis}`] : [],
    );
    return [
      ...said.map((text) => text.replace(/explain \w+/, 'explain').replace(/#\w{3}-/, '#')),
      ...verdicts,
    ];
  } finally {
    await place.close();
  }
}

describe('sessions', () => {
  test('are the same, word for word and verdict for verdict, beside hooks that hang', async () => {
    const receiver = await Receiver.open(own, () => undefined);
    open.push(receiver);
    const all = {
      on: ['first-use', 'candidate', 'refused', 'pin-changed', 'started', 'failed'],
      repeatMs: 0,
    } as const;
    const deaf = workshop.program('hang', "trap '' TERM; while :; do sleep 1; done");
    const without = await course([]);
    const beside = await course([
      exec([deaf], { ...all, timeoutMs: 300_000 }),
      webhook(receiver, { ...all, pins: [keyOf(own)], timeoutMs: 300_000, retries: 10 }),
    ]);
    // A hook waits for five minutes: a session that waited for it would not be over here.
    expect(beside).toEqual(without);
    expect(beside.filter((line) => line.startsWith('refused'))).toHaveLength(10);
    expect(receiver.got).toHaveLength(1);
  }, 60_000);

  test('that are refused by the hundred start one program', async () => {
    const server = await world.server(own);
    const daemon = await world.start(world.config([routeTo(server, {})], { hooks: [writing()] }));
    await relayed(daemon);
    server.identity = impostor;
    const refusals = 400;
    const wave = 50;
    for (let sent = 0; sent < refusals; sent += wave) {
      await Promise.all(Array.from({ length: wave }, async () => void (await world.client(daemon).over())));
      // A session is over a little after its client: too many at once would be turned away, not refused.
      await world.event('session-ended', sent + wave + 1);
    }
    const notices = await told(3);
    const count = async (result: string): Promise<number> => {
      const { text } = await page(daemon, '/metrics');
      return Number(
        new RegExp(`deliveries_total\\{hook="desktop",result="${result}"\\} (\\d+)`).exec(text)?.[1],
      );
    };
    // Refusals from memory may come before the key is on record: then one of them is told as well.
    await expect.poll(() => count('deduplicated')).toBeGreaterThanOrEqual(refusals - 1);
    expect(await count('delivered')).toBeLessThanOrEqual(4);
    expect(notices.map(({ type }) => type).slice(0, 2)).toEqual(['started', 'first-use']);
  }, 60_000);
});

const reloading = async (hooks: readonly Hook[]): Promise<{ daemon: Daemon; next: { config: Config } }> => {
  const server = await world.server(own);
  const config = world.config([routeTo(server, {})], { hooks });
  const next = { config };
  const reread = async (): Promise<{ ok: true; config: Config }> => ({ ok: true, config: next.config });
  return { daemon: await world.start(config, { reread }), next };
};

describe('a reload', () => {
  test('adds hooks and takes them away, with their series', async () => {
    const { daemon, next } = await reloading([]);
    expect((await page(daemon, '/metrics')).text).not.toContain('hook="desktop"');
    next.config = { ...next.config, hooks: [writing()] };
    expect(await daemon.reload()).toMatchObject({ reloaded: true });
    await relayed(daemon);
    expect(await told(1)).toMatchObject([{ type: 'first-use' }]);
    expect((await page(daemon, '/metrics')).text).toContain('hook="desktop"');
    next.config = { ...next.config, hooks: [] };
    expect(await daemon.reload()).toMatchObject({ reloaded: true });
    expect((await page(daemon, '/metrics')).text).not.toContain('hook="desktop"');
  });

  test('that names a CA file which went changes nothing, and is told as a failed one', async () => {
    const { daemon, next } = await reloading([writing({ on: ['reload-failed'] })]);
    const lost = webhook({ port: 1 }, { anchors: [workshop.path('gone.pem')] });
    next.config = { ...next.config, hooks: [lost] };
    expect(await daemon.reload()).toMatchObject({
      reloaded: false,
      problems: [{ message: expect.stringMatching(/^hook pager: cannot read the CA file/) }],
    });
    expect(await told(1)).toMatchObject([{ type: 'reload-failed' }]);
  });
});

describe('a daemon of its own process', () => {
  let compiled: string;
  let script: string;
  let server: FakeServer;
  let folder: string;
  let running: RunningDaemon | null = null;
  beforeAll(async () => {
    compiled = mkdtempSync(join(tmpdir(), 'letterlock-runner-'));
    script = compiledRunner(compiled);
    server = await new FakeServer(own, echoing).listen();
  });
  afterAll(() => {
    server.close();
    rmSync(compiled, { recursive: true });
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'letterlock-hooks-'));
  });
  afterEach(async () => {
    await running?.kill();
    rmSync(folder, { recursive: true });
  });

  const withHooks = (...hooks: readonly Hook[]): void =>
    writeFileSync(join(folder, 'hooks.json'), JSON.stringify(hooks));

  test('gives a program no socket: not those it listens on, not those of the service manager', async () => {
    writeFileSync(join(folder, 'listen.json'), JSON.stringify([{ kind: 'fd', name: 'imap' }]));
    withHooks(
      writing({
        argv: [
          workshop.program('look', 'ls -l /proc/self/fd > "$OUT/fds.part"; mv "$OUT/fds.part" "$OUT/fds"'),
        ],
      }),
    );
    running = activated(
      [
        { name: 'imap', kind: 'tcp' },
        { name: 'spare', kind: 'tcp' },
      ],
      {
        args: [script, folder, String(server.port)],
      },
    );
    await running.entry('ready');
    const text = await until('the look of a program', () => workshop.read('fds'));
    const rows = (text.match(/\d+ -> .*/g) ?? []).filter((row) => !/^[012] /.test(row));
    expect(rows.filter((row) => /socket:|LOG|LOCK|\.ldb/.test(row))).toEqual([]);
  });

  test('ends in good order soon, also beside a program that does not want to', async () => {
    const hang = workshop.program('hang', "trap '' TERM; echo $$ > $OUT/pid; while :; do sleep 1; done");
    withHooks(writing({ argv: [hang], timeoutMs: 300_000 }));
    running = new RunningDaemon(process.execPath, [script, folder, String(server.port)]);
    await running.entry('ready');
    const pid = await until('the program', () => workshop.read('pid')?.trim() ?? null);
    const begun = performance.now();
    running.signal('SIGTERM');
    expect(await running.exit()).toBe(0);
    expect(performance.now() - begun).toBeLessThan(10_000);
    await until('its end', () => !isRunning(pid));
  }, 30_000);

  test('that dies of a mistake does not leave programs running', async () => {
    const hang = workshop.program('hang', "trap '' TERM; echo $$ > $OUT/pid; while :; do sleep 1; done");
    withHooks(writing({ argv: [hang], timeoutMs: 300_000 }));
    running = new RunningDaemon(process.execPath, [script, folder, String(server.port)]);
    await running.entry('ready');
    const pid = await until('the program', () => workshop.read('pid')?.trim() ?? null);
    // The second signal ends it at once.
    const client = new FakeClient(await running.port());
    await client.hear('* OK ready');
    running.signal('SIGTERM');
    await running.entry('stopping');
    running.signal('SIGTERM');
    expect(await running.exit()).toBe(1);
    client.socket.destroy();
    await until('its end', () => !isRunning(pid));
  }, 30_000);
});

function isRunning(pid: string): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
