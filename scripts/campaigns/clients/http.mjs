// What speaks HTTP at letterlock: the page's door, the metrics page and the admin socket. Every combination of Host,
// Origin and what browsers say of themselves, drawn from good and bad values: one bad one is enough to be refused, all
// good ones are served. Then requests that two readers would read differently (smuggling), and too large ones. Without
// a token nothing is ever answered with 2xx, and the pins stay as they are.

import { request } from 'node:http';
import { join } from 'node:path';
import { Client } from './client.mjs';
import { shown } from './book.mjs';
import { crew } from './world.mjs';

const hands = 6;
const poison = JSON.stringify({
  command: 'add',
  endpoint: 'evil.test:993',
  pin: `sha256//${Buffer.alloc(32, 6).toString('base64')}`,
  note: 'x',
});

export async function http(run) {
  const { world, book, chance, until, signal } = run;
  const ready = world.daemon.entries.find(({ event }) => event === 'ready');
  const door = Number(ready.dashboard.split(':').at(-1));
  const metrics = Number(ready.metrics.split(':').at(-1));
  const here = { ...run, door, metrics, socket: join(world.folder, 'admin.sock') };
  const token = await tokenFrom(here);
  const before = await pins(here);
  const begun = performance.now();
  const share = (part) => begun + (until - begun) * part;
  book.count(
    'requests at the door',
    await crew(asked(here, token), { hands, until: share(0.5), signal, least: 150 }, (one) =>
      matrix(one, here),
    ),
  );
  book.count(
    'smuggling requests',
    await crew(smuggled(here, chance), { hands, until: share(0.75), signal, least: 36 }, (one) =>
      smuggling(one, here),
    ),
  );
  book.count('oversized requests', await crew(oversized(here), { hands, signal }, (one) => large(one, here)));
  book.count(
    'requests at metrics and socket',
    await crew(elsewhere(here), { hands, until, signal, least: 12 }, (one) => outside(one, here)),
  );
  book.check((await pins(here)) === before, 'pins were changed over HTTP', 'without a token');
}

function overSocket({ socket }, { method = 'GET', path, body = null, headers = {} }) {
  return new Promise((resolve, reject) => {
    const asking = request(
      {
        socketPath: socket,
        method,
        path,
        headers: {
          Host: 'letterlock',
          ...(body === null ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
      },
      (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString() }),
        );
      },
    );
    asking.on('error', reject);
    asking.end(body === null ? undefined : JSON.stringify(body));
  });
}

/** Without what sessions move: when a key or a CA was last seen. */
const pins = async (here) => {
  const { text } = await overSocket(here, { path: '/v1/pins' });
  return JSON.stringify(JSON.parse(text).filter((row) => row.pins.length + row.rejected.length > 0));
};

async function tokenFrom(here) {
  const { text } = await overSocket(here, {
    method: 'POST',
    path: '/v1/dashboard',
    body: { scope: 'read', uid: null },
  });
  const [, code] = /#code=([\w-]+)/.exec(JSON.parse(text).url);
  const host = `127.0.0.1:${here.door}`;
  const response = await fetch(`http://${host}/session`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Origin: `http://${host}` },
    body: JSON.stringify({ code }),
  });
  return (await response.json()).token;
}

/** Whether a value is good; what a header of it says, none for undefined, more than one for a list. */
const good = (value) => ({ value, bad: false });
const bad = (value) => ({ value, bad: true });

