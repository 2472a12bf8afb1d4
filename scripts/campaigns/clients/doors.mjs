// Who is no mail client of this port: HTTP in every form a browser or a tool sends it, TLS where a port begins in
// clear, plain text where it begins with TLS, and TLS for another protocol (ALPN). Before the first byte, behind the
// client's STARTTLS, in any pieces. Closed without a word to the server, and counted for what it was. The twins are
// mail commands that look like HTTP, and the right name in ALPN.

import { shown } from './book.mjs';
import { answered, greeted, relayed } from './steps.mjs';
import { recordOf } from './upstream.mjs';
import { countOf, crew } from './world.mjs';

const hands = 10;
const verbs = ['GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE'];
const strangeVerbs = [
  'CONNECT',
  'PROPFIND',
  'M-SEARCH',
  'get',
  'Post',
  'X!#$%',
  'PRI',
  'SOURCE',
  'LOGIN',
  'EHLO',
  'USER',
];
const targets = [
  '/',
  '/a?b=c',
  '/%0d%0a',
  '*',
  'http://127.0.0.1/',
  'https://x.test/',
  'x.test:443',
  '/../../etc/passwd',
];
const versions = [' HTTP/1.1', ' HTTP/1.0', ' HTTP/2.0', ' HTTP/3'];

/** A request as bytes, with a whole mail dialogue behind it. */
function request({ world, chance }, dialect) {
  const known = chance.flip(0.6);
  const verb = known ? chance.one(verbs) : chance.one(strangeVerbs);
  const spaces = chance.one([' ', ' ', '  ']);
  // Without a version only a known verb and a path make it HTTP.
  const bare = known && chance.flip(0.2);
  const target = bare
    ? chance.one(targets.filter((one) => /^(?:\/|https?:)/.test(one)))
    : chance.one(targets);
  const head = `${verb}${spaces}${target}${bare ? '' : chance.one(versions)}${chance.one(['\r\n', '\n'])}`;
  const long = chance.flip(0.05) ? `${verb} /${'a'.repeat(5000)}` : null;
  const body = dialect.injected.join('');
  return world.said(
    long ?? `${head}Host: 127.0.0.1\r\nContent-Type: text/plain\r\n\r\n${dialect.hello}${body}`,
  );
}

const sslV2 = Buffer.from('802e0103010015000000100100800300800700c006004002008004008000', 'hex');

/** A first record of TLS, of any version. */
const record = (chance) =>
  chance.flip(0.2)
    ? sslV2
    : Buffer.concat([
        Buffer.from([0x16, 0x03, chance.below(5), 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]),
        chance.bytes(200),
      ]);

/** Where it is said, what, and what it is counted as. */
const kinds = [
  { name: 'HTTP in clear', legs: ['off', 'starttls'], said: request, reasons: ['http'] },
  { name: 'HTTP inside TLS', legs: ['starttls', 'implicit'], inside: true, said: request, reasons: ['http'] },
  {
    name: 'HTTP where TLS begins',
    legs: ['implicit'],
    unheard: true,
    said: request,
    reasons: ['http', 'plain-on-tls'],
  },
  {
    name: 'TLS where clear begins',
    legs: ['off', 'starttls'],
    said: ({ chance }) => record(chance),
    reasons: ['tls-on-plain'],
  },
  {
    name: 'text where TLS begins',
    legs: ['implicit'],
    unheard: true,
    said: ({ world, chance }, { logins, injected }) =>
      world.said(`${chance.one([...logins, ...injected])}........`),
    reasons: ['plain-on-tls'],
  },
  {
    name: 'another ALPN',
    legs: ['implicit', 'starttls'],
    alpn: [['h2', 'http/1.1'], ['http/1.1'], ['xmpp-client'], ['\0'], ['smtp']],
    reasons: ['alpn'],
  },
];

export async function doors(run) {
  const { book, signal, until } = run;
  const begun = performance.now();
  for (const [at, kind] of kinds.entries()) {
    const share = begun + ((until - begun) * (at + 1)) / (kinds.length + 1);
    await strangers(kind, { ...run, until: share, least: 10 });
  }
  const done = await crew(lookAlikes(run), { hands, until, signal, least: 10 }, (one) => served(one, run));
  book.count('look-alikes served', done);
}

