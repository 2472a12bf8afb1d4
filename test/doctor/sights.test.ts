// What the doctor reads from the system, by the system's own words, and what it sees of stores, places and names.

import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seeAnchors } from '../../src/doctor/sights/anchors.ts';
import { chronyState, timedatectlState } from '../../src/doctor/sights/clock.ts';
import { markedBy } from '../../src/doctor/sights/container.ts';
import type { DaemonSight } from '../../src/doctor/sights/daemon.ts';
import { mountOf, nearestFolder, seeDisk } from '../../src/doctor/sights/files.ts';
import { hasDefaultRoute, seeNames, seeServers } from '../../src/doctor/sights/network.ts';
import { seePorts } from '../../src/doctor/sights/ports.ts';
import { fileLimitIn, seeFileLimit } from '../../src/doctor/sights/process.ts';
import { seeStore } from '../../src/doctor/sights/store.ts';
import { endpointOf } from '../../src/endpoint.ts';
import type { Route } from '../../src/proxy/route.ts';
import { openLevelStore } from '../../src/store/level.ts';
import { portOf, selfSigned } from '../net/peers.ts';
import { plainRoute } from '../proxy/route.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'll-doctor-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const absent: DaemonSight = {
  facts: { state: 'absent', tried: [], denied: null },
  status: null,
  verified: null,
};

describe('the words of', () => {
  it.each([
    ['Reference ID    : A29FC87B\nLeap status     : Normal\n', 'synchronised'],
    ['Leap status     : Insert second\n', 'synchronised'],
    ['Leap status     : Not synchronised\n', 'unsynchronised'],
    ['506 Cannot talk to daemon\n', 'unknown'],
    ['', 'unknown'],
  ])('chronyc: %j is %s', (text, state) => expect(chronyState(text)).toBe(state));

  it.each([
    ['NTPSynchronized=yes\n', 'synchronised'],
    ['NTPSynchronized=no\n', 'unsynchronised'],
    ['', 'unknown'],
  ])('timedatectl: %j is %s', (text, state) => expect(timedatectlState(text)).toBe(state));

  it.each([
    ['0::/', undefined, null],
    ['12:pids:/docker/0123\n', undefined, 'docker'],
    ['0::/kubepods.slice/x', undefined, 'kubepods'],
    ['0::/init.scope', 'podman', 'podman'],
    ['0::/', '', null],
  ])('cgroup %j and container=%j: %j', (cgroup, variable, mark) =>
    expect(markedBy(cgroup, variable)).toBe(mark),
  );

  it.each([
    ['Max open files            1024                 4096                 files \n', 1024],
    ['Max open files            unlimited            unlimited            files \n', Number.MAX_SAFE_INTEGER],
    ['Max processes             1024                 4096                 processes \n', null],
    ['', null],
  ])('limits: %j', (text, limit) => expect(fileLimitIn(text)).toBe(limit));

  const none = '0'.repeat(32);
  const line = (dest: string, prefix: string, flags: string, device: string): string =>
    `${dest} ${prefix} ${none} 00 fe80${'0'.repeat(28)} 00000400 00000001 00000000 ${flags}     ${device}\n`;
  it.each([
    ['a default route', line(none, '00', '00450003', 'eth0'), true],
    ['one that rejects', line(none, '00', '00200200', 'lo'), false],
    ['one over loopback', line(none, '00', '00000001', 'lo'), false],
    ['a network alone', line(`2001${'0'.repeat(28)}`, '40', '00000001', 'eth0'), false],
    ['nothing', '', false],
  ])('ipv6_route: %s', (_, table, has) => expect(hasDefaultRoute(table)).toBe(has));

  const mounts = [
    'overlay / overlay rw,relatime 0 0',
    'tmpfs /run tmpfs rw,nosuid 0 0',
    '/dev/sda1 /var/lib/my\\040data ext4 ro,relatime 0 0',
    'tmpfs /var/lib/twice tmpfs rw 0 0',
    '/dev/sdb /var/lib/twice xfs rw 0 0',
    '',
  ].join('\n');
  it.each([
    ['/var/lib/letterlock', 'overlay', false],
    ['/run/letterlock', 'tmpfs', false],
    ['/runaway', 'overlay', false],
    ['/run', 'tmpfs', false],
    ['/var/lib/my data/x', 'ext4', true],
    ['/var/lib/twice/x', 'xfs', false],
  ])('mounts: %s is on %s', (path, filesystem, readOnly) =>
    expect(mountOf(mounts, path)).toMatchObject({ filesystem, readOnly }),
  );
  it('mounts that cannot be read: nothing', () => expect(mountOf('', '/x')).toBe(null));
});

