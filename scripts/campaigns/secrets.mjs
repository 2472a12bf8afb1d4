// Looks for passwords where none may be. Logs in through every protocol in every way there is (forms.mjs), over good, refusing and
// broken routes, politely and not, with everything switched on that writes something down; then reads log, metrics, admin
// API, feed, page, state files, hooks, webhooks, commands, /proc, crash output and a heap snapshot, and looks for each
// secret in every form a careless program might write it in (needles.mjs): P8 of SECURITY.md.

import { setMaxListeners } from 'node:events';
import { Client, manners } from './secrets/client.mjs';
import { forms, whoFor } from './secrets/forms.mjs';
import { numbersFrom } from './lab/numbers.mjs';
import { Kind } from './secrets/needles.mjs';
import { usePage } from './secrets/page.mjs';
import { Places } from './secrets/places.mjs';
import { World } from './secrets/world.mjs';

const atOnce = 12;
/** Where no server is reached, nothing but a farewell comes. */
const farewellPatienceMs = 300;

const formsOf = (protocol) => Object.keys(forms[protocol]);

/** Every form on every route, in an order by chance; before that each form once where it is served, and each route once. */
function deckOf(routes, random) {
  const one = (list) => list[Math.floor(random() * list.length)];
  const served = (protocol) => routes.filter((route) => route.protocol === protocol && route.kind.good);
  const shuffled = (list) =>
    list
      .map((card) => [random(), card])
      .toSorted(([a], [b]) => a - b)
      .map(([, card]) => card);
  const cover = [
    ...Object.keys(forms).flatMap((protocol) =>
      formsOf(protocol).map((form) => ({ route: one(served(protocol)), form })),
    ),
    ...routes.map((route) => ({ route, form: one(formsOf(route.protocol)) })),
  ];
  const all = routes.flatMap((route) => formsOf(route.protocol).map((form) => ({ route, form })));
  return { cover: shuffled(cover), all: shuffled(all) };
}

/** One client from beginning to end; what is wrong with it, or null. */
async function session({ route, form }, { kind, random, manner, signal, tally }) {
  const who = whoFor(kind, random);
  const client = new Client(route.path, {
    protocol: route.protocol,
    tls: route.tls,
    signal,
    ...(route.kind.good ? {} : { patienceMs: farewellPatienceMs }),
  });
  const steps = forms[route.protocol][form](who);
  const name = `${route.name}, ${form}, ${manner}`;
  if (manner === 'blind') {
    await client.go(steps, manner);
    await client.leave('at once');
    return null;
  }
  const greeted = await client.greeted();
  const inside = greeted && (await client.secure(who));
  const went = inside && (await client.go(steps, manner));
  await client.leave();
  if (!route.kind.good) {
    // A tag is said back to whoever chose it.
    const told = form === 'the password as a tag' ? [] : kind.findIn(Buffer.from(client.heard, 'latin1'));
    return told.length === 0
      ? null
      : `${name}: what letterlock told the client holds a secret: ${told[0].around}`;
  }
  if (went) tally.good += 1;
  if (!went) tally.stuck.push(`${name}: heard ${JSON.stringify(client.heard.slice(-200))}`);
  return null;
}

/** The cover whatever it takes; then all of it politely, and in every manner, while there is time. */
async function allSessions(world, { kind, random, endMs, signal }) {
  const { cover, all } = deckOf(world.routes, random);
  const tally = { sessions: 0, good: 0, pairs: new Set(), most: all.length, stuck: [], findings: [] };
  let next = 0;
  const player = async () => {
    while (!signal.aborted && (next < cover.length || performance.now() < endMs)) {
      const at = next;
      next += 1;
      const card = cover[at] ?? all[(at - cover.length) % all.length];
      const manner =
        at < cover.length || random() < 0.5 ? 'polite' : manners[Math.floor(random() * manners.length)];
      const finding = await session(card, { kind, random, manner, signal, tally });
      tally.sessions += 1;
      tally.pairs.add(`${card.route.name} ${card.form}`);
      if (finding !== null) tally.findings.push(finding);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, player));
  return tally;
}

