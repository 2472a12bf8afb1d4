// letterlock as it is built, with everything switched on that could write something down: log at its lowest level, metrics at
// their fullest, page, hooks, proxies with logins; and the servers of every protocol behind it. It ends what it started.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { createServer as createPlainServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AskingProxy } from './proxies.mjs';
import { MailServer } from './servers.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const schemes = {
  imap: ['imaps', 'imap'],
  pop3: ['pop3s', 'pop3'],
  smtp: ['submissions', 'submission'],
  lmtp: [null, 'lmtp'],
  sieve: ['sieves', 'sieve'],
  tls: ['tls', null],
};
const someOtherKey = `sha256//${Buffer.alloc(32, 7).toString('base64')}`;

/** What a route is like; `good`: its sessions reach the server. */
const kinds = [
  { name: 'tls', good: true, upstream: 0 },
  { name: 'starttls', good: true, upstream: 1 },
  { name: 'inside-tls', good: true, upstream: 0, client: 'implicit' },
  {
    name: 'inside-starttls',
    good: true,
    upstream: 1,
    client: 'starttls',
    only: ['imap', 'pop3', 'smtp', 'lmtp', 'sieve'],
  },
  { name: 'warm', good: true, upstream: 0, settings: { warm: 1 }, only: ['imap', 'smtp'] },
  { name: 'changed', good: false, upstream: 0, pin: someOtherKey },
  {
    name: 'changed-starttls',
    good: false,
    upstream: 1,
    pin: someOtherKey,
    client: 'starttls',
    only: ['imap', 'pop3', 'smtp', 'sieve'],
  },
  {
    name: 'changed-login',
    good: false,
    upstream: 0,
    pin: someOtherKey,
    settings: { refusal: 'login' },
    only: ['imap'],
  },
  { name: 'down', good: false, upstream: 0, place: 'down' },
  { name: 'no-tls', good: false, upstream: 0, place: 'noTls' },
  { name: 'socks', good: true, upstream: 0, proxy: 'socks', only: ['imap'] },
  { name: 'http', good: true, upstream: 0, proxy: 'http', only: ['imap'] },
  { name: 'socks-refused', good: false, upstream: 0, proxy: 'socksRefused', only: ['imap'] },
  { name: 'http-refused', good: false, upstream: 0, proxy: 'httpRefused', only: ['imap'] },
];

export class World {
  #undo = [];
  #bin;
  routes = [];
  servers = new Map();
  /** What a receiver of webhooks was sent, heads and bodies. */
  received = [];
  folder;
  child = null;