const hosts = (port) => [
  ...[`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, `LOCALHOST:${port}`].map(good),
  ...[
    undefined,
    '',
    'evil.test',
    `evil.test:${port}`,
    '127.0.0.1',
    'localhost',
    `127.0.0.1:${port + 1}`,
    `localhost.:${port}`,
    `127.1:${port}`,
    `0x7f.1:${port}`,
    `0.0.0.0:${port}`,
    `a@127.0.0.1:${port}`,
    `127.0.0.1:${port}/`,
    `127.0.0.1:${port}.evil.test`,
    `[::ffff:127.0.0.1]:${port}`,
    [`127.0.0.1:${port}`, 'evil.test'],
    [`127.0.0.1:${port}`, `127.0.0.1:${port}`],
  ].map(bad),
];
const origins = (own) => [
  good(undefined),
  good(own),
  ...[
    'null',
    'http://evil.test',
    `${own}.evil.test`,
    own.replace('http:', 'https:'),
    own.replace(/:\d+$/, ''),
    `${own}/`,
    `${own} http://evil.test`,
    '',
    [own, own],
    [own, 'http://evil.test'],
    'file://',
    'chrome-extension://abc',
  ].map(bad),
];
const sites = [
  good(undefined),
  good('same-origin'),
  ...['same-site', 'cross-site', 'none', 'SAME-ORIGIN', '', 'x', ['same-origin', 'cross-site']].map(bad),
];
const fetchModes = [
  good(undefined),
  good('cors'),
  good('same-origin'),
  ...['navigate', 'no-cors', 'websocket', '', ['cors', 'navigate']].map(bad),
];
const destinations = [
  good(undefined),
  good('empty'),
  ...['document', 'iframe', 'object', 'worker', 'embed', '', ['empty', 'iframe']].map(bad),
];

const asks = [
  { method: 'GET', path: '/v1/pins', right: 200 },
  { method: 'GET', path: '/v1/records', right: 200 },
  { method: 'POST', path: '/v1/commands', right: 403 },
  { method: 'POST', path: '/v1/reload', right: 403 },
];

function* asked({ door, chance }, token) {
  for (;;) {
    const ask = chance.one(asks);
    // Mostly one thing is wrong, as an oracle that sees several at once sees none by itself.
    const wrongAt = chance.below(7);
    const pick = (list, at) =>
      chance.one(list.filter((one) => (wrongAt === at || wrongAt === 6 ? true : !one.bad)));
    const host = pick(hosts(door), 0);
    const own = `http://${typeof host.value === 'string' ? host.value.toLowerCase() : 'none'}`;
    const drawn = {
      Host: host,
      Origin: pick(origins(own), 1),
      'Sec-Fetch-Site': pick(sites, 2),
      'Sec-Fetch-Mode': pick(fetchModes, 3),
      'Sec-Fetch-Dest': pick(destinations, 4),
    };
    const unnamed =
      ask.method !== 'GET' && drawn.Origin.value === undefined && drawn['Sec-Fetch-Site'].value === undefined;
    const isBad = unnamed || Object.values(drawn).some((one) => one.bad);
    const holds =
      wrongAt === 5 ? chance.one([null, `${token.slice(0, -1)}_`, `${token}, Bearer ${token}`]) : token;
    yield { ask, drawn, isBad, token: holds, right: holds === token ? ask.right : 401 };
  }
}

const linesOf = (headers) =>
  Object.entries(headers)
    .flatMap(([name, { value }]) =>
      value === undefined ? [] : [value].flat().map((one) => `${name}: ${one}\r\n`),
    )
    .join('');