/** What is no mail program, with something in it that should stay unread. */
async function strangers(world, { kind, signal }) {
  const visit = async (route) => {
    const client = new Client(route.path, {
      protocol: route.protocol,
      tls: route.tls === 'implicit' ? 'implicit' : 'none',
      signal,
      patienceMs: farewellPatienceMs,
    });
    client.say(
      `POST /${kind.secret()} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic ${Buffer.from(`anna:${kind.secret()}`).toString('base64')}\r\nCookie: ${kind.secret()}\r\n\r\n`,
    );
    await client.until(/\n/);
    await client.leave('at once');
  };
  await Promise.all(world.routes.map(visit));
}

/** Looked at while they are open and have just said their password. */
async function whileOpen(world, places, { kind, random, signal }) {
  const open = [];
  try {
    const begin = async (route) => {
      const client = new Client(route.path, { protocol: route.protocol, tls: route.tls, signal });
      open.push(client);
      const who = whoFor(kind, random);
      if ((await client.greeted()) && (await client.secure(who)))
        await client.go(Object.values(forms[route.protocol])[0](who).slice(0, 2), 'polite');
    };
    await Promise.all(world.routes.filter(({ kind: { good } }) => good).map(begin));
    await places.ofDaemon('sessions open');
  } finally {
    await Promise.all(open.map((client) => client.leave()));
  }
  return open.length;
}

/** It ends, and says so without a word of what it was doing. */
async function crash(world, places, { kind, how }) {
  const text = `a LOGIN anna "${kind.secret()}"\n    at LOGIN (${kind.secret()}.js:1:1)`;
  if (how === 'SIGABRT') world.child.kill('SIGABRT');
  else world.order(how, text);
  const exit = await world.exit();
  places.look('crash output', world.logText(), how);
  const said = world.logText().includes('"event":"crashed"');
  if (how === 'SIGABRT') return exit === 'SIGABRT' ? [] : [`SIGABRT ended it with ${exit}`];
  return exit === 1 && said
    ? []
    : [`an error (${how}) ended it with ${exit}${said ? '' : ', without a line that says so'}`];
}

/** Free memory is not wiped, and a part of it is used again: about a tenth is left. A heap snapshot has no octets of buffers. */
const heldBySomebody = (inMemory, all) =>
  inMemory > all / 4
    ? [`${inMemory} of ${all} secrets of sessions that ended are in its memory: somebody holds their octets`]
    : [];

/** SIGUSR1 opens the debugger of Node, which shows every secret to whoever connects. */
async function debuggerShut(world) {
  const reloads = () => world.logText().split('"event":"reloaded"').length;
  const before = reloads();
  world.child.kill('SIGUSR1');
  // What is answered after it came after it.
  world.child.kill('SIGHUP');
  await world.until('a reload', () => reloads() > before);
  return world.logText().includes('Debugger listening')
    ? ['SIGUSR1 opened a debugger to every user of the machine']
    : [];
}

