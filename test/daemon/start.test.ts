import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { remoteOperator } from '../../src/admin/client.ts';
import type { Reread } from '../../src/daemon.ts';
import { openLevelStore } from '../../src/store/level.ts';
import { selfSigned } from '../net/peers.ts';
import type { Identity } from '../net/peers.ts';
import { keyOf, makeAuthority } from '../proxy/world.ts';
import { changeOf, committed } from '../store/fixtures.ts';
import { page, routeTo, World } from './world.ts';

let world: World;
let own: Identity;
let impostor: Identity;
beforeAll(async () => {
  [own, impostor] = [await selfSigned(), await selfSigned()];
});
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

describe('a daemon at work', () => {
  test('relays a first use, tells of it loudly, and shows it to operators and in the metrics', async () => {
    const server = await world.server(own);
    const daemon = await world.start(world.config([routeTo(server, {})]));
    const client = world.client(daemon);
    await client.hear('* OK ready');
    await client.say('a NOOP\r\n').hear('a NOOP');
    client.socket.end();
    await world.event('session-ended');

    const operator = remoteOperator(daemon.adminSocket);
    const status = await operator.status();
    expect(status).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      pid: process.pid,
      stateDirectory: join(world.folder, 'state'),
      routes: [
        {
          name: 'imap-test',
          listen: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
          endpoint: `127.0.0.1:${server.port}`,
          protocol: 'imap',
          sessions: 0,
        },
      ],
      store: { state: 'good', backend: 'level', records: 1 },
    });
    expect(await operator.pins()).toMatchObject([
      { state: 'pinned', pins: [{ spki: keyOf(own), origin: 'first-use', live: true }] },
    ]);
    expect(await operator.pins()).toEqual(await daemon.operator.pins());
    expect(world.log.filter(({ change }) => change === 'first-use')).toMatchObject([
      { level: 'warn', spki: keyOf(own) },
    ]);
    expect(world.log.filter(({ event }) => event === 'session-ended')).toMatchObject([
      { outcome: 'relayed', basis: 'first-use', bytesUp: 8 },
    ]);
    const { text } = await page(daemon, '/metrics');
    expect(text).toContain(
      `letterlock_verdicts_total{upstream="127.0.0.1:${server.port}",basis="first-use"} 1`,
    );
    expect(text).toContain(`letterlock_endpoint_state{upstream="127.0.0.1:${server.port}",state="pinned"} 1`);
    expect(text).toContain('letterlock_pin_changes_total{event="first-use",origin="proxy"} 1');
    expect(text).toContain('letterlock_pins{state="pinned"} 1');
  });

  test('counts the bytes of a session while it is still open, and no byte twice', async () => {
    const server = await world.server(own);
    const daemon = await world.start(world.config([routeTo(server, {})]));
    const client = world.client(daemon);
    await client.hear('* OK ready');
    await client.say('a NOOP\r\n').hear('a NOOP');
    const carried = async (): Promise<string | undefined> =>
      /letterlock_relayed_bytes_total\{route="imap-test",direction="upstream"\} (\d+)/.exec(
        (await page(daemon, '/metrics')).text,
      )?.[1];
    expect(await carried()).toBe('8');
    expect(await carried()).toBe('8');
    client.socket.end();
    await world.event('session-ended');
    expect(await carried()).toBe('8');
  });

  test('refuses another key, offers it, and serves it again once approved over the socket', async () => {
    const server = await world.server(own);
    const daemon = await world.start(world.config([routeTo(server, {})]));
    await world.client(daemon).hear('* OK ready');
    server.identity = impostor;
    expect((await world.client(daemon).over()).text).toMatch(
      /^\* BYE \[ALERT\] letterlock refused 127\.0\.0\.1: its key changed/,
    );
    const operator = remoteOperator(daemon.adminSocket);
    const [row] = await operator.pins();
    expect(row?.candidates).toMatchObject([{ spki: keyOf(impostor), reason: 'pin-mismatch' }]);
    expect((await page(daemon, '/metrics')).text).toContain(
      `letterlock_endpoint_refusing{upstream="127.0.0.1:${server.port}"} 1`,
    );
    const endpoint = row?.endpoint ?? '';
    const order = {
      command: 'approve',
      endpoint,
      expect: keyOf(impostor),
      forMs: null,
      as: null,
      keep: false,
      endOld: false,
      unreject: false,
    } as const;
    await operator.command(order);
    await world.client(daemon).hear('* OK ready');
    expect((await operator.history(endpoint)).map(({ event, origin }) => [event, origin])).toContainEqual([
      'approved',
      'cli',
    ]);
  });

  test('resets the session on a key that is rejected over the socket', async () => {
    const server = await world.server(own);
    const daemon = await world.start(world.config([routeTo(server, {})]));
    const client = world.client(daemon);
    await client.hear('* OK ready');
    await daemon.operator.command({
      command: 'reject',
      endpoint: `127.0.0.1:${server.port}`,
      expect: keyOf(own),
    });
    await client.over();
    expect(await world.event('session-revoked')).toMatchObject({ spki: keyOf(own) });
    expect(world.log.filter(({ event }) => event === 'session-revoked')).toMatchObject([{ level: 'warn' }]);
  });

  test('logs nothing of what client and server say to each other', async () => {
    const server = await world.server(own);
    const daemon = await world.start(
      world.config([routeTo(server, {})], { log: { level: 'debug', format: 'json' } }),
    );
    const client = world.client(daemon);
    await client.hear('* OK ready');
    await client.say('a LOGIN anna CANARY-PASSWORD\r\n').hear('CANARY-PASSWORD');
    client.socket.end();
    await world.event('session-ended');
    server.identity = impostor;
    const refused = world.client(daemon);
    refused.say('a LOGIN anna CANARY-PASSWORD\r\n');
    await refused.over();
    expect(world.text).toContain('session-ended');
    expect(world.text).not.toMatch(/CANARY|anna|LOGIN/);
    expect((await page(daemon, '/metrics')).text).not.toMatch(/CANARY|anna|LOGIN/);
  });
});

