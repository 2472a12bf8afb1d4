// A letterlock with a client in each phase a session has, at once: dialling, handshake, prologue, greeting, greeted, relay,
// refused, and before the client's own TLS. Each phase lasts until its limit is over or somebody ends it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeIdentity } from './certificates.mjs';
import { Client } from './client.mjs';
import { Letterlock, until } from './letterlock.mjs';
import { secret } from './post.mjs';
import { MailServer } from './servers.mjs';

const here = dirname(fileURLToPath(import.meta.url));

/** `act` of the server, and how the route leads there. */
const kinds = {
  dial: { scheme: 'imaps', deaf: true },
  handshake: { scheme: 'imaps', act: 'silent' },
  prologue: { scheme: 'imap', act: 'starttls' },
  greeting: { scheme: 'imaps', act: 'mute' },
  login: { scheme: 'imaps', act: 'serve' },
  relay: { scheme: 'imaps', act: 'serve' },
  // Refused again within seconds from memory.
  refused: { scheme: 'imaps', act: 'serve', asks: false, impostor: true },
  'client-starttls': { scheme: 'imaps', act: 'serve', more: { clientTls: 'starttls' } },
  // No server is asked before the client's own TLS.
  'client-tls': { scheme: 'imaps', act: 'serve', asks: false, more: { clientTls: 'implicit' } },
};
export const phases = Object.keys(kinds);

const route = (name, { scheme, more = {} }, port) => ({
  name,
  listen: '127.0.0.1:0',
  upstream: `${scheme}://${name}.faults.test`,
  address: `127.0.0.1:${port}`,
  trust: 'tofu',
  ...more,
});

export class Phases {
  servers = {};
  letterlock;
  /** Nobody is to hear a client with this key. */
  impostor = makeIdentity({ name: 'impostor' });
  right = makeIdentity({ name: 'right' });
  #folder;
  #deaf = null;
  #fillers = [];

  constructor({ build, folder, settings }) {
    this.#folder = folder;
    this.letterlock = new Letterlock({ build, folder });
    this.settings = settings;
  }

  async open() {
    for (const name of phases) {
      if (kinds[name].deaf) continue;
      const { act, impostor } = kinds[name];
      this.servers[name] = await new MailServer(() => ({
        act,
        identity: impostor === true ? this.impostor : this.right,
      })).listen();
    }
    this.good = await new MailServer(() => ({ act: 'serve', identity: this.right })).listen();
    const deafPort = await this.#openDeaf();
    const routes = phases.map((name) => route(name, kinds[name], this.servers[name]?.port ?? deafPort));
    // Pinned with a key that its server does not have.
    routes.find(({ name }) => name === 'refused').pins = [makeIdentity().spki];
    routes.push(route('good', { scheme: 'imaps' }, this.good.port));
    this.letterlock.configure(routes, this.settings);
    return this;
  }

  async #openDeaf() {
    const child = spawn(process.execPath, [join(here, 'deaf.mjs')], { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#deaf = child;
    const [said] = await once(child.stdout, 'data', { signal: AbortSignal.timeout(10_000) });
    const port = Number(String(said));
    this.#fillers = Array.from({ length: 4 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
    return port;
  }

  async start() {
    this.letterlock.start();
    if (!(await this.letterlock.ready()))
      throw new Error(`letterlock does not start: ${this.letterlock.said}`);
    this.ports = await this.letterlock.ports();
  }

  /** A client in each of these phases, all at once; where the machine is slow some are over before the last one is there. */
  async enter(wanted = phases) {
    for (let attempt = 1; ; attempt += 1) {
      const clients = {};
      try {
        await this.#enter(wanted, clients);
        return clients;
      } catch (error) {
        for (const client of Object.values(clients)) client.leave();
        if (attempt === 4) throw error;
      }
    }
  }

  async #enter(wanted, clients) {
    const before = Object.fromEntries(wanted.map((name) => [name, this.servers[name]?.connections ?? 0]));
    for (const name of wanted) clients[name] = new Client(this.ports.get(name));
    const { login, relay } = clients;
    if (login !== undefined && !(await login.hears('* OK'))) throw new Error(`not greeted: ${login.text}`);
    if (relay !== undefined) {
      if (!(await relay.hears('* OK'))) throw new Error(`not greeted: ${relay.text}`);
      relay.say(`a1 LOGIN me ${secret}\r\n`);
      await relay.hears('a1 OK');
    }
    await until(
      'a client in each phase',
      async () => {
        const asked = wanted.every(
          (name) =>
            this.servers[name] === undefined ||
            kinds[name].asks === false ||
            this.servers[name].connections > before[name],
        );
        const { body } = await this.letterlock.ask('GET', '/v1/sessions');
        return asked && Array.isArray(body) && body.length >= wanted.length;
      },
      3000,
    );
  }

  /** What was said to a server whose key is not trusted, or before TLS. */
  stolen() {
    const heard = Object.entries(this.servers).flatMap(([phase, server]) =>
      server.heardBy((spki) => spki !== this.right.spki).map(({ text }) => `${phase}: ${text}`),
    );
    return heard
      .filter((text) => !/^prologue: \w+ (?:CAPABILITY|STARTTLS)\r\n(?:\w+ STARTTLS\r\n)?$/.test(text))
      .map((text) => `a server that is not trusted heard ${JSON.stringify(text.slice(0, 100))}`);
  }

  async close() {
    await this.letterlock.kill();
    for (const filler of this.#fillers) filler.destroy();
    if (this.#deaf !== null) {
      const ended = once(this.#deaf, 'exit');
      this.#deaf.kill('SIGKILL');
      await ended;
    }
    await Promise.all([...Object.values(this.servers), this.good].map((server) => server?.close()));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
