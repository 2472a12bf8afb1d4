// config/systemd/letterlock.service as systemd itself runs it: the unit as it is shipped, all phases of a daemon's life, and
// a filter of system calls that kills at the first one it does not allow.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeCertificates } from '../lab/certificates.ts';
import { temporaryFolder } from '../lab/folder.ts';
import { describeWith } from '../lab/needs.ts';
import { cleanEnvironment, run, type Ran } from '../lab/run.ts';
import { startSystemd, type Systemd } from '../lab/systemd.ts';
import { until } from '../lab/wait.ts';

const unitFile = join(import.meta.dirname, '../../config/systemd/letterlock.service');
const unit = readFileSync(unitFile, 'utf8');

/** IMAP over TLS; takes another certificate on SIGHUP. */
const upstream = `
const { readFileSync } = require('node:fs');
const tls = require('node:tls');
const identity = (name) => ({ cert: readFileSync('/opt/lab/' + name + '.crt'), key: readFileSync('/opt/lab/' + name + '.key') });
const server = tls.createServer(identity('self1'), (socket) => {
  socket.on('error', () => undefined);
  socket.on('data', (bytes) => socket.write(bytes));
  socket.write('* OK ready\\r\\n');
});
server.listen(9993, '127.0.0.1');
process.on('SIGHUP', () => server.setSecureContext(identity('self2')));
`;

/** Connects to a port or a path, over TLS where a third word says so; says a line once greeted and prints all it heard. */
const talk = `
const [place, kind] = process.argv.slice(2);
const where = place.startsWith('/') ? { path: place } : { host: '127.0.0.1', port: Number(place) };
// It looks at no certificate: what letterlock shows its clients is tested elsewhere.
const socket = kind === 'tls' ? require('node:tls').connect({ ...where, rejectUnauthorized: false }) : require('node:net').connect(where);
let heard = '';
let said = false;
socket.on('data', (bytes) => {
  heard += bytes.toString('latin1');
  if (!said && heard.includes('\\r\\n')) socket.write('a LOGIN anna secret\\r\\n'), (said = true);
  if (heard.includes('a LOGIN')) socket.end();
});
socket.on('error', (error) => console.log(error.code));
socket.on('close', () => console.log(JSON.stringify(heard)));
setTimeout(() => socket.destroy(), 10000).unref();
`;

const configuration = `
trust: tofu
routes:
  - {name: plain, listen: "127.0.0.1:1143", upstream: "imaps://mail.lab.test:9993", address: "127.0.0.1:9993"}
  - {name: inside-tls, listen: "127.0.0.1:1993", upstream: "imaps://mail.lab.test:9993", address: "127.0.0.1:9993", clientTls: implicit, warm: 1}
  - {name: file, listen: "unix:/run/letterlock/imap.sock", upstream: "imaps://mail.lab.test:9993", address: "127.0.0.1:9993"}
admin: {socket: default, listen: "127.0.0.1:9466"}
hooks:
  - {name: program, exec: ["/usr/bin/true"], on: [first-use, candidate, refused, started, reloaded]}
`;

/** What keeps an unforeseen call from being overlooked: the process dies of it. */
const deadly = `[Service]
SystemCallErrorNumber=kill
Restart=no
StandardOutput=append:/opt/lab/log
StandardError=append:/opt/lab/log
`;

/** Tries what the unit forbids, and prints what came of each. */
const burglar = `
const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const tried = {};
const attempt = (name, deed) => {
  try {
    tried[name] = String(deed());
  } catch (error) {
    tried[name] = error.code ?? 'refused';
  }
};
attempt('own state', () => fs.writeFileSync('/var/lib/letterlock/file', '') ?? 'done');
attempt('the system', () => fs.writeFileSync('/etc/file', ''));
attempt('homes', () => fs.readdirSync('/root').length);
attempt('other processes', () => fs.readdirSync('/proc').filter((name) => name === '1').length);
attempt('devices', () => fs.existsSync('/dev/kmsg') || fs.existsSync('/dev/mem'));
attempt('a program of its own', () => {
  fs.writeFileSync('/var/lib/letterlock/program', '#!/bin/sh\\n', { mode: 0o755 });
  return execFileSync('/var/lib/letterlock/program');
});
attempt('a name space', () => spawnSync('/usr/bin/unshare', ['--user', '/usr/bin/true']).status);
attempt('an owner', () => fs.chownSync('/var/lib/letterlock/file', 1, 1));
attempt('a bit of somebody else', () => fs.chmodSync('/var/lib/letterlock/file', 0o4700));
attempt('core files', () => /core file size +(\\d+ +\\d+)/.exec(fs.readFileSync('/proc/self/limits', 'utf8'))[1].replace(/ +/, ' '));
const server = net.createServer().listen(81, '127.0.0.1');
server.on('error', (error) => (tried['a port below 1024'] = error.code)).on('listening', () => (tried['a port below 1024'] = 'done'));
setImmediate(() => (console.log(JSON.stringify(tried)), server.close()));
`;