const occupied = async () => {
  const other = createServer();
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { port: (other.address() as AddressInfo).port, close: () => other.close() };
};

describe('the metrics page', () => {
  test('shows refusals at 0 before the first, and promtool finds nothing to say', async () => {
    const server = await world.server(own);
    const daemon = await world.start(world.config([routeTo(server, {})]));
    const { text } = await page(daemon, '/metrics');
    expect(text).toContain(
      `letterlock_refusals_total{upstream="127.0.0.1:${server.port}",reason="pin-mismatch"} 0`,
    );
    expect(text).toContain('letterlock_ready 1');
    await world.client(daemon).hear('* OK ready');
    server.identity = impostor;
    await world.client(daemon).over();
    // A refusal is about a server, never about letterlock.
    expect((await page(daemon, '/readyz')).status).toBe(200);
    await remoteOperator(daemon.adminSocket).pins();
    const after = await page(daemon, '/metrics');
    expect(after.text).toContain('letterlock_admin_requests_total{route="pins",code="200"} 1');
    expect(
      execFileSync('promtool', ['check', 'metrics'], {
        input: after.text,
        stdio: ['pipe', 'pipe', 'pipe'],
      }).toString(),
    ).toBe('');
    expect(await page(daemon, '/readyz')).toEqual({ status: 200, text: 'ready\n' });
  });

  test('off costs nothing: no page, and the rest works', async () => {
    const server = await world.server(own);
    const daemon = await world.start(world.config([routeTo(server, {})], { metrics: null }));
    expect(daemon.metrics).toBeNull();
    await world.client(daemon).hear('* OK ready');
  });

  describe('on a port in use', () => {
    test('is a warning by default', async () => {
      const { port, close } = await occupied();
      const server = await world.server(own);
      const daemon = await world.start(
        world.config([routeTo(server, {})], {
          metrics: { host: '127.0.0.1', port, explicit: false, level: 'full', maxLabelValues: 1000 },
        }),
      );
      close();
      expect(daemon.metrics).toBeNull();
      expect(world.log).toContainEqual(expect.objectContaining({ level: 'warn', code: 'metrics-port-busy' }));
      await world.client(daemon).hear('* OK ready');
    });

    test('is an error when it was asked for, and nothing is left behind', async () => {
      const { port, close } = await occupied();
      const server = await world.server(own);
      const config = world.config([routeTo(server, {})], {
        metrics: { host: '127.0.0.1', port, explicit: true, level: 'full', maxLabelValues: 1000 },
      });
      await expect(world.start(config)).rejects.toMatchObject({
        exit: 'network',
        message: expect.stringContaining(`127.0.0.1:${port}`),
      });
      expect(existsSync(config.admin.socket.path)).toBe(false);
      close();
      await world.start(config);
    });
  });
});

