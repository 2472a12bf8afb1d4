// A long configuration is read in a thread: it says what reading it here says, whoever relays meanwhile has his turn, and
// a thread that goes wrong gives no configuration.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { BroadcastChannel } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadConfigApart, type ApartOptions } from '../../src/config/load-apart.ts';
import { loadConfig, type ConfigSources } from '../../src/config/load.ts';
import type { ReadConfig } from '../../src/config/pieces.ts';
import { readBuild } from '../../src/ops/build.ts';
import { Pace } from '../../src/pace.ts';
import { builtBin } from '../lab/build.ts';
import { turnsOfSlow } from '../turns.ts';

let folder: string;
let built: ApartOptions;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'letterlock-apart-'));
  const script = pathToFileURL(join(dirname(await builtBin()), 'config-thread.js'));
  built = { script, program: readBuild() };
});
afterAll(() => rm(folder, { recursive: true }));

const route = (at: number): string =>
  `  - {listen: 127.0.0.1:${20_000 + at}, upstream: imaps://mail-${at}.example.org, trust: tofu}\n`;

const routes = (count: number): string =>
  `routes:\n${Array.from({ length: count }, (_, at) => route(at)).join('')}`;

/** Of a mistake in each of many routes, with a password that no problem may show. */
const wrongRoutes = (count: number): string =>
  routes(count).replaceAll('trust: tofu', 'tryst: tofu, proxy: "socks5://anna:CANARY@"');

/** Something of every kind there is. */
const rich = `trust: ca+tofu
firstUse: hold
watch: 6h
resolver: {address: 192.0.2.1, serverName: dns.example.org}
metrics: {listen: "127.0.0.1:9999", level: minimal, maxLabelValues: 5}
admin: {socket: {path: admin.sock, mode: "0660"}, listen: "127.0.0.1:9998"}
localCa: {names: [mail.box]}
hooks:
  - {name: program, on: [refused], exec: [/bin/true, one]}
  - {name: receiver, webhook: "https://hooks.example.org/CANARY", secret: whsec_${Buffer.alloc(32, 7).toString('base64')}}
limits: {connections: 7}
routes:
  - {listen: [localhost:2143, {unix: mail.sock, mode: "0660"}], upstream: [imap://a.example, imap://b.example], warm: 1}
  - {listen: localhost:2144, upstream: imaps://c.example, clientTls: implicit, proxy: "socks5://anna:pw@127.0.0.1:1080"}
  - {upstream: submission://d.example, pins: ["sha256//${Buffer.alloc(32, 1).toString('base64')}"], refusalCode: 554}
`;

async function sourcesOf(text: string): Promise<ConfigSources> {
  await writeFile(join(folder, 'l.yaml'), text);
  return {
    file: 'l.yaml',
    routes: [],
    flags: { 'log.level': { flag: '--log-level', text: 'debug' } },
    home: { env: { HOME: '/home/you', LETTERLOCK_WATCH: '12h' }, uid: 1000 },
    cwd: folder,
    needsRoutes: true,
  };
}

const thread = (code: string): URL => new URL(`data:text/javascript,${encodeURIComponent(code)}`);

/** Whole, getters read. */
const plain = (read: ReadConfig): unknown =>
  structuredClone(
    read.ok ? { config: read.config } : { problems: read.problems.map((each) => ({ ...each })) },
  );

