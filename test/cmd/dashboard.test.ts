// `letterlock dashboard` as a user runs it, beside a daemon that serves the page and beside one that does not.

import { chmod, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openerOf, openInBrowser } from '../../cmd/browser.ts';
import { portOf, selfSigned, tlsServer } from '../net/peers.ts';
import { until } from '../lab/wait.ts';
import { Home, parsed } from './program.ts';
import type { Started } from './program.ts';

const key = `sha256//${Buffer.alloc(32, 7).toString('base64')}`;

/** What the page does with its address: the code becomes a token, with which it asks. */
class Page {
  readonly #origin: string;
  #token = '';

  constructor(url: string) {
    this.#origin = new URL(url).origin;
  }

  static async open(url: string): Promise<Page> {
    const page = new Page(url);
    const body = { code: new URL(url).hash.slice('#code='.length) };
    const value = await (await page.post('/session', body)).json();
    if (typeof value === 'object' && value !== null && 'token' in value) page.#token = String(value.token);
    return page;
  }

  post(path: string, body: unknown): Promise<Response> {
    const headers = { ...this.#headers(), Origin: this.#origin, 'Content-Type': 'application/json' };
    return fetch(`${this.#origin}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  ask(path: string): Promise<Response> {
    return fetch(`${this.#origin}${path}`, { headers: this.#headers() });
  }

  #headers(): Record<string, string> {
    return this.#token === '' ? {} : { Authorization: `Bearer ${this.#token}` };
  }
}

const linux = (env: Readonly<Record<string, string>>, uid = 1000): readonly string[] | null =>
  openerOf({ platform: 'linux', env, uid });

const url = /^http:\/\/127\.0\.0\.1:\d+\/#code=[\w-]{32}$/m;

describe.each([
  ['that serves the page', 'admin: {listen: "127.0.0.1:0"}\n', 'its own'],
  ['that serves none', '', 'the daemon’s socket'],
])('beside a daemon %s', (_, admin) => {
  let home: Home;
  let daemon: Started;
  let endpoint: string;
  const command = (...words: readonly string[]): Started => home.start([...words, '-c', 'l.yaml']);
  const goesOn = admin === '';

  beforeAll(async () => {
    home = await Home.make();
    const server = await tlsServer(await selfSigned(), {}, (socket) => socket.end());
    endpoint = `mail.test:${portOf(server)}`;
    server.close();
    const routes = `routes:\n  - upstream: imaps://${endpoint}\n    listen: localhost:0\n`;
    await home.file('l.yaml', `state: st\nmetrics: null\nlog: {format: json}\n${admin}${routes}`);
    daemon = command('run');
    await daemon.writes('stderr', /"event":"ready"/);
  });
  afterAll(() => home.remove());

  it('an address is printed that opens the API once, for looking', async () => {
    const running = command('dashboard', '--print');
    const [address] = await running.writes('stdout', url);
    const page = await Page.open(address);
    expect((await page.ask('/v1/status')).status).toBe(200);
    expect((await page.post('/v1/reload', null)).status).toBe(403);
    expect((await (await Page.open(address)).ask('/v1/status')).status).toBe(401);
    await running.writes('stderr', goesOn ? /ends with Ctrl-C/ : /for looking only/);
    if (goesOn) running.child.kill('SIGINT');
    expect((await running.ended).exit).toBe(0);
    if (goesOn) await expect(page.ask('/v1/status')).rejects.toThrow();
    else expect((await page.ask('/v1/status')).status).toBe(200);
  });

  it('--admin lets the page decide, and what it decided is written down as the page’s', async () => {
    const running = command('dashboard', '--admin', '--json');
    await running.writes('stdout', /\}\n/);
    const link = parsed(running.stdout);
    expect(link).toEqual({
      url: expect.stringMatching(url),
      scope: 'admin',
      expiresAt: expect.any(String),
    });
    const page = await Page.open(String((/"url": "(.*)"/.exec(running.stdout) ?? [])[1]));
    const add = { command: 'add', endpoint, pin: key, forMs: null, unreject: false };
    expect((await page.post('/v1/commands', add)).status).toBe(200);
    const typed = await command('pins', 'reject', endpoint, '--expect', key).ended;
    expect(typed.exit).toBe(0);
    const { stdout } = await command('pins', 'history', '--json').ended;
    expect(parsed(stdout)).toMatchObject([
      { event: 'added', origin: 'admin', spki: key },
      { event: 'rejected', origin: 'cli', spki: key },
    ]);
    running.child.kill('SIGINT');
    await running.ended;
  });

  it('--port serves it there, whatever the daemon does', async () => {
    const running = command('dashboard', '--print', '--port', '0');
    const [address] = await running.writes('stdout', url);
    await running.writes('stderr', /ends with Ctrl-C/);
    expect((await (await Page.open(address)).ask('/v1/status')).status).toBe(200);
    const busy = await command('dashboard', '--print', '--port', new URL(address).port).ended;
    expect([busy.exit, busy.stderr]).toEqual([
      5,
      expect.stringMatching(/the port is in use by a program of/),
    ]);
    running.child.kill('SIGINT');
    await running.ended;
  });

  it('the page says that the daemon went, and answers again when it is back', async () => {
    if (!goesOn) return;
    const running = command('dashboard', '--print');
    const page = await Page.open((await running.writes('stdout', url))[0]);
    daemon.child.kill('SIGTERM');
    await daemon.ended;
    expect((await page.ask('/v1/status')).status).toBe(503);
    daemon = command('run');
    await daemon.writes('stderr', /"event":"ready"/);
    expect((await page.ask('/v1/status')).status).toBe(200);
    running.child.kill('SIGINT');
    await running.ended;
  });
});

describe('without a daemon', () => {
  it('it says where it looked', async () => {
    const home = await Home.make();
    try {
      expect(await home.say(['dashboard'])).toMatchObject({ exit: 8, stdout: '' });
      expect(await home.say(['dashboard', '--port', '70000'])).toMatchObject({
        exit: 2,
        stderr: expect.stringMatching(/--port 70000 is not a port/),
      });
    } finally {
      await home.remove();
    }
  });
});

describe('the browser', () => {
  let home: Home;
  let path: string;
  beforeAll(async () => {
    home = await Home.make();
    path = home.folder;
  });
  beforeEach(() => script('exit 0'));
  afterAll(() => home.remove());

  async function script(body: string): Promise<void> {
    await home.file('xdg-open', `#!/bin/sh\n${body}\n`);
    await chmod(home.path('xdg-open'), 0o755);
  }

  it('is opened where there is a screen and a program for it', () => {
    const opener = [home.path('xdg-open')];
    expect(linux({ PATH: `/nowhere:${path}`, DISPLAY: ':0' })).toEqual(opener);
    expect(linux({ PATH: path, WAYLAND_DISPLAY: 'wayland-0' })).toEqual(opener);
    expect(openerOf({ platform: 'darwin', env: {}, uid: 501 })).toEqual(['/usr/bin/open']);
    expect(openerOf({ platform: 'win32', env: { SystemRoot: 'D:\\W' }, uid: null })).toEqual([
      'D:\\W\\System32\\rundll32.exe',
      'url.dll,FileProtocolHandler',
    ]);
  });

  it.each<[string, Readonly<Record<string, string>>, number]>([
    ['no screen', {}, 1000],
    ['an empty screen', { DISPLAY: '' }, 1000],
    ['no program', { DISPLAY: ':0', PATH: '/nowhere' }, 1000],
    ['a program of the folder one is in', { DISPLAY: ':0', PATH: '.' }, 1000],
    ['root', { DISPLAY: ':0' }, 0],
  ])('is not opened for %s', (_, env, uid) => {
    expect(linux({ PATH: path, ...env }, uid)).toBeNull();
  });

  it('is not opened on the far end of ssh', () => {
    expect(openerOf({ platform: 'darwin', env: { SSH_CONNECTION: 'a' }, uid: 501 })).toBeNull();
  });

  it('gets the address as one argument, and no shell reads it', async () => {
    const hostile = 'http://127.0.0.1:1/#code=$(touch pwned);`id` "x';
    await script(
      `printf '%s\\n' "$#" "$1" > ${home.path('args')}.new; mv ${home.path('args')}.new ${home.path('args')}`,
    );
    expect(await openInBrowser([home.path('xdg-open')], hostile, { PATH: '/usr/bin:/bin' })).toBe(true);
    const seen = await until('its arguments', () => readFile(home.path('args'), 'utf8').catch(() => null));
    expect(seen).toBe(`1\n${hostile}\n`);
  });

  it('is known not to have been opened where the program says so, or is none', async () => {
    await script('exit 3');
    expect(await openInBrowser([home.path('xdg-open')], 'x', {})).toBe(false);
    expect(await openInBrowser([home.path('nothing')], 'x', {})).toBe(false);
  });
});
