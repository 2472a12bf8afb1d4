// Time to greeting over a slow link: the built letterlock, cold and with a warm pool, beside stunnel.
// Usage: npm run build && node scripts/benchmark/warm.mjs [ROUND_TRIP_MS [CONNECTIONS]]   (40 and 50)
// Needs openssl and stunnel4. The link is a relay in a process of its own that holds every byte for half a round
// trip, and the first ones for a whole one more, as a TCP connection over it would take.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { fileURLToPath } from 'node:url';

const [role, ...args] = process.argv.slice(2);
const self = fileURLToPath(import.meta.url);
const program = join(dirname(dirname(dirname(self))), 'dist/cmd/letterlock.js');
/** Between two connections, so that each finds the pool filled again. */
const spacingMs = 350;

// ---- the world, each in a process of its own

/** An IMAP server that greets, and ends when it is spoken to. */
async function server(folder) {
  const identity = {
    cert: readFileSync(join(folder, 'cert.pem')),
    key: readFileSync(join(folder, 'key.pem')),
  };
  const listening = createTlsServer(identity, (socket) => {
    socket.on('error', () => undefined);
    socket.setNoDelay(true);
    socket.write('* OK [CAPABILITY IMAP4rev1] ready\r\n');
    socket.on('data', () => socket.end('* BYE\r\na1 OK\r\n'));
  });
  await tell(listening);
}

async function link(port, roundTripMs) {
  const listening = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const openAt = performance.now() + roundTripMs;
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    carry(near, far, { roundTripMs, openAt });
    carry(far, near, { roundTripMs, openAt });
  });
  await tell(listening);
}

function carry(from, to, { roundTripMs, openAt }) {
  const laterMs = () => Math.max(openAt - performance.now(), 0) + roundTripMs / 2;
  from.on('data', (chunk) => setTimeout(() => to.write(chunk), laterMs()));
  from.on('end', () => setTimeout(() => to.end(), laterMs()));
  from.on('error', () => to.destroy());
}

async function tell(listening) {
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  process.stdout.write(`${listening.address().port}\n`);
}

// ---- the bench

async function bench(roundTripMs, connections) {
  if (!existsSync(program)) throw new Error('there is no dist: npm run build');
  const folder = mkdtempSync(join(tmpdir(), 'letterlock-bench-'));
  const children = [];
  const start = (command, words) => {
    const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'], env: environment(folder) });
    children.push(child);
    return child;
  };
  try {
    certificate(folder);
    const serverPort = await portOf(start(process.execPath, [self, 'server', folder]));
    const linkPort = await portOf(start(process.execPath, [self, 'link', serverPort, String(roundTripMs)]));
    const [cold, warm, other] = await freePorts(3);
    const letterlock = () =>
      start(process.execPath, [program, 'run', '-c', letterlockConfig(folder, { linkPort, cold, warm })]);
    const first = letterlock();
    start('stunnel4', [stunnelConfig(folder, { linkPort, other })]);
    await Promise.all([cold, warm, other].map(opened));

    const rows = [
      ['stunnel', await times(other, connections)],
      ['letterlock, cold', await times(cold, connections)],
      // The first one makes the record, or finds it, and wakes the pool.
      ['letterlock, warm: 1', (await times(warm, connections + 1)).slice(1)],
    ];
    first.kill('SIGTERM');
    await once(first, 'exit');
    const afterStart = [];
    for (let count = 0; count < 5; count += 1) {
      const again = letterlock();
      await opened(cold);
      await delay(1000);
      afterStart.push(...(await times(warm, 1)));
      again.kill('SIGTERM');
      await once(again, 'exit');
    }
    rows.push(['letterlock, warm: 1, first client 1 s after start', afterStart]);
    print(rows, roundTripMs);
  } finally {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

const environment = (folder) => ({ PATH: process.env.PATH, HOME: folder });

function certificate(folder) {
  const place = (name) => join(folder, name);
  const about = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', place('key.pem')];
  execFileSync('openssl', ['req', '-x509', ...key, '-out', place('cert.pem'), ...about], { stdio: 'ignore' });
}

function letterlockConfig(folder, { linkPort, cold, warm }) {
  const path = join(folder, 'letterlock.yaml');
  writeFileSync(
    path,
    `state: ${join(folder, 'state')}
trust: tofu
metrics: null
admin: {socket: {path: ${join(folder, 'admin.sock')}}}
routes:
  - {listen: "127.0.0.1:${cold}", upstream: "imaps://localhost:${linkPort}"}
  - {listen: "127.0.0.1:${warm}", upstream: "imaps://localhost:${linkPort}", warm: 1}
`,
  );
  return path;
}

function stunnelConfig(folder, { linkPort, other }) {
  const path = join(folder, 'stunnel.conf');
  writeFileSync(
    path,
    `foreground = yes
pid =
[imap]
client = yes
accept = 127.0.0.1:${other}
connect = 127.0.0.1:${linkPort}
verifyPeer = yes
CAfile = ${join(folder, 'cert.pem')}
`,
  );
  return path;
}

async function portOf(child) {
  const [chunk] = await once(child.stdout, 'data');
  return String(chunk).trim();
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((one) => once(one, 'listening')));
  const ports = servers.map((one) => one.address().port);
  for (const one of servers) one.close();
  return ports;
}

/** Resolves once something listens there; a client that leaves at once. */
async function opened(port) {
  for (let tries = 0; tries < 100; tries += 1) {
    const socket = connect(port, '127.0.0.1');
    const [open] = await Promise.race([
      once(socket, 'connect').then(() => [true]),
      once(socket, 'error').then(() => [false]),
    ]).catch(() => [false]);
    socket.destroy();
    if (open) return;
    await delay(100);
  }
  throw new Error(`nothing listens on ${port}`);
}

/** Milliseconds from connecting to the end of the greeting, of each connection. */
async function times(port, connections) {
  const found = [];
  for (let count = 0; count < connections; count += 1) {
    const started = performance.now();
    const socket = connect(port, '127.0.0.1');
    const [chunk] = await once(socket, 'data');
    found.push(performance.now() - started);
    if (!String(chunk).startsWith('* OK')) throw new Error(`not greeted: ${chunk}`);
    socket.end('a1 LOGOUT\r\n');
    socket.resume();
    await once(socket, 'close');
    await delay(spacingMs);
  }
  return found;
}

const at = (sorted, share) => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(1);

function print(rows, roundTripMs) {
  console.log(`Time to greeting, milliseconds, over a link of ${roundTripMs} ms round trip\n`);
  console.log('| | connections | p50 | p90 | worst |\n|---|---|---|---|---|');
  for (const [name, list] of rows) {
    const sorted = list.toSorted((a, b) => a - b);
    console.log(`| ${name} | ${list.length} | ${at(sorted, 0.5)} | ${at(sorted, 0.9)} | ${at(sorted, 1)} |`);
  }
}

// At the end: what is called needs all that stands above.
if (role === 'server') await server(args[0]);
else if (role === 'link') await link(Number(args[0]), Number(args[1]));
else await bench(Number(role ?? 40), Number(args[0] ?? 50));
