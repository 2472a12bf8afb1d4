// One process that starts damaged state directories and says what letterlock made of each; a process of its own, because a
// damaged database may end the program that opens it. Servers of the known names are impostors first, then the right ones.

import { openSync } from 'node:fs';
import { createSecureContext, connect } from 'node:tls';
import { join } from 'node:path';
import { visit } from './client.mjs';
import { secret } from './post.mjs';
import { MailServer } from './servers.mjs';

const [build, word] = process.argv.slice(2);
const { identities, names, fresh, localCa } = JSON.parse(word);
const { loadConfig } = await import(join(build, 'src/config/load.js'));
const { startDaemon } = await import(join(build, 'src/daemon.js'));
const timing = { farewellDelayMs: 1, farewellMs: 1000, smtpFarewellMs: 1000, lingerMs: 20 };
const env = { HOME: '/nonexistent' };
const nowhere = openSync('/dev/null', 'w');

const withContext = (identity) => ({ ...identity, context: createSecureContext(identity) });
const right = new Map(names.map((name) => [name, withContext(identities[name])]));
const impostor = withContext(identities.impostor);
const rejected = withContext(identities.rejected);
right.set(fresh, withContext(identities[fresh]));

const now = new Map();
const server = await new MailServer(({ name }) => ({
  act: 'serve',
  identity: now.get(name) ?? impostor,
})).listen();

async function started(file) {
  const home = { env, platform: process.platform, uid: process.getuid?.() ?? null, home: '/nonexistent' };
  const sources = { file, routes: [], flags: {}, home, cwd: '/', needsRoutes: true };
  const loaded = await loadConfig(sources);
  if (!loaded.ok)
    return { refused: 'configuration', why: loaded.problems.map(({ message }) => message).join('; ') };
  try {
    const options = { env: {}, execArgv: [], logFd: nowhere, timing, reread: null };
    return { daemon: await startDaemon(loaded.config, options) };
  } catch (error) {
    const isClear = typeof error.exit === 'string' && error.exit !== 'internal' && error.message !== '';
    const why = isClear ? error.message : String(error.stack);
    return { refused: isClear ? error.exit : 'a mistake', why };
  }
}

const inOrder = (one, other) => (one < other ? -1 : 1);

/** Of each endpoint that was known: which keys count, and which never will. */
const trustOf = (pins) =>
  pins
    .map(({ endpoint, pins: own, rejected: never }) => ({
      endpoint,
      pins: own.map(({ spki, until, origin }) => `${spki} ${origin} ${until}`).toSorted(inOrder),
      rejected: [...never].toSorted(inOrder),
    }))
    // What the case before taught of this one is no damage.
    .filter(({ endpoint }) => !endpoint.startsWith(fresh))
    .filter(({ pins: own, rejected: never }) => own.length + never.length > 0);

async function portsOf(daemon) {
  return new Map(daemon.routes().map(({ name, port }) => [name, port]));
}

/** What clients got; `again-NAME` is another route to the same server, which does not remember what the first one refused. */
async function visits(daemon) {
  const ports = await portsOf(daemon);
  const all = async (what, list) => {
    const came = await Promise.all(
      list.map((name) => visit(ports.get(`${what}${name}`), { secret, ms: 4000 })),
    );
    return Object.fromEntries(list.map((name, index) => [name, came[index].came]));
  };
  for (const name of names) now.set(name, impostor);
  now.set(fresh, right.get(fresh));
  const before = server.heard.length;
  const wrong = await all('', names);
  now.set('approved.faults.test', rejected);
  const never = (await all('never-', ['approved.faults.test']))['approved.faults.test'];
  const stolen = server.heard.slice(before).filter(({ text }) => text !== '').length;
  for (const [name, identity] of right) now.set(name, identity);
  const served = await all('again-', names);
  const unknown = (await all('', [fresh]))[fresh];
  return { wrong, never, stolen, served, unknown, tls: await clientTls(ports.get('local')) };
}

/** Whether a client that imported the CA once is still content. */
function clientTls(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: localCa });
    socket.once('secureConnect', () => resolve('verified')).once('secureConnect', () => socket.destroy());
    socket.once('error', (error) => resolve(error.code ?? 'error'));
  });
}

async function judged(file) {
  const { daemon, refused, why } = await started(file);
  if (daemon === undefined) return { refused, why };
  try {
    const { operator } = daemon;
    const { store } = await operator.status();
    const at = trustOf(await operator.pins());
    const history = await operator.history(null).catch((error) => error.message);
    const verified = await operator.verify();
    const clients = await visits(daemon);
    const after = trustOf(await operator.pins());
    return { store, at, after, history, verified, clients };
  } finally {
    await daemon.close(0);
  }
}

process.on('message', ({ file }) => {
  judged(file).then(
    (answer) => process.send(answer),
    (error) => process.send({ refused: 'a mistake', why: String(error.stack) }),
  );
});
process.once('disconnect', () => process.exit(0));
process.send({ port: server.port });