describe('of the disk', () => {
  it('the nearest folder that is there is asked', async () => {
    expect(await nearestFolder(join(folder, 'a/b/c'))).toBe(folder);
    const disk = await seeDisk(join(folder, 'a/b'));
    expect(disk).toMatchObject({ folder, readOnly: false, freeBytes: expect.any(Number) });
  });

  it('this process has a limit of files', async () => {
    expect(await seeFileLimit('self')).toBeGreaterThan(100);
  });
});

const open = (directory: string): ReturnType<typeof openLevelStore> =>
  openLevelStore({ directory, create: true, now: Date.now });

describe('of a store', () => {
  it('that is not there nothing is made', async () => {
    const directory = join(folder, 'state');
    expect(await seeStore(directory, absent)).toEqual({ state: 'missing', directory });
    expect(await readdir(folder)).toEqual([]);
    expect(await seeStore(folder, absent)).toEqual({ state: 'missing', directory: folder });
  });

  it('that is whole it is told, and left as it was', async () => {
    const directory = join(folder, 'state');
    await (await open(directory)).close();
    await chmod(directory, 0o750);
    expect(await seeStore(directory, absent)).toMatchObject({ state: 'files', health: 'good', problems: [] });
    expect((await stat(directory)).mode & 0o777).toBe(0o750);
    await chmod(directory, 0o700);
    await (await open(directory)).close();
  });

  it('that lost its seal it is told', async () => {
    const directory = join(folder, 'state');
    await (await open(directory)).close();
    await rm(join(directory, 'seal'));
    const seen = await seeStore(directory, absent);
    expect(seen).toMatchObject({ state: 'files' });
    await writeFile(join(directory, 'seal'), 'x');
    expect(await seeStore(directory, absent)).toMatchObject({ state: 'files', health: 'damaged' });
  });

  it('that is in use its holder is told', async () => {
    const directory = join(folder, 'state');
    const store = await open(directory);
    expect(await seeStore(directory, absent)).toMatchObject({
      state: 'locked',
      holder: expect.stringContaining(`pid ${process.pid}`),
    });
    await store.close();
  });
});

const config = (routes: readonly Route[]): Parameters<typeof seePorts>[0] => ({
  state: folder,
  routes,
  resolver: null,
  metrics: null,
  admin: { socket: { path: join(folder, 'admin.sock'), mode: 0o600, group: null }, listen: null },
  localCa: { names: [] },
  log: { level: 'info', format: 'json' },
  hooks: [],
  shutdownSeconds: 1,
});
const tcp = (port: number): Route => ({ ...plainRoute, listen: [{ kind: 'tcp', host: '127.0.0.1', port }] });

/** A server on a port of its own. */
async function listening(): Promise<{ readonly port: number; readonly close: () => void }> {
  const server = createServer((socket) => void socket.on('error', () => undefined)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: portOf(server), close: () => void server.close() };
}