async function strangers(kind, run) {
  const { world, book, chance, until, signal, least } = run;
  const routes = kind.legs.flatMap((leg) => world.of({ leg }));
  const upstreams = [...new Set(routes.map(({ name }) => world.upstreams.get(name)))];
  await world.quiet();
  for (const upstream of upstreams) upstream.take();
  const before = await world.rejections();
  const cases = (function* all() {
    for (;;) yield { kind, route: chance.one(routes) };
  })();
  const done = await crew(cases, { hands, until, signal, least }, (one) => strange(one, run));
  book.check(await world.quiet(), 'a stranger stays', kind.name);
  book.count(kind.name, done);
  const rejections = await world.rejections(before);
  const counted = routes.reduce(
    (sum, { name }) => sum + countOf(rejections, { route: name, reasons: kind.reasons }),
    0,
  );
  book.check(
    counted === done,
    'a stranger is counted wrongly',
    `${kind.name}: ${counted} of ${done} as ${kind.reasons.join(', ')}`,
  );
  for (const upstream of upstreams)
    for (const { inside } of upstream.take().map(recordOf))
      book.check(
        inside.length === 0,
        'a stranger reached the server',
        () => `${kind.name}: ${shown(inside)}`,
      );
}

async function strange({ kind, route }, { world, book, chance }) {
  const client = world.client(route.name);
  const { dialect } = route;
  if (kind.alpn !== undefined) return foreignTls(client, { kind, route }, { world, book, chance });
  const bytes = kind.said({ world, chance }, dialect);
  const what = () => `${kind.name} on ${route.name}: ${shown(bytes)}`;
  try {
    // Before the greeting, or after it.
    const waits = chance.flip();
    if (kind.inside === true) await inside(client, route, world);
    else if (waits && kind.unheard !== true) await greeted(client, route, world);
    const from = client.heard.length;
    const pieces = chance.flip()
      ? [bytes]
      : chance.pieces(bytes.subarray(0, 300), 5).concat(bytes.subarray(300));
    await client.pieces(pieces.filter(({ length }) => length > 0));
    book.check(await client.ended(), 'a stranger is not closed', what);
    const heard = client.heard.subarray(waits || kind.inside === true ? from : client.heard.length);
    book.check(
      heard.length === 0 || heard[0] === 0x15,
      'a stranger was answered',
      () => `${what()} heard ${shown(heard)}`,
    );
    book.check(!world.tells(client.heard), 'a secret was echoed', what);
  } finally {
    client.close();
  }
}

const inside = async (client, route, world) =>
  (await greeted(client, route, world)) && (await relayed(client, route, world));

async function foreignTls(client, { kind, route }, { world, book, chance }) {
  const alpn = chance.one(kind.alpn);
  try {
    if (route.leg === 'starttls') {
      await client.hears(route.dialect.greeted);
      const from = client.heard.length;
      client.write(route.dialect.startTls);
      await client.line(from);
    }
    const made = await client.secure({ ca: world.localCa, alpn });
    book.check(!made, 'TLS of another protocol was made', `${JSON.stringify(alpn)} on ${route.name}`);
    book.check(await client.ended(), 'a stranger is not closed', `${JSON.stringify(alpn)} on ${route.name}`);
  } finally {
    client.close();
  }
}

/** Tags and words of mail that a careless look would take for HTTP. */
const mailWords = {
  imap: ['GET NOOP', 'POST CAPABILITY', 'HTTP/1.1 NOOP', 'PUT NOOP', 'a1 GET / x', 'OPTIONS NOOP'],
  pop3: ['GET x', 'RETR 1', 'TOP 1 0', 'HEAD 1'],
  smtp: ['VRFY /x HTTP', 'HELP GET', 'EXPN list', 'GET x'],
  lmtp: ['VRFY /x HTTP', 'GET x'],
  sieve: ['GETSCRIPT "x"', 'PUTSCRIPT "x" ""', 'HAVESPACE "x" 9', 'DELETESCRIPT "x"'],
};

function* lookAlikes({ world, chance }) {
  for (;;) {
    const route = chance.one(world.of({}).filter(({ way }) => way !== 'slow'));
    yield {
      route,
      text: chance.one(mailWords[route.protocol]),
      alpn: chance.flip() ? route.dialect.alpn : [],
    };
  }
}

async function served({ route, text }, { world, book, chance }) {
  const client = world.client(route.name);
  try {
    const good = await inside(client, route, world);
    const from = client.heard.length;
    await client.pieces(chance.pieces(Buffer.from(`${text}\r\n`), 4));
    const line = good ? await client.line(from) : null;
    book.check(
      line !== null,
      'mail is taken for something else',
      () => `${text} on ${route.name}: ${shown(client.heard)}`,
    );
    if (line !== null)
      book.check(
        await answered(client, route),
        'mail is taken for something else',
        `${text} on ${route.name}`,
      );
  } finally {
    client.close();
  }
}