describe('a configuration read apart', () => {
  it.each([
    ['a good one', () => routes(200)],
    ['one with mistakes in its routes', () => wrongRoutes(200)],
    ['one with mistakes between its routes', () => routes(70) + routes(70).replace('routes:\n', '')],
    ['one with a mistake in its syntax', () => `${routes(100)}  - {listen: [\n`],
    ['one that is too long', () => `# ${'-'.repeat(1_048_576)}\n`],
  ])('says what reading it here says: %s', async (_, text) => {
    const sources = await sourcesOf(text());
    const apart = plain(await loadConfigApart(sources, built));
    expect(apart).toEqual(plain(await loadConfig(sources)));
    expect(JSON.stringify(apart)).not.toContain('CANARY');
  });

  it('has everything in it that reading it here gives', async () => {
    const sources = await sourcesOf(rich);
    const here = await loadConfig(sources);
    expect(here).toMatchObject({ ok: true });
    expect(await loadConfigApart(sources, { ...built, shortBytes: 0 })).toEqual({
      ok: true,
      config: here.ok ? here.config : null,
    });
  });

  it('lets the event loop turn while the thread reads', async () => {
    // It reads until the loop has turned a hundred times: for ever, were the loop held.
    const script = thread(`
      import { workerData } from 'node:worker_threads';
      const line = new BroadcastChannel('turned');
      line.onmessage = () => {
        line.close();
        for (let at = 0; at < 50; at += 1) workerData.port.postMessage({ kind: 'routes', routes: [{ name: 'r' + at }] });
        const by = ${JSON.stringify(built.program)};
        workerData.port.postMessage({ kind: 'end', config: { routes: [] }, by });
      };`);
    const sources = await sourcesOf(routes(100));
    const line = new BroadcastChannel('turned');
    const read = loadConfigApart(sources, { ...built, script });
    for (let turned = 0; turned < 100; turned += 1) await turn();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel of threads has no origins
    const knocking = setInterval(() => line.postMessage('turned'), 10);
    const result = await read.finally(() => clearInterval(knocking));
    line.close();
    expect(result).toMatchObject({ ok: true, config: { routes: { length: 50 } } });
  });

  it('rests between the pieces it takes over', async () => {
    const script = thread(`
      import { workerData } from 'node:worker_threads';
      for (let at = 0; at < 50; at += 1) workerData.port.postMessage({ kind: 'routes', routes: [] });
      const by = ${JSON.stringify(built.program)};
      workerData.port.postMessage({ kind: 'end', config: { routes: [] }, by });`);
    const rests = vi.spyOn(Pace.prototype, 'rest');
    const sources = await sourcesOf(routes(100));
    await turnsOfSlow(() => loadConfigApart(sources, { ...built, script }));
    expect(rests).toHaveBeenCalledTimes(50);
    rests.mockRestore();
  });

  it('starts no thread for a short one, and one for what is longer', async () => {
    const none = { ...built, script: new URL('file:///nowhere/thread.js') };
    const short = await sourcesOf(routes(1));
    expect(await loadConfigApart(short, none)).toMatchObject({ ok: true });
    await expect(loadConfigApart(short, { ...none, shortBytes: 16 })).rejects.toMatchObject({
      code: 'config-unread',
    });
    const given = { ...short, file: null, routes: ['20000=imaps://mail.example.org'] };
    expect(await loadConfigApart(given, none)).toMatchObject({ ok: true });
    await expect(loadConfigApart(given, { ...none, shortBytes: 16 })).rejects.toMatchObject({
      code: 'config-unread',
    });
  });

  it.each([
    ['fails', `throw new RangeError('CANARY')`, /the thread that reads it failed \(RangeError\)/],
    ['ends at once', '', /ended without an answer/],
    ['ends with a code', 'process.exit(3)', /ended without an answer/],
    [
      'says half of it',
      `import { workerData } from 'node:worker_threads';
       workerData.port.postMessage({ kind: 'routes', routes: [] });`,
      /ended without an answer/,
    ],
    ['goes on for ever', 'for (;;);', /it took too long/],
    [
      'takes more memory than it may',
      'const all = []; for (;;) all.push(new Array(100_000).fill(0.5));',
      /the thread that reads it failed \(ERR_WORKER_OUT_OF_MEMORY\)/,
    ],
    [
      'is of another version',
      `import { workerData } from 'node:worker_threads';
       const by = { version: '99.0.0', builtAt: 1 };
       workerData.port.postMessage({ kind: 'end', config: { routes: [] }, by });`,
      /letterlock was replaced since it started/,
    ],
  ])('is none when the thread %s', async (what, code, message) => {
    const options = { ...built, script: thread(code), ...(what.includes('ever') ? { deadlineMs: 500 } : {}) };
    const failed = loadConfigApart(await sourcesOf(routes(100)), options).catch((error: unknown) => error);
    expect(await failed).toMatchObject({ code: 'config-unread', message: expect.stringMatching(message) });
    expect(String(await failed)).not.toContain('CANARY');
  });
});