  /** `configured`: the kind of secrets that stand in the configuration. */
  static async make({ build, folder, configured, random, signal }) {
    const world = new World(build, folder, signal);
    try {
      await world.#prepare(configured, random);
      return world;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  constructor(build, folder, signal) {
    this.#bin = join(build, 'cmd/letterlock.js');
    this.folder = folder;
    this.signal = signal;
    this.state = join(folder, 'state');
    this.socket = join(folder, 'a.sock');
    this.config = join(folder, 'letterlock.yaml');
    this.log = join(folder, 'log');
    this.hooked = join(folder, 'hooked');
  }

  async #prepare(configured, random) {
    const identity = makeIdentity(this.folder);
    mkdirSync(join(this.folder, 'r'), { mode: 0o700 });
    writeFileSync(this.log, '');
    const places = { down: 1, noTls: await this.#plain() };
    for (const [protocol, [implicit, explicit]] of Object.entries(schemes)) {
      if (implicit !== null) await this.#server(protocol, identity, true);
      if (explicit !== null) await this.#server(protocol, identity, false);
    }
    const proxies = await this.#proxies(configured);
    const webhook = await this.#receiver();
    this.hookSecret = Buffer.from(configured.secret()).toString('base64');
    writeFileSync(join(this.folder, 'hook.secret'), `whsec_${this.hookSecret}\n`, { mode: 0o600 });
    writeFileSync(join(this.folder, 'hook.sh'), `#!/bin/sh\n{ env; cat; echo "$@"; } >> '${this.hooked}'\n`, {
      mode: 0o700,
    });
    for (const [protocol, ways] of Object.entries(schemes))
      for (const kind of kinds) {
        const scheme =
          ways[kind.upstream] ??
          (kind.name === 'starttls' || kind.only !== undefined ? null : ways[1 - kind.upstream]);
        if (scheme === null || (kind.only !== undefined && !kind.only.includes(protocol))) continue;
        if (protocol === 'tls' && kind.client !== undefined) continue;
        this.routes.push(this.#route({ protocol, scheme, kind, places, proxies }));
      }
    this.random = random;
    writeFileSync(
      this.config,
      JSON.stringify({
        state: this.state,
        trust: 'tofu',
        metrics: { listen: '127.0.0.1:0', level: 'full' },
        admin: { socket: { path: this.socket }, listen: '127.0.0.1:0' },
        log: { level: 'debug', format: 'json' },
        limits: { dialSeconds: 2, handshakeSeconds: 2, greetingSeconds: 2 },
        shutdownSeconds: 1,
        hooks: [
          { name: 'program', exec: [join(this.folder, 'hook.sh')], on: everything },
          {
            name: 'receiver',
            webhook,
            secretFile: join(this.folder, 'hook.secret'),
            on: everything,
            retries: 0,
          },
        ],
        routes: this.routes.map(({ yaml }) => yaml),
      }),
      { mode: 0o600 },
    );
  }

  async #server(protocol, identity, secure) {
    const server = new MailServer(protocol, identity, secure);
    const port = await server.listen();
    this.#undo.push(() => server.close());
    this.servers.set(`${protocol} ${secure ? 'implicit' : 'starttls'}`, { server, port });
  }

  /** Speaks no TLS, and says back what it is told. */
  async #plain() {
    const sockets = new Set();
    const server = createPlainServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.pipe(socket);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#undo.push(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    return server.address().port;
  }

  async #proxies(configured) {
    const made = {};
    for (const [name, kind] of Object.entries({
      socks: 'socks5',
      http: 'http',
      socksRefused: 'socks5',
      httpRefused: 'http',
    })) {
      const secret = configured.secret();
      const user = 'me';
      const proxy = new AskingProxy(kind, name.endsWith('Refused') ? 'nobody:nothing' : `${user}:${secret}`);
      const port = await proxy.listen();
      this.#undo.push(() => proxy.close());
      const file = join(this.folder, `${name}.password`);
      writeFileSync(file, `${secret}\n`, { mode: 0o600 });
      // One of each kind in the URL, one in a file.
      made[name] =
        kind === 'http'
          ? { url: `${kind}://${user}@127.0.0.1:${port}`, passwordFile: file }
          : { url: `${kind}://${user}:${encodeURIComponent(secret)}@127.0.0.1:${port}` };
    }
    return made;
  }

  async #receiver() {
    const server = createServer((asked, answer) => {
      const chunks = [];
      asked.on('data', (bytes) => chunks.push(bytes));
      asked.on('end', () => {
        this.received.push(
          `${asked.url} ${JSON.stringify(asked.rawHeaders)}\n${Buffer.concat(chunks).toString('utf8')}`,
        );
        answer.end();
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#undo.push(() => {
      server.close();
      server.closeAllConnections();
    });
    return `http://127.0.0.1:${server.address().port}/hook`;
  }

  #route({ protocol, scheme, kind, places, proxies }) {
    const name = `${protocol}-${kind.name}`;
    const secure = scheme === schemes[protocol][0];
    const { port } = this.servers.get(`${protocol} ${secure ? 'implicit' : 'starttls'}`);
    const path = join(this.folder, 'r', name);
    const yaml = {
      name,
      listen: { unix: path },
      upstream: `${scheme}://${name}.test:${port}`,
      clientTls: kind.client ?? 'off',
      ...(kind.proxy === undefined
        ? { address: `127.0.0.1:${places[kind.place] ?? port}` }
        : { proxy: proxies[kind.proxy] }),
      ...(kind.pin === undefined ? {} : { trust: 'pinned', pins: [kind.pin] }),
      ...kind.settings,
    };
    return { name, protocol, kind, path, tls: kind.client ?? 'none', yaml };
  }

