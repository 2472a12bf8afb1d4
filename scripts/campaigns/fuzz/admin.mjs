// What comes to the admin API (src/admin/): paths, bodies in any pieces, headers of browsers. JSON of a request, as
// fast-check or a mutant makes it. Never an exception but a CommandError, never a status that no route has, and an order
// that is let through has the fields of one and no others.

import { Readable } from 'node:stream';
import { demand, demandSame, onlyThrows } from './engine/broken.mjs';
import { cutByChance, randomFrom } from './engine/random.mjs';

const statuses = [200, 400, 404, 405, 409, 413, 415, 422, 500, 502, 503];
const spki = `sha256//${Buffer.alloc(32, 1).toString('base64')}`;
const commands = [
  {
    command: 'approve',
    endpoint: 'a.example:993',
    expect: spki,
    forMs: null,
    as: null,
    keep: false,
    endOld: false,
    unreject: false,
  },
  { command: 'reject', endpoint: 'a.example:993', expect: spki },
  { command: 'forget', endpoint: 'a.example:993', expect: null, yes: true },
  { command: 'undo', endpoint: '[2001:db8::1]:993' },
  { command: 'add', endpoint: 'a.example:993', pin: spki, forMs: 1000, unreject: true },
];
const fieldsOf = { approve: 8, reject: 3, forget: 4, undo: 2, add: 5 };
const imports = [
  {
    orders: [
      { endpoint: 'a.example:993', entries: [{ kind: 'pin', spki, until: null }], keep: true, unreject: [] },
    ],
    apply: false,
  },
  { orders: [], apply: true },
];
const paths = [
  '/v1/status',
  '/v1/pins',
  '/v1/pins/a.example%3A993',
  '/v1/candidates/7F3AK2QM',
  '/v1/history?endpoint=a.example:993',
  '/v1/explain/pin-mismatch',
  '/v1/events?after=12',
  '/v1/commands',
  '/v1/import',
  '/v1/probes',
  '/v1/reload',
  '/v1/dashboard',
  '/v1/verify',
  '/v1/schema',
  '/v1/sessions',
  '/v1/endpoints',
  '/v1/records',
];

/** Says what it was asked, and has no state. */
const operator = new Proxy(
  {},
  { get: (_, name) => async (asked) => ({ asked: String(name), of: asked ?? null }) },
);

/** A route by looking at the pieces of the path; null for none. */
function simplyRouted(url) {
  const [path, ...query] = url.split('?');
  const pieces = path.split('/').slice(1);
  if (pieces[0] !== 'v1' || !path.startsWith('/')) return null;
  if (pieces.length === 2)
    return query.length > 0 && !['history', 'events'].includes(pieces[1]) ? null : pieces[1];
  return pieces.length === 3 &&
    query.length === 0 &&
    ['pins', 'candidates', 'explain'].includes(pieces[1]) &&
    pieces[2] !== ''
    ? pieces[1]
    : null;
}

const isTexts = (list) => Array.isArray(list) && list.every((one) => typeof one === 'string');

