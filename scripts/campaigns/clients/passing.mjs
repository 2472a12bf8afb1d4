// What goes through has to go through as it is, both ways, byte for byte: the ends of data that SMTP smuggling is made
// of, BDAT, IMAP literals, pipelines, binary, lines without an end; in any pieces, on every kind of leg. And an end is
// an end, a reset a reset: nothing that would end a mail is ever made up.

import { shown } from './book.mjs';
import { greeted, relayed } from './steps.mjs';
import { isPrologue, recordOf } from './upstream.mjs';
import { crew } from './world.mjs';

const hands = 8;

/** CVE-2023-51764 to 51766: what one server takes for the end of a mail and the next one does not. */
const ends = [
  '\n.\n',
  '\n.\r\n',
  '\r.\r',
  '\r\n.\n',
  '\r\n.\r',
  '\n.\r',
  '\r\n\0.\r\n',
  '\r\n.\r\n',
  '\r\n..\r\n',
  '\r\n.\r\r\n',
  '\r\n\v.\r\n',
  '.\r\n',
];
const smuggled = 'MAIL FROM:<smuggled@x>\r\nRCPT TO:<victim@x>\r\nDATA\r\nSubject: smuggled\r\n\r\nx';
const pieces = [
  ...ends.map((end) => `text${end}${smuggled}${end}`),
  'STARTTLS\r\n',
  'a9 STARTTLS\r\n',
  '250 ',
  '250-STARTTLS\r\n250 AUTH SCRAM-SHA-256-PLUS\r\n',
  '* CAPABILITY IMAP4rev1 STARTTLS AUTH=SCRAM-SHA-256-PLUS\r\n',
  '* PREAUTH hi\r\n',
  `BDAT ${smuggled.length + 5}\r\n\r\n.\r\n${smuggled}BDAT 0 LAST\r\n`,
  'BDAT 4 LAST\r\n250 ',
  'a5 APPEND inbox {12}\r\n\r\n.\r\na6 BYE\r\n',
  'a5 APPEND inbox {3+}\r\nx\r\n\r\n',
  'a5 APPEND inbox ~{4}\r\n\0\xff\n\r\r\n',
  'a7 IDLE\r\nDONE\r\n',
  'a8 COMPRESS DEFLATE\r\n',
  'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  '\x16\x03\x01\x00\x05hello',
  'QUIT\r\nNOOP\r\nRSET\r\n',
  '\r',
  '\n',
  '\r\n',
  '\0',
  '\xff\xfb\x01',
];

export async function passing(run) {
  const { world, book, chance, until, signal } = run;
  const routes = world.of({}).filter(({ way, leg }) => way !== 'slow' || leg === 'off');
  for (const { name } of routes) world.upstreams.get(name).take();
  const sent = new Map();
  const done = await crew(cases(routes, { world, chance }), { hands, until, signal, least: 40 }, (one) =>
    pass(one, { ...run, sent }),
  );
  await world.quiet();
  book.count('dialogues compared', done);
  for (const upstream of new Set(routes.map(({ name }) => world.upstreams.get(name))))
    for (const record of upstream.take().map(recordOf)) compare(record, { book, sent });
  book.check(sent.size === 0, 'the server did not hear what was said', () => `${sent.size} dialogues`);
}

function* cases(routes, { world, chance }) {
  for (let number = 1; ; number += 1) {
    const route = routes[number % routes.length];
    yield { route, number, ...drawn(route, { world, chance }) };
  }
}

