// Where the campaign takes place: certificates, a good mail server for each protocol, and letterlock before them with
// every kind of client leg. What is asked of it (counters, log, memory) is asked as an operator would.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeCertificates } from '../../benchmark/certificates.mjs';
import { Client } from './client.mjs';
import { Daemon } from './daemon.mjs';
import { dialects, SASL, SECRET } from './dialects.mjs';
import { Upstream } from './upstream.mjs';

export const protocols = Object.keys(dialects);
export const legs = ['off', 'starttls', 'implicit'];
const schemes = { imap: 'imap', pop3: 'pop3', smtp: 'submission', lmtp: 'lmtp', sieve: 'sieve' };

/** Short, so that the campaign sees them end. */
export const limits = {
  dialSeconds: 3,
  handshakeSeconds: 3,
  greetingSeconds: 3,
  idleMinutes: 1,
  connections: 1000,
};

export class World {
  /** By the name of their routes. */
  upstreams = new Map();
  routes = [];
  #options;
  #secret;
  #aside;

  constructor({ build, folder, seed }) {
    this.#options = { build, folder };
    this.folder = folder;
    this.build = build;
    this.#secret = `hush${(seed * 7919).toString(36)}`;
  }

  async open() {
    makeCertificates(this.folder);
    const read = (name) => readFileSync(join(this.folder, name));
    const identity = { cert: read('ec.pem'), key: read('ec.key') };
    for (const protocol of protocols) {
      const ways = protocol === 'lmtp' ? ['starttls'] : ['implicit', 'starttls'];
      for (const way of ways) await this.#addRoutes(protocol, { way, identity });
    }
    await this.#addRoutes('imap', { way: 'starttls', identity, delayMs: 60, kind: 'slow' });
    await this.#addRoutes('smtp', { way: 'implicit', identity, delayMs: 60, kind: 'slow' });
    for (const protocol of ['imap', 'smtp', 'pop3']) await this.#addRefused(protocol, identity);
    this.#aside = await new Upstream('imap', { ...identity, starttls: false }).open();
    this.daemon = new Daemon({ ...this.#options, name: 'main', config: this.config(this.routes) });
    if (!(await this.daemon.ready())) throw new Error(`letterlock does not start: ${this.daemon.log}`);
    this.serverCa = read('ca.pem');
    this.localCa = readFileSync(join(this.folder, 'state/local-ca/ca.crt'));
    const facts = this.daemon.entries.find(({ event }) => event === 'ready');
    this.metricsAt = facts.metrics;
    return this;
  }

  async #addRoutes(protocol, { way, identity, delayMs = 0, kind = way }) {
    const upstream = await new Upstream(protocol, {
      ...identity,
      starttls: way === 'starttls',
      delayMs,
    }).open();
    const scheme = `${schemes[protocol]}${way === 'implicit' ? 's' : ''}`;
    for (const leg of legs) {
      const name = `${protocol}-${kind}-${leg}`;
      this.upstreams.set(name, upstream);
      this.routes.push({
        name,
        listen: '127.0.0.1:0',
        upstream: `${scheme}://localhost:${upstream.port}`,
        address: `127.0.0.1:${upstream.port}`,
        clientTls: leg,
      });
    }
  }

  /** Its server has another key than the one that is pinned. */
  async #addRefused(protocol, identity) {
    const upstream = await new Upstream(protocol, { ...identity, starttls: false }).open();
    const name = `${protocol}-refused-off`;
    this.upstreams.set(name, upstream);
    this.routes.push({
      name,
      listen: '127.0.0.1:0',
      upstream: `${schemes[protocol]}s://localhost:${upstream.port}`,
      address: `127.0.0.1:${upstream.port}`,
      trust: 'pinned',
      pins: [`sha256//${Buffer.alloc(32, 1).toString('base64')}`],
    });
  }

  /** For a letterlock beside the one that is watched: IMAP in clear, to a server of its own. */
  get sideRoute() {
    const { port } = this.#aside;
    return {
      name: 'side',
      listen: '127.0.0.1:0',
      upstream: `imaps://localhost:${port}`,
      address: `127.0.0.1:${port}`,
      clientTls: 'off',
    };
  }