describe('of a place', () => {
  it('that is taken its owner is told, and the daemon’s own is not tried', async () => {
    const taken = await listening();
    const [seen] = await seePorts(config([tcp(taken.port)]), null);
    expect(seen).toMatchObject({
      what: 'imap-test',
      state: {
        kind: 'refused',
        message: expect.stringContaining('is in use by a program of uid'),
        optional: false,
      },
    });
    const status = {
      version: '',
      pid: 1,
      user: '',
      startedAt: '',
      stateDirectory: folder,
      metrics: null,
      routes: [
        {
          name: 'imap-test',
          listen: `127.0.0.1:${taken.port}`,
          upstream: '',
          endpoint: '',
          protocol: 'imap',
          sessions: 0,
          state: 'ready',
        },
      ],
      store: { state: 'good', detail: null, backend: 'level', generation: 0, records: 0 },
    } as const;
    expect(await seePorts(config([tcp(taken.port)]), status)).toMatchObject([{ state: { kind: 'ours' } }]);
    taken.close();
    const [free] = await seePorts(config([tcp(taken.port)]), null);
    expect(free).toMatchObject({ state: { kind: 'free' } });
  });

  it('of the page it is a fault as well: letterlock would not start', async () => {
    const taken = await listening();
    const own = config([]);
    const listen = { host: '127.0.0.1', port: taken.port };
    expect(await seePorts({ ...own, admin: { ...own.admin, listen } }, null)).toMatchObject([
      { what: 'admin.listen', state: { kind: 'refused', optional: false } },
    ]);
    taken.close();
    const free = await seePorts({ ...own, admin: { ...own.admin, listen: { ...listen, port: 0 } } }, null);
    expect(free).toMatchObject([{ what: 'admin.listen', state: { kind: 'free' } }]);
  });

  it('of metrics by default it is no fault, and asked for it is', async () => {
    const taken = await listening();
    for (const explicit of [false, true]) {
      const metrics = {
        host: '127.0.0.1',
        port: taken.port,
        explicit,
        level: 'full',
        maxLabelValues: 1000,
      } as const;
      expect(await seePorts({ ...config([]), metrics }, null)).toMatchObject([
        { what: 'metrics', state: { kind: 'refused', optional: !explicit } },
      ]);
    }
    taken.close();
  });

  it('that others could reach in clear it is a refusal, and a socket file needs its folder', async () => {
    const exposed: Route = { ...plainRoute, listen: [{ kind: 'tcp', host: '0.0.0.0', port: 0 }] };
    const path = join(folder, 'none/x.sock');
    const file: Route = { ...plainRoute, listen: [{ kind: 'unix', path, mode: 0o600, group: null }] };
    expect(await seePorts(config([exposed, file]), null)).toMatchObject([
      { state: { kind: 'refused', message: expect.stringContaining('not a loopback address') } },
      { state: { kind: 'refused', message: expect.stringContaining('does not exist') } },
    ]);
  });
});

const to = (port: number, others: Route['others'] = []): Route => ({
  ...plainRoute,
  endpoint: endpointOf('127.0.0.1', port),
  others,
});

describe('of the servers', () => {
  it('the one that answers stands in for the other', async () => {
    const [up, down] = [await listening(), await listening()];
    down.close();
    const seen = await seeServers([to(down.port, [to(up.port)])]);
    expect(seen).toMatchObject([
      {
        endpoint: `127.0.0.1:${down.port}`,
        result: { state: 'unreached', code: 'dial' },
        standIn: `127.0.0.1:${up.port}`,
      },
      { endpoint: `127.0.0.1:${up.port}`, result: { state: 'reached', address: `127.0.0.1:${up.port}` } },
    ]);
    up.close();
  });

  it('names are looked up, addresses are not, and behind a proxy only its own', async () => {
    const named: Route = { ...plainRoute, endpoint: endpointOf('localhost', 993) };
    const via = { kind: 'socks5', host: 'localhost', port: 1080, login: null } as const;
    const behind: Route = { ...plainRoute, endpoint: endpointOf('no.such.name.invalid', 993), via };
    expect(await seeNames([named, to(993), behind])).toMatchObject([{ host: 'localhost', error: null }]);
    expect(await seeNames([{ ...behind, via: null }])).toMatchObject([
      { host: 'no.such.name.invalid', ipv4: 0, ipv6: 0, error: expect.stringMatching(/^E/) },
    ]);
  });
});

it('of anchors, each list is looked at once, and a file with its date', async () => {
  const { cert } = await selfSigned();
  const path = join(folder, 'ca.pem');
  await writeFile(path, cert);
  const route = { ...plainRoute, anchors: [path] };
  expect(await seeAnchors([route, route])).toMatchObject([
    { sources: [path], counts: { file: 1 }, files: [{ path, changedAt: expect.any(Number) }], error: null },
  ]);
  await rm(path);
  expect(await seeAnchors([route])).toMatchObject([{ error: expect.stringContaining(path) }]);
  expect(await seeAnchors([])).toMatchObject([{ sources: ['system'] }]);
});