/** `first`: what a filter that follows the login looks at; `echoed`: all comes back; else each line is answered. */
function drawn({ dialect, protocol, leg, way }, { world, chance }) {
  const { logins, harmless } = dialect;
  const login = Array.from({ length: chance.below(5) }, () => chance.one([...logins, ...harmless])).map(
    (text) => world.said(text),
  );
  const size = chance.flip(0.05) ? 200_000 + chance.below(900_000) : chance.below(4000);
  const parts = Array.from({ length: 1 + chance.below(8) }, () => {
    if (chance.flip(0.7)) return Buffer.from(chance.one(pieces), 'latin1');
    return chance.flip()
      ? chance.bytes(chance.below(300))
      : Buffer.alloc(size, chance.one(['a', '\r', '\n', '.', '\0']));
  });
  const body = Buffer.concat(parts);
  const tag = protocol === 'imap' ? 'e1 ' : '';
  return {
    login,
    body,
    how: chance.one(['echoed', 'echoed', 'answered']),
    way: chance.one(['whole', 'pieces', 'pieces']),
    leaves: chance.one(['close', 'end', 'reset']),
    // Before it is greeted, which only a client in clear can.
    early: leg === 'off' && protocol !== 'sieve' && chance.flip(way === 'slow' ? 1 : 0.3),
    cuts: chance.pieces(body, 12),
    tag,
  };
}

async function pass(one, run) {
  const { route, number, login, body, how, way, leaves, cuts, tag, early } = one;
  const { world, book, sent } = run;
  const client = world.client(route.name);
  const what = () => `${route.name}, ${how}, ${way}${early ? ', early' : ''}: ${shown(body)}`;
  const mark = Buffer.from(`${tag}XMARK${number}\r\n`);
  const echo = Buffer.from(how === 'echoed' ? `${tag}XECHO\r\n` : '');
  const opening = Buffer.concat([mark, ...login, echo]);
  const all = Buffer.concat([opening, body]);
  const say = () => (way === 'whole' ? client.write(all) : client.pieces([opening, ...cuts], 1));
  try {
    if (early) await say();
    const from = await greetingOf(client, one, run);
    if (from === null)
      return book.found('a good client is not served', `on ${route.name}: ${shown(client.heard)}`);
    sent.set(mark.toString(), { all, what, leaves, heard: () => client.heard.subarray(from) });
    if (!early) await say();
    // The last thing said is known to have arrived when it comes back.
    const seal = Buffer.from(`${tag}XSEAL${number}\r\n`);
    sent.get(mark.toString()).all = Buffer.concat([all, Buffer.from('\r\n'), seal]);
    client.write(Buffer.concat([Buffer.from('\r\n'), seal]));
    const came = await client.until(() => client.heard.indexOf(seal, from) >= 0);
    book.check(came, 'what was said does not come back', what);
    if (leaves === 'end') {
      client.finish();
      book.check(await client.ended(), 'an end is not carried to its end', what);
    }
    if (leaves === 'reset') client.reset();
  } finally {
    client.close();
  }
}

/** How much of what is heard is greeting; null where there is none. */
async function greetingOf(client, { route, early }, { world }) {
  if (early) return (await client.line())?.length ?? null;
  const good = (await greeted(client, route, world)) && (await relayed(client, route, world));
  return good ? client.heard.length : null;
}

function compare({ clear, inside, said, ended }, { book, sent }) {
  book.check(isPrologue(clear), 'the server heard of the client before TLS', () => shown(clear));
  const mark = /^(?:e1 )?XMARK\d+\r\n/.exec(inside.subarray(0, 40).toString('latin1'))?.[0];
  const one = mark === undefined ? undefined : sent.get(mark);
  if (one === undefined)
    return book.check(inside.length === 0, 'the server heard what nobody said', () => shown(inside));
  sent.delete(mark);
  book.check(
    inside.equals(one.all),
    'the server heard something else',
    () => `${one.what()}: ${difference(inside, one.all)}`,
  );
  const heard = one.heard();
  // A greeting said before, which a STARTTLS leg swallows, is not part of what is compared.
  const tail = said.subarray(Math.max(0, said.length - heard.length));
  book.check(
    heard.equals(tail),
    'the client heard something else',
    () => `${one.what()}: ${difference(heard, tail)}`,
  );
  if (one.leaves === 'end') book.check(ended, 'an end is not carried as an end', one.what);
  if (one.leaves === 'reset') book.check(!ended, 'a reset is carried as an end', one.what);
  book.count('bytes compared', inside.length + heard.length);
}

function difference(one, other) {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  return `at ${at} of ${one.length} and ${other.length}: ${shown(one.subarray(at, at + 40))} and not ${shown(other.subarray(at, at + 40))}`;
}
