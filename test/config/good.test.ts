// Good configurations, and what they mean: defaults, layers, trust that belongs to the endpoint.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { defaultFiles, defaultSocket, defaultState } from '../../src/config/paths.ts';
import { settings } from '../../src/config/settings.ts';
import type { Route } from '../../src/proxy/route.ts';
import { selfSigned } from '../net/peers.ts';
import { good, load, problemsIn } from './read.ts';
import { crlPem, forgeCrl } from '../trust/forge-crl.ts';

const spki = (byte: number): string => `sha256//${Buffer.alloc(32, byte).toString('base64')}`;
const limits = {
  connections: 1000,
  dialSeconds: 15,
  handshakeSeconds: 15,
  greetingSeconds: 30,
  idleMinutes: 35,
  preTlsBytes: 65_536,
  lineBytes: 8192,
};

const routesOf = async (...args: Parameters<typeof good>): Promise<readonly Route[]> =>
  (await good(...args)).config.routes;

const revocationList = crlPem(forgeCrl());

describe('the smallest file', () => {
  it('has every default', async () => {
    const { config, warnings } = await good('routes:\n  - upstream: imaps://IMAP.example.org.\n');
    expect(warnings).toEqual([]);
    expect(config).toEqual({
      state: '/home/you/.local/state/letterlock',
      routes: [
        {
          name: 'imaps-1143',
          listen: [{ kind: 'tcp', host: 'localhost', port: 1143 }],
          allowUsers: null,
          clientTls: { mode: 'off', minVersion: 'TLSv1.2', files: null },
          others: [],
          via: null,
          clientCertificate: null,
          minVersion: 'TLSv1.2',
          legacyServer: false,
          warm: 0,
          watchMs: null,
          unsafeListen: false,
          endpoint: { name: 'imap.example.org:993', host: 'imap.example.org', port: 993, kind: 'dns' },
          upstream: 'imaps://imap.example.org',
          protocol: 'imap',
          upstreamTls: 'implicit',
          addresses: [],
          anchors: ['system'],
          trust: { policy: 'auto', firstUse: 'accept', configPins: [] },
          refusal: 'greeting',
          refusalCode: 421,
          limits,
        },
      ],
      resolver: null,
      metrics: { host: '127.0.0.1', port: 9465, explicit: false },
      admin: { socket: { path: '/home/you/.local/state/letterlock/admin.sock', mode: 0o600, group: null } },
      localCa: { names: [] },
      log: { level: 'info', format: 'auto' },
      hooks: [],
      shutdownSeconds: 10,
    });
  });
});

const watching = (top: string, own: string): string =>
  `${top}routes:\n  - upstream: imaps://a.example\n${own === '' ? '' : `    watch: ${own}\n`}`;

describe('watch', () => {
  it.each([
    ['', '', null],
    ['watch: 6h\n', '', 6 * 3_600_000],
    ['watch: 6h\n', '5m', 300_000],
    ['watch: 6h\n', 'off', null],
    ['watch: 6h\n', 'null', null],
    ['watch: null\n', '30d', 30 * 86_400_000],
    ['watch: off\n', '90m', 5_400_000],
  ])('at the top %j and in the route %j', async (top, own, ms) => {
    expect((await routesOf(watching(top, own)))[0]?.watchMs).toBe(ms);
  });

  it('comes from the environment as well', async () => {
    const [route] = await routesOf(watching('', ''), { env: { LETTERLOCK_WATCH: '1d' } });
    expect(route?.watchMs).toBe(86_400_000);
  });
});