async function matrix({ ask: { method, path }, drawn, isBad, token, right }, { book, door }) {
  const body = method === 'POST' && path.endsWith('commands') ? poison : '';
  const head = `${method} ${path} HTTP/1.1\r\n${linesOf(drawn)}${token === null ? '' : `Authorization: Bearer ${token}\r\n`}${body === '' ? '' : 'Content-Type: application/json\r\n'}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  const answers = await exchange(door, Buffer.from(head + body, 'latin1'));
  const what = () => `${shown(Buffer.from(head, 'latin1').subarray(0, 400))} got ${answers.statuses.join()}`;
  const [status] = answers.statuses;
  // Node turns some away by itself, with 400, before it asks us.
  if (isBad)
    book.check(
      answers.statuses.length === 1 && (status === 403 || status === 400),
      'a request from elsewhere is let in',
      what,
    );
  else
    book.check(
      status === right || (right === 401 && status === 429),
      'a request of our own page is answered wrongly',
      what,
    );
  if (status !== 200) book.check(!/sha256\/\//.test(answers.text), 'a refusal tells of pins', what);
}

/** Everything that comes back, and the status of each answer in it. */
async function exchange(port, bytes, { ms = 8000, chunks = null } = {}) {
  const client = new Client({ port, host: '127.0.0.1' });
  if (chunks === null) client.write(bytes);
  else await client.pieces(chunks, 1);
  const over = await client.ended(ms);
  const { text } = client;
  client.close();
  return {
    over,
    text,
    statuses: [...text.matchAll(/^HTTP\/1\.1 ([2-5]\d\d) /gm)].map(([, status]) => Number(status)),
  };
}

/** A second request, an order, in places where some reader of HTTP would begin a new one. */
function* smuggled({ door }, chance) {
  const host = `127.0.0.1:${door}`;
  const inner = `POST /v1/commands HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://${host}\r\nContent-Type: application/json\r\nContent-Length: ${poison.length}\r\nConnection: close\r\n\r\n${poison}`;
  const outer = (headers, body, { start = 'POST /session HTTP/1.1', foreign = chance.flip() } = {}) =>
    `${start}\r\nHost: ${host}\r\nOrigin: ${foreign ? 'http://evil.test' : `http://${host}`}\r\nContent-Type: application/json\r\n${headers}\r\n${body}`;
  const chunked = `0\r\n\r\n${inner}`;
  const size = Buffer.byteLength(chunked);
  const shapes = () => [
    outer(`Content-Length: ${size}\r\nTransfer-Encoding: chunked\r\n`, chunked),
    outer(
      `Transfer-Encoding: chunked\r\nContent-Length: 4\r\n`,
      `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`,
    ),
    outer('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', chunked),
    outer('Transfer-Encoding: xchunked\r\n', chunked),
    outer('Transfer-Encoding : chunked\r\n', chunked),
    outer(' Transfer-Encoding: chunked\r\n', chunked),
    outer('Transfer-Encoding:\n chunked\r\n', chunked),
    outer('X: y\nTransfer-Encoding: chunked\r\n', chunked),
    outer('Transfer-Encoding: chunked, identity\r\n', chunked),
    outer(`Content-Length: 0\r\nContent-Length: ${inner.length}\r\n`, inner),
    outer(`Content-Length: 0, ${inner.length}\r\n`, inner),
    outer('Content-Length: +0\r\n', inner),
    outer('Content-Length: -1\r\n', inner),
    outer('Content-Length: 0x0\r\n', inner),
    outer('Content-Length: 0 \r\n', inner),
    outer('Content-Length: 99999999999999999999\r\n', inner),
    outer('Transfer-Encoding: chunked\r\n', `0;${'a'.repeat(200)}\r\n\r\n${inner}`),
    outer('Transfer-Encoding: chunked\r\n', `0\r\nX: y\r\n\r\n${inner}`),
    outer('Transfer-Encoding: chunked\r\n', `0\n\n${inner}`),
    outer('Transfer-Encoding: chunked\r\n', `00000000000000000\r\n\r\n${inner}`),
    outer('Transfer-Encoding: chunked\r\n', `ffffffffffffffff0\r\n\r\n${inner}`),
    outer('', inner, { start: 'GET / HTTP/1.0' }),
    outer('', inner, { start: 'GET /v1/pins HTTP/1.1' }),
    outer(
      'Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n',
      inner,
      { start: 'GET / HTTP/1.1' },
    ),
    outer('Expect: 100-continue\r\nContent-Length: 0\r\n', inner),
    outer('', inner, { start: 'GET http://127.0.0.1/v1/pins HTTP/1.1' }),
    outer('', inner, { start: 'GET /v1/pins\r\nX: HTTP/1.1' }),
    outer('', inner, { start: `GET /v1/pins HTTP/1.1\r\nHost: evil.test` }),
    outer('', inner, { start: 'PRI * HTTP/2.0' }),
    outer('', inner, { start: 'CONNECT 127.0.0.1:1 HTTP/1.1' }),
    `\r\n\r\n${outer('Content-Length: 0\r\n', inner)}`,
    outer('Connection: Origin, Host\r\nContent-Length: 0\r\n', inner),
    outer(`Content-Length: ${inner.length}\r\nX-HTTP-Method-Override: GET\r\n`, inner),
    outer('X: \0\r\nContent-Length: 0\r\n', inner),
    outer('Authorization: Bearer \r\nContent-Length: 0\r\n', inner),
  ];
  for (const shape of chance.shuffled(shapes())) yield { shape };
  for (;;) yield { shape: chance.one(shapes()), chunks: true };
}

