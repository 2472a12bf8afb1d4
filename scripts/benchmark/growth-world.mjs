// What every curve of the growth benchmark stands on: temporary folders, the daemon as shipped with the probe loaded
// into it, questions over its socket, and one measured step. Cleans up what it made.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const probe = join(here, 'growth-probe.mjs');
const dropped = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_OPTIONS'];

/** The environment without what would change who is trusted. */
export const cleanEnv = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !dropped.includes(name)));

/** A folder that goes with the process. */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'letterlock-growth-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** `count` ports that were free a moment ago. */
export async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, '127.0.0.1', resolve);
      });
      return server;
    }),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** A program with the probe loaded into it. */
function spawnProbed(argv, { env = cleanEnv() } = {}) {
  const child = spawn(process.execPath, ['--expose-gc', '--import', probe, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env,
  });
  process.once('exit', () => child.kill('SIGKILL'));
  const ask = (word) =>
    new Promise((resolve, reject) => {
      const gone = () => reject(new Error('the process under test ended'));
      child.once('exit', gone);
      child.once('message', (answer) => {
        child.off('exit', gone);
        resolve(answer);
      });
      child.send(word);
    });
  return { child, ask };
}

/** Waits for a line of `stream` that `fits`; rejects when the process ends first. */
function lineOf(child, stream, fits) {
  return new Promise((resolve, reject) => {
    let rest = '';
    let tail = '';
    const read = (chunk) => {
      tail = (tail + chunk).slice(-2000);
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      const found = lines.find(fits);
      if (found === undefined) return;
      stream.off('data', read);
      stream.resume();
      resolve(found);
    };
    stream.on('data', read);
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${tail}`)));
  });
}

/** The daemon as shipped. `facts.startMs` is from spawning it to its word that it is ready. */
export async function startDaemon({ dist, folder, config }) {
  const file = join(folder, 'letterlock.json');
  const socket = join(folder, 'admin.sock');
  const write = (next) =>
    writeFileSync(
      file,
      JSON.stringify(
        {
          state: join(folder, 'state'),
          admin: { socket: { path: socket } },
          log: { level: 'info', format: 'json' },
          shutdownSeconds: 0,
          ...next,
        },
        null,
        1,
      ),
    );
  write(config);
  const startedAt = performance.now();
  const { child, ask } = spawnProbed([join(dist, 'cmd/letterlock.js'), 'run', '-c', file]);
  child.stdout.resume();
  // Thousands of routes say so all at once, and the line may be among those a busy reader loses; then this tells of it.
  await lineOf(child, child.stderr, (line) => /"event":"(?:ready|log-lost)"/.test(line));
  const startMs = performance.now() - startedAt;
  const { totalCpuMs, holdMs } = await ask('read');
  await pause(50);
  const { rss, heapUsed } = await ask('settle');
  return {
    child,
    ask,
    socket,
    file,
    write,
    started: { ms: startMs, cpuMs: totalCpuMs, holdMs, rss, heapUsed },
    stop: async () => {
      const over = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
      await over;
      clearTimeout(late);
    },
  };
}

/** One step of a process under test: time, CPU and the longest hold of its loop while `work` runs. */
export async function step({ ask }, work) {
  await pause(5);
  await ask('reset');
  const startedAt = performance.now();
  const answer = await work();
  const ms = performance.now() - startedAt;
  await pause(5);
  const { cpuMs, holdMs, gcMs, rss } = await ask('read');
  return { ms, cpuMs, holdMs, gcMs, rss, ...(typeof answer === 'object' && answer !== null ? answer : {}) };
}

/** A question over HTTP, to a socket or a port; the answer is counted, not kept, unless `keep`. */
export function fetchOver(place, { path, method = 'GET', body = null, keep = false }) {
  const text = body === null ? null : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        ...(typeof place === 'string' ? { socketPath: place } : { host: '127.0.0.1', port: place }),
        path,
        method,
        agent: false,
        headers: {
          Host: 'localhost',
          ...(text === null
            ? {}
            : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
        },
      },
      (response) => {
        let bytes = 0;
        const kept = [];
        response.on('data', (chunk) => {
          bytes += chunk.length;
          if (keep || response.statusCode !== 200) kept.push(chunk);
        });
        response.once('error', reject);
        response.once('end', () => {
          const said = Buffer.concat(kept).toString('utf8');
          if (response.statusCode === 200) resolve({ bytes, ...(keep ? { text: said } : {}) });
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${said.slice(0, 300)}`));
        });
      },
    );
    outgoing.once('error', reject);
    outgoing.end(text ?? undefined);
  });
}

/** A command of the built program, run to its end: what it cost, and how much it printed. */
export async function runCommand(dist, words) {
  const startedAt = performance.now();
  const child = spawn(
    '/bin/sh',
    ['-c', 'exec "$0" "$@"', process.execPath, join(dist, 'cmd/letterlock.js'), ...words],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: cleanEnv(),
    },
  );
  let bytes = 0;
  let said = '';
  child.stdout.on('data', (chunk) => (bytes += chunk.length));
  child.stderr.on('data', (chunk) => (said = (said + chunk).slice(-500)));
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { ms: performance.now() - startedAt, bytes, code, ...(code === 0 ? {} : { error: said.trim() }) };
}

/** The usual metric of a table cell. */
export const cell = ({ ms, cpuMs, holdMs }) =>
  `${ms.toFixed(0)} / ${cpuMs === undefined ? '-' : cpuMs.toFixed(0)} / ${holdMs === undefined ? '-' : holdMs.toFixed(0)}`;

export const mebibytes = (bytes) => (bytes / 1048576).toFixed(0);