describe('an upstream', () => {
  it.each([
    ['imaps://a.example', 'imap', 'implicit', 'a.example:993', 1143, 'imaps-1143'],
    ['imap://a.example', 'imap', 'starttls', 'a.example:143', 1143, 'imap-1143'],
    ['pop3s://a.example', 'pop3', 'implicit', 'a.example:995', 1110, 'pop3s-1110'],
    ['pop3://a.example', 'pop3', 'starttls', 'a.example:110', 1110, 'pop3-1110'],
    ['submissions://a.example', 'smtp', 'implicit', 'a.example:465', 1587, 'submissions-1587'],
    ['smtps://a.example', 'smtp', 'implicit', 'a.example:465', 1587, 'submissions-1587'],
    ['submission://a.example', 'smtp', 'starttls', 'a.example:587', 1587, 'submission-1587'],
    ['SMTP://a.example:25', 'smtp', 'starttls', 'a.example:25', 1587, 'submission-1587'],
    ['lmtp://a.example', 'lmtp', 'starttls', 'a.example:24', 10_024, 'lmtp-10024'],
    ['sieve://a.example', 'sieve', 'starttls', 'a.example:4190', 14_190, 'sieve-14190'],
    ['sieves://a.example:5190', 'sieve', 'implicit', 'a.example:5190', 14_190, 'sieves-14190'],
    ['imaps://[2001:DB8::1]:1993', 'imap', 'implicit', '[2001:db8::1]:1993', 1143, 'imaps-1143'],
  ])('%s is %s with %s TLS to %s', async (url, protocol, upstreamTls, endpoint, port, name) => {
    const [route] = await routesOf(null, { routes: [url] });
    expect(route).toMatchObject({
      protocol,
      upstreamTls,
      name,
      endpoint: { name: endpoint },
      listen: [{ kind: 'tcp', host: 'localhost', port }],
    });
  });

  it.each([
    ['1993=imaps://a.example', 'localhost', 1993],
    ['127.0.0.1:1993=imaps://a.example', '127.0.0.1', 1993],
    ['[::1]:1993=imaps://a.example', '::1', 1993],
    ['0=imaps://a.example', 'localhost', 0],
    ['6360=tls://ldap.example:636', 'localhost', 6360],
  ])('%s listens on %s port %d', async (argument, host, port) => {
    const [route] = await routesOf(null, { routes: [argument] });
    expect(route?.listen).toEqual([{ kind: 'tcp', host, port }]);
  });

  it('with an address is dialled there and verified by its own name', async () => {
    const [first, second] = await routesOf(
      'routes:\n  - {upstream: "imaps://a.example", address: 127.0.0.3}\n  - {upstream: "pop3s://127.0.0.3:1995", serverName: B.example}\n',
    );
    expect(first).toMatchObject({
      endpoint: { name: 'a.example:993' },
      addresses: [{ host: '127.0.0.3', port: 993 }],
    });
    expect(second).toMatchObject({
      endpoint: { name: 'b.example:1995' },
      addresses: [{ host: '127.0.0.3', port: 1995 }],
    });
  });
});

const two = (first: string, second: string, top = ''): string =>
  `${top}routes:\n  - upstream: imaps://a.example\n${first}  - upstream: imaps://a.example:993\n    listen: localhost:2143\n${second}`;

describe('trust belongs to the endpoint', () => {
  it('a route takes what another route of its endpoint gives, in either order', async () => {
    for (const [first, second] of [
      ['    trust: tofu\n', ''],
      ['', '    trust: tofu\n'],
    ] as const) {
      const routes = await routesOf(two(first, second, 'trust: ca\n'));
      expect(routes.map(({ trust }) => trust.policy)).toEqual(['tofu', 'tofu']);
    }
  });

  it('also pins, firstUse and caFile, each for itself', async () => {
    const pinned = await routesOf(two(`    pins: ["${spki(1)}"]\n`, '    firstUse: hold\n'));
    expect(pinned.map(({ trust }) => trust)).toEqual(
      [1, 2].map(() => ({ policy: 'auto', firstUse: 'hold', configPins: [spki(1)] })),
    );
    const { cert } = await selfSigned();
    const anchored = await good(two('    caFile: [system, a.pem]\n', ''), { files: { 'a.pem': cert } });
    expect(anchored.config.routes.map(({ anchors }) => anchors)).toEqual(
      [1, 2].map(() => ['system', join(anchored.folder, 'a.pem')]),
    );
  });

  it('the same given twice is no conflict, in whatever order or spelling', async () => {
    const first = `    trust: ca\n    pins: ["${spki(1)}", "${spki(2)}"]\n`;
    const second = `    trust: ca\n    pins: ["${spki(2)}", "${spki(1).replace('=', '')}", "${spki(1)}"]\n`;
    expect(await problemsIn(two(first, second))).toEqual([]);
  });

  it.each([
    ['trust', 'trust: ca', 'trust: tofu', 'tofu here, ca'],
    ['trust', 'trust: auto', 'trust: ca', 'ca here, auto'],
    ['firstUse', 'firstUse: hold', 'firstUse: accept', 'accept here, hold'],
    ['pins', `pins: ["${spki(1)}"]`, `pins: ["${spki(2)}"]`, `[${spki(2)}] here, [${spki(1)}]`],
    ['pins', `pins: ["${spki(1)}"]`, 'pins: []', `[] here, [${spki(1)}]`],
    ['caFile', 'caFile: system', 'caFile: [system, system, a.pem]', '[a.pem, system] here, [system]'],
  ])('two different ones for %s are an error that shows both lines', async (key, first, second, words) => {
    const { cert } = await selfSigned();
    const problems = await problemsIn(two(`    ${first}\n`, `    ${second}\n`), { files: { 'a.pem': cert } });
    const column = 7 + key.length;
    expect(problems).toEqual([
      `l.yaml:6:${column}: two routes disagree on ${key} of a.example:993: ${words} in l.yaml:3:${column} (${first.slice(0, 80)})`,
    ]);
  });

  it('a name and its other spellings are one endpoint; another port is another', async () => {
    const spellings =
      'routes:\n  - {upstream: "imaps://A.example.", trust: ca}\n  - {upstream: "imaps://%61.example", listen: "localhost:2", trust: tofu}\n';
    expect(await problemsIn(spellings)).toHaveLength(1);
    const ports =
      'routes:\n  - {upstream: "imaps://a.example", trust: ca}\n  - {upstream: "imaps://a.example:994", listen: "localhost:2", trust: tofu}\n';
    expect(await problemsIn(ports)).toEqual([]);
  });
});

