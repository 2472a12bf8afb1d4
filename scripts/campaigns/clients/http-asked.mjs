// Requests to the page's door, drawn from good and bad values of all that a browser says of itself, and whether a
// person's own page could have sent them.

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

export function* asked({ door, chance }, token) {
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