const files = async (): Promise<Readonly<Record<string, string>>> => {
  const folder = await temporaryFolder();
  try {
    await makeCertificates(folder.path);
    const own = ['self1.crt', 'self1.key', 'self2.crt', 'self2.key'];
    return Object.fromEntries(own.map((name) => [name, readFileSync(join(folder.path, name), 'utf8')]));
  } finally {
    await folder.remove();
  }
};

const analysed = (...args: readonly string[]): Promise<Ran> =>
  run(['systemd-analyze', ...args, unitFile], { env: cleanEnvironment('/') });

describeWith(['systemd-analyze'], { root: false })('the unit', () => {
  test('is as closed as a program of Node can be that reaches the network', async () => {
    const { exit, shown } = await analysed('security', '--offline=true', '--threshold=11', '--no-pager');
    expect(shown).toContain('Overall exposure level for letterlock.service: 1.1 OK');
    expect(exit).toBe(0);
    const open = [...shown.matchAll(/^✗ (\S+)/gm)].map(([, name]) => name);
    // Each of these has its reason in docs/confinement.md.
    expect(open).toEqual([
      'RootDirectory=/RootImage=',
      'MemoryDenyWriteExecute=',
      'RestrictAddressFamilies=~AF_NETLINK',
      'RestrictAddressFamilies=~AF_UNIX',
      'RestrictAddressFamilies=~AF_(INET|INET6)',
      'PrivateNetwork=',
      'DeviceAllow=',
      'IPAddressDeny=',
    ]);
  });

  test('has no line that systemd does not know', async () => {
    const { shown } = await analysed('verify', '--man=no');
    // The program is not installed here.
    expect(shown.replace(/^.*\/usr\/bin\/letterlock is not executable.*\n/m, '')).toBe('');
  });
});

