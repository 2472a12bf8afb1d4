// A letterlock with many routes to one server that can be any of their servers: the right one, one with a new key, an
// impostor. What was promised is kept account of, and what no trusted key may ever hear.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeIdentity } from './certificates.mjs';
import { visit } from './client.mjs';
import { Letterlock } from './letterlock.mjs';
import { MailServer } from './servers.mjs';
import { Plan } from './shim.mjs';
import { examined, Promised } from './trust.mjs';

export const secret = 'correct horse battery staple';

export class Post {
  promised = new Promised();
  impostors = new Set();
  /** The key each name shows. */
  shown = new Map();
  plan = null;
  names = [];
  #count = 0;
  #folder;

  constructor({ build, shim, folder, under = join(folder, 'state'), ...rest }) {
    this.#folder = folder;
    this.letterlock = new Letterlock({ build, folder, ...rest });
    if (shim?.object != null) {
      this.plan = new Plan({ object: shim.object, file: join(folder, 'plan'), under });
      this.letterlock.plan = this.plan;
    }
    this.server = new MailServer(({ name }) => ({ act: 'serve', identity: this.#identityOf(name) }));
  }

  #identityOf(name) {
    if (!this.shown.has(name)) this.shown.set(name, makeIdentity({ name: 'nobody' }));
    return this.shown.get(name);
  }

  async open() {
    await this.server.listen();
    return this;
  }

  configure(routes, settings) {
    this.letterlock.configure(routes, settings);
  }

  /** Routes of so many names that nobody knows, beside those `kept`. Not in force before a start or a reload. */
  freshRoutes(count, { kept = [], settings = {}, scheme = 'tls' } = {}) {
    const fresh = Array.from({ length: count }, () => `n${(this.#count += 1)}.faults.test`);
    for (const name of fresh) this.shown.set(name, makeIdentity({ name }));
    this.names = [...kept, ...fresh];
    this.letterlock.configure(
      this.names.map((name) => ({
        name,
        listen: `unix:${this.place(name)}`,
        // tls is of no protocol: who is refused is reset at once, and not said goodbye to.
        upstream: `${scheme}://${name}:993`,
        address: `127.0.0.1:${this.server.port}`,
        trust: 'tofu',
      })),
      settings,
    );
    return fresh;
  }

  place(name) {
    return join(this.#folder, name);
  }

  endpoint(name) {
    return `${name}:993`;
  }

  /** Somebody else answers for this name from now on. */
  impersonate(name) {
    const identity = makeIdentity({ name: 'impostor' });
    this.impostors.add(identity.spki);
    this.shown.set(name, identity);
    return identity;
  }

  /** `came` of a client; one that is served is a promise. */
  visit(name, ms = 10_000) {
    return this.visitAt(this.place(name), name, ms);
  }

  async visitAt(place, name, ms = 10_000) {
    const { spki } = this.#identityOf(name);
    const result = await visit(place, { secret, ms });
    if (result.came === 'served') this.promised.trusted(this.endpoint(name), spki, 'served');
    return result;
  }

  /** `promises` become so where the answer was yes; until then nothing is known of these keys. */
  async order(asking, { trusted = [], rejected = [] }) {
    for (const [endpoint, spki] of [...trusted, ...rejected]) this.promised.unsure(endpoint, spki);
    const answer = await asking;
    if (answer.status !== 200 || answer.body.applied === false) return answer;
    for (const [endpoint, spki] of trusted) this.promised.trusted(endpoint, spki, 'ordered');
    for (const [endpoint, spki] of rejected) this.promised.rejected(endpoint, spki);
    return answer;
  }

  add(name, spki) {
    const endpoint = this.endpoint(name);
    const words = { command: 'add', endpoint, pin: spki, forMs: null, unreject: false };
    return this.order(this.letterlock.command(words), { trusted: [[endpoint, spki]] });
  }

  reject(name, spki) {
    const endpoint = this.endpoint(name);
    return this.order(this.letterlock.reject(endpoint, spki), { rejected: [[endpoint, spki]] });
  }

  import(orders) {
    return this.order(this.letterlock.import(orders), { trusted: orders });
  }

  /** Sentences about what does not hold; announcements are looked at only where all were due. */
  examined({ announcements = 'due' } = {}) {
    return examined(this.letterlock, { promised: this.promised, announcements });
  }

  /** Sentences about what an impostor heard. */
  stolen() {
    return this.server
      .heardBy((spki) => spki === null || this.impostors.has(spki))
      .map(({ name, text }) => `an impostor of ${name} heard ${JSON.stringify(text.slice(0, 80))}`);
  }

  async close() {
    await this.letterlock.kill();
    await this.server.close();
    this.plan?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Why a start that ended was no clear refusal; null where it was one. */
export function unclear({ code, signal }, said) {
  if (signal !== null) return `it was ended by ${signal}`;
  if (![3, 5, 6].includes(code)) return `it ended with ${code}: ${said.slice(-300)}`;
  return /^letterlock: \S/m.test(said)
    ? null
    : `it ended with ${code} and did not say why: ${said.slice(-300)}`;
}
