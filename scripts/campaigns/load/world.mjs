// Where the load campaign takes place: mail servers, one of them real where there is one, the daemon as it was built, and the
// processes of clients. Whatever it started it ends.

import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fetchOver, freePorts, startDaemon } from '../../benchmark/growth-world.mjs';
import { makeCertificate } from '../../benchmark/growth-records.mjs';
import { login, startDovecot } from './dovecot.mjs';
import { Helper } from './helper.mjs';
import { scrape } from './metrics.mjs';

/** A session has two descriptors in the daemon, and floods are on top. */
function needDescriptors(sessions) {
  const [, limit = '0'] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  const needed = 2 * sessions + 4000;
  if (Number(limit) < needed) throw new Error(`${limit} descriptors are too few: ulimit -n ${needed}`);
}

const plainLogin = 'somebody something';

export class World {
  /** By the name of the process. */
  helpers = {};
  /** By the name of the route: `{name, port, endpoint, server, login}`. */
  routes = {};
  daemon = null;
  dovecot = null;
  #folder = '';
  #keys = 0;
  #metricsPort = 0;
  /** The keys that the server of `turning` has shown, oldest first. */
  #turns = [];

  /** `sizes`: `{idle, dovecot}`, how many clients stay with all servers, and with the real one; `found` hears what is wrong. */
  async open({ build, folder, sizes, found }) {
    needDescriptors(sizes.idle);
    this.#folder = folder;
    // A real server, which runs as another user, has its folder in it.
    chmodSync(folder, 0o711);
    for (const name of ['idle', 'fleeting', 'bulk', 'flood'])
      this.helpers[name] = new Helper(`${name}.mjs`, found);
    for (const name of ['steadyServer', 'bulkServer', 'turningServer'])
      this.helpers[name] = new Helper('server.mjs', found);
    const places = [
      await this.#serve('steady', { by: 'steadyServer' }),
      await this.#serve('bulk', { by: 'bulkServer' }),
      await this.#serve('turning', { by: 'turningServer', settings: { trust: 'tofu' } }),
      await this.#serve('held', { by: 'turningServer', settings: { trust: 'tofu', firstUse: 'hold' } }),
      ...(await this.#real(sizes.dovecot)),
    ];
    // The door that is flooded leads to a server that others use as well.
    places.push({ ...places[0], name: 'flooded' });
    const [metricsPort, ...ports] = await freePorts(places.length + 1);
    this.#metricsPort = metricsPort;
    places.forEach((place, index) => (this.routes[place.name] = { ...place, port: ports[index] }));
    this.daemon = await startDaemon({ dist: build, folder, config: this.#configuration(metricsPort, sizes) });
  }

  async #serve(name, { by, settings = null }) {
    const { pin, shown } = this.#identity();
    const port = await this.helpers[by].ask('listen', { name, identity: shown, turn: 1 });
    if (name === 'turning') this.#turns.push({ pin, shown });
    const trust = settings ?? { trust: 'pinned', pins: [pin] };
    return {
      name,
      endpoint: `localhost:${port}`,
      address: `127.0.0.1:${port}`,
      trust,
      pin,
      login: plainLogin,
    };
  }

  async #real(sessions) {
    const { keyFile, certFile, pin } = this.#identity();
    this.dovecot = await startDovecot({ folder: this.#folder, keyFile, certFile, sessions });
    if (this.dovecot === null) return [];
    const [, port] = this.dovecot.place.split(':');
    const place = {
      endpoint: `localhost:${port}`,
      address: this.dovecot.place,
      trust: { trust: 'pinned', pins: [pin] },
    };
    return [{ name: 'dovecot', ...place, pin, login, mailbox: 'INBOX' }];
  }

  /** A key that nobody has seen, with its certificate and its pin. */
  #identity() {
    this.#keys += 1;
    const own = join(this.#folder, 'keys', String(this.#keys));
    mkdirSync(own, { recursive: true });
    const { keyFile, certFile, pin } = makeCertificate(own);
    const shown = { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8') };
    return { keyFile, certFile, pin, shown };
  }

  #configuration(metricsPort, { idle }) {
    return {
      metrics: { listen: `127.0.0.1:${metricsPort}` },
      routes: Object.values(this.routes).map(({ name, port, endpoint, address, trust }) => ({
        name,
        listen: `127.0.0.1:${port}`,
        upstream: `imaps://${endpoint}`,
        address,
        ...trust,
        // The flooded one keeps the limit that everybody has.
        ...(name === 'flooded' ? {} : { limits: { connections: idle + 1000 } }),
      })),
    };
  }

  /** The server of `turning` shows a key that it never showed; gives its number. */
  async turn() {
    const { pin, shown } = this.#identity();
    this.#turns.push({ pin, shown });
    await this.show(this.#turns.length);
    return { turn: this.#turns.length, pin };
  }

  /** It shows the key of this number to whoever comes from now on. */
  show(turn) {
    const { shown } = this.#turns[turn - 1];
    return this.helpers.turningServer.ask('show', { name: 'turning', identity: shown, turn });
  }

  metrics() {
    return scrape(this.#metricsPort);
  }

  /** What the admin API answers. */
  async api(path, body = null) {
    const about = body === null ? {} : { method: 'POST', body };
    const { text } = await fetchOver(this.daemon.socket, { path, keep: true, ...about });
    return JSON.parse(text);
  }

  /** Each by itself: what failed must not keep the others. */
  async close() {
    const ends = [
      ...Object.values(this.helpers).map((helper) => helper.end()),
      this.daemon?.stop(),
      this.dovecot?.end(),
    ];
    await Promise.allSettled(ends);
  }
}
