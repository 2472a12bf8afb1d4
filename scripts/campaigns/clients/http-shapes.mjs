// Requests that no two readers of HTTP read alike, and ones that are too large. None has a token.

/** An order that would change pins. */
export const poison = JSON.stringify({
  command: 'add',
  endpoint: 'evil.test:993',
  pin: `sha256//${Buffer.alloc(32, 6).toString('base64')}`,
  note: 'x',
});

/** A second request, an order, in places where some reader of HTTP would begin a new one. */
export function* smuggled({ door }, chance) {
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

/** Too much of everything a request has. */
export function* oversized({ door }) {
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
