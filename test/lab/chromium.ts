// Debian's Chromium, driven by playwright-core, for tests of what a browser really does. Its profile, its cache
// and its home are a folder that goes with it. Tests that need it stand in `describeWith(['chromium'], …)`.

import { chromium, type Browser } from 'playwright-core';
import { temporaryFolder } from './folder.ts';
import { cleanEnvironment } from './run.ts';

export interface ChromiumOptions {
  /** Further switches, such as `--host-resolver-rules=…`. */
  readonly args?: readonly string[];
}

/** Whoever launched it calls `close`, which also removes what it kept. */
export async function launchChromium({ args = [] }: ChromiumOptions = {}): Promise<Browser> {
  const home = await temporaryFolder();
  try {
    const browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      headless: true,
      env: definedOnly(cleanEnvironment(home.path)),
      // As root, and in a container, its own sandbox cannot be had; it visits nothing but this test.
      args: ['--no-sandbox', '--disable-dev-shm-usage', '--no-proxy-server', ...args],
      timeout: 60_000,
    });
    browser.once('disconnected', () => void home.remove());
    return browser;
  } catch (error) {
    await home.remove();
    throw error;
  }
}

const definedOnly = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