export const target = {
  name: 'admin',
  files: ['api', 'routes', 'http', 'command-schema', 'import-schema', 'web/guard', 'web/bearer'].map(
    (file) => `src/admin/${file}`,
  ),
  dictionary: [
    '/v1/',
    'pins/',
    '%2f',
    '%',
    '?',
    '=',
    '&',
    '..',
    '//',
    '"command":',
    '"endpoint":',
    '"__proto__":',
    '"constructor":',
    '"toString":',
    '"apply":true',
    'null',
    '1e999',
    '[[[[',
    '\\u0000',
    'POST',
    'GET',
    'HEAD',
    'application/json',
    'Bearer ',
    'same-origin',
    'cross-site',
    'localhost:9466',
  ],
  longest: 4000,
  structured: 0.6,
  prepare: async (from) => {
    const { answerRequest } = await from('src/admin/api');
    const { matchRoute } = await from('src/admin/routes');
    const { readBody } = await from('src/admin/http');
    const { parseCommand, parseDashboard, parseProbe } = await from('src/admin/command-schema');
    const { parseImport } = await from('src/admin/import-schema');
    const { objectionTo } = await from('src/admin/web/guard');
    const { bearerOf } = await from('src/admin/web/bearer');
    const checkUrl = (url) => {
      const matched = matchRoute(url);
      if (matched === null) return;
      demand(simplyRouted(url) !== null, 'a route is one of the table', url);
      demand(
        matched.argument === null || (matched.argument !== '' && matched.argument.length <= 300),
        'what stands in a path is bounded',
        matched.argument,
      );
    };
    const checkAnswer = async ({ method, url, body, after }) => {
      const answer = await answerRequest(operator, { method, url, body, lastEventId: after });
      if (!('status' in answer))
        return demand(
          answer.after === null || Number.isSafeInteger(answer.after),
          'a place in the stream is a number',
          answer.after,
        );
      demand(statuses.includes(answer.status), 'an answer has a known status', answer.status);
      demand(
        answer.status !== 500,
        'nothing a client sends is a mistake of ours',
        JSON.stringify(answer.body),
      );
      if (answer.status === 200 && answer.route === 'commands')
        demandSame(
          Object.keys(answer.body.of).length,
          fieldsOf[answer.body.of.command],
          'an order has its fields and no others',
        );
      if (answer.status !== 200)
        demand(
          typeof answer.body.error.code === 'string' && answer.body.error.message.length < 2000,
          'an error has the one shape',
        );
    };
    const checkBodies = (body) => {
      for (const parse of [parseCommand, parseImport, parseProbe, parseDashboard]) {
        const read = onlyThrows(['CommandError'], () => parse(body));
        if (read !== undefined && typeof read === 'object')
          demand(
            Object.getPrototypeOf(read) === Object.prototype && !Object.hasOwn(read, '__proto__'),
            'what was read is plain',
          );
      }
      demand({}.polluted === undefined, 'no prototype is changed');
    };
    const checkPieces = async ({ text, url, type }) => {
      const bytes = Buffer.from(text);
      const read = async (pieces) =>
        readBody(Object.assign(Readable.from(pieces), { url, headers: { 'content-type': type } }));
      const whole = await read(bytes.length === 0 ? [] : [bytes]);
      demandSame(
        await read(cutByChance(bytes, randomFrom(bytes.length))),
        whole,
        'a body in other pieces reads the same',
      );
      demand(
        !('status' in whole) || [400, 413, 415].includes(whole.status),
        'a body that is not read has a reason',
        whole.status,
      );
    };
    const checkDoor = ({ method, headers, token }) => {
      const hosts = ['localhost:9466', '127.0.0.1:9466'];
      for (const kind of ['page', 'file', 'session', 'api']) {
        const objection = objectionTo({ method, kind, headers, hosts });
        if (objection !== null) continue;
        const [host, ...more] = headers.host ?? [];
        demand(
          more.length === 0 && hosts.includes(host?.toLowerCase()),
          'who is let in came by our name',
          headers,
        );
        demand(
          headers.origin === undefined || headers.origin.join() === `http://${host.toLowerCase()}`,
          'who is let in came from our own page',
          headers,
        );
        const site = headers['sec-fetch-site']?.join();
        demand(
          site === undefined || site === 'same-origin' || (site === 'none' && kind === 'page'),
          'who is let in is of the same site',
          headers,
        );
        demand(
          ['GET', 'HEAD'].includes(method) || headers.origin !== undefined || site === 'same-origin',
          'who changes something says where from',
          headers,
        );
      }
      const bearer = bearerOf({ headersDistinct: { authorization: token } });
      demand(
        bearer === null || (token.length === 1 && token[0] === `Bearer ${bearer}` && bearer.length <= 100),
        'a token is the only one that was sent',
        token,
      );
    };
    const run = async (bytes) => {
      const text = bytes.toString('utf8');
      checkUrl(text.slice(0, 500));
      const given = requestOf(text);
      if (given === null) return;
      checkUrl(given.url);
      checkBodies(given.body);
      await checkAnswer(given);
      await checkPieces({ text: given.text, url: given.url, type: given.type });
      checkDoor(given);
    };
    const values = (fc) => {
      const word = fc.oneof(
        fc.constantFrom(
          '',
          'localhost:9466',
          'evil.example',
          'http://localhost:9466',
          'http://127.0.0.1:9466',
          'null',
          'same-origin',
          'none',
          'cross-site',
          'cors',
          'navigate',
          'document',
          'empty',
          'LOCALHOST:9466',
        ),
        fc.string({ maxLength: 12 }),
      );
      const header = fc.array(word, { minLength: 1, maxLength: 2 });
      const body = fc.oneof(
        fc.constantFrom(...commands, ...imports, { endpoint: 'a.example:993' }, { scope: 'read', uid: null }),
        changed(fc, fc.constantFrom(...commands, ...imports)),
        fc.jsonValue({ maxDepth: 3 }),
      );
      return fc.record({
        method: fc.constantFrom('GET', 'HEAD', 'POST', 'DELETE', 'PUT', 'get', ''),
        url: fc.oneof(
          fc.constantFrom(...paths),
          fc.tuple(fc.constantFrom(...paths), fc.string({ maxLength: 10 })).map((parts) => parts.join('')),
          fc.webPath(),
          fc.string({ maxLength: 40 }),
        ),
        body,
        after: fc.option(fc.oneof(fc.nat().map(String), fc.string({ maxLength: 20 })), { nil: null }),
        text: fc.oneof(
          body.map((value) => JSON.stringify(value)),
          fc.string({ maxLength: 60 }),
          fc.constant(`"${'x'.repeat(70_000)}"`),
        ),
        type: fc.constantFrom(
          'application/json',
          'application/json; charset=utf-8',
          'text/plain',
          'application/jsonp',
          '',
        ),
        headers: fc.dictionary(
          fc.constantFrom('host', 'origin', 'sec-fetch-site', 'sec-fetch-mode', 'sec-fetch-dest'),
          header,
        ),
        token: fc.array(
          fc.oneof(
            fc.constantFrom('Bearer abc', 'bearer abc', 'Bearer  x', `Bearer ${'a'.repeat(101)}`),
            fc.string({ maxLength: 20 }),
          ),
          { maxLength: 2 },
        ),
      });
    };
    const seedOf = (part) =>
      JSON.stringify({
        method: 'POST',
        url: '/v1/commands',
        body: commands[0],
        after: null,
        text: '{}',
        type: 'application/json',
        headers: { host: ['localhost:9466'], origin: ['http://localhost:9466'] },
        token: ['Bearer abc'],
        ...part,
      });
    const seeds = [
      ...commands.map((body) => seedOf({ body })),
      ...imports.map((body) => seedOf({ url: '/v1/import', body })),
      seedOf({ url: '/v1/probes', body: { endpoint: 'a.example:993' } }),
      ...paths.map((url) => seedOf({ method: 'GET', url, body: null })),
      ...paths,
    ];
    return { seeds, run, values };
  },
};

/** A body with one thing changed: gone, more, or of another kind. */
const changed = (fc, bodies) =>
  fc
    .tuple(
      bodies,
      fc.constantFrom(
        'command',
        'endpoint',
        'expect',
        'forMs',
        'as',
        'keep',
        'orders',
        'apply',
        'x',
        '__proto__',
      ),
      fc.oneof(fc.constant(undefined), fc.jsonValue({ maxDepth: 2 })),
    )
    .map(([body, key, value]) => ({ ...body, [key]: value }));

function requestOf(text) {
  try {
    const given = JSON.parse(text);
    const isSound =
      ['method', 'url', 'text', 'type'].every((name) => typeof given[name] === 'string') &&
      isTexts(given.token) &&
      Object.values(given.headers).every(isTexts) &&
      (given.after === null || typeof given.after === 'string');
    return isSound ? given : null;
  } catch {
    return null;
  }
}