const gmail = (more = ''): string => `routes:\n  - upstream: imaps://imap.gmail.com\n${more}`;

describe('a big provider', () => {
  it.each([
    ['gets policy ca', gmail(), {}, 'ca'],
    ['gets it also under another default of the file', `trust: tofu\n${gmail()}`, {}, 'ca'],
    ['keeps the policy its route gives', gmail('    trust: tofu\n'), {}, 'tofu'],
    [
      'keeps the policy of the command line',
      gmail(),
      { flags: { trust: { flag: '--trust', text: 'tofu' } } },
      'tofu',
    ],
    ['is judged by its pins when it has some', gmail(`    pins: ["${spki(1)}"]\n`), {}, 'auto'],
  ])('%s', async (_, file, given, policy) => {
    const [route] = await routesOf(file, given);
    expect(route?.trust.policy).toBe(policy);
  });
});

it('pins under policy ca are a warning', async () => {
  const { warnings } = await good(
    `routes:\n  - {upstream: "imaps://a.example", trust: ca, pins: ["${spki(1)}"]}\n`,
  );
  expect(warnings.map(({ line, message }) => [line, message])).toEqual([
    [2, 'pins have no effect under trust: ca'],
  ]);
});

describe('layers', () => {
  const file = 'trust: ca\nlog: {level: warn}\nroutes:\n  - upstream: imaps://a.example\n';
  const flags = { trust: { flag: '--trust', text: 'pinned' } };
  const env = { LETTERLOCK_TRUST: 'tofu', LETTERLOCK_LIMITS_DIAL_SECONDS: '7' };

  it.each([
    ['defaults', 'routes:\n  - upstream: imaps://a.example\n', {}, 'auto', 'default'],
    ['the file over defaults', file, {}, 'ca', 'l.yaml:1:8'],
    ['the environment over the file', file, { env }, 'tofu', 'LETTERLOCK_TRUST'],
    ['flags over the environment', file, { env, flags }, 'pinned', '--trust'],
  ])('%s', async (_, text, given, policy, origin) => {
    const { config, origins } = await good(text, given);
    expect(config.routes[0]?.trust.policy).toBe(policy);
    expect(origins.find(({ path }) => path.join('.') === 'routes.0.trust')?.origin).toBe(origin);
  });

  it('a mistake in the file counts also where a flag covers it', async () => {
    expect(await problemsIn(file.replace('ca', 'tofo'), { flags })).toEqual([
      'l.yaml:1:8: trust must be one of auto, ca, tofu, ca+tofu, pinned, dane, not "tofo"',
    ]);
  });

  it('every variable of the list is accepted, and each sets its setting', async () => {
    const values: Readonly<Record<string, string>> = {
      state: '/s',
      trust: 'tofu',
      firstUse: 'hold',
      dane: 'prefer',
      resolver: '127.0.0.1:5353',
      caFile: 'system',
      crlFile: 'list.pem',
      'metrics.listen': 'localhost:1',
      'admin.socket': '/s/x',
      watch: '12h',
      'localCa.names': 'BOX.lan,192.0.2.7,box.lan.',
      'log.level': 'debug',
      'log.format': 'json',
    };
    const all = Object.fromEntries(settings().map(({ key, variable }) => [variable, values[key] ?? '999']));
    const { config } = await good('routes:\n  - upstream: imaps://a.example\n', {
      files: { 'list.pem': revocationList },
      env: {
        ...all,
        LETTERLOCK_LIMITS_DIAL_SECONDS: '299',
        LETTERLOCK_LIMITS_HANDSHAKE_SECONDS: '298',
        LETTERLOCK_LIMITS_GREETING_SECONDS: '297',
        LETTERLOCK_LIMITS_PRE_TLS_BYTES: '2000',
      },
    });
    expect(config).toMatchObject({
      state: '/s',
      resolver: { kind: 'loopback', host: '127.0.0.1', port: 5353 },
      metrics: { host: 'localhost', port: 1, explicit: true },
      admin: { socket: { path: '/s/x' } },
      localCa: { names: ['box.lan', '192.0.2.7'] },
      log: { level: 'debug', format: 'json' },
      shutdownSeconds: 999,
      routes: [
        {
          trust: { policy: 'tofu', firstUse: 'hold', dane: 'prefer' },
          watchMs: 43_200_000,
          limits: {
            connections: 999,
            dialSeconds: 299,
            handshakeSeconds: 298,
            greetingSeconds: 297,
            idleMinutes: 999,
            preTlsBytes: 2000,
            lineBytes: 999,
          },
        },
      ],
    });
  });

  it.each([
    [{ LETTERLOCK_TRSUT: 'ca' }, ['environment: unknown variable LETTERLOCK_TRSUT']],
    [
      { LETTERLOCK_TRUST: '' },
      ['environment (LETTERLOCK_TRUST): trust must be one of auto, ca, tofu, ca+tofu, pinned, dane, not ""'],
    ],
    [
      { LETTERLOCK_SHUTDOWN_SECONDS: '1e3' },
      ['environment (LETTERLOCK_SHUTDOWN_SECONDS): shutdownSeconds must be a number, not "1e3"'],
    ],
    [{ LETTERLOCK_SOCKET: '/x', LETTERLOCK_CONFIG: '/y', TRUST: 'no' }, []],
    [
      {
        LETTERLOCK_SERVICE_HOST: '10.0.0.1',
        LETTERLOCK_PORT: 'tcp://10.0.0.1:1143',
        LETTERLOCK_PORT_1143_TCP_ADDR: '10.0.0.1',
        LETTERLOCK_SERVICE_PORT_IMAP: '1143',
      },
      [],
    ],
  ])('of the environment %j', async (variables, problems) => {
    expect(await problemsIn('routes:\n  - upstream: imaps://a.example\n', { env: variables })).toEqual(
      problems,
    );
  });

  it('metrics are on from a file, off for URLs, and as written otherwise', async () => {
    const one = 'routes:\n  - upstream: imaps://a.example\n';
    const urls = { routes: ['pop3s://b.example'] };
    const on = { host: '127.0.0.1', port: 9465, explicit: false };
    expect((await good(one)).config.metrics).toEqual(on);
    expect((await good(one, urls)).config.metrics).toEqual(on);
    expect((await good(null, urls)).config.metrics).toBeNull();
    expect((await good(`${one}metrics: null\n`)).config.metrics).toBeNull();
    expect((await good(one, { env: { LETTERLOCK_METRICS_LISTEN: 'off' } })).config.metrics).toBeNull();
    const flag = { flags: { 'metrics.listen': { flag: '--metrics', text: '127.0.0.1:0' } } };
    expect((await good(null, { ...urls, ...flag })).config.metrics).toEqual({
      host: '127.0.0.1',
      port: 0,
      explicit: true,
    });
  });

  it('routes of the command line stand behind those of the file', async () => {
    const routes = await routesOf('routes:\n  - upstream: imaps://a.example\n', {
      routes: ['pop3s://b.example'],
    });
    expect(routes.map(({ upstream }) => upstream)).toEqual(['imaps://a.example', 'pop3s://b.example']);
  });

  it('limits of a route stand over the common ones', async () => {
    const [route] = await routesOf(
      'limits: {dialSeconds: 3, lineBytes: 1024}\nroutes:\n  - {upstream: "imaps://a.example", limits: {dialSeconds: 4}}\n',
    );
    expect(route?.limits).toEqual({ ...limits, dialSeconds: 4, lineBytes: 1024 });
  });
});