describe('a start that must not be', () => {
  test('a second daemon on one state says who runs, and leaves the first alone', async () => {
    const server = await world.server(own);
    const config = world.config([routeTo(server, {})]);
    const first = await world.start(config);
    const second = world.start({
      ...config,
      admin: { ...config.admin, socket: { ...config.admin.socket, path: join(world.folder, 'other.sock') } },
    });
    await expect(second).rejects.toMatchObject({
      exit: 'store',
      message: `pid ${process.pid} (user ${userInfo().username}) already runs letterlock with this state; add the URL to it or pass --state DIR`,
    });
    expect((await remoteOperator(first.adminSocket).status()).pid).toBe(process.pid);
    await world.client(first).hear('* OK ready');
  });

  test('an address in use is an error, and nothing is left behind', async () => {
    const server = await world.server(own);
    const taken = { kind: 'tcp', host: '127.0.0.1', port: server.port } as const;
    const config = world.config([routeTo(server, { route: { listen: [taken] } })]);
    await expect(world.start(config)).rejects.toMatchObject({ exit: 'network', code: 'listen-busy' });
    expect(existsSync(config.admin.socket.path)).toBe(false);
    const store = await openLevelStore({ directory: config.state, create: false, now: Date.now });
    await store.close();
  });

  test('a CA file that is not there is an error before a store is made', async () => {
    const server = await world.server(own);
    const config = world.config([routeTo(server, { route: { anchors: [join(world.folder, 'none.pem')] } })]);
    await expect(world.start(config)).rejects.toMatchObject({ exit: 'config', code: 'anchors' });
    expect(existsSync(config.state)).toBe(false);
  });

  test.each([
    [['--tls-keylog=/tmp/keys'], {}],
    [['--tls-keylog', '/tmp/keys'], {}],
    [['--tls_keylog=/tmp/keys'], {}],
    [[], { NODE_OPTIONS: '--enable-source-maps --tls-keylog=/tmp/keys' }],
    [[], { NODE_OPTIONS: '"--openssl-config=/tmp/x"' }],
    [['--trace-tls'], {}],
    [['--inspect'], {}],
    [['--inspect=127.0.0.1:0'], {}],
    [['--inspect-brk'], {}],
    [[], { NODE_OPTIONS: '--inspect-wait' }],
    [['--heapsnapshot-signal=SIGUSR2'], {}],
    [['--heapsnapshot-near-heap-limit', '1'], {}],
    [['--report-on-signal'], {}],
    [['--report_on_fatalerror'], {}],
    [[], { NODE_OPTIONS: '--report-uncaught-exception' }],
    [['--abort-on-uncaught-exception'], {}],
  ])('Node started with %j and %j is refused', async (execArgv, env) => {
    await expect(world.start(world.config([]), { execArgv, env })).rejects.toMatchObject({
      exit: 'config',
      code: 'unsafe-switch',
    });
    expect(existsSync(join(world.folder, 'state'))).toBe(false);
  });

  test('other switches of Node are none of our business', async () => {
    await world.start(world.config([]), {
      execArgv: ['--max-old-space-size=100', '--inspect-port=0', '--no-report-on-signal'],
      env: { NODE_OPTIONS: '--tls-min-v1.2' },
    });
  });
});

