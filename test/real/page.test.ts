// The page in a real browser, over a made-up daemon: how it looks in each state, who can use it, and that it holds to
// the content security policy it is served under.

import axe, { type AxeResults } from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { builtPage } from '../lab/build.ts';
import { launchChromium } from '../lab/chromium.ts';
import { describeWith } from '../lab/needs.ts';
import { servePage, type PageServer } from '../lab/page-server.ts';
import { changed, pageWorld, spkiNamed, type PageWorld } from '../lab/page-world.ts';

const desk = { width: 1280, height: 900 };
const phone = { width: 360, height: 740 };
const views = [
  '#/overview',
  '#/endpoints',
  `#/endpoints/${encodeURIComponent(changed.endpoint)}`,
  `#/decide/${changed.ref}`,
  '#/sessions',
  '#/events',
  '#/history',
  '#/about',
];

interface Opened {
  readonly page: Page;
  /** What the browser complained about: refused by policy, thrown, failed to load. */
  readonly complaints: readonly string[];
}

/** Goes there and waits until nothing is being asked for any more. */
async function show(page: Page, view: string): Promise<void> {
  await page.evaluate(`location.assign(${JSON.stringify(view)})`);
  await page.locator('main h1').waitFor();
  await expect.poll(() => page.getByText('Asking letterlock…').count()).toBe(0);
}