describeWith(['systemd-analyze', 'unshare', 'nsenter', 'ip', 'openssl'], { root: true })(
  'run by systemd',
  () => {
    let systemd: Systemd;
    beforeAll(async () => {
      systemd = await startSystemd({
        ...(await files()),
        'upstream.cjs': upstream,
        'talk.cjs': talk,
        'burglar.cjs': burglar,
        'get.cjs': 'fetch(process.argv[2]).then((answer) => answer.text()).then(console.log);',
        'etc/letterlock/letterlock.yaml': configuration,
        'units/upstream.service':
          '[Service]\nExecStart=/usr/bin/node /opt/lab/upstream.cjs\nExecReload=/bin/kill -HUP $MAINPID\n',
        'units/letterlock.service': unit,
        'units/letterlock.service.d/deadly.conf': deadly,
        'units/burglar.service': unit.replace(
          /^ExecStart=.*$/m,
          'ExecStart=/usr/bin/node /opt/lab/burglar.cjs',
        ),
        'units/burglar.service.d/once.conf':
          '[Service]\nType=oneshot\nRestart=no\nStandardOutput=append:/opt/lab/tried\n',
      });
      await systemd.say('systemctl', 'start', 'upstream', 'letterlock');
      await logged('ready');
    });
    afterAll(() => systemd?.stop());

    /** Entries of its log so far. */
    const entries = (event: string): readonly string[] =>
      (existsSync(join(systemd.folder, 'log')) ? readFileSync(join(systemd.folder, 'log'), 'utf8') : '')
        .split('\n')
        .filter((line) => line.includes(`"event":"${event}"`));
    const logged = (event: string, count = 1): Promise<boolean> =>
      until(`${count} ${event}`, () => entries(event).length >= count, 20_000);
    const property = async (name: string): Promise<string> =>
      (await systemd.say('systemctl', 'show', `--property=${name}`, '--value', 'letterlock')).trim();
    /** What a client hears at a place: the greeting, and its login sent back. */
    const heard = async (...place: readonly string[]): Promise<string> =>
      JSON.parse(await systemd.say('node', '/opt/lab/talk.cjs', ...place));
    const served = '* OK ready\r\na LOGIN anna secret\r\n';
    const got = (url: string): Promise<string> => systemd.say('node', '/opt/lab/get.cjs', url);
    const pins = async (): Promise<string> => systemd.say('letterlock', 'pins', 'list');

    test('it serves clients at ports, inside TLS and at a socket file', async () => {
      expect(await heard('1143')).toBe(served);
      expect(await heard('1993', 'tls')).toBe(served);
      expect(await heard('/run/letterlock/imap.sock')).toBe(served);
      expect(await pins()).toContain('mail.lab.test:9993  pinned');
      expect(await systemd.say('letterlock', 'status')).toContain('user letterlock');
    });

    test('it has no rights, no core files, and its files are its own', async () => {
      const pid = await property('MainPID');
      const status = await systemd.say('cat', `/proc/${pid}/status`);
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
        expect(status).toContain(`${set}:\t0000000000000000`);
      expect(status).toContain('NoNewPrivs:\t1');
      expect(status).toContain('Seccomp:\t2');
      expect(status).not.toMatch(/^Uid:\t0/m);
      expect(await systemd.say('cat', `/proc/${pid}/limits`)).toMatch(/^Max core file size +0 +0 /m);
      expect(await systemd.say('stat', '--dereference', '--format=%a %U', '/var/lib/letterlock')).toBe(
        '700 letterlock\n',
      );
      expect(await systemd.say('stat', '--format=%a %U', '/run/letterlock/admin.sock')).toBe(
        '600 letterlock\n',
      );
    });

    test('it refuses another key, tells its hook, and takes an approval', async () => {
      await systemd.say('systemctl', 'reload', 'upstream');
      expect(await heard('1143')).toMatch(/^\* BYE \[ALERT\] letterlock refused/);
      const listed = await systemd.say('letterlock', 'pins', 'list', '--json');
      const [, pin = ''] = /"candidates":\s*\[\s*\{[^}]*"spki":\s*"([^"]+)"/.exec(listed) ?? [];
      await systemd.say('letterlock', 'pins', 'approve', 'mail.lab.test:9993', '--expect', pin);
      expect(await heard('1143')).toBe(served);
      // A hook that could not be run would be a warning.
      expect(entries('warning').filter((line) => line.includes('hook'))).toEqual([]);
    });

    test('metrics and page are there', async () => {
      expect(await got('http://127.0.0.1:9465/metrics')).toContain(
        'letterlock_hook_deliveries_total{hook="program",result="delivered"}',
      );
      expect(await got('http://127.0.0.1:9466/')).toContain('Open it with: letterlock dashboard');
    });

    test('a reload, a debugger signal and a restart leave it as it was', async () => {
      const pid = await property('MainPID');
      await systemd.say('systemctl', 'reload', 'letterlock');
      await logged('reloaded');
      await systemd.say('kill', '-USR1', pid);
      expect(await heard('1143')).toBe(served);
      expect(await property('MainPID')).toBe(pid);
      await systemd.say('systemctl', 'restart', 'letterlock');
      await logged('ready', 2);
      expect(await heard('1143')).toBe(served);
      expect(await pins()).toContain('mail.lab.test:9993  pinned');
    });

    test('it ends in good order, and no call of it was one that the filter forbids', async () => {
      await systemd.say('systemctl', 'stop', 'letterlock');
      expect(await property('Result')).toBe('success');
      expect(await property('ExecMainStatus')).toBe('0');
    });

    test('a program of others in its place finds everything shut', async () => {
      await systemd.say('systemctl', 'start', 'burglar');
      expect(JSON.parse(readFileSync(join(systemd.folder, 'tried'), 'utf8'))).toEqual({
        'own state': 'done',
        'the system': 'EROFS',
        homes: 'EACCES',
        'other processes': '0',
        devices: 'false',
        'a program of its own': 'EACCES',
        'a name space': '1',
        'an owner': 'EPERM',
        'a bit of somebody else': 'EPERM',
        'core files': '0 0',
        'a port below 1024': 'EACCES',
      });
    });
  },
);
