// The world of the picture: mail servers of several kinds, letterlock in front of them, clients that come and go, and
// a story: one server changes its key and is approved, one lets its certificate run out and stays refused.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';
import { makeAuthority, selfSigned } from './certificates.mjs';

const run = promisify(execFile);

/** A mail server that greets, sends as much as it is asked for, and says goodbye. */
async function startServer(identity) {
  const sockets = new Set();
  const server = createTlsServer(identity, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.write('* OK [CAPABILITY IMAP4rev1] ready\r\n');
    socket.on('data', (chunk) => {
      const found = /FETCH (\d+)/.exec(chunk.toString('latin1'));
      if (found !== null) socket.write(`${'x'.repeat(Number(found[1]))}\r\n`);
      else if (chunk.includes('LOGOUT')) socket.end('* BYE\r\n');
      else socket.write('a OK\r\n');
    });
  }).on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: server.address().port,
    show: (next) => server.setSecureContext(next),
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** One visit of a mail client; ends when it has stayed, or was turned away. */
async function visit(port, { staySeconds, bytes }) {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  let greeted = false;
  socket.on('data', (chunk) => {
    if (greeted || !chunk.includes('* OK')) return;
    greeted = true;
    socket.write(`a FETCH ${bytes}\r\n`);
  });
  const closed = once(socket, 'close').catch(() => undefined);
  await Promise.race([closed, delay(staySeconds * 1000)]);
  if (!socket.destroyed) socket.write('a LOGOUT\r\n');
  await Promise.race([closed, delay(2000)]);
  socket.destroy();
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Starts servers and letterlock; `act` plays the story for `ms`. The caller stops it. */
export async function startWorld(root, ms) {
  const folder = mkdtempSync(join(tmpdir(), 'letterlock-board-'));
  const ca = await makeAuthority();
  writeFileSync(join(folder, 'ca.pem'), ca.pem);
  const hosts = {
    'imap.example.org': await ca.issue('imap.example.org', [-29, 61]),
    'mail.example.net': await ca.issue('mail.example.net', [-80, 10]),
    'post.example.com': await selfSigned('post.example.com', [-400, 1400]),
    'nas.example.lan': await selfSigned('nas.example.lan', [-700, 30]),
    'old.example.org': await ca.issue('old.example.org', [-88, 2]),
  };
  const servers = new Map();
  for (const [host, identity] of Object.entries(hosts)) servers.set(host, await startServer(identity));
  const names = [...servers.keys(), 'away.example.org'];
  const [metricsPort, port, closedPort, ...listens] = await freePorts(3 + names.length);
  const config = join(folder, 'letterlock.yaml');
  const routes = names.map((host, index) => ({
    name: host.split('.')[0],
    listen: `127.0.0.1:${listens[index]}`,
    upstream: `imaps://${host}`,
    address: `127.0.0.1:${servers.get(host)?.port ?? closedPort}`,
  }));
  writeFileSync(
    config,
    JSON.stringify({
      state: join(folder, 'state'),
      caFile: join(folder, 'ca.pem'),
      metrics: { listen: `127.0.0.1:${metricsPort}` },
      admin: { socket: { path: join(folder, 'admin.sock') } },
      log: { level: 'error' },
      routes,
    }),
  );
  const environment = { PATH: process.env.PATH, HOME: folder, LC_ALL: 'C' };
  const program = join(root, 'dist/cmd/letterlock.js');
  const daemon = spawn(process.execPath, [program, 'run', '-c', config], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: environment,
  });
  const letterlock = async (...words) =>
    (await run(process.execPath, [program, ...words, '-c', config], { env: environment })).stdout;
  const metrics = `127.0.0.1:${metricsPort}`;
  for (let tries = 0; ; tries += 1) {
    if (
      await fetch(`http://${metrics}/readyz`).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      break;
    if (tries > 200 || daemon.exitCode !== null) throw new Error('letterlock did not start');
    await delay(100);
  }
  const until = { at: 0 };
  return {
    folder,
    metrics,
    port,
    environment,
    act: async () => {
      until.at = Date.now() + ms;
      await Promise.all([
        ...names.map((host, index) => clients(listens[index], { until, busy: index })),
        story({ ms, servers, letterlock, ca, listens, names }),
        commands(letterlock, until),
      ]);
    },
    stop: async () => {
      const ended = once(daemon, 'exit');
      daemon.kill();
      await ended;
      for (const server of servers.values()) server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Clients come in waves, each route in its own. */
async function clients(port, { until, busy }) {
  const visits = new Set();
  while (Date.now() < until.at) {
    const wave = 1.3 + Math.sin(Date.now() / 17_000 + busy * 1.7);
    const visiting = visit(port, {
      staySeconds: 2 + Math.random() * (busy === 0 ? 30 : 12),
      bytes: Math.round(2000 + Math.random() * 60_000 * wave),
    });
    visits.add(visiting);
    void visiting.finally(() => visits.delete(visiting));
    await delay((busy === 0 ? 500 : 1400) / wave + Math.random() * 400);
  }
  await Promise.all(visits);
}

async function commands(letterlock, until) {
  while (Date.now() < until.at) {
    await letterlock('status');
    await letterlock('pins', 'list');
    await delay(6000);
  }
}

async function story({ ms, servers, letterlock, ca, listens, names }) {
  await delay(ms * 0.3);
  servers.get('post.example.com').show(await selfSigned('post.example.com', [-1, 1824]));
  await delay(ms * 0.1);
  // Somebody points a browser at a mail port.
  await fetch(`http://127.0.0.1:${listens[names.indexOf('imap.example.org')]}/`).catch(() => undefined);
  await delay(ms * 0.1);
  const [row] = JSON.parse(await letterlock('pins', 'list', '--json')).filter(
    ({ endpoint }) => endpoint === 'post.example.com:993',
  );
  await letterlock('pins', 'approve', row.endpoint, '--expect', row.candidates[0].spki, '--end-old');
  await delay(ms * 0.1);
  servers.get('old.example.org').show(await ca.issue('old.example.org', [-91, -1]));
  await delay(ms * 0.1);
  await letterlock('reload');
  // A key turns out to be stolen, and then it does not.
  const [nas] = JSON.parse(await letterlock('pins', 'list', '--json')).filter(
    ({ endpoint }) => endpoint === 'nas.example.lan:993',
  );
  await letterlock('pins', 'reject', nas.endpoint, '--expect', nas.pins[0].spki);
  await delay(ms * 0.1);
  await letterlock('pins', 'undo', nas.endpoint);
  await fetch(`http://127.0.0.1:${listens[names.indexOf('nas.example.lan')]}/`).catch(() => undefined);
}
