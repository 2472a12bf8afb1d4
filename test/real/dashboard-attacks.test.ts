// What a hostile page in a real browser can do to the page of letterlock on the same machine: nothing, and each
// attempt is counted. The browser sends what it really sends; its own guard against pages of the internet that
// reach into this machine does not help here, because the hostile page comes from this machine too.

import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { World } from '../admin/web/world.ts';
import { launchChromium } from '../lab/chromium.ts';
import { describeWith } from '../lab/needs.ts';
import { until } from '../lab/wait.ts';

/** As the page does: the code becomes a token, which outlives a reload and nothing else. */
const app = `
const title = document.querySelector('main');
addEventListener('securitypolicyviolation', (event) => { document.documentElement.dataset.violation = event.violatedDirective; });
const code = new URLSearchParams(location.hash.slice(1)).get('code');
history.replaceState(null, '', '/');
async function open() {
  if (code !== null) {
    const answer = await fetch('/session', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ code }) });
    if (answer.ok) sessionStorage.setItem('token', (await answer.json()).token);
  }
  const headers = { Authorization: 'Bearer ' + sessionStorage.getItem('token') };
  const reload = await fetch('/v1/reload', { method: 'POST', headers });
  const pins = await fetch('/v1/pins', { headers });
  title.textContent = pins.ok ? 'pins: ' + (await pins.json()).length + ', reload: ' + reload.status : 'refused: ' + pins.status;
}
open();
`;

