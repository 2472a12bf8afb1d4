// Bytes behind the client's STARTTLS (ATTACKS.md S1, S2, S5, S6): whole commands and every beginning of them, in the
// same segment or cut anywhere, before the greeting or after it, and a client that goes on with TLS as if nothing had
// been. Each such connection has to end without TLS, without a word more than greeting and go-ahead, and with nothing
// at the server. The twin of each: the same client without those bytes is served.

import { isPrologue, recordOf } from './upstream.mjs';
import { shown } from './book.mjs';
import { cutAt } from './chance.mjs';
import { answered, greeted, relayed } from './steps.mjs';
import { countOf, crew } from './world.mjs';

const hands = 12;
/** Of each kind, however slow the machine. */
const least = 40;
const inTheSameSegment = { reasons: ['protocol'], label: 'one segment' };
/** What comes after the go-ahead was sent is no TLS. */
const cut = { reasons: ['protocol', 'plain-on-tls', 'http'], label: 'cut' };

/** Of every protocol, as letterlock says it. */
const goAhead = /begin TLS now"?\r\n/;

/** Not commands at all, but what a sloppy buffer would keep. */
const crumbs = ['\n', '\r\n', ' ', 'A', '\0', '\r', '\x16', '\x16\x03', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'];

export async function injection(run) {
  const { world, book, chance } = run;
  const routes = world.of({ leg: 'starttls' });
  const twins = new Map();
  await crew(routes, { hands, signal: run.signal }, async (route) => {
    twins.set(route.name, await twinOf(route, run));
  });
  await world.quiet();
  takeAll(world, routes);
  await batch(wholeCases(routes, { world, chance }), inTheSameSegment, { ...run, twins, routes });
  await batch(cutCases(routes, { world, chance }), cut, { ...run, twins, routes });
  book.count('routes injected into', routes.length);
}

/** The good client: what letterlock itself says to it, in clear. */
async function twinOf(route, { world, book }) {
  const client = world.client(route.name);
  const good =
    (await greeted(client, route, world)) &&
    (await relayed(client, route, world)) &&
    (await answered(client, route));
  book.check(good, 'a good client is not served', `on ${route.name}: ${shown(client.heard)}`);
  client.close();
  return client.heardInClear ?? client.heard;
}

/** Every command to inject and every beginning of it, right behind STARTTLS. */
function* wholeCases(routes, { world, chance }) {
  const all = routes.flatMap((route) =>
    [
      ...route.dialect.injected.map((text) => world.said(text)),
      ...crumbs.map((text) => Buffer.from(text, 'latin1')),
    ].map((injected) => ({ route, injected })),
  );
  for (const { route, injected } of chance.shuffled(all)) {
    yield { route, injected, kind: 'behind', continues: chance.flip() };
    yield { route, injected, kind: 'hello', continues: true };
  }
  for (;;) {
    const { route, injected } = chance.one(all);
    const beginning = injected.subarray(0, 1 + chance.below(injected.length));
    yield {
      route,
      injected: beginning,
      kind: chance.flip(0.3) ? 'early' : 'behind',
      continues: chance.flip(),
    };
  }
}

/** The same cut at every place, then anywhere. */
function* cutCases(routes, { world, chance }) {
  const perRoute = routes.flatMap((route) =>
    route.dialect.injected.map((text) => ({ route, injected: world.said(text) })),
  );
  for (;;) {
    const { route, injected } = chance.one(perRoute);
    const beginning = chance.flip() ? injected : injected.subarray(0, 1 + chance.below(injected.length));
    const all = Buffer.concat([Buffer.from(route.dialect.startTls), beginning]);
    const pieces = chance.flip() ? cutAt(all, [1 + chance.below(all.length - 1)]) : chance.pieces(all, 8);
    yield { route, injected: beginning, pieces, kind: 'cut', continues: chance.flip(0.7) };
  }
}

const takeAll = (world, routes) =>
  [...new Set(routes.map(({ name }) => world.upstreams.get(name)))].flatMap((upstream) => upstream.take());

async function batch(cases, { reasons, label }, run) {
  const { world, book, routes, until, signal } = run;
  const before = await world.rejections();
  const failedBefore = await world.series('failures_total');
  const share = performance.now() + (until - performance.now()) / (label === cut.label ? 1 : 2);
  const done = await crew(cases, { hands, until: share, signal, least }, (one) => inject(one, run));
  book.check(await world.quiet(), 'a client stays', `sessions are open after ${label} injections`);
  book.count(`injections (${label})`, done);
  for (const { clear, inside } of takeAll(world, routes).map(recordOf)) {
    book.check(inside.length === 0, 'injected bytes reached the server', () => `${label}: ${shown(inside)}`);
    book.check(
      isPrologue(clear),
      'the server heard of the client before TLS',
      () => `${label}: ${shown(clear)}`,
    );
  }
  await counted(done, { before, failedBefore, reasons, label }, run);
}

/** A client that leaves half way through its handshake is no rejection, but counted as well. */
async function counted(done, { before, failedBefore, reasons, label }, { world, book, routes }) {
  const rejections = await world.rejections(before);
  const failures = await world.series('failures_total');
  const rejected = routes.reduce((sum, { name }) => sum + countOf(rejections, { route: name, reasons }), 0);
  const failed = routes.reduce((sum, { name }) => {
    const labels = `route="${name}",reason="client"`;
    return sum + (failures.get(labels) ?? 0) - (failedBefore.get(labels) ?? 0);
  }, 0);
  const expected = label === cut.label ? rejected + failed : rejected;
  book.check(
    expected === done,
    'an injection is counted wrongly',
    `${done} injections (${label}), ${rejected} rejected as ${reasons.join(', ')}, ${failed} failed as client`,
  );
}

async function inject({ route, injected, pieces, kind, continues }, { world, book, twins }) {
  const client = world.client(route.name);
  const { dialect } = route;
  const { startTls } = dialect;
  const ahead = Buffer.concat([Buffer.from(startTls), injected]);
  const what = () => `${route.name}, ${kind}: ${shown(Buffer.concat(pieces ?? [ahead]))}`;
  try {
    if (kind !== 'early') await client.hears(route.dialect.greeted);
    let made = false;
    if (kind === 'hello') made = await client.secure({ ca: world.localCa, ahead: Buffer.from(startTls) });
    else {
      await client.pieces(pieces ?? [ahead]);
      if (continues) {
        await client.until(() => client.over !== null || goAhead.test(client.text), 2000);
        made = await client.secure({ ca: world.localCa });
      }
    }
    book.check(!made, 'TLS was made over injected bytes', what);
    if (made) await answered(client, route);
    else book.check(await client.ended(), 'a client that injects is not closed', what);
    const heard = client.heardInClear ?? client.heard;
    book.check(
      isPrefix(heard, twins.get(route.name)),
      'an injected command was answered',
      () => `${what()} heard ${shown(heard)}`,
    );
    book.check(!world.tells(client.heard) && !world.tells(heard), 'a secret was echoed', what);
  } finally {
    client.close();
  }
}

/** Nothing but greeting and go-ahead, as far as they came; an alert of TLS may follow. */
function isPrefix(heard, whole) {
  const same = Math.min(heard.length, whole.length);
  if (!heard.subarray(0, same).equals(whole.subarray(0, same))) return false;
  return heard.length <= whole.length || heard[whole.length] === 0x15;
}