  config(routes, changes = {}) {
    return {
      state: join(this.folder, 'state'),
      trust: 'ca',
      caFile: join(this.folder, 'ca.pem'),
      metrics: { listen: '127.0.0.1:0' },
      admin: { socket: { path: join(this.folder, 'admin.sock') }, listen: '127.0.0.1:0' },
      limits,
      log: { level: 'debug', format: 'json' },
      shutdownSeconds: 1,
      routes,
      ...changes,
    };
  }

  /** Routes of this protocol and leg; those that refuse their server only where that is asked for. */
  of({ protocol = null, leg = null, refusing = false }) {
    return this.routes
      .map(({ name }) => {
        const [itsProtocol, way, itsLeg] = name.split('-');
        return { name, protocol: itsProtocol, way, leg: itsLeg, dialect: dialects[itsProtocol] };
      })
      .filter(({ way }) => (way === 'refused') === refusing)
      .filter((route) => protocol === null || route.protocol === protocol)
      .filter((route) => leg === null || route.leg === leg);
  }

  portOf(name) {
    return Number(this.daemon.addresses.get(name)[0].split(':').at(-1));
  }

  client(name) {
    this.ports ??= new Map(this.routes.map((route) => [route.name, this.portOf(route.name)]));
    return new Client({ port: this.ports.get(name), host: '127.0.0.1' });
  }

  /** What the dialects say, with the secret of this run in it. */
  said(text) {
    const sasl = Buffer.from(`\0evil\0${this.#secret}`).toString('base64');
    return Buffer.from(
      text
        .replaceAll(SASL, sasl)
        .replaceAll(`{${SECRET.length}+}`, `{${this.#secret.length}+}`)
        .replaceAll(SECRET, this.#secret),
      'latin1',
    );
  }

  /** Whether the secret stands in these bytes, as it is or in base64. */
  tells(bytes) {
    const text = Buffer.isBuffer(bytes) ? bytes.toString('latin1') : bytes;
    return text.includes(this.#secret) || this.#inBase64().some((part) => text.includes(part));
  }

  #inBase64() {
    // At each of three places a byte can have in base64; the ends depend on what is around.
    return [0, 1, 2].map((shift) =>
      Buffer.from(`${'\0'.repeat(shift)}${this.#secret}`)
        .toString('base64')
        .replace(/=+$/, '')
        .slice(shift === 0 ? 0 : shift + 1, -2),
    );
  }

  /** Every series of a counter or gauge, as a Map of its labels (as they are written) to its value. */
  async series(name) {
    const response = await fetch(`http://${this.metricsAt}/metrics`, { signal: AbortSignal.timeout(10_000) });
    const text = await response.text();
    const found = new Map();
    for (const [, labels, value] of text.matchAll(new RegExp(`^letterlock_${name}\\{(.*?)\\} (\\S+)$`, 'gm')))
      found.set(labels, Number(value));
    return found;
  }

  /** How many clients each route turned away, by reason; those of `since` are left out. */
  async rejections(since = new Map()) {
    const now = await this.series('client_connections_rejected_total');
    return new Map([...now].map(([labels, value]) => [labels, value - (since.get(labels) ?? 0)]));
  }

  /** Waits until no session is open; whether it came to that. */
  async quiet(ms = 8000) {
    const until = performance.now() + ms;
    while (performance.now() < until) {
      const open = await this.series('client_connections');
      if ([...open.values()].every((value) => value === 0)) return true;
      await delay(20);
    }
    return false;
  }

  async close() {
    await this.daemon?.stop();
    await this.#aside?.close();
    for (const upstream of new Set(this.upstreams.values())) await upstream.close();
  }
}

/** The sum of the rejections of a route for these reasons. */
export const countOf = (rejections, { route, reasons }) =>
  reasons.reduce((sum, reason) => sum + (rejections.get(`route="${route}",reason="${reason}"`) ?? 0), 0);

/** Does `work` for each, so many at a time; begins no more when the time is over and `least` were begun. How many were done. */
export async function crew(items, { hands, until = Infinity, signal, least = 0 }, work) {
  let begun = 0;
  const left = items[Symbol.iterator]();
  let done = 0;
  await Promise.all(
    Array.from({ length: hands }, async () => {
      while ((performance.now() < until || begun < least) && !signal.aborted) {
        begun += 1;
        const { value, done: over } = left.next();
        if (over) return;
        await work(value);
        done += 1;
      }
    }),
  );
  return done;
}