describeWith(['chromium'], { root: false })('in a real browser', () => {
  let browser: Browser;
  let world: World;
  let hostile: Server;
  let hostileOrigin: string;
  let body: string;
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    browser = await launchChromium({ args: ['--host-resolver-rules=MAP *.test 127.0.0.1'] });
    hostile = createServer((_request, response) => {
      response.setHeader('Content-Type', 'text/html');
      response.end(`<!doctype html><link rel="icon" href="data:,"><body>${body}</body>`);
    }).listen(0, '127.0.0.1');
    await once(hostile, 'listening');
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server has such an address
    hostileOrigin = `http://127.0.0.1:${(hostile.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await browser.close();
    hostile.close();
  });
  beforeEach(async () => {
    body = '';
    world = await World.open({ app });
    context = await browser.newContext();
    page = await context.newPage();
  });
  afterEach(async () => {
    await context.close();
    await world.close();
  });

  /** Opens our own page in a tab of the same browser, so that whatever a browser keeps is there to be misused. */
  async function openOurs(scope: 'read' | 'admin'): Promise<Page> {
    const ours = await context.newPage();
    await ours.goto(world.door.link({ scope, uid: null }).url);
    await ours.getByText('pins: 2').waitFor();
    return ours;
  }

  async function attacked(content: string): Promise<void> {
    body = content;
    await page.goto(hostileOrigin);
  }

  const rejected = (count: number): Promise<unknown> =>
    until(`${count} refusals`, () => world.rejected.length >= count);

  /** Runs in the hostile page; the door's origin is `origin` there. */
  const inPage = (script: string): Promise<unknown> =>
    page.evaluate(`(async () => { const origin = ${JSON.stringify(world.origin)}; ${script} })()`);

  test('our own page opens, asks, survives a reload, and breaks none of its own rules', async () => {
    const ours = await openOurs('read');
    await ours.getByText('pins: 2, reload: 403').waitFor();
    expect(ours.url()).toBe(`${world.origin}/`);
    await ours.reload();
    await ours.getByText('pins: 2, reload: 403').waitFor();
    const color = `getComputedStyle(document.querySelector('main')).color`;
    expect(await ours.evaluate(color)).toBe('rgb(0, 128, 0)');
    expect(await ours.evaluate(`document.documentElement.dataset.violation ?? 'none'`)).toBe('none');
    expect(await ours.evaluate('document.cookie')).toBe('');
    expect(world.rejected).toEqual([]);
  });

  test('opened for an operator it may order', async () => {
    const ours = await openOurs('admin');
    await ours.getByText('pins: 2, reload: 200').waitFor();
  });

  test('no text becomes HTML or script in our own page', async () => {
    const ours = await openOurs('read');
    await expect(ours.evaluate(`document.body.innerHTML = '<b>x</b>'`)).rejects.toThrow(/TrustedHTML/);
    await expect(ours.evaluate(`setTimeout('document.title = "x"')`)).rejects.toThrow(/TrustedScript/);
    await expect(ours.addScriptTag({ content: 'document.title = "x"' })).rejects.toThrow();
    await expect(ours.addScriptTag({ url: `${hostileOrigin}/x.js` })).rejects.toThrow();
    expect(await ours.title()).toBe('page');
  });

  test('a fetch without CORS sends nothing that is heard', async () => {
    await openOurs('admin');
    await attacked('');
    await inPage(`
      for (const path of ['/v1/pins', '/session', '/', '/assets/app.css'])
        await fetch(origin + path, { mode: 'no-cors', credentials: 'include' }).catch(() => {});
      for (const path of ['/v1/commands', '/v1/reload', '/session'])
        await fetch(origin + path, { method: 'POST', mode: 'no-cors', credentials: 'include', body: '{"code":"x"}' }).catch(() => {});
    `);
    expect(world.rejected).toEqual(Array(7).fill('bad-origin'));
  });

  test('a fetch with CORS is refused at its preflight, and at what needs none', async () => {
    await attacked('');
    const failures = await inPage(`
      const tries = [
        fetch(origin + '/v1/pins'),
        fetch(origin + '/v1/pins', { headers: { Authorization: 'Bearer x' } }),
        fetch(origin + '/session', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' }),
        fetch(origin + '/session', { method: 'DELETE' }),
      ];
      return (await Promise.allSettled(tries)).map(({ status }) => status);
    `);
    expect(failures).toEqual(Array(4).fill('rejected'));
    expect(world.rejected).toEqual(Array(4).fill('bad-origin'));
  });

  test.each(['/v1/commands', '/session'])('a form posted to %s as text is refused', async (path) => {
    const forged = '{"command":"forget","endpoint":"imap.example.org:993","expect":null,"yes":true,"x":"';
    await attacked(
      `<form method="POST" enctype="text/plain" action="${world.origin}${path}"><input name='${forged}' value='"}'></form>`,
    );
    await page.evaluate('document.forms[0].submit()');
    await rejected(1);
    expect(world.rejected).toEqual(['bad-origin']);
    expect(world.served).toEqual([]);
    expect(await world.operator.pins()).toHaveLength(2);
  });

  test('a frame shows nothing of it', async () => {
    await attacked(`<iframe src="${world.origin}/"></iframe><object data="${world.origin}/"></object>`);
    await rejected(2);
    expect(world.rejected).toEqual(['bad-origin', 'bad-origin']);
    expect(world.served).toEqual([]);
  });

  test('a script, style, image or beacon from elsewhere gets nothing', async () => {
    await attacked(
      `<script src="${world.origin}/assets/app-ABCD1234.js"></script><link rel="stylesheet" href="${world.origin}/assets/app.css"><img src="${world.origin}/">`,
    );
    await inPage(`navigator.sendBeacon(origin + '/v1/commands', '{}');`);
    await rejected(4);
    expect(world.rejected).toEqual(Array(4).fill('bad-origin'));
    expect(world.served).toEqual([]);
  });

  test('a WebSocket and an event source get nothing', async () => {
    await attacked('');
    const outcome = await inPage(`
      const ended = (source) => new Promise((resolve) => { source.onopen = () => resolve('open'); source.onerror = () => resolve('refused'); });
      return [await ended(new WebSocket(origin.replace('http', 'ws') + '/v1/events')), await ended(new EventSource(origin + '/v1/events'))];
    `);
    expect(outcome).toEqual(['refused', 'refused']);
    expect(world.rejected).toEqual(['bad-origin', 'bad-origin']);
  });

  test('a window opened on it cannot be read, and shows nothing of it', async () => {
    await attacked('');
    const opening = context.waitForEvent('page');
    await inPage(`globalThis.other = open(origin + '/#code=x');`);
    const other = await opening;
    await other.waitForLoadState();
    expect(await other.content()).toContain('letterlock dashboard');
    expect(await other.content()).not.toContain('/assets/app');
    expect(await inPage(`try { return other.document.title } catch (error) { return error.name }`)).not.toBe(
      'page',
    );
    expect(await inPage(`return other.closed`)).toBe(true);
    expect(world.rejected).toEqual(['bad-origin']);
  });

  test('our own page that a hostile one gets hold of cannot be reached from there', async () => {
    const ours = await openOurs('admin');
    await attacked('');
    expect(await ours.evaluate('[opener, window.name]')).toEqual([null, '']);
    expect(await ours.evaluate('crossOriginIsolated')).toBe(true);
  });

  test('a name that was bound to this address (DNS rebinding) gets nothing, on the same port', async () => {
    await openOurs('admin');
    const before = world.served.length;
    const reply = await page.goto(`http://evil.test:${world.port}/`);
    expect(reply?.status()).toBe(403);
    const read = await page.evaluate(`(async () => {
      const answer = await fetch('/v1/pins', { headers: { Authorization: 'Bearer x' } });
      const order = await fetch('/v1/reload', { method: 'POST' });
      return [answer.status, order.status, sessionStorage.length, document.cookie];
    })()`);
    expect(read).toEqual([403, 403, 0, '']);
    // The browser may ask for an icon too.
    expect(world.rejected.length).toBeGreaterThanOrEqual(3);
    expect(new Set(world.rejected)).toEqual(new Set(['bad-host']));
    expect(world.served).toHaveLength(before);
  });

  test('another port of this machine, which is the same site, gets nothing', async () => {
    await attacked('');
    await page.goto(hostileOrigin.replace('127.0.0.1', 'localhost'));
    await inPage(`
      const near = origin.replace('127.0.0.1', 'localhost');
      await fetch(near + '/v1/pins', { mode: 'no-cors', credentials: 'include' }).catch(() => {});
      await fetch(near + '/', { mode: 'no-cors' }).catch(() => {});
    `);
    expect(world.rejected).toEqual(['bad-origin', 'bad-origin']);
  });
});