async function run({ build, seconds, seed, folder, signal, say }) {
  const random = numbersFrom(seed);
  const sessions = new Kind('a session', random);
  const configured = new Kind('the configuration', random);
  const page = new Kind('the page', random);
  const kinds = [sessions, configured, page];
  const findings = kinds.flatMap((kind) =>
    kind.blindFor().map((how) => `the search itself does not find a secret: ${how}`),
  );
  const began = performance.now();
  const took = (what) => say(`${what} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
  setMaxListeners(0, signal);
  const world = await World.make({ build, folder, configured, random, signal });
  const places = new Places(world, kinds);
  try {
    await world.start();
    const tally = await allSessions(world, { kind: sessions, random, endMs: began + seconds * 400, signal });
    took(
      `${tally.sessions} sessions, ${tally.pairs.size} pairs of form and route, ${tally.stuck.length} stuck`,
    );
    await strangers(world, { kind: sessions, signal });
    const used = await usePage(world, page);
    took('strangers, page');
    const held = await whileOpen(world, places, { kind: sessions, random, signal });
    took('open');
    for (const [path, text] of used.answers) places.look('page', text, path, [sessions, configured]);
    await places.ofDaemon('sessions over');
    took('closed');
    await places.ofCommands();
    took('commands');
    findings.push(...(await debuggerShut(world)));
    const heapBytes = await places.heap(sessions);
    const inMemory = places.memory(sessions);
    findings.push(...heldBySomebody(inMemory, sessions.count));
    took(
      `the heap has ${Math.round(heapBytes / 1e6)} MB, memory still has ${inMemory} of ${sessions.count} secrets`,
    );
    for (const how of ['throw', 'reject', 'SIGABRT']) {
      findings.push(...(await crash(world, places, { kind: sessions, how })));
      if (how !== 'SIGABRT') await world.start();
    }
    places.files();
    const logins = [...world.servers.values()].reduce((sum, { server }) => sum + server.logins, 0);
    if (tally.stuck.length > 0)
      findings.push(
        `${tally.stuck.length} sessions over good routes did not go as they should: ${tally.stuck.slice(0, 3).join('; ')}`,
      );
    return {
      figures: [
        ['sessions', tally.sessions],
        ['forms on routes', `${tally.pairs.size}/${tally.most}`],
        ['logins that reached a server', logins],
        ['open when looked at', held],
        ['secrets', kinds.reduce((sum, { count }) => sum + count, 0)],
        ['kinds of places', places.looked.size],
        ['looks', [...places.looked.values()].reduce((sum, count) => sum + count, 0)],
        ['MB looked through', Math.round(places.bytes / 1e6)],
        ['secrets in the heap', places.findings.filter((text) => text.startsWith('heap snapshot')).length],
        ['secrets in unwiped memory', inMemory],
      ],
      findings: [...findings, ...used.findings, ...tally.findings, ...places.findings],
    };
  } finally {
    await world.close();
  }
}

export const campaign = {
  name: 'secrets',
  title: 'passwords in logs, metrics, answers, files, crash output and the heap',
  short: 20,
  proof: 20,
  long: 900,
  planted: [
    {
      name: 'logs what a proxy said when it did not take the login, which says it back',
      file: 'src/net/via-http.ts',
      find: "const reason = login === null ? escapeText((found[2] ?? '').slice(0, maxReason)) : '';",
      replace: "const reason = escapeText((found[2] ?? '').slice(0, maxReason));",
    },
    {
      name: 'logs the first line of a client that is no mail program',
      file: 'src/proxy/client-leg.ts',
      find: 'return new ClientRejected(rejection, rejectionText(rejection, this.#mode));',
      replace:
        "return new ClientRejected(rejection, `${rejectionText(rejection, this.#mode)}: ${Buffer.from(this.#held).toString('latin1')}`);",
    },
    {
      name: 'keeps what clients said, to look at it later',
      file: 'src/net/relay.ts',
      find: '  #fromClient(chunk: Uint8Array): void {',
      replace:
        "  static readonly #said: string[] = [];\n  #fromClient(chunk: Uint8Array): void {\n    Relay.#said.push(Buffer.from(chunk).toString('latin1'));",
    },
    {
      name: 'keeps the octets of what clients said',
      file: 'src/net/relay.ts',
      find: '  #fromClient(chunk: Uint8Array): void {',
      replace:
        '  static readonly #said: Uint8Array[] = [];\n  #fromClient(chunk: Uint8Array): void {\n    Relay.#said.push(Buffer.from(chunk));',
    },
    {
      name: 'tells the words of an error when it ends',
      file: 'src/daemon.ts',
      find: "message: 'letterlock made a mistake and ends; please report this line',",
      replace: 'message: `letterlock made a mistake and ends: ${String(error)}`,',
    },
    {
      name: 'lets SIGUSR1 open a debugger',
      file: 'cmd/debugger.ts',
      find: "process.on('SIGUSR1', () => undefined);",
      replace: "process.on('SIGCONT', () => undefined);",
    },
  ],
  run,
};
