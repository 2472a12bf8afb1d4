// Takes the pictures of the page that stand in docs/pictures/, and more into another folder for looking at while the
// page is changed. Needs Chromium; it looks as meant where the fonts Inter and P052 are (fonts-inter, fonts-urw-base35).
// Usage: node scripts/screenshots.mjs [FOLDER]: all of them into FOLDER; without one, those of docs/pictures/.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const all = process.argv[2] !== undefined;
const out = resolve(process.argv[2] ?? join(root, 'docs/pictures'));
mkdirSync(out, { recursive: true });
mkdirSync(join(root, '.cache'), { recursive: true });
const draft = mkdtempSync(join(root, '.cache/pictures-'));

/** The fixtures of the tests, bundled: this script runs on a Node that reads no TypeScript. */
async function fixtures() {
  const outfile = join(draft, 'fixtures.mjs');
  const lines = ['page-server', 'page-world', 'chromium'].map(
    (name) => `export * from './test/lab/${name}.ts';`,
  );
  await build({
    absWorkingDir: root,
    stdin: { contents: lines.join('\n'), resolveDir: root, loader: 'ts' },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'warning',
  });
  return import(pathToFileURL(outfile).href);
}

const desk = { width: 1280, height: 900 };
const phone = { width: 360, height: 740 };
const pictures = [
  { name: 'overview-light', view: '#/overview', theme: 'light', size: desk, docs: true, minutes: 4 },
  {
    name: 'decision',
    view: '#/decide/K7Q2M9XC',
    theme: 'light',
    size: { width: 1120, height: 1180 },
    docs: true,
  },
  { name: 'decision-whole', view: '#/decide/K7Q2M9XC', theme: 'light', size: desk, whole: true },
  { name: 'endpoints-dark', view: '#/endpoints', theme: 'dark', size: desk, docs: true },
  { name: 'decision-phone', view: '#/decide/K7Q2M9XC', theme: 'light', size: phone, docs: true },
  { name: 'overview-dark', view: '#/overview', theme: 'dark', size: desk, minutes: 4 },
  { name: 'overview-calm', view: '#/overview', theme: 'light', size: desk, world: 'calm', minutes: 4 },
  { name: 'overview-empty', view: '#/overview', theme: 'light', size: desk, world: 'empty' },
  { name: 'overview-phone', view: '#/overview', theme: 'dark', size: phone, whole: true },
  { name: 'endpoints-light', view: '#/endpoints', theme: 'light', size: desk },
  { name: 'endpoints-200', view: '#/endpoints', theme: 'light', size: desk, world: 'big', whole: true },
  { name: 'endpoints-phone', view: '#/endpoints', theme: 'light', size: phone, whole: true },
  { name: 'endpoint', view: '#/endpoints/imap.example.org%3A993', theme: 'light', size: desk, whole: true },
  {
    name: 'endpoint-dark',
    view: '#/endpoints/imap.example.org%3A993',
    theme: 'dark',
    size: desk,
    whole: true,
  },
  {
    name: 'endpoint-phone',
    view: '#/endpoints/imap.example.org%3A993',
    theme: 'light',
    size: phone,
    whole: true,
  },
  { name: 'decision-dark', view: '#/decide/K7Q2M9XC', theme: 'dark', size: desk, whole: true },
  { name: 'sessions', view: '#/sessions', theme: 'light', size: desk },
  { name: 'sessions-phone', view: '#/sessions', theme: 'light', size: phone, whole: true },
  { name: 'events', view: '#/events', theme: 'light', size: desk },
  { name: 'events-phone', view: '#/events', theme: 'dark', size: phone },
  { name: 'history', view: '#/history', theme: 'light', size: desk },
  { name: 'about', view: '#/about', theme: 'light', size: desk },
  { name: 'about-read', view: '#/about', theme: 'dark', size: desk, scope: 'read' },
  { name: 'locked', view: '', theme: 'light', size: desk },
];

function worldOf(kind, { pageWorld }) {
  const now = Date.now();
  if (kind === 'empty') return pageWorld({ endpoints: 0, history: 0, now });
  if (kind === 'big') return pageWorld({ endpoints: 200, history: 10_000, now });
  const world = pageWorld({ endpoints: 9, history: 60, now });
  if (kind !== 'calm') return world;
  return { ...world, endpoints: world.endpoints.filter(isCalm) };
}

const isCalm = ({ refusing, endpoint }) => !refusing && !endpoint.startsWith('smtp');

async function take(picture, { browser, lab }) {
  const { name, view, theme, size, whole = false, world = 'some', scope = 'admin', minutes = 0 } = picture;
  const server = await lab.servePage({
    folder: join(draft, 'src/admin/dashboard'),
    world: worldOf(world, lab),
    scope,
  });
  const context = await browser.newContext({ viewport: size, colorScheme: theme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  await page.clock.install();
  page.on('console', (message) => console.error(`${name}: ${message.text()}`));
  page.on('pageerror', (error) => console.error(`${name}: ${error.message}`));
  await page.goto(view === '' ? server.url.split('#')[0] : server.url);
  if (view !== '') {
    await page.waitForSelector('nav.places');
    await page.evaluate((hash) => globalThis.location.assign(hash), view);
  }
  // Time passes as fast as the page can ask; then what is drawn settles.
  for (let turn = 0; turn < minutes * 30; turn += 1) {
    await page.clock.runFor(2000);
    await page.waitForTimeout(20);
  }
  await page.waitForTimeout(400);
  await page.clock.runFor(1000);
  await page.waitForTimeout(300);
  await page.screenshot({ path: join(out, `${name}.png`), fullPage: whole });
  await context.close();
  await server.stop();
}

try {
  execFileSync(process.execPath, [join(root, 'scripts/build-page.mjs'), draft], { stdio: 'inherit' });
  const lab = await fixtures();
  const browser = await lab.launchChromium();
  const wanted = pictures.filter(({ docs, name }) =>
    all ? (process.argv[3] ?? name).split(',').includes(name) : docs,
  );
  for (const picture of wanted) await take(picture, { browser, lab });
  await browser.close();
} finally {
  rmSync(draft, { recursive: true, force: true });
}
