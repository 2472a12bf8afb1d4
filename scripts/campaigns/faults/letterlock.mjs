// letterlock as it is built, in a folder of its own, that can be started, killed and asked again and again. It reads the
// log, so that it knows what was announced.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const environment = (folder) => ({ PATH: process.env.PATH, HOME: folder, LANG: 'C' });

/** The first value of `look` that is neither null nor false; an error that names `what` after `ms`. */
export async function until(what, look, ms = 10_000) {
  const end = performance.now() + ms;
  for (;;) {
    const seen = await look();
    if (seen !== null && seen !== false && seen !== undefined) return seen;
    if (performance.now() > end) throw new Error(`waited ${ms} ms in vain for ${what}`);
    await pause(5);
  }
}

export class Letterlock {
  /** Entries of the log of all its lives, oldest first. */
  log = [];
  /** The place in `log` where the present life begins. */
  lifeBegan = 0;
  /** What it wrote that is no entry. */
  said = '';
  child = null;
  #partial = '';
  #ended = null;

  /** `before` are words before the command (nsenter, prlimit); `state` is elsewhere where it is given. */
  constructor({ build, folder, plan = null, before = [], state = join(folder, 'state') }) {
    mkdirSync(folder, { recursive: true });
    Object.assign(this, { build, folder, plan, before, state });
    this.socket = join(folder, 'admin');
    this.file = join(folder, 'letterlock.yaml');
  }

  /** `routes`: `{name, listen, upstream, address}` and more each; `settings` is the rest of the configuration. */
  configure(routes, settings = {}) {
    const { state, socket } = this;
    const whole = { state, metrics: null, admin: { socket: { path: socket } }, ...settings, routes };
    writeFileSync(this.file, JSON.stringify(whole));
  }

  start() {
    this.#partial = '';
    this.said = '';
    this.lifeBegan = this.log.length;
    const [file, ...words] = [
      ...this.before,
      process.execPath,
      join(this.build, 'cmd/letterlock.js'),
      'run',
      '-c',
      this.file,
    ];
    const env = { ...environment(this.folder), ...this.plan?.environment };
    const child = spawn(file, words, { env, cwd: this.folder, stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.on('data', (bytes) => this.#hear(bytes.toString('utf8')));
    this.child = child;
    this.#ended = once(child, 'close').then(([code, signal]) => ({ code, signal }));
    this.#ended.catch(() => undefined);
    return this;
  }

  #hear(text) {
    const lines = (this.#partial + text).split('\n');
    this.#partial = lines.pop() ?? '';
    for (const line of lines) {
      const entry = entryIn(line);
      if (entry === null) this.said += `${line}\n`;
      else this.log.push(entry);
    }
  }

  /** Of this life. */
  get entries() {
    return this.log.slice(this.lifeBegan);
  }

  get isRunning() {
    return this.child !== null && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Whether it is ready within `ms`; false when it ended before. */
  async ready(ms = 60_000) {
    const state = await until(
      'letterlock to be ready or to end',
      () => {
        if (this.entries.some(({ event }) => event === 'ready')) return 'ready';
        return this.isRunning ? null : 'ended';
      },
      ms,
    );
    return state === 'ready';
  }

  async #end() {
    return this.#ended;
  }

  /** Resolves with `{code, signal}`; an error after `ms`. */
  async ended(ms = 60_000) {
    let timer;
    const tooLate = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`letterlock did not end within ${ms} ms`)), ms);
    });
    try {
      return await Promise.race([this.#end(), tooLate]);
    } finally {
      clearTimeout(timer);
    }
  }

  signal(name) {
    if (this.isRunning) this.child.kill(name);
    return this;
  }

  /** At once. Nothing of it runs when it resolves. */
  async kill() {
    if (this.child === null) return;
    this.signal('SIGKILL');
    await this.ended();
  }

  /** In good order. */
  async stop() {
    this.signal('SIGTERM');
    return this.ended();
  }

  /** `{status, body}` of the admin API; status 0 when nobody answered. */
  ask(method, path, body = null) {
    return new Promise((resolve) => {
      const headers = body === null ? {} : { 'Content-Type': 'application/json' };
      const nothing = (error) => resolve({ status: 0, body: { error: { code: error?.code ?? 'cut' } } });
      const asked = request(
        { socketPath: this.socket, method, path, headers, agent: false, timeout: 15_000 },
        (answer) => {
          const parts = [];
          answer.on('data', (part) => parts.push(part));
          answer.once('error', nothing);
          answer.once('close', nothing);
          answer.once('end', () => {
            const text = Buffer.concat(parts).toString('utf8');
            try {
              resolve({ status: answer.statusCode, body: JSON.parse(text) });
            } catch (error) {
              nothing(error);
            }
          });
        },
      );
      asked.once('error', nothing).once('timeout', () => asked.destroy());
      asked.end(body === null ? undefined : JSON.stringify(body));
    });
  }

  command(words) {
    return this.ask('POST', '/v1/commands', words);
  }

  approve(endpoint, expect, more = {}) {
    return this.command({
      command: 'approve',
      endpoint,
      expect,
      forMs: null,
      as: null,
      keep: false,
      endOld: false,
      unreject: false,
      ...more,
    });
  }

  reject(endpoint, expect) {
    return this.command({ command: 'reject', endpoint, expect });
  }

  /** `orders`: `[endpoint, spki]` each. */
  import(orders) {
    const whole = orders.map(([endpoint, spki]) => ({
      endpoint,
      entries: [{ kind: 'pin', spki, until: null }],
      keep: false,
      unreject: [],
    }));
    return this.ask('POST', '/v1/import', { orders: whole, apply: true });
  }

  /** The ports of its routes by name, where they were left to the system. */
  async ports() {
    const { body } = await this.ask('GET', '/v1/status');
    return new Map(body.routes.map(({ name, listen }) => [name, Number(/:(\d+)(?:,|$)/.exec(listen)?.[1])]));
  }

  /** The command line, without a daemon or with it: `{code, out, error}`. */
  run(...words) {
    const { build, folder, before, plan } = this;
    const [file, ...all] = [
      ...before,
      process.execPath,
      join(build, 'cmd/letterlock.js'),
      ...words,
      '-c',
      this.file,
    ];
    const env = { ...environment(folder), ...plan?.environment };
    return new Promise((resolve) => {
      execFile(file, all, { env, timeout: 30_000, maxBuffer: 2 ** 26 }, (error, out, said) => {
        resolve({ code: error === null ? 0 : (error.code ?? error.signal), out, error: said });
      });
    });
  }
}

function entryIn(line) {
  if (!line.startsWith('{')) return null;
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
