// Where a run takes place: a temporary folder, certificates, the mail server, and the entrants while they run.

import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { makeCertificates } from './certificates.mjs';
import { Children, familyOf } from './children.mjs';
import { CpuClock } from './cpu-clock.mjs';

const here = dirname(fileURLToPath(import.meta.url));

export class World {
  folder = mkdtempSync(join(tmpdir(), 'letterlock-bench-'));
  children = new Children(this.folder);
  descriptors = descriptorLimit();
  clock;
  upstream;

  async open() {
    makeCertificates(this.folder);
    this.clock = new CpuClock(this.children);
    this.upstream = JSON.parse(await this.helper('upstream.mjs', [this.folder]));
  }

  /** Starts a program of this folder; resolves with the first thing it says. It ends when its input does. */
  async helper(file, words) {
    const child = this.children.start(process.execPath, [join(here, file), ...words], {
      stdin: 'pipe',
      stdout: 'pipe',
    });
    const [said] = await once(child.stdout, 'data', { signal: AbortSignal.timeout(15_000) });
    return String(said);
  }

  /**
   * `ways` says where each leg leads: a port, or that and the one whose name the server is known by. Tried more than
   * once: a port that was free a moment ago may have become that of somebody's connection.
   */
  async start(entrant, { legs = entrant.legs, ways = this.upstream } = {}) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#started(entrant, { legs, ways });
      } catch (error) {
        if (attempt === 3) throw error;
      }
    }
  }

  async #started(entrant, { legs, ways }) {
    const [metricsPort, ...listens] = await freePorts(legs.length + 1);
    const bound = Object.fromEntries(
      legs.map((leg, index) => [leg, { listen: listens[index], ...whereTo(ways[leg]) }]),
    );
    const setting = { folder: this.folder, legs: bound, metricsPort, descriptors: this.descriptors };
    const running = new Running(this, entrant, { commands: entrant.commands(setting), bound });
    try {
      await running.start();
    } catch (error) {
      await running.end();
      throw error;
    }
    return running;
  }

  said() {
    return readFileSync(join(this.folder, 'said.log'), 'utf8').slice(-2000);
  }

  /** Also while the process is about to end. */
  close() {
    this.children.endAll();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

const whereTo = (way) => (typeof way === 'number' ? { upstream: way } : way);

/** An entrant that runs. */
class Running {
  #world;
  #commands;
  #bound;
  #children = [];

  constructor(world, entrant, { commands, bound }) {
    this.#world = world;
    this.entrant = entrant;
    this.#commands = commands;
    this.#bound = bound;
  }

  get name() {
    return this.entrant.name;
  }

  get roots() {
    return this.#children.map((child) => child.pid);
  }

  port(leg) {
    return this.#bound[leg]?.listen;
  }

  /** How many processes it is while it serves nobody. */
  idleSize = 0;
  /** Milliseconds from the start until the last of its ports took a connection. */
  startedMs = 0;

  beganAt = 0;

  async start() {
    this.beganAt = performance.now();
    this.#children = this.#commands.map(([command, ...words]) => this.#world.children.start(command, words));
    let gone = null;
    for (const child of this.#children)
      child
        .once('error', (error) => (gone = error))
        .once('exit', (code) => (gone ??= new Error(`exit code ${code}`)));
    for (const { listen } of Object.values(this.#bound)) {
      while (!(await accepts(listen))) {
        if (gone !== null || performance.now() - this.beganAt > 20_000)
          throw new Error(`${this.name} does not start: ${gone ?? 'too late'}\n${this.#world.said()}`);
        await delay(1);
      }
    }
    this.startedMs = performance.now() - this.beganAt;
    this.idleSize = this.roots.flatMap(familyOf).length;
  }

  async end() {
    await Promise.all(this.#children.map((child) => this.#world.children.end(child)));
  }
}

/** Whether something listens there; a client that leaves at once. */
function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((one) => once(one, 'listening')));
  const ports = servers.map((one) => one.address().port);
  await Promise.all(servers.map((one) => new Promise((closed) => one.close(closed))));
  return ports;
}

function descriptorLimit() {
  const [, limit] = /Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
  return Math.min(Number(limit ?? 1024), 60_000);
}