  /** Starts it, or starts it again; it is ready when this resolves. */
  async start() {
    const log = openSync(this.log, 'a');
    const from = this.logText().length;
    this.child = spawn(
      process.execPath,
      ['--import', join(here, 'probe.mjs'), this.#bin, 'run', '-c', this.config],
      {
        cwd: this.folder,
        env: { PATH: process.env.PATH, HOME: this.folder, PROBE_FOLDER: this.folder },
        stdio: ['ignore', log, log],
      },
    );
    closeSync(log);
    this.ended = once(this.child, 'exit');
    this.child.on('error', () => undefined);
    const ready = await this.until(
      'letterlock to be ready',
      () => /^.*"event":"ready".*$/m.exec(this.logText().slice(from))?.[0],
    );
    const { metrics, dashboard } = JSON.parse(ready);
    Object.assign(this, { metrics, dashboard });
  }

  logText() {
    return readFileSync(this.log, 'latin1');
  }

  /** The first thing that is neither null nor undefined nor false; polls. */
  async until(what, look, withinMs = 60_000) {
    const end = performance.now() + withinMs;
    for (;;) {
      const seen = await look();
      if (seen !== null && seen !== undefined && seen !== false) return seen;
      if (this.child?.exitCode !== null && this.child?.exitCode !== undefined && !what.startsWith('the end'))
        throw new Error(`letterlock ended with ${this.child.exitCode}: ${this.logText().slice(-2000)}`);
      if (performance.now() > end) throw new Error(`waited ${withinMs} ms in vain for ${what}`);
      await delay(20);
    }
  }

  order(order, text = '') {
    writeFileSync(join(this.folder, 'order'), JSON.stringify({ order, text }));
    this.child.kill('SIGUSR2');
  }

  /** Exit code, or signal. */
  async exit() {
    await this.until(
      'the end of letterlock',
      () => this.child.exitCode !== null || this.child.signalCode !== null,
    );
    return this.child.exitCode ?? this.child.signalCode;
  }

  /** All that another command of it wrote. */
  command(...words) {
    const child = spawn(process.execPath, [this.#bin, ...words], {
      cwd: this.folder,
      env: {
        PATH: process.env.PATH,
        HOME: this.folder,
        STATE_DIRECTORY: this.state,
        LETTERLOCK_SOCKET: this.socket,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (bytes) => (said += bytes.toString('latin1')));
    const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
    return once(child, 'close').then(() => {
      clearTimeout(timer);
      return said;
    });
  }

  async close() {
    if (this.child !== null && this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGKILL');
      await this.ended;
    }
    for (const undo of this.#undo.splice(0).toReversed()) undo();
  }
}

const everything = [
  'first-use',
  'candidate',
  'refused',
  'ca-lost',
  'pin-changed',
  'retiring-key-in-use',
  'certificate-expiring',
  'certificate-renewed',
  'corroboration-differs',
  'probe-refused',
  'session-revoked',
  'failed',
  'client-rejected',
  'store-damaged',
  'store-unavailable',
  'store-recovered',
  'reload-failed',
  'reloaded',
  'warning',
  'started',
  'stopped',
];

function makeIdentity(folder) {
  const words =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=mail.test -days 2 -keyout server.key -out server.pem';
  execFileSync('openssl', words.split(' '), { cwd: folder, stdio: 'ignore' });
  return { cert: readFileSync(join(folder, 'server.pem')), key: readFileSync(join(folder, 'server.key')) };
}

/** `where` is `{socketPath}` or `{host, port}`; what came within `withinMs`, which may be the beginning of a stream. */
export function ask(where, { method = 'GET', path, headers = {}, body, withinMs = 10_000 }) {
  return new Promise((resolve) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const asked = request({
      ...where,
      method,
      path,
      agent: false,
      headers: {
        Host: 'localhost',
        ...(text === undefined
          ? {}
          : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
        ...headers,
      },
    });
    let said = '';
    const over = (status) => {
      clearTimeout(timer);
      asked.destroy();
      resolve({ status, text: said });
    };
    const timer = setTimeout(() => over(0), withinMs);
    asked.on('error', () => over(-1));
    asked.on('response', (answer) => {
      said += `${JSON.stringify(answer.rawHeaders)}\n`;
      answer.on('data', (bytes) => (said += bytes.toString('latin1')));
      answer.on('end', () => over(answer.statusCode));
      answer.on('error', () => over(answer.statusCode));
    });
    asked.end(text);
  });
}
