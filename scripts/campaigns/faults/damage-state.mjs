// A state directory with something of everything in it, made by letterlock itself, and a copy of it from some changes before;
// and the process that judges damaged copies of it.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeIdentity } from './certificates.mjs';
import { Post } from './post.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const answerMs = 30_000;
const fresh = 'fresh.faults.test';
const names = ['first.faults.test', 'approved.faults.test', 'ca.faults.test', 'imported.faults.test'];

const noSockets = (path) => lstatSync(path).isFile() || lstatSync(path).isDirectory();
export const copied = (from, to) => cpSync(from, to, { recursive: true, filter: noSockets });

/** `imported` endpoints beside the known ones; `end` is the signal that ended the letterlock which made it. */
export async function prepared({ build, folder, imported, end }) {
  const post = await new Post({ build, shim: null, folder: join(folder, 'making') }).open();
  const authority = makeIdentity({ name: 'authority', authority: true });
  const caFile = join(folder, 'ca.pem');
  writeFileSync(caFile, authority.cert);
  try {
    for (const name of names) post.shown.set(name, makeIdentity({ name }));
    post.shown.set('ca.faults.test', makeIdentity({ name: 'ca', issuer: authority }));
    const keys = await filled(post, { caFile, imported, end });
    const localCa = readFileSync(join(folder, 'now/local-ca/ca.crt'), 'utf8');
    return new State({ build, folder, caFile, identities: keys, localCa });
  } finally {
    await post.close();
  }
}

async function filled(post, { caFile, imported, end }) {
  const { letterlock, shown } = post;
  const { state } = letterlock;
  post.configure(routesTo(post.server.port), { caFile });
  const begin = async () => {
    letterlock.start();
    if (!(await letterlock.ready())) throw new Error(`it does not start: ${letterlock.said}`);
    return letterlock.ports();
  };
  const ports = await begin();
  for (const name of names.slice(0, 3)) await post.visitAt(ports.get(name), name);
  const fillers = Array.from({ length: imported }, (_, index) => [
    `filler-${index}.faults.test:993`,
    makeIdentity().spki,
  ]);
  const orders = [['imported.faults.test:993', shown.get('imported.faults.test').spki], ...fillers];
  const done = await post.import(orders);
  if (done.status !== 200) throw new Error(`the import failed: ${JSON.stringify(done.body)}`);
  // Opened once more, so that it stands in tables.
  await letterlock.stop();
  await begin();
  await letterlock.stop();
  copied(state, join(dirname(dirname(state)), 'older'));
  await begin();
  const [approved, rejected] = [makeIdentity({ name: 'new' }), makeIdentity({ name: 'bad' })];
  for (const { spki } of [approved, rejected]) await post.add('approved.faults.test', spki);
  await post.reject('approved.faults.test', rejected.spki);
  for (const [endpoint] of fillers.slice(0, 6)) await post.add(endpoint.slice(0, -4), makeIdentity().spki);
  letterlock.signal(end);
  await letterlock.ended();
  copied(state, join(dirname(dirname(state)), 'now'));
  const own = Object.fromEntries(names.map((name) => [name, shown.get(name)]));
  return {
    ...own,
    'approved.faults.test': approved,
    [fresh]: makeIdentity({ name: fresh }),
    impostor: makeIdentity({ name: 'impostor' }),
    rejected,
  };
}

/** Two routes to each server: the second does not remember what the first one refused. */
function routesTo(port) {
  const plain = (prefix, name, more = {}) => ({
    name: `${prefix}${name}`,
    listen: '127.0.0.1:0',
    upstream: `tls://${name}:993`,
    address: `127.0.0.1:${port}`,
    trust: name === 'ca.faults.test' ? 'auto' : 'tofu',
    ...more,
  });
  return [
    ...names.flatMap((name) => [plain('', name), plain('again-', name)]),
    plain('never-', 'approved.faults.test'),
    plain('', fresh),
    plain('', 'local.faults.test', { name: 'local', clientTls: 'implicit' }),
  ];
}

const bare = ({ cert, key, spki }) => ({ cert, key, spki });

/** Judged by a process of its own, which is replaced when it does not survive a case. */
class State {
  #child = null;
  #facts;
  #case = 0;

  constructor({ build, folder, caFile, identities, localCa }) {
    Object.assign(this, { folder, caFile, now: join(folder, 'now'), older: join(folder, 'older') });
    this.build = build;
    const own = Object.fromEntries(Object.entries(identities).map(([name, one]) => [name, bare(one)]));
    this.#facts = JSON.stringify({ identities: own, names, fresh, localCa });
  }

  /** A copy that `hurt` was done to, and the configuration of a letterlock on it. */
  async damagedCopy(hurt) {
    await this.#begin();
    this.#case += 1;
    const place = join(this.folder, `case-${this.#case}`);
    const state = join(place, 'state');
    copied(this.now, state);
    hurt(state);
    const file = join(place, 'letterlock.yaml');
    const settings = {
      state,
      metrics: null,
      admin: { socket: { path: join(place, 'admin') } },
      caFile: this.caFile,
    };
    writeFileSync(file, JSON.stringify({ ...settings, routes: routesTo(this.#child.port) }));
    return { place, file, remove: () => rmSync(place, { recursive: true, force: true }) };
  }

  /** What came of it; null when the process did not survive. */
  async judge(file) {
    await this.#begin();
    const { child } = this.#child;
    const came = answerOf(child);
    child.send({ file });
    const answer = await came;
    if (answer === null) this.#child = null;
    return answer;
  }

  async #begin() {
    if (this.#child !== null) return;
    // Nothing of the caller's may change which certificates are trusted, or how Node runs.
    const env = { PATH: process.env.PATH, LANG: 'C' };
    const words = [this.build, this.#facts];
    const child = fork(join(here, 'damage-child.mjs'), words, { env, execArgv: [], stdio: 'ignore' });
    const [{ port }] = await once(child, 'message', { signal: AbortSignal.timeout(answerMs) });
    this.#child = { child, port };
  }

  async close() {
    if (this.#child !== null) {
      const { child } = this.#child;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What it says next; null when it ends instead. */
function answerOf(child) {
  return new Promise((resolve) => {
    const over = (answer) => {
      clearTimeout(timer);
      child.off('message', over).off('exit', gone);
      resolve(answer);
    };
    const gone = () => over(null);
    const late = () => over({ refused: 'a mistake', why: `no answer within ${answerMs} ms` });
    const timer = setTimeout(late, answerMs);
    child.once('message', over).once('exit', gone);
  });
}