describe('a start', () => {
  test('says once that the trust of the environment is ignored', async () => {
    await world.start(world.config([]), {
      env: { NODE_EXTRA_CA_CERTS: '/x', SSL_CERT_FILE: '/y', NODE_TLS_REJECT_UNAUTHORIZED: '' },
    });
    expect(world.log.filter(({ code }) => code === 'ambient-trust')).toMatchObject([
      { level: 'warn', msg: expect.stringContaining('NODE_EXTRA_CA_CERTS, SSL_CERT_FILE;') },
    ]);
  });

  test('ends with one line that says where everything is', async () => {
    const server = await world.server(own);
    const daemon = await world.start(world.config([routeTo(server, {})]));
    expect(world.log.at(-1)).toMatchObject({
      event: 'ready',
      addresses: [`imap-test 127.0.0.1:${daemon.routes()[0]?.port}`],
      admin: daemon.adminSocket,
      metrics: daemon.metrics,
      pid: process.pid,
    });
  });

  test('tells of a change that was durable when the process before it died, once', async () => {
    const before = join(world.folder, 'before');
    const config = world.config([]);
    const store = await openLevelStore({ directory: before, create: true, now: Date.now });
    await committed(store, [changeOf('imap.example.org:993', 0)]);
    // What a crash at this moment leaves: the store notes only in the next round that the change was told.
    cpSync(before, config.state, { recursive: true });
    await store.close();
    const told = () => world.log.filter(({ event }) => event === 'pin-changed');
    const daemon = await world.start(config);
    expect(told()).toMatchObject([{ change: 'first-use', endpoint: 'imap.example.org:993', level: 'warn' }]);
    await daemon.close(0);
    await world.start(config);
    expect(told()).toHaveLength(1);
  });

  test('makes files for its user alone', async () => {
    process.umask(0o022);
    const daemon = await world.start(world.config([]));
    expect(statSync(join(world.folder, 'state')).mode & 0o777).toBe(0o700);
    expect(statSync(daemon.adminSocket).mode & 0o777).toBe(0o600);
    expect(process.umask()).toBe(0o077);
  });
});

const rereading = (answers: (Reread | Error)[]) => async (): Promise<Reread> => {
  const next = answers.shift();
  if (next === undefined || next instanceof Error) throw next ?? new TypeError('nothing to read');
  return next;
};

