// The other proxies the scripts are played to: stunnel as a client that verifies chain and name, and the naive one. Both have
// a listening port for each script, as letterlock has.

import { once } from 'node:events';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Children } from '../../benchmark/children.mjs';
import { hostOf } from './letterlock.mjs';

const startMs = 120_000;

class Peer {
  ports = new Map();
  child = null;

  constructor(folder, name) {
    this.folder = mkdtempSync(join(folder, `${name}-`));
    this.children = new Children(this.folder);
  }

  port({ name }) {
    return this.ports.get(name);
  }

  get ended() {
    return this.child.signalCode ?? this.child.exitCode;
  }

  async end() {
    if (this.child !== null) await this.children.end(this.child);
  }

  endAtOnce() {
    this.children.endAll();
  }
}

/** stunnel's own words in clear: it has one tag for all. */
export class Stunnel extends Peer {
  name = 'stunnel';
  tags = ['stunnel', 'stunnel'];

  constructor(folder) {
    super(folder, 'stunnel');
  }

  /** Its version; null where it is not installed. */
  static version() {
    const { error, stderr } = spawnSync('stunnel', ['-version'], { encoding: 'utf8' });
    return error === undefined ? (/stunnel ([\d.]+)/.exec(stderr)?.[1] ?? 'unknown') : null;
  }

  /** LMTP and ManageSieve it cannot begin in clear. */
  can({ protocol, mode }) {
    return mode === 'implicit' || ['imap', 'pop3', 'smtp'].includes(protocol);
  }

  async start(stages, { pem }) {
    const ca = join(this.folder, 'ca.pem');
    writeFileSync(ca, pem);
    const ports = await freePorts(stages.length);
    const services = stages.map(({ name, script: { protocol, mode }, server }, index) => {
      this.ports.set(name, ports[index]);
      return [
        `[${name}]`,
        'client = yes',
        `accept = 127.0.0.1:${ports[index]}`,
        `connect = 127.0.0.1:${server.port}`,
        `CAfile = ${ca}`,
        'verifyChain = yes',
        `checkHost = ${hostOf(name)}`,
        ...(mode === 'starttls' ? [`protocol = ${protocol}`] : []),
      ].join('\n');
    });
    const file = join(this.folder, 'stunnel.conf');
    writeFileSync(
      file,
      ['foreground = yes', 'debug = err', 'pid =', 'socket = l:SO_REUSEADDR=1', ...services, ''].join('\n'),
    );
    this.child = this.children.start('stunnel', [file]);
    await answers(ports.at(-1), this);
  }
}

export class Naive extends Peer {
  name = 'naive';
  tags = ['n1', 'n2'];

  constructor(folder) {
    super(folder, 'naive');
  }

  can() {
    return true;
  }

  async start(stages) {
    const file = join(this.folder, 'routes.json');
    const routes = stages.map(({ name, script: { protocol, mode }, server }) => ({
      name,
      protocol,
      mode,
      port: server.port,
    }));
    writeFileSync(file, JSON.stringify(routes));
    const program = join(dirname(fileURLToPath(import.meta.url)), 'naive-proxy.mjs');
    this.child = this.children.start(process.execPath, [program, file], { stdin: 'pipe', stdout: 'pipe' });
    let text = '';
    this.child.stdout.on('data', (chunk) => (text += chunk));
    while (!text.includes('\n'))
      await Promise.race([
        once(this.child.stdout, 'data'),
        once(this.child, 'exit').then(() =>
          Promise.reject(new Error(`the naive proxy did not start: ${this.said}`)),
        ),
      ]);
    this.ports = new Map(Object.entries(JSON.parse(text)));
  }

  get said() {
    return readFileSync(join(this.folder, 'said.log'), 'latin1').slice(-1000);
  }
}

/** So many ports that nobody listens on now. */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Until somebody listens there. */
async function answers(port, peer) {
  for (const began = performance.now(); performance.now() - began < startMs; await delay(100)) {
    if (peer.ended !== null) break;
    const socket = connect(port, '127.0.0.1');
    const open = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (open) return;
  }
  throw new Error(
    `${peer.name} did not start: ${readFileSync(join(peer.folder, 'said.log'), 'latin1').slice(-1000)}`,
  );
}
