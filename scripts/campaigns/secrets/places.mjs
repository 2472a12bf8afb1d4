// Where a secret could come to lie: everything letterlock writes, answers, keeps or shows is read here, one place after the
// other, and looked through. What stands in its configuration is looked for everywhere but there.

import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { ask } from './world.mjs';

/** So many of them, spread over the whole list. */
const some = (list, count) => list.filter((_, at) => at % Math.ceil(list.length / count) === 0);

export class Places {
  #world;
  #kinds;
  findings = [];
  looked = new Map();
  bytes = 0;
  #told = new Set();

  constructor(world, kinds) {
    this.#world = world;
    this.#kinds = kinds;
  }

  /** `place` is a family of places; `where` which of them. */
  look(place, content, where = '', kinds = this.#kinds) {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(content, 'latin1');
    this.looked.set(place, (this.looked.get(place) ?? 0) + 1);
    this.bytes += bytes.length;
    for (const kind of kinds)
      for (const { how, around } of kind.findIn(bytes)) {
        const key = `${place} ${kind.name} ${how}`;
        if (this.#told.has(key)) continue;
        this.#told.add(key);
        this.findings.push(
          `${place}${where === '' ? '' : ` (${where})`} holds a secret of ${kind.name}, ${how}: ${around}`,
        );
      }
  }

  /** What the running daemon tells whoever may ask. */
  async ofDaemon(when) {
    const { socket: socketPath, metrics, folder } = this.#world;
    const [host, port] = metrics.split(':');
    for (const path of ['/metrics', '/healthz', '/readyz'])
      this.look(
        'metrics',
        (await ask({ host, port }, { path, headers: { Host: metrics } })).text,
        `${path}, ${when}`,
      );
    const listed = [];
    for (const path of ['status', 'sessions', 'endpoints', 'pins', 'history', 'records', 'schema']) {
      const { status, text } = await ask({ socketPath }, { path: `/v1/${path}` });
      if (status !== 200) this.findings.push(`GET /v1/${path} was answered ${status}`);
      listed.push(text);
      this.look('admin API', text, `${path}, ${when}`);
    }
    for (const path of ['verify', 'reload'])
      this.look(
        'admin API',
        (await ask({ socketPath }, { method: 'POST', path: `/v1/${path}`, body: {} })).text,
        path,
      );
    for (const path of this.#details(listed.join('\n')))
      this.look('admin API', (await ask({ socketPath }, { path })).text, `${path}, ${when}`);
    const feed = await ask({ socketPath }, { path: '/v1/events?after=0', withinMs: 400 });
    if (!feed.text.includes('event: hello')) this.findings.push('the stream of events did not begin');
    this.look('feed', feed.text, when);
    this.look('log', readFileSync(this.#world.log), when);
    const pid = this.#world.child.pid;
    for (const name of ['cmdline', 'environ', 'comm', 'limits', 'status'])
      this.look('/proc', readFileSync(`/proc/${pid}/${name}`), name);
    this.#filesIn(folder);
  }

  /** What `explain` and the rest say of everything that was named. */
  #details(text) {
    const log = this.#world.logText();
    const sessions = [...new Set(log.match(/(?<="session":")[^"]+/g) ?? [])];
    const references = [...new Set(`${log}${text}`.match(/\b[\dA-Z]{8}\b/g) ?? [])];
    const endpoints = [...new Set(text.match(/(?<="endpoint":")[^"]+/g) ?? [])];
    return [
      ...some(sessions, 60).map((id) => `/v1/explain/${encodeURIComponent(id)}`),
      ...some(references, 20).flatMap((ref) => [`/v1/explain/${ref}`, `/v1/candidates/${ref}`]),
      ...some(endpoints, 40).flatMap((name) => [
        `/v1/explain/${encodeURIComponent(name)}`,
        `/v1/pins/${encodeURIComponent(name)}`,
        `/v1/history?endpoint=${encodeURIComponent(name)}`,
      ]),
    ];
  }

  async ofCommands() {
    const { config } = this.#world;
    const commands = [
      ['status'],
      ['status', '--json'],
      ['pins', 'list'],
      ['pins', 'list', '--json'],
      ['pins', 'history'],
      ['pins', 'verify'],
      ['pins', 'export'],
      ['doctor', '--offline', '-c', config],
      ['doctor', '--offline', '--json', '-c', config],
      ['check', '-c', config],
      ['config', 'show', '--origin', '-c', config],
      ['config', 'show', '--json', '-c', config],
      ['explain', 'pin-mismatch'],
      ['hooks', 'events'],
      ['hooks', 'test', '-c', config],
    ];
    const waiting = commands.values();
    const runAll = async () => {
      for (const words of waiting) {
        const said = await this.#world.command(...words);
        if (said.length < 20) this.findings.push(`letterlock ${words.join(' ')} said nothing: ${said}`);
        this.look('commands', said, words.slice(0, 2).join(' '));
      }
    };
    await Promise.all([runAll(), runAll(), runAll()]);
  }

  /** Files of its own, and any it left where it runs. */
  #filesIn(folder) {
    for (const name of readdirSync(folder, { recursive: true })) {
      const path = join(folder, name);
      if (theirs.test(relative(folder, path)) || !statSync(path, { throwIfNoEntry: false })?.isFile())
        continue;
      this.look(
        name.startsWith('state') ? 'state' : name === 'hooked' ? 'hooks' : 'files',
        readFileSync(path),
        name,
      );
    }
    for (const text of this.#world.received) this.look('webhooks', text);
  }

  files() {
    this.#filesIn(this.#world.folder);
  }

  /** All that is reachable after every session ended; what the configuration holds is reachable on purpose. */
  async heap(sessions) {
    const file = join(this.#world.folder, 'whole.heapsnapshot');
    this.#world.order('snapshot');
    await this.#world.until('the heap snapshot', () => existsSync(file), 60_000);
    const bytes = readFileSync(file);
    rmSync(file);
    this.look('heap snapshot', bytes, '', [sessions]);
    return bytes.length;
  }

  /** How many different secrets lie anywhere in the memory of the process, free or not: a figure, since free memory is not wiped. */
  memory(sessions) {
    const pid = this.#world.child.pid;
    const mem = openSync(`/proc/${pid}/mem`, 'r');
    const found = new Set();
    const piece = Buffer.alloc(1 << 20);
    try {
      for (const line of readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n')) {
        const [, from, to] = /^([\da-f]+)-([\da-f]+) rw/.exec(line) ?? [];
        if (from === undefined) continue;
        const end = Number.parseInt(to, 16);
        // A secret may lie over the end of a piece.
        for (let at = Number.parseInt(from, 16); at < end; at += piece.length - 64) {
          const read = readSafely(mem, piece, { at, length: Math.min(piece.length, end - at) });
          sessions.differentIn(piece.subarray(0, read), found);
        }
      }
    } finally {
      closeSync(mem);
    }
    return found.size;
  }
}

/** What the campaign itself put there. */
const theirs =
  /^(?:log|order|letterlock\.yaml|hook\.(?:sh|secret)|.*\.password|server\.(?:key|pem)|.*\.heapsnapshot)$/;

function readSafely(mem, piece, { at, length }) {
  try {
    return readSync(mem, piece, 0, length, at);
  } catch {
    return 0;
  }
}
