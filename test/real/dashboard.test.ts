// The story the page is for, in a real browser against the built program and a real Dovecot: a key is new, a key
// changes, somebody compares and decides, and mail goes on.

import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { labHost } from '../lab/certificates.ts';
import { launchChromium } from '../lab/chromium.ts';
import { serverHost } from '../lab/dovecot.ts';
import { startLetterlock, type Letterlock } from '../lab/letterlock.ts';
import { startMailLab, type MailLab } from '../lab/mail-lab.ts';
import { describeWith } from '../lab/needs.ts';
import { freePorts } from '../lab/port.ts';
import { cleanEnvironment, run } from '../lab/run.ts';
import { until } from '../lab/wait.ts';
import { visit } from '../lab/visit.ts';

describeWith(['chromium', 'dovecot', 'openssl'], { root: true })('the page of a running daemon', () => {
  let lab: MailLab;
  let browser: Browser;
  const running: Letterlock[] = [];
  const contexts: BrowserContext[] = [];
  beforeAll(async () => {
    lab = await startMailLab({ variant: 'self1', seeded: false, postfix: false });
    browser = await launchChromium();
  });
  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close();
    for (const letterlock of running.splice(0)) await letterlock.stop();
  });
  afterAll(async () => {
    await browser.close();
    await lab.stop();
  });

  interface Scene {
    readonly letterlock: Letterlock;
    /** Where mail programs connect. */
    readonly port: number;
    readonly endpoint: string;
  }

  /** A server that shows `self1`, pinned on first use. */
  async function pinned(): Promise<Scene> {
    await lab.swap('self1');
    const [port = 0, door = 0] = await freePorts('127.0.0.1', 2);
    const upstream = `${labHost}:${lab.dovecot.ports.imaps}`;
    const letterlock = await startLetterlock(
      [
        {
          name: 'imap',
          listen: port,
          upstream: `imaps://${upstream}`,
          address: serverHost,
          settings: { trust: 'tofu' },
        },
      ],
      { admin: { listen: `127.0.0.1:${door}` } },
    );
    running.push(letterlock);
    expect(await visit(port)).toContain('* OK');
    return { letterlock, port, endpoint: upstream };
  }

  async function changeKey({ port }: Scene): Promise<string> {
    await lab.swap('self2');
    const said = await visit(port);
    expect(said).toMatch(/letterlock refused .*key changed/);
    return said;
  }

  /** The page, opened as a person opens it: with the address the program prints. */
  async function open({ letterlock }: Scene, ...flags: readonly string[]): Promise<Page> {
    const { exit, stdout, shown } = await letterlock.command('dashboard', '--print', ...flags);
    expect(exit, shown).toBe(0);
    const context = await browser.newContext({ reducedMotion: 'reduce' });
    contexts.push(context);
    context.setDefaultTimeout(20_000);
    const page = await context.newPage();
    await page.goto(stdout.toString('utf8').trim());
    await page.getByRole('navigation', { name: 'Views' }).waitFor();
    return page;
  }

  /** What the operator of the server reads out on the server. */
  async function fingerprintOf(variant: string): Promise<string> {
    const certificate = `${lab.certificates}/${variant}.crt`;
    const command = ['openssl', 'x509', '-noout', '-fingerprint', '-sha256', '-in', certificate];
    const { stdout } = await run(command, { env: cleanEnvironment('/tmp') });
    return stdout.toString('utf8').trim();
  }

  it('leads from a changed key to the decision and on to relayed mail', async () => {
    const scene = await pinned();
    const page = await open(scene, '--admin');
    await page.getByRole('heading', { name: 'All is well' }).waitFor();
    await page.getByRole('link', { name: 'Endpoints', exact: true }).click();
    await page.locator('tbody tr', { hasText: scene.endpoint }).getByText('first use').first().waitFor();
    await page.getByRole('link', { name: 'Overview', exact: true }).click();

    await changeKey(scene);
    await page.getByRole('heading', { name: 'One thing needs you' }).waitFor();
    await page.getByRole('link', { name: /^Compare and decide/ }).click();
    await page.getByRole('heading', { name: 'Known and presented' }).waitFor();
    const key = page.locator('.compare tr', { hasText: 'Key (SHA-256)' });
    expect(await key.getByText('differs').count()).toBe(1);
    expect(await page.locator('.compare tr', { hasText: 'Subject' }).getByText('same').count()).toBe(1);
    await page.locator('.faults').getByText('The certificate is signed by its own key.').waitFor();

    await page.getByLabel('Fingerprint you were told').fill(await fingerprintOf('self2'));
    await page.getByRole('button', { name: 'Approve this key' }).click();
    const answer = page.locator('[data-answer]');
    await answer.getByText(`Approved sha256//`).waitFor();
    expect(await answer.getByText('(first-use) until').count()).toBe(1);

    expect(await visit(scene.port)).toContain('* OK');
    const ended = await until('a relayed session', () => {
      const last = scene.letterlock.entries('session-ended').at(-1);
      return last?.['outcome'] === 'relayed' ? last : null;
    });
    expect(ended['basis']).toBe('pin');
    await page.getByRole('link', { name: 'Overview', exact: true }).click();
    await page.getByRole('heading', { name: 'All is well' }).waitFor();
    await page.getByRole('link', { name: 'History', exact: true }).click();
    const newest = page.locator('.timeline li').filter({ hasText: 'by page or admin API' });
    await newest.getByText('approved', { exact: true }).waitFor();
  });

  it('can be used with the keyboard alone', async () => {
    const scene = await pinned();
    await changeKey(scene);
    const page = await open(scene, '--admin');
    const focused = (): Promise<string> =>
      page.evaluate<string>(
        "(document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '') + ' ' + (document.activeElement?.labels?.[0]?.textContent ?? '')",
      );
    const tabTo = async (what: RegExp): Promise<void> => {
      for (let presses = 0; presses < 60; presses += 1) {
        await page.keyboard.press('Tab');
        if (what.test(await focused())) return;
      }
      throw new Error(`no Tab leads to ${what}`);
    };
    await page.getByRole('heading', { name: 'One thing needs you' }).waitFor();
    await page.keyboard.press('Tab');
    expect(await focused()).toContain('Skip to the content');
    await page.keyboard.press('Enter');
    await tabTo(/^Compare and decide/);
    const outline = 'getComputedStyle(document.activeElement).outlineStyle';
    expect(await page.evaluate(outline)).toBe('solid');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Approve this key' }).waitFor();
    await tabTo(/Fingerprint you were told/);
    await page.keyboard.insertText(await fingerprintOf('self2'));
    await tabTo(/Pin it; the old keys end in 7 days/);
    await page.keyboard.press('ArrowDown');
    await tabTo(/^Approve this key/);
    await page.keyboard.press('Enter');
    await page.locator('[data-answer]').getByText('Approved sha256//').waitFor();
    expect(await page.locator('[data-answer]').getByText('(first-use)').count()).toBe(0);
    expect(await visit(scene.port)).toContain('* OK');
  });

  it('rejects a key, and the server stays refused', async () => {
    const scene = await pinned();
    await changeKey(scene);
    const page = await open(scene, '--admin');
    await page.getByRole('link', { name: /^Compare and decide/ }).click();
    await page.getByRole('button', { name: /^Reject key/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Reject it' }).click();
    await page.locator('[data-answer]').getByText('Rejected sha256//').waitFor();
    expect(await visit(scene.port)).toContain('its key was rejected here');
    await lab.swap('self1');
    // A refusal is held for a moment, so that a storm of clients does not become one of handshakes.
    await expect.poll(() => visit(scene.port)).toContain('* OK');
  });

  it('opened for looking, has no way to write: no control, and no right', async () => {
    const scene = await pinned();
    await changeKey(scene);
    const page = await open(scene);
    await page.getByRole('link', { name: /^Compare and decide/ }).click();
    await page.getByRole('heading', { name: 'Known and presented' }).waitFor();
    expect(await page.getByRole('button', { name: /Approve|Reject/ }).count()).toBe(0);
    const body = JSON.stringify({ command: 'undo', endpoint: scene.endpoint });
    const answer = await page.evaluate(
      `fetch('/v1/commands', { method: 'POST', body: ${JSON.stringify(body)}, headers: { 'content-type': 'application/json',
        authorization: 'Bearer ' + JSON.parse(sessionStorage.getItem('letterlock-grant')).token } })
        .then(async (response) => ({ status: response.status, body: await response.json() }))`,
    );
    expect(answer).toMatchObject({ status: 403, body: { error: { code: 'read-only' } } });
    expect(await visit(scene.port)).toMatch(/letterlock refused/);
  });

  it('shows a session while it lasts, and events as they come', async () => {
    const scene = await pinned();
    const page = await open(scene);
    await page.getByRole('link', { name: 'Events' }).click();
    await page.getByText('Live, the newest first.').waitFor();
    await visit(scene.port);
    await page
      .locator('.entry', { hasText: /^.*relayed .*pinned key/ })
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await visit(scene.port);
    await page.getByRole('button', { name: /Go on \(\d+ new\)/ }).waitFor();
  });

  it('closes when the daemon ends its token, and opens again with a new code', async () => {
    const scene = await pinned();
    const page = await open(scene);
    await page.evaluate(
      'sessionStorage.setItem(\'letterlock-grant\', sessionStorage.getItem(\'letterlock-grant\').replace(/"token":"./, \'"token":"#\'))',
    );
    await page.reload();
    await page.getByRole('heading', { name: 'The page is locked again' }).waitFor();
    const again = await open(scene);
    await again.getByRole('heading', { name: 'All is well' }).waitFor();
  });
});