describe('paths', () => {
  it('of a file are relative to it, those of a variable to the working directory', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'll-cwd-'));
    const common = { routes: ['imaps://a.example'], flags: {}, cwd: folder, needsRoutes: true, file: null };
    const loaded = await loadConfig({ ...common, home: { env: { LETTERLOCK_STATE: 'there' }, uid: 1000 } });
    await rm(folder, { recursive: true });
    expect(loaded.ok && loaded.config.state).toBe(join(folder, 'there'));
    const inFile = await good(
      'state: here\nadmin: {socket: {path: run/x.sock, mode: "0660", group: mail}}\nroutes:\n  - upstream: imaps://a.example\n',
    );
    expect(inFile.config.state).toBe(join(inFile.folder, 'here'));
    expect(inFile.config.admin.socket).toEqual({
      path: join(inFile.folder, 'run/x.sock'),
      mode: 0o660,
      group: 'mail',
    });
  });

  it.each([
    [
      { HOME: '/home/you' },
      1000,
      '/home/you/.local/state/letterlock',
      '/home/you/.local/state/letterlock/admin.sock',
    ],
    [
      { HOME: '/home/you', XDG_STATE_HOME: '/s', XDG_RUNTIME_DIR: '/run/user/7' },
      1000,
      '/s/letterlock',
      '/run/user/7/letterlock/admin.sock',
    ],
    [
      { HOME: '/home/you', XDG_STATE_HOME: 'relative' },
      1000,
      '/home/you/.local/state/letterlock',
      '/home/you/.local/state/letterlock/admin.sock',
    ],
    [{ HOME: '/root' }, 0, '/var/lib/letterlock', '/run/letterlock/admin.sock'],
    [
      { STATE_DIRECTORY: '/var/lib/ll:/x', RUNTIME_DIRECTORY: '/run/ll' },
      990,
      '/var/lib/ll',
      '/run/ll/admin.sock',
    ],
  ])('for %j and uid %d are %s and %s', (env, uid, state, socket) => {
    expect(defaultState({ env, uid })).toBe(state);
    expect(defaultSocket(state, { env, uid })).toBe(socket);
  });

  it('the socket of another state stands beside it', () => {
    expect(defaultSocket('/elsewhere', { env: { XDG_RUNTIME_DIR: '/run/user/7' }, uid: 1000 })).toBe(
      '/elsewhere/admin.sock',
    );
    expect(defaultSocket('/elsewhere', { env: {}, uid: 0 })).toBe('/elsewhere/admin.sock');
  });

  it('of configuration files are looked for at home first', () => {
    expect(defaultFiles({ env: { HOME: '/home/you' }, uid: 1000 })).toEqual([
      '/home/you/.config/letterlock/letterlock.yaml',
      '/etc/letterlock/letterlock.yaml',
    ]);
    expect(defaultFiles({ env: { HOME: '/root' }, uid: 0 })).toEqual(['/etc/letterlock/letterlock.yaml']);
  });
});

it('aliases may share what is the same', async () => {
  const [first, second] = await routesOf(
    'routes:\n  - upstream: imaps://a.example\n    limits: &few {connections: 5}\n  - upstream: pop3s://a.example\n    limits: *few\n',
  );
  expect([first?.limits.connections, second?.limits.connections]).toEqual([5, 5]);
  const loaded = await load(
    'routes:\n  - upstream: imaps://a.example\n    limits: &few {connections: 0}\n  - upstream: pop3s://a.example\n    limits: *few\n',
  );
  expect(loaded.ok ? [] : loaded.problems.map(({ line }) => line)).toEqual([3, 3]);
});
