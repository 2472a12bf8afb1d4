// letterlock as it is built, with a route for each script: what it listens on, its counters, its memory and its log.

import { readFileSync, writeFileSync, mkdtempSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Children } from '../../benchmark/children.mjs';
import { domain } from './authority.mjs';

const schemes = {
  imap: { implicit: 'imaps', starttls: 'imap' },
  pop3: { implicit: 'pop3s', starttls: 'pop3' },
  smtp: { implicit: 'submissions', starttls: 'submission' },
  lmtp: { starttls: 'lmtp' },
  sieve: { implicit: 'sieves', starttls: 'sieve' },
};
const startMs = 120_000;
/** In seconds, of each route. */
export const limits = { dial: 3, handshake: 3, greeting: 3, sieveProof: 10, resolver: 10 };

export const hostOf = (name) => `${name}.${domain}`;
const upstreamPort = 4433;
export const endpointOf = (name) => `${hostOf(name)}:${upstreamPort}`;

/** `stage`: `{name, script, server, second}`. */
function routeOf({ name, script, server, second }, identities) {
  const { addresses = ['here'], via, pins, ...settings } = script.route;
  const places = { here: server.port, second: second?.port, nobody: 1 };
  return {
    name,
    listen: '127.0.0.1:0',
    upstream: `${schemes[script.protocol][script.mode]}://${hostOf(name)}:${upstreamPort}`,
    ...(via === undefined
      ? { address: addresses.map((place) => `127.0.0.1:${places[place]}`) }
      : { proxy: `${via}://127.0.0.1:${server.port}` }),
    ...(pins === undefined ? {} : { pins: pins.map((pin) => identities[pin].spki) }),
    ...settings,
  };
}

export class Letterlock {
  name = 'letterlock';
  tags = ['z1', 'z2'];
  #children;
  #folder;
  #build;
  #child = null;
  #ports = new Map();
  #metrics = '';

  constructor({ folder, build }) {
    // One for each: log and pins of the batch before are not those of this one.
    this.#folder = mkdtempSync(join(folder, 'letterlock-'));
    this.#children = new Children(this.#folder);
    this.#build = build;
  }

  /** `resolver`: the port of one on this machine. */
  async start(stages, { pem, identities, resolver }) {
    writeFileSync(join(this.#folder, 'ca.pem'), pem);
    const configuration = {
      state: join(this.#folder, 'state'),
      caFile: join(this.#folder, 'ca.pem'),
      metrics: { listen: '127.0.0.1:0', level: 'minimal', maxLabelValues: 10_000 },
      admin: { socket: { path: join(this.#folder, 's') } },
      log: { level: 'debug', format: 'json' },
      limits: {
        dialSeconds: limits.dial,
        handshakeSeconds: limits.handshake,
        greetingSeconds: limits.greeting,
      },
      resolver: `127.0.0.1:${resolver}`,
      routes: stages.map((stage) => routeOf(stage, identities)),
    };
    // What is JSON is YAML.
    const file = join(this.#folder, 'letterlock.yaml');
    writeFileSync(file, JSON.stringify(configuration));
    // Somebody else's CA, and checks switched off, in the environment: that is to change nothing.
    const foreign = join(this.#folder, 'foreign.pem');
    writeFileSync(foreign, identities.foreignWithRoot.cert);
    const weaker = [`NODE_EXTRA_CA_CERTS=${foreign}`, `SSL_CERT_FILE=${foreign}`];
    this.#child = this.#children.start('env', [
      ...weaker,
      'NODE_TLS_REJECT_UNAUTHORIZED=0',
      process.execPath,
      join(this.#build, 'cmd/letterlock.js'),
      'run',
      '-c',
      file,
    ]);
    this.#metrics = (await this.#ready()).metrics;
    const places = this.#logged('listening').map(({ route, address }) => [
      route,
      Number(address.split(':').at(-1)),
    ]);
    this.#ports = new Map(places);
  }

  async #ready() {
    for (const began = performance.now(); performance.now() - began < startMs; await delay(50)) {
      const [ready] = this.#logged('ready');
      if (ready !== undefined) return ready;
      if (this.#child.exitCode !== null) break;
    }
    throw new Error(`letterlock did not start: ${this.log.slice(-2000)}`);
  }

  /** Entries of one event. */
  #logged(event) {
    const lines = this.log.split('\n').filter((line) => line.includes(`"event":"${event}"`));
    return lines.map((line) => JSON.parse(line));
  }

  port({ name }) {
    return this.#ports.get(name);
  }

  /** All that it wrote. */
  get log() {
    return readFileSync(join(this.#folder, 'said.log'), 'latin1');
  }

  /** Null while it runs. */
  get ended() {
    const { exitCode, signalCode } = this.#child;
    return signalCode ?? exitCode;
  }

  /** Resident memory in KiB now. */
  get memory() {
    return Number(
      /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.#child.pid}/status`, 'latin1'))?.[1] ?? 0,
    );
  }

  /** Every series of a route or an upstream that is not 0: `{name: {metric: {label: value}}}` by the name of the stage. */
  async counters() {
    const text = await this.#page();
    const found = new Map();
    for (const line of text.split('\n')) {
      const parts = /^letterlock_(\w+)\{([^}]*)\} (\d+)$/.exec(line);
      if (parts === null || parts[3] === '0') continue;
      const labels = Object.fromEntries(
        [...parts[2].matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
      );
      const { route, upstream = '', ...rest } = labels;
      const stage = route ?? upstream.split('.', 1)[0];
      const series = found.get(stage) ?? {};
      found.set(stage, series);
      (series[parts[1]] ??= {})[Object.values(rest)[0] ?? ''] = Number(parts[3]);
    }
    return found;
  }

  /** Waits until every client has gone and is counted. */
  async quiet(deadlineMs) {
    for (const began = performance.now(); performance.now() - began < deadlineMs; await delay(300)) {
      const counters = await this.counters();
      if ([...counters.values()].every(({ client_connections: open }) => open === undefined)) return counters;
    }
    return this.counters();
  }

  #page() {
    return new Promise((resolve, reject) => {
      const asked = request(`http://${this.#metrics}/metrics`, (response) => {
        const parts = [];
        response.on('data', (chunk) => parts.push(chunk));
        response.on('end', () => resolve(Buffer.concat(parts).toString('latin1')));
        response.on('error', reject);
      });
      asked.setTimeout(30_000, () => asked.destroy(new Error('the metrics did not come within 30 s')));
      asked.on('error', reject);
      asked.end();
    });
  }

  async end() {
    if (this.#child !== null) await this.#children.end(this.#child);
  }

  endAtOnce() {
    this.#children.endAll();
  }
}