async function smuggling({ shape, chunks }, { book, chance, door }) {
  const bytes = Buffer.from(shape, 'latin1');
  const { statuses, over, text } = await exchange(door, bytes, {
    ms: 20_000,
    chunks: chunks ? chance.pieces(bytes, 5) : null,
  });
  const what = () => `${shown(bytes)} got ${statuses.join()}: ${shown(Buffer.from(text.slice(-80)))}`;
  // The page itself is for everybody who is on this machine and no page.
  const isPage = shape.startsWith('GET / ');
  book.check(
    statuses.every((status) => status >= 400 || (isPage && (status === 200 || status === 503))),
    'a smuggled request is answered',
    what,
  );
  book.check(over, 'a smuggled request keeps its connection', what);
}

function* oversized({ door }) {
  const host = `127.0.0.1:${door}`;
  const head = (start, headers) => `${start}\r\nHost: ${host}\r\nOrigin: http://${host}\r\n${headers}`;
  yield head('GET / HTTP/1.1', `X: ${'a'.repeat(9000)}\r\n\r\n`);
  yield head('GET / HTTP/1.1', `${'X: y\r\n'.repeat(5000)}\r\n`);
  yield head(`GET /${'a'.repeat(20_000)} HTTP/1.1`, '\r\n');
  yield head('GET / HTTP/1.1', `X: ${'a'.repeat(2 ** 20)}`);
  yield head(
    'POST /session HTTP/1.1',
    `Content-Type: application/json\r\nContent-Length: 70000\r\n\r\n${'a'.repeat(70_000)}`,
  );
  yield head(
    'POST /session HTTP/1.1',
    `Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${'ffff\r\n'.concat('a'.repeat(65_535), '\r\n').repeat(20)}`,
  );
  yield head(
    'POST /session HTTP/1.1',
    `Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1;${'a'.repeat(200_000)}`,
  );
  yield head(
    'POST /session HTTP/1.1',
    `Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n${'['.repeat(60_000)}`,
  );
  yield `A${'a'.repeat(2 ** 20)}`;
}

async function large(text, { book, door }) {
  const { statuses, over } = await exchange(door, Buffer.from(text, 'latin1'), { ms: 12_000 });
  const what = () =>
    `${shown(Buffer.from(text.slice(0, 200)))}, ${text.length} bytes, got ${statuses.join()}`;
  book.check(
    statuses.every((status) => status >= 400),
    'an oversized request is answered',
    what,
  );
  // Nested JSON of a size that is allowed is a wrong request, and no more.
  book.check(over || statuses[0] === 400, 'an oversized request keeps its connection', what);
}

function* elsewhere({ metrics, chance }) {
  const names = [
    'evil.test',
    `evil.test:${metrics}`,
    '127.0.0.1.evil.test',
    'localhost.evil.test',
    `[::2]:${metrics}`,
    'x@localhost',
  ];
  for (;;) {
    yield {
      at: 'metrics',
      text: `GET /metrics HTTP/1.1\r\nHost: ${chance.one(names)}\r\nConnection: close\r\n\r\n`,
      right: [403],
    };
    yield {
      at: 'metrics',
      text: `${chance.one(['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'])} /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      right: [405],
    };
    yield {
      at: 'metrics',
      text: `GET ${chance.one(['/v1/pins', '/../state/secret', '//metrics', '/metrics/', '/%6detrics'])} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      right: [404, 400],
    };
    yield {
      at: 'socket',
      headers: {
        [chance.one(['Origin', 'Referer', 'Cookie', 'Sec-Fetch-Site', 'Sec-Fetch-Mode'])]: chance.one([
          'null',
          'http://localhost',
          'x',
          'none',
        ]),
      },
      right: [403],
    };
    yield {
      at: 'socket',
      headers: {
        Host: chance.one(['evil.test', 'localhost:80', '127.0.0.1', 'letterlock.evil.test', 'LETTERLOCK']),
      },
      right: [403, 400],
    };
    yield { at: 'socket', headers: {}, right: [200] };
  }
}

async function outside({ at, text, headers, right }, here) {
  const { book, metrics } = here;
  const status =
    at === 'metrics'
      ? (await exchange(metrics, Buffer.from(text))).statuses[0]
      : (await overSocket(here, { path: '/v1/status', headers })).status;
  book.check(
    right.includes(status),
    'a request is answered wrongly',
    () => `${at}: ${text ?? JSON.stringify(headers)} got ${status}`,
  );
}
