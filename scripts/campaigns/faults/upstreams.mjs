// Servers that come and go: each connection meets another state of the server, its certificate changes back and forth as it
// does while a pool of servers is reloaded, and letterlock itself is reloaded without a pause. Only the right key ever hears a
// client; who is served gets all of it; and once the server stands still, so does everything else.

import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { makeIdentity } from './certificates.mjs';
import { Client, visit } from './client.mjs';
import { until } from './letterlock.mjs';
import { Post, secret } from './post.mjs';
import { reloadedServers } from './real-servers.mjs';

const acts = ['serve', 'serve', 'reset', 'close', 'torn', 'silent', 'mute', 'bye'];
const limits = { dialSeconds: 1, handshakeSeconds: 1, greetingSeconds: 1 };
/** Refusals are repeated from memory for up to a minute; the routes here forget with each reload. */
const recoveryMs = 15_000;

export const upstreams = {
  name: 'upstreams',
  async run(part) {
    const { build, seconds, chance, folder, signal, say } = part;
    const end = performance.now() + seconds * 1000 * (seconds > 60 ? 0.6 : 1);
    const total = { clients: 0, served: 0, reloads: 0, findings: [] };
    const world = new Flapping({ build, chance, folder: join(folder, 'upstreams'), total });
    try {
      await world.open();
      await world.storm(Math.max(2000, end - performance.now() - 3000), signal);
      total.findings.push(...(await world.calm()).map((text) => `upstreams (seed ${chance.seed}): ${text}`));
    } finally {
      await world.close();
    }
    say(`${total.clients} clients of flapping servers, ${total.findings.length} findings`);
    const real =
      seconds > 60 && !signal.aborted ? await reloadedServers(part) : { figures: [], findings: [] };
    return {
      figures: [
        ['clients of flapping servers', total.clients],
        ['of them served', total.served],
        ['reloads', total.reloads],
        ...real.figures,
      ],
      findings: [...total.findings, ...real.findings],
    };
  },
};

class Flapping {
  #post;
  #chance;
  #total;
  #names;
  #right = makeIdentity({ name: 'right' });
  /** The same key once more: a renewal. */
  #renewed = makeIdentity({ name: 'renewed', keys: this.#right.keys });
  #settled = false;
  #calm = false;

  constructor({ build, chance, folder, total }) {
    this.#post = new Post({ build, shim: null, folder });
    this.#chance = chance;
    this.#total = total;
  }

  async open() {
    await this.#post.open();
    this.#post.server.plan = ({ name }) => this.#plan(name);
    this.#names = this.#post.freshRoutes(6, { settings: { limits, shutdownSeconds: 1 }, scheme: 'imaps' });
    const { letterlock } = this.#post;
    letterlock.start();
    if (!(await letterlock.ready())) throw new Error(`letterlock does not start: ${letterlock.said}`);
    for (const name of this.#names) await visit(this.#post.place(name), { secret });
    this.#settled = true;
  }

  /** What this connection meets. */
  #plan(name) {
    if (!this.#settled || this.#calm) return { act: 'serve', identity: this.#right };
    const act = name === null ? this.#chance.pick(acts) : 'serve';
    const drawn = this.#chance.next();
    if (drawn < 0.6) return { act, identity: this.#right };
    if (drawn < 0.8) return { act, identity: this.#renewed };
    const identity = makeIdentity({ name: 'impostor' });
    this.#post.impostors.add(identity.spki);
    return { act, identity };
  }

  /** Clients without a pause, reloads without a pause, and one that stays from the beginning to the end. */
  async storm(ms, signal) {
    const end = performance.now() + ms;
    const goesOn = () => performance.now() < end && !signal.aborted && this.#total.findings.length === 0;
    const steady = await this.#steadyClient();
    const clients = Array.from({ length: 24 }, async () => {
      while (goesOn()) {
        const { came } = await visit(this.#post.place(this.#chance.pick(this.#names)), {
          secret,
          ms: 15_000,
        });
        this.#total.clients += 1;
        if (came === 'served') this.#total.served += 1;
        if (came === 'late') this.#total.findings.push('upstreams: a client got no answer');
      }
    });
    await Promise.all([...clients, this.#reloadAgain(goesOn)]);
    steady.say('z1 NOOP\r\n');
    if (!(await steady.hears('z1 OK', 5000)))
      this.#total.findings.push(`upstreams: a session was cut off: ${steady.state}`);
    steady.leave();
  }

  async #steadyClient() {
    this.#calm = true;
    const client = new Client(this.#post.place(this.#names[0]));
    const greeted = await client.hears('* OK', 5000);
    this.#calm = false;
    if (!greeted) throw new Error(`a first client was not greeted: ${client.state}`);
    return client;
  }

  async #reloadAgain(goesOn) {
    const { letterlock } = this.#post;
    while (goesOn()) {
      // Two configurations in turn, and now and then none at all.
      const broken = this.#chance.next() < 0.1;
      this.#post.freshRoutes(this.#total.reloads % 2, {
        kept: this.#names,
        scheme: 'imaps',
        settings: { limits, shutdownSeconds: broken ? -1 : 1 },
      });
      if (this.#chance.next() < 0.5) letterlock.signal('SIGHUP');
      else {
        const { status, body } = await letterlock.ask('POST', '/v1/reload');
        if (status !== 200) this.#total.findings.push(`upstreams: a reload came to ${JSON.stringify(body)}`);
      }
      this.#total.reloads += 1;
      await pause(10 + this.#chance.below(60));
    }
  }

  /** The server is itself again. */
  async calm() {
    this.#calm = true;
    const { letterlock } = this.#post;
    this.#post.freshRoutes(0, {
      kept: this.#names,
      settings: { limits, shutdownSeconds: 1 },
      scheme: 'imaps',
    });
    const { body } = await letterlock.ask('POST', '/v1/reload');
    const found = body.reloaded === true ? [] : [`the last reload: ${JSON.stringify(body)}`];
    for (const name of this.#names) {
      const well = async () => (await visit(this.#post.place(name), { secret, ms: 3000 })).came === 'served';
      await until(`${name} to be served again`, well, recoveryMs).catch((error) => found.push(error.message));
    }
    if (!letterlock.isRunning) found.push(`it ended: ${letterlock.said.slice(-400)}`);
    found.push(...(await this.#post.examined({ announcements: 'later' })), ...this.#post.stolen());
    if (this.#total.served === 0) found.push('nobody was served in the whole storm');
    return found;
  }

  close() {
    return this.#post.close();
  }
}