describe('a reload', () => {
  test('resets sessions that stand on a CA which is no anchor any more, and no others', async () => {
    const authority = await makeAuthority();
    const certified = await world.server(await authority.issue());
    const pinned = await world.server(own);
    const pem = (name: string, text: string): string => {
      writeFileSync(join(world.folder, name), text);
      return join(world.folder, name);
    };
    const first = pem('first.pem', authority.pem);
    const second = pem('second.pem', (await makeAuthority()).pem);
    const routesWith = (anchor: string) => [
      { ...routeTo(certified, {}), name: 'ca', anchors: [anchor] },
      { ...routeTo(pinned, {}), name: 'pin', anchors: [anchor] },
    ];
    const auto = { policy: 'auto', firstUse: 'accept', configPins: [] } as const;
    const configWith = (anchor: string) =>
      world.config(routesWith(anchor).map((route) => ({ ...route, trust: auto })));
    const daemon = await world.start(configWith(first), {
      reread: async () => ({ ok: true, config: configWith(second) }),
    });
    const [onCa, onPin] = [world.client(daemon, 0), world.client(daemon, 1)];
    await Promise.all([onCa.hear('* OK ready'), onPin.hear('* OK ready')]);
    expect(await daemon.reload()).toMatchObject({ reloaded: true });
    expect(await onCa.over()).toMatchObject({ error: 'ECONNRESET' });
    await onPin.say('a1 STILL\r\n').hear('a1 STILL\r\n');
    expect(world.events.filter(({ type }) => type === 'session-revoked')).toMatchObject([
      { endpoint: `127.0.0.1:${certified.port}` },
    ]);
  });

  test('takes a whole new configuration: new routes serve, sessions of old ones go on', async () => {
    const [one, two] = [await world.server(own), await world.server(impostor)];
    const config = world.config([routeTo(one, {})]);
    const next = { ...config, routes: [routeTo(two, { route: { name: 'second' } })] };
    const daemon = await world.start(config, { reread: rereading([{ ok: true, config: next }]) });
    const client = world.client(daemon);
    await client.hear('* OK ready');
    expect(await remoteOperator(daemon.adminSocket).reload()).toEqual({ reloaded: true, problems: [] });
    expect(daemon.routes().map(({ name }) => name)).toEqual(['second']);
    await world.client(daemon).hear('* OK ready');
    await client.say('still here\r\n').hear('still here');
    const { text } = await page(daemon, '/metrics');
    expect(text).toContain('route="second"');
    expect(text).not.toContain('route="imap-test"');
    expect(text).toContain('letterlock_config_last_reload_successful 1');
  });

  const problem = {
    source: 'letterlock.yaml',
    line: 3,
    column: 5,
    message: 'unknown key',
    suggestion: null,
    excerpt: null,
  };

  test.each<[string, (world: World) => Promise<Reread | Error>, string]>([
    ['has problems', async () => ({ ok: false, problems: [problem] }), 'unknown key'],
    ['cannot be read at all', async () => new RangeError('secret text of a foreign error'), 'RangeError'],
    [
      'wants another state',
      async (w) => ({ ok: true, config: w.config([], { state: join(w.folder, 'elsewhere') }) }),
      'state cannot change',
    ],
    [
      'wants another socket',
      async (w) => ({
        ok: true,
        config: w.config([], { admin: { socket: { path: '/x', mode: 0o600, group: null }, listen: null } }),
      }),
      'admin cannot change',
    ],
    [
      'names a CA file that is not there',
      async (w) => {
        const server = await w.server(impostor);
        return {
          ok: true,
          config: w.config([routeTo(server, { route: { anchors: ['/none.pem'] } })]),
        };
      },
      '/none.pem',
    ],
    [
      'wants an address in use',
      async (w) => {
        const server = await w.server(impostor);
        return {
          ok: true,
          config: w.config([
            routeTo(server, { route: { listen: [{ kind: 'tcp', host: '127.0.0.1', port: server.port }] } }),
          ]),
        };
      },
      'in use',
    ],
  ])('that %s changes nothing and says why', async (_name, make, message) => {
    const server = await world.server(own);
    const answer = await make(world);
    const daemon = await world.start(world.config([routeTo(server, {})]), {
      reread: rereading([answer]),
    });
    const before = daemon.routes();
    const { reloaded, problems } = await daemon.reload();
    expect(reloaded).toBe(false);
    expect(problems.map((one) => one.message).join()).toContain(message);
    expect(problems.map((one) => one.message).join()).not.toContain('secret text');
    expect(daemon.routes()).toEqual(before);
    await world.client(daemon).hear('* OK ready');
    expect((await page(daemon, '/metrics')).text).toContain('letterlock_config_last_reload_successful 0');
    expect(world.log).toContainEqual(expect.objectContaining({ event: 'reloaded', level: 'error' }));
  });

  test('without anything to read again is a problem, not a crash', async () => {
    const daemon = await world.start(world.config([]));
    expect(await daemon.reload()).toMatchObject({ reloaded: false, problems: [{ source: 'reload' }] });
  });

  test('takes the level of the log along, and a CA file that changed under its name', async () => {
    const file = join(world.folder, 'ca.pem');
    writeFileSync(file, own.cert);
    const server = await world.server(own);
    const config = () => world.config([routeTo(server, { route: { anchors: [file] } })]);
    const daemon = await world.start(config(), {
      reread: rereading([{ ok: true, config: { ...config(), log: { level: 'debug', format: 'json' } } }]),
    });
    expect((await page(daemon, '/metrics')).text).toContain('letterlock_trust_anchors{source="file"} 1');
    writeFileSync(file, own.cert + impostor.cert);
    await daemon.reload();
    expect((await page(daemon, '/metrics')).text).toContain('letterlock_trust_anchors{source="file"} 2');
    await world.client(daemon).hear('* OK ready');
    expect(world.log.some(({ level }) => level === 'debug')).toBe(true);
  });
});

describe('closing', () => {
  test('waits for open sessions, then ends everything and frees the state', async () => {
    const server = await world.server(own);
    const config = world.config([routeTo(server, {})]);
    const daemon = await world.start(config);
    const client = world.client(daemon);
    await client.hear('* OK ready');
    expect((await page(daemon, '/readyz')).status).toBe(200);
    const closed = daemon.close(60_000);
    // Nothing is sent here any more, and it is alive while mail is still under way.
    expect((await page(daemon, '/readyz')).status).toBe(503);
    expect((await page(daemon, '/healthz')).status).toBe(200);
    await client.say('last words\r\n').hear('last words');
    client.socket.end();
    await closed;
    expect(existsSync(config.admin.socket.path)).toBe(false);
    await expect(page(daemon, '/metrics')).rejects.toThrow();
    await world.start(config);
  });

  test('resets what has not ended in time', async () => {
    const server = await world.server(own);
    const daemon = await world.start(world.config([routeTo(server, {})]));
    const client = world.client(daemon);
    await client.hear('* OK ready');
    await daemon.close(0);
    await client.over();
  });
});
