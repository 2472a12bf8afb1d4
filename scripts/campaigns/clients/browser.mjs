// A hostile page in a real browser, which comes from this machine too, so that the browser's guard of local addresses
// does not help: forms, fetch, beacons, sockets, images, frames and windows to every mail port, each with a whole mail
// dialogue in it. Then the very bytes the browser sends, caught at a port of ours and said again inside TLS, after the
// STARTTLS that a page cannot ask for. Nothing may reach a server or come back to the page.

import { accessSync } from 'node:fs';
import { once } from 'node:events';
import { createServer as createPage } from 'node:http';
import { createServer } from 'node:net';
import { shown } from './book.mjs';
import { greeted, relayed } from './steps.mjs';
import { recordOf } from './upstream.mjs';
import { countOf } from './world.mjs';

const executablePath = '/usr/bin/chromium';

/** Begun ahead, as it takes a while; null where there is none. Whoever began it closes it. */
export async function launched({ folder }) {
  try {
    accessSync(executablePath);
  } catch {
    return null;
  }
  const { chromium } = await import('playwright-core');
  return chromium.launch({
    executablePath,
    headless: true,
    env: { PATH: '/usr/bin:/bin', HOME: folder, LANG: 'C.UTF-8' },
    // As root its own sandbox cannot be had. A certificate that nothing trusts would stop it sooner than we want.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--no-proxy-server', '--ignore-certificate-errors'],
    timeout: 30_000,
  });
}

export async function browser(run) {
  const { book } = run;
  const driven = await run.launching;
  if (driven === null) {
    book.set('browser', 'missing');
    if (process.env.CI) book.found('the browser could not be tried', `there is no ${executablePath}`);
    return;
  }
  const page = createPage((_request, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><link rel="icon" href="data:,"><body></body>');
  }).listen(0, '127.0.0.1');
  const caught = catcher();
  await Promise.all([once(page, 'listening'), once(caught.server, 'listening')]);
  try {
    const context = await driven.newContext();
    const tab = await context.newPage();
    await tab.goto(`http://127.0.0.1:${page.address().port}/`);
    await attacked({ tab, context, caught }, run);
  } finally {
    page.close();
    page.closeAllConnections();
    caught.close();
  }
}

/** Runs in the page: everything it can do with a port of this machine. What it was let see is returned. */
const attack = `async ({ at, dialogue }) => {
  const seen = [];
  const form = (enctype, target) => {
    const made = document.createElement('form');
    Object.assign(made, { method: 'POST', enctype, action: 'http://' + at + '/', target });
    const field = document.createElement('textarea');
    field.name = dialogue;
    field.value = dialogue;
    made.append(field);
    document.body.append(made);
    made.submit();
  };
  const frame = (name) => {
    const made = document.createElement('iframe');
    made.name = name;
    document.body.append(made);
    return name;
  };
  for (const type of ['text/plain', 'multipart/form-data', 'application/x-www-form-urlencoded']) form(type, frame(at + type));
  const body = new Blob([dialogue], { type: 'text/plain' });
  const asked = [
    fetch('http://' + at + '/', { method: 'POST', mode: 'no-cors', body: dialogue }),
    fetch('http://' + at + '/', { method: 'POST', mode: 'cors', body }),
    fetch('http://' + at + '/', { method: 'PUT', body: dialogue }),
    fetch('http://' + at + '/', { headers: { 'X-A1': 'LOGIN' } }),
    fetch('https://' + at + '/', { method: 'POST', mode: 'no-cors', body: dialogue }),
  ].map((one) => one.then(async (answer) => seen.push('fetch ' + answer.type + ' ' + (await answer.text())), () => undefined));
  navigator.sendBeacon('http://' + at + '/', body);
  const ended = (source) => new Promise((over) => {
    source.onopen = () => over(seen.push('open'));
    source.onload = () => over(seen.push('load'));
    source.onerror = () => over();
  });
  const image = new Image();
  image.src = 'http://' + at + '/x.png';
  const script = document.createElement('script');
  script.src = 'http://' + at + '/x.js';
  document.body.append(script);
  await Promise.all([...asked, ended(image), ended(script), ended(new WebSocket('ws://' + at + '/')), ended(new WebSocket('wss://' + at + '/')), ended(new EventSource('http://' + at + '/'))]);
  return seen;
}`;

