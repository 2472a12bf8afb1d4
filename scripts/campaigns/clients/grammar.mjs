// What a client says before its STARTTLS (ATTACKS.md S3, S4): logins and mail commands, which are refused without a
// trace of the secret, commands that only look like STARTTLS, and then the real one. Nothing of it may outlive the
// handshake: the server hears what is said inside TLS, and not one byte more.

import { shown } from './book.mjs';
import { greeted, relayed } from './steps.mjs';
import { recordOf } from './upstream.mjs';
import { crew } from './world.mjs';

const hands = 8;
const endings = ['imap', 'sieve'];

const closing = (text) => ({ text, comes: 'end' });
const no = (text) => ({ text, comes: 'no' });

/** Each with what has to come of it: TLS, a no, or an end. */
function looks(protocol, word) {
  const literals = endings.includes(protocol)
    ? [closing(`${word} {3+}\r\n`), protocol === 'sieve' ? closing(`${word} {3}\r\n`) : no(`${word} {3}\r\n`)]
    : [no(`${word} {3+}\r\n`), no(`${word} {3}\r\n`)];
  return [
    { text: `${word.toLowerCase()}\r\n`, comes: 'tls' },
    {
      text: `${[...word].map((letter, at) => (at % 2 === 0 ? letter.toLowerCase() : letter)).join('')}\r\n`,
      comes: 'tls',
    },
    ...[' foo', ' ', '  ', '\t', ';', '.', ' \t', ' "x"', ` ${word}`, 'X', '\x7f', '\xa0', '\u0130'].map(
      (tail) => no(`${word}${tail}\r\n`),
    ),
    // Before the tag of IMAP an X is a longer tag.
    ...[
      ' ',
      '\t',
      ...(protocol === 'imap' ? [] : ['X']),
      'UID ',
      'NOOP ',
      '* ',
      '+ ',
      '\xef\xbb\xbf',
      '"',
    ].map((head) => no(`${head}${word}\r\n`)),
    no(`${word.slice(0, -1)}\r\n`),
    no(`${word.replace('S', '\xc5\xbf')}\r\n`),
    ...literals,
    closing(`${word}\n`),
    closing(`${word}\r\r\n`),
    closing(`${word}\0\r\n`),
    closing(`${word}\rNOOP\r\n`),
    closing(`\n${word}\r\n`),
  ];
}

export async function grammar(run) {
  const { world, book, chance, until, signal } = run;
  const routes = world.of({ leg: 'starttls' });
  for (const { name } of routes) world.upstreams.get(name).take();
  const marks = new Map();
  const done = await crew(cases(routes, chance), { hands, until, signal, least: 40 }, (one) =>
    talk(one, { ...run, marks }),
  );
  await world.quiet();
  book.count('talks before STARTTLS', done);
  for (const upstream of new Set(routes.map(({ name }) => world.upstreams.get(name))))
    for (const record of upstream.take().map(recordOf)) {
      const text = record.inside.toString('latin1');
      const isKnown = text === '' || marks.delete(text);
      book.check(isKnown, 'the server heard what was not said inside TLS', () => shown(record.inside));
    }
  book.check(marks.size === 0, 'the server did not hear what was said inside TLS', () =>
    [...marks.keys()].slice(0, 3).join(' '),
  );
}

/** First every look-alike on every route, then fixations of any length. */
function* cases(routes, chance) {
  const all = routes.flatMap((route) =>
    looks(route.protocol, route.dialect.startTls.slice(0, -2)).map((look) => ({ route, look })),
  );
  let number = 0;
  for (const one of chance.shuffled(all)) yield { ...one, number: (number += 1), before: [] };
  for (;;) {
    const route = chance.one(routes);
    const { logins, harmless } = route.dialect;
    const before = Array.from({ length: 1 + chance.below(12) }, () =>
      chance.one(chance.flip(0.7) ? logins : harmless),
    );
    yield { route, look: null, number: (number += 1), before };
  }
}

async function talk({ route, look, number, before }, run) {
  const { world, book } = run;
  const client = world.client(route.name);
  const what = () =>
    `${route.name}: ${shown(Buffer.from([...before, look?.text ?? ''].join('')))}, then ${shown(client.heardInClear ?? client.heard)}`;
  try {
    await greeted(client, route, world);
    for (const text of before) if (!(await refused(client, { route, text, what }, run))) return;
    if (look !== null && look.comes !== 'tls' && !(await lookAlike(client, { route, look, what }, run)))
      return;
    const startTls = look?.comes === 'tls' ? look.text : route.dialect.startTls;
    const secured = await relayed(client, { ...route, dialect: { ...route.dialect, startTls } }, world);
    book.check(!world.tells(client.heardInClear ?? client.heard), 'a secret was echoed', what);
    book.check(
      !route.dialect.offers.test((client.heardInClear ?? '').toString('latin1')),
      'a login was offered before TLS',
      what,
    );
    if (!book.check(secured, 'STARTTLS is refused after what came before', what)) return;
    await fresh(client, { route, number, what }, run);
  } finally {
    client.close();
  }
}

/** Whether the talk goes on; a literal before TLS ends it. */
async function refused(client, { route, text, what }, { world, book }) {
  const { logins, refusedLogin } = route.dialect;
  const from = client.heard.length;
  client.write(world.said(text));
  const line = await client.line(from);
  if (!book.check(line !== null, 'a command before STARTTLS is not answered', what)) return false;
  if (logins.includes(text))
    book.check(
      refusedLogin.test(line),
      'a login before STARTTLS is not refused',
      () => `${what()} heard ${line}`,
    );
  // Answers of more than one line are read to the end of what came with them.
  await client.until(() => client.heard.at(-1) === 0x0a);
  return true;
}

/** Whether the talk goes on. */
async function lookAlike(client, { route, look, what }, { world, book }) {
  const from = client.heard.length;
  client.write(Buffer.from(look.text, 'latin1'));
  if (look.comes === 'end') {
    const made = client.hears(route.dialect.goAhead, 500);
    book.check(await client.ended(), 'a line that breaks the rules does not end the connection', what);
    book.check(
      !route.dialect.goAhead.test(client.heard.subarray(from).toString('latin1')),
      'STARTTLS is taken too widely',
      what,
    );
    await made;
    return false;
  }
  const line = await client.line(from);
  book.check(
    line !== null && !route.dialect.goAhead.test(line),
    'STARTTLS is taken too widely',
    () => `${what()} heard ${line}`,
  );
  book.check(!world.tells(client.heard), 'a secret was echoed', what);
  return line !== null;
}

/** Inside TLS all begins anew: a mark of its own reaches the server, and a second STARTTLS is the server's affair. */
async function fresh(client, { route, number, what }, { book, marks }) {
  const mark = `b1 XMARK${number}\r\n`;
  const text = number % 3 === 0 ? `${mark}${route.dialect.startTls}` : mark;
  marks.set(text, true);
  const from = client.heard.length;
  client.write(text);
  const line = await client.line(from);
  book.check(line !== null, 'the server does not answer inside TLS', what);
  await client.until(() => client.heard.length > from + line.length, text === mark ? 0 : 2000);
}