describeWith(['chromium'], { root: false })('the page', () => {
  let folder: string;
  let browser: Browser;
  const opened: { readonly context: BrowserContext; readonly server: PageServer }[] = [];
  beforeAll(async () => {
    folder = await builtPage();
    browser = await launchChromium();
  });
  afterEach(async () => {
    for (const { context, server } of opened.splice(0)) {
      await context.close();
      await server.stop();
    }
  });
  afterAll(() => browser.close());

  async function serve(options: {
    readonly world?: PageWorld;
    readonly scope?: 'read' | 'admin';
    readonly size?: typeof desk;
    readonly theme?: 'light' | 'dark';
  }): Promise<{ readonly server: PageServer; readonly context: BrowserContext }> {
    const { scope = 'admin', size = desk, theme = 'light' } = options;
    const world = options.world ?? pageWorld({ endpoints: 9, history: 60, now: Date.now() });
    const server = await servePage({ folder, world, scope });
    const context = await browser.newContext({
      viewport: size,
      colorScheme: theme,
      reducedMotion: 'reduce',
      permissions: [],
    });
    context.setDefaultTimeout(15_000);
    opened.push({ context, server });
    return { server, context };
  }

  async function open({ server, context }: Awaited<ReturnType<typeof serve>>): Promise<Opened> {
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(server.url);
    await page.getByRole('navigation', { name: 'Views' }).waitFor();
    return { page, complaints };
  }

  for (const theme of ['light', 'dark'] as const) {
    it(`has nothing that axe finds serious, in any view, ${theme}`, async () => {
      const { page } = await open(await serve({ theme }));
      for (const view of views) {
        await show(page, view);
        // Evaluated over the debugger: the policy of the page would refuse a script of ours.
        await page.evaluate(axe.source);
        const { violations } = await page.evaluate<AxeResults>('axe.run(document)');
        const found = violations.map(({ id, impact, nodes }) => ({
          id,
          impact,
          where: nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)),
        }));
        expect(found, view).toEqual([]);
      }
    });
  }

  it('breaks no rule of its content security policy, charts included', async () => {
    const { page, complaints } = await open(await serve({}));
    await page.evaluate(
      "document.addEventListener('securitypolicyviolation', (event) => console.error('policy: ' + event.violatedDirective))",
    );
    for (const view of views) await show(page, view);
    await show(page, '#/overview');
    await page.locator('.spark canvas').first().waitFor();
    await expect.poll(() => page.locator('.chart .figure').first().textContent()).toMatch(/^\d/);
    expect(complaints.filter((text) => !text.includes('Permissions-Policy'))).toEqual([]);
    // The twin: a script that the policy forbids is refused, and told.
    await page.evaluate(
      "document.head.append(Object.assign(document.createElement('style'), { textContent: 'p {}' }))",
    );
    await expect.poll(() => complaints.some((text) => text.startsWith('policy: style-src'))).toBe(true);
  });

  it('takes the code out of the address and keeps the token in this tab alone', async () => {
    const { page } = await open(await serve({}));
    expect(page.url()).toMatch(/\/#\/overview$/);
    expect(await page.evaluate('Object.keys(sessionStorage)')).toEqual(['letterlock-grant']);
    expect(await page.evaluate('JSON.stringify(localStorage)')).toBe('{}');
    expect(await page.evaluate('document.cookie')).toBe('');
    await page.reload();
    await page.getByRole('navigation', { name: 'Views' }).waitFor();
    await page.getByRole('button', { name: 'Lock this page' }).click();
    await page.getByRole('heading', { name: 'The page is locked' }).waitFor();
    expect(await page.evaluate('sessionStorage.length')).toBe(0);
  });

  it('says how to open it where there is no token', async () => {
    const { server, context } = await serve({});
    const page = await context.newPage();
    await page.goto(server.url.split('#')[0] ?? '');
    await page.getByText('letterlock dashboard', { exact: true }).waitFor();
    expect(await page.getByRole('navigation').count()).toBe(0);
  });

  it('fits a telephone without scrolling sideways, in any view', async () => {
    const { page } = await open(await serve({ size: phone }));
    for (const view of views) {
      await show(page, view);
      for (const summary of await page.locator('main summary').all()) await summary.click();
      const wide = await page.evaluate('document.documentElement.scrollWidth');
      expect(wide, view).toBeLessThanOrEqual(phone.width);
    }
  });

  it('shows no control that writes when it was opened for reading', async () => {
    const { page } = await open(await serve({ scope: 'read' }));
    const writing = /Probe|Reject|Approve|Undo|Forget|Add the pin|Reload|Verify/;
    for (const view of views) {
      await show(page, view);
      expect(await page.getByRole('button', { name: writing }).count(), view).toBe(0);
      expect(await page.getByText('letterlock dashboard --admin').count(), view).toBeGreaterThan(0);
    }
  });

  it('shows those controls when it was opened for deciding', async () => {
    const { page } = await open(await serve({}));
    await show(page, `#/decide/${changed.ref}`);
    await page.getByRole('button', { name: 'Approve this key' }).waitFor();
    await page.getByRole('button', { name: `Reject key ${changed.ref}` }).waitFor();
  });

  it('approves only a fingerprint that names the presented key, and fills none in', async () => {
    const { server, context } = await serve({});
    const { page } = await open({ server, context });
    await show(page, `#/decide/${changed.ref}`);
    const field = page.getByLabel('Fingerprint you were told');
    const approve = page.getByRole('button', { name: 'Approve this key' });
    expect(await field.inputValue()).toBe('');
    expect(await approve.isDisabled()).toBe(true);
    await field.fill(spkiNamed('somebody else'));
    await page.getByText('It names another key.').waitFor();
    expect(await approve.isDisabled()).toBe(true);
    await field.fill(spkiNamed('presented'));
    await page.getByText('It names the key that was presented.').waitFor();
    await page.getByLabel(/the old keys end now/).check();
    await approve.click();
    await page.locator('[data-answer]').getByText('Trusted from now on:').waitFor();
    expect(server.orders).toEqual([
      {
        path: '/v1/commands',
        body: {
          command: 'approve',
          endpoint: changed.endpoint,
          expect: spkiNamed('presented'),
          forMs: null,
          as: null,
          keep: false,
          endOld: true,
          unreject: false,
        },
      },
    ]);
  });

  it('lets the presented fingerprint be read and not be selected', async () => {
    const { page } = await open(await serve({}));
    await show(page, `#/decide/${changed.ref}`);
    await page.keyboard.press('Control+a');
    const selected = await page.evaluate<string>('String(getSelection())');
    const flat = selected.replace(/\s/g, '');
    expect(flat).toContain(spkiNamed('known'));
    expect(flat).not.toContain(spkiNamed('presented'));
    expect(flat).toContain('namesthesamefingerprint');
  });

  it('lets no key that nobody has compared be selected, wherever and whoever wrote it', async () => {
    const plain = pageWorld({ endpoints: 9, history: 0, now: Date.now() });
    const [presented, rejected] = [spkiNamed('presented'), spkiNamed('stolen')];
    const [first, change] = [
      plain.entries[0],
      pageWorld({ endpoints: 9, history: 1, now: Date.now() }).history[0],
    ];
    if (first === undefined || change === undefined) throw new Error('nothing happened');
    const world: PageWorld = {
      ...plain,
      entries: [{ ...first, message: `the server showed ${presented}`, fields: { spki: presented } }],
      history: [{ ...change, endpoint: changed.endpoint, event: 'first-use', spki: presented }],
      comparison: {
        ...plain.comparison,
        differences: plain.comparison.differences.map((one) =>
          one.field === 'subject' ? { ...one, presented: `CN=right: ${presented}` } : one,
        ),
      },
    };
    const { page } = await open(await serve({ world }));
    for (const view of views) {
      await show(page, view);
      await page.keyboard.press('Control+a');
      const flat = (await page.evaluate<string>('String(getSelection())')).replace(/\s/g, '');
      expect(flat, view).not.toContain(presented);
      expect(flat, view).not.toContain(rejected);
      const all = (await page.evaluate<string>('document.body.textContent')).replace(/\s/g, '');
      if (/events|history|decide/.test(view)) expect(all, view).toContain(presented);
    }
  });

  it('says that what it shows is old when only the daemon behind the door is gone', async () => {
    const { server, context } = await serve({});
    const { page } = await open({ server, context });
    await page.getByText('live', { exact: true }).waitFor();
    server.trouble({ code: 'no-daemon', message: 'no daemon answers at /run/x.sock', hint: null });
    await page.getByText('connection lost').waitFor();
    await page.getByText('No daemon answers at /run/x.sock.').waitFor();
    expect(await page.getByText('All is well').count()).toBe(0);
    server.trouble(null);
    await page.getByText('live', { exact: true }).waitFor();
  });

  it('learns what is new while more happens than it can ask about', async () => {
    const world = { ...pageWorld({ endpoints: 9, history: 0, now: Date.now() }) };
    const { server, context } = await serve({ world });
    const { page } = await open({ server, context });
    await show(page, '#/endpoints');
    server.hurry();
    world.endpoints = world.endpoints.map((row, at) =>
      at === 1 ? { ...row, endpoint: 'new.example:993' } : row,
    );
    await page.getByText('new.example:993').waitFor({ timeout: 6000 });
  });

  it('tells whoever is deciding that somebody else has decided', async () => {
    const world = { ...pageWorld({ endpoints: 9, history: 0, now: Date.now() }) };
    const { server, context } = await serve({ world });
    const { page } = await open({ server, context });
    await show(page, `#/decide/${changed.ref}`);
    world.comparison = { ...world.comparison, ref: 'ANOTHER0' };
    server.hurry();
    await page.getByText('Nothing is known of this.').waitFor();
  });

  it('opens again with a new address in the same tab', async () => {
    const { server, context } = await serve({});
    const { page } = await open({ server, context });
    await page.getByRole('button', { name: 'Lock this page' }).click();
    await page.getByRole('heading', { name: 'The page is locked' }).waitFor();
    await page.evaluate(`location.assign(${JSON.stringify(server.url)})`);
    await page.getByRole('navigation', { name: 'Views' }).waitFor();
    expect(page.url()).toMatch(/\/#\/overview$/);
  });

  it('asks for the name of a server before it is forgotten', async () => {
    const { server, context } = await serve({});
    const { page } = await open({ server, context });
    await show(page, `#/endpoints/${encodeURIComponent(changed.endpoint)}`);
    await page.getByRole('button', { name: 'Forget this server' }).click();
    const dialog = page.getByRole('dialog');
    const yes = dialog.getByRole('button', { name: 'Forget it' });
    expect(await yes.isDisabled()).toBe(true);
    await page.keyboard.press('Escape');
    expect(await dialog.count()).toBe(0);
    await page.getByRole('button', { name: 'Forget this server' }).click();
    await dialog.getByRole('textbox').fill(changed.endpoint);
    await yes.click();
    await expect.poll(() => server.orders.length).toBe(1);
    expect(server.orders[0]).toMatchObject({ body: { command: 'forget', yes: true } });
  });

  it('writes out marks that would turn text round', async () => {
    const { page } = await open(await serve({}));
    await show(page, '#/endpoints');
    await page.getByRole('link', { name: /a-rather-long-name/ }).click();
    await page.locator('mark.odd', { hasText: '\\u202e' }).first().waitFor();
    expect(await page.evaluate("document.body.textContent.includes('\\u202e')")).toBe(false);
  });

  it('stays quick with 200 servers and 10 000 changes', async () => {
    const world = pageWorld({ endpoints: 200, history: 10_000, now: Date.now() });
    const { page } = await open(await serve({ world }));
    for (const [view, text] of [
      ['#/endpoints', '1 to 50 of 200 endpoints'],
      ['#/history', '1 to 50 of 10,000 changes'],
    ] as const) {
      const before = Date.now();
      await show(page, view);
      await page.getByText(text).waitFor();
      expect(Date.now() - before, view).toBeLessThan(4000);
      expect(await page.locator('main *').count(), view).toBeLessThan(4000);
    }
    await show(page, '#/endpoints');
    await page.getByLabel('Search endpoints').fill('mail190.');
    await expect.poll(() => page.locator('tbody tr').count()).toBe(1);
  });

  it('says that the connection is lost, and goes on by itself', async () => {
    const { server, context } = await serve({});
    const { page } = await open({ server, context });
    await context.setOffline(true);
    await page.getByText('connection lost').waitFor();
    await page.getByText('Letterlock cannot be reached.').first().waitFor();
    await context.setOffline(false);
    await expect.poll(() => page.getByText('connection lost').count()).toBe(0);
  });

  it('keeps its choice of colours', async () => {
    const { page } = await open(await serve({ theme: 'light' }));
    const theme = (): Promise<string | null> => page.locator('html').getAttribute('data-theme');
    const button = page.getByRole('button', { name: /^Colours/ });
    expect(await theme()).toBe('light');
    await button.click();
    await button.click();
    expect(await theme()).toBe('dark');
    await page.reload();
    await button.waitFor();
    expect(await theme()).toBe('dark');
  });
});
