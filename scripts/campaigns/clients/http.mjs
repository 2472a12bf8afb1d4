// What speaks HTTP at letterlock: the page's door, the metrics page and the admin socket. Every combination of Host,
// Origin and what browsers say of themselves, drawn from good and bad values: one bad one is enough to be refused, all
// good ones are served. Then requests that two readers would read differently (smuggling), and too large ones. Without
// a token nothing is ever answered with 2xx, and the pins stay as they are.

import { request } from 'node:http';
import { join } from 'node:path';
import { Client } from './client.mjs';
import { shown } from './book.mjs';
import { asked } from './http-asked.mjs';
import { oversized, poison, smuggled } from './http-shapes.mjs';
import { crew } from './world.mjs';

const hands = 6;
/** Of requests whose rest never comes, which letterlock waits for. */
const waiting = 36;

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
    await crew(smuggled(here, chance), { hands: waiting, until: share(0.75), signal, least: 36 }, (one) =>
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