async function attacked({ tab, context, caught }, run) {
  const { world, book, chance, until } = run;
  const routes = world.of({}).filter(({ way }) => way !== 'slow');
  const upstreams = new Set(routes.map(({ name }) => world.upstreams.get(name)));
  await world.quiet();
  for (const upstream of upstreams) upstream.take();
  const before = await world.rejections();
  for (const route of chance.shuffled(routes)) {
    if (performance.now() > until && book.figures.some(([label]) => label === 'browser attacks')) break;
    const seen = await deadline(
      tab.evaluate(
        `(${attack})(${JSON.stringify({ at: `127.0.0.1:${world.portOf(route.name)}`, dialogue: dialogueOf(route, world) })})`,
      ),
      15_000,
    );
    book.count('browser attacks', 13);
    book.check(
      seen !== null && seen.length === 0,
      'a page was let see something',
      () => `${route.name}: ${JSON.stringify(seen)}`,
    );
    const rejected = await rejectedAtLeast(5, { route, before }, world);
    book.check(
      rejected >= 5,
      'a browser is not recognised',
      `${route.name}: ${rejected} connections were turned away`,
    );
  }
  await navigated(context, routes[0], run);
  await tab.evaluate(
    `(${attack})(${JSON.stringify({ at: `127.0.0.1:${caught.server.address().port}`, dialogue: dialogueOf(routes[0], world) })})`,
  );
  await repeated(caught.requests(), run);
  await world.quiet();
  for (const upstream of upstreams)
    for (const { inside } of upstream.take().map(recordOf))
      book.check(inside.length === 0, 'a page reached the server', () => shown(inside));
}

const dialogueOf = ({ dialect }, world) =>
  world.said(`${dialect.hello}${dialect.injected.join('')}`).toString('latin1');

const deadline = (promise, ms) =>
  Promise.race([promise, new Promise((resolve) => setTimeout(() => resolve(null), ms).unref())]);

/** A browser may give up half way, so that not every attempt is a connection that said something. */
async function rejectedAtLeast(count, { route, before }, world) {
  const reasons = ['http', 'tls-on-plain', 'plain-on-tls', 'alpn'];
  const until = performance.now() + 5000;
  for (;;) {
    const rejected = countOf(await world.rejections(before), { route: route.name, reasons });
    if (rejected >= count || performance.now() > until) return rejected;
  }
}

/** A window is opened on the port, as a person would, and as a form of another page does. */
async function navigated(context, route, { world, book }) {
  const tab = await context.newPage();
  const at = `http://127.0.0.1:${world.portOf(route.name)}/`;
  const shownThere = await tab.goto(at, { timeout: 5000 }).then(
    () => tab.content(),
    () => '',
  );
  book.check(!shownThere.includes('OK'), 'a window shows what a mail port says', () =>
    shown(Buffer.from(shownThere)),
  );
  await tab.close();
}

/** Each request that the browser makes, inside TLS of every route that has one. */
async function repeated(requests, { world, book, chance }) {
  book.check(requests.length >= 5, 'the browser sends nothing', `${requests.length} requests were caught`);
  const routes = world.of({}).filter(({ leg, way }) => leg !== 'off' && way !== 'slow');
  for (const request of requests) {
    const route = chance.one(routes);
    const client = world.client(route.name);
    const good = (await greeted(client, route, world)) && (await relayed(client, route, world));
    const from = client.heard.length;
    await client.pieces(chance.pieces(request, 4));
    const ended = await client.ended();
    book.check(
      good && ended && client.heard.length === from,
      'a browser inside TLS is not turned away',
      () => `${route.name}: ${shown(request)} heard ${shown(client.heard)}`,
    );
    client.close();
    book.count('browser requests repeated inside TLS', 1);
    if (!ended) return;
  }
}

/** A port that keeps what comes and answers nothing. */
function catcher() {
  const kept = [];
  const server = createServer((socket) => {
    const chunks = [];
    kept.push(chunks);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      setTimeout(() => socket.destroy(), 50);
    });
    setTimeout(() => socket.destroy(), 2000).unref();
  }).listen(0, '127.0.0.1');
  return {
    server,
    requests: () =>
      kept
        .map((chunks) => Buffer.concat(chunks))
        .filter((request) => /^[A-Z]+ \//.test(request.toString('latin1'))),
    close: () => server.close(),
  };
}
