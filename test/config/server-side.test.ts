// The server's side of a route: its servers, the way to them, what is spoken there.

import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { Route, Via } from '../../src/proxy/route.ts';
import { targetsOf } from '../../src/proxy/route.ts';
import { good, load, problemsIn } from './read.ts';

const upstream = 'routes:\n  - upstream: imaps://a.example\n';
const withLine = (line: string): string => `${upstream}    ${line}\n`;
const servers = (list: string, more = ''): string => `routes:\n  - upstream: [${list}]\n${more}`;
const spki = (byte: number): string => `sha256//${Buffer.alloc(32, byte).toString('base64')}`;
const onion = `${'a'.repeat(56)}.onion`;

const routesOf = async (file: string): Promise<readonly Route[]> => (await good(file)).config.routes;

const policies = (route: Route | undefined): readonly string[] =>
  route === undefined ? [] : targetsOf(route).map(({ trust }) => trust.policy);

const via = (more: Partial<Via>): Via => ({
  kind: 'socks5',
  host: '127.0.0.1',
  port: 1080,
  login: null,
  ...more,
});

describe('several servers', () => {
  it('are endpoints of their own, in the order written', async () => {
    const [route] = await routesOf(
      servers('imaps://a.example, "imaps://B.example.:1993", "imaps://[2001:db8::1]"'),
    );
    expect(route).toMatchObject({ name: 'imaps-1143', protocol: 'imap', upstreamTls: 'implicit' });
    expect(
      route === undefined
        ? []
        : targetsOf(route).map((target) => [target.endpoint.name, target.upstream, target.addresses]),
    ).toEqual([
      ['a.example:993', 'imaps://a.example', []],
      ['b.example:1993', 'imaps://b.example:1993', []],
      ['[2001:db8::1]:993', 'imaps://[2001:db8::1]', []],
    ]);
  });

  it('of one scheme by two names of it are good', async () => {
    expect(await problemsIn(servers('submissions://a.example, smtps://b.example'))).toEqual([]);
  });

  it('a list of one is one', async () => {
    const [route] = await routesOf(servers('imaps://a.example', '    address: 127.0.0.1\n'));
    expect(route).toMatchObject({ others: [], addresses: [{ host: '127.0.0.1', port: 993 }] });
  });

  it('all get what their route gives', async () => {
    const [route] = await routesOf(
      servers(
        'imaps://a.example, imaps://imap.gmail.com',
        `    trust: tofu\n    firstUse: hold\n    pins: ["${spki(1)}"]\n`,
      ),
    );
    expect(route === undefined ? [] : targetsOf(route).map(({ trust }) => trust)).toEqual(
      [1, 2].map(() => ({ policy: 'tofu', firstUse: 'hold', configPins: [spki(1)] })),
    );
  });

  it('each has the preset of its provider, and what another route gives it', async () => {
    const [first] = await routesOf(servers('imaps://a.example, imaps://imap.gmail.com'));
    expect(policies(first)).toEqual(['auto', 'ca']);
    const both = `${servers('imaps://a.example, imaps://b.example')}  - upstream: imaps://b.example\n    listen: localhost:2\n    trust: tofu\n`;
    const [second, third] = await routesOf(both);
    expect([policies(second), policies(third)]).toEqual([['auto', 'tofu'], ['tofu']]);
  });

  it('a route takes what a route of several gives to its server, from any place in the list', async () => {
    const given = servers('imaps://a.example, imaps://b.example', '    trust: tofu\n');
    for (const host of ['a', 'b', 'c']) {
      const [, route] = await routesOf(
        `${given}  - upstream: imaps://${host}.example\n    listen: localhost:2\n`,
      );
      expect(route?.trust.policy).toBe(host === 'c' ? 'auto' : 'tofu');
    }
  });

  it('two routes that disagree on any of them are an error that shows both lines', async () => {
    const first = servers('imaps://a.example, imaps://b.example', '    trust: tofu\n');
    const second = '  - upstream: [imaps://c.example, imaps://b.example]\n    listen: localhost:2\n';
    expect(await problemsIn(`${first}${second}    trust: ca\n`)).toEqual([
      'l.yaml:6:12: two routes disagree on trust of b.example:993: ca here, tofu in l.yaml:3:12 (trust: tofu)',
    ]);
    expect(await problemsIn(`${first}${second}    trust: tofu\n`)).toEqual([]);
    expect(await problemsIn(`${first}${second.replace('b.', 'd.')}    trust: ca\n`)).toEqual([]);
  });
});

it('several addresses are ways to one server, in the order written', async () => {
  const [route] = await routesOf(withLine('address: [192.0.2.1, "[2001:DB8::1]:1993", b.example]'));
  expect(route).toMatchObject({
    endpoint: { name: 'a.example:993' },
    others: [],
    addresses: [
      { host: '192.0.2.1', port: 993 },
      { host: '2001:db8::1', port: 1993 },
      { host: 'b.example', port: 993 },
    ],
  });
});

describe('a proxy', () => {
  it.each<readonly [string, Via]>([
    ['socks5://127.0.0.1', via({})],
    ['SOCKS5H://Proxy.Example.:9050', via({ host: 'proxy.example', port: 9050 })],
    ['http://[::1]', via({ kind: 'http', host: '::1', port: 8080 })],
    ['http://proxy.example:3128', via({ kind: 'http', host: 'proxy.example', port: 3128 })],
    ['http://me@127.0.0.1:80', via({ kind: 'http', port: 80, login: { user: 'me', password: '' } })],
    ['socks5://m%C3%A9:p%40%3A%2F%25w@127.0.0.1', via({ login: { user: 'mé', password: 'p@:/%w' } })],
    ['socks5://me:a:b@c@127.0.0.1', via({ login: { user: 'me', password: 'a:b@c' } })],
  ])('%s', async (url, expected) => {
    for (const written of [`"${url}"`, `{url: "${url}"}`]) {
      const [route] = await routesOf(withLine(`proxy: ${written}`));
      expect(route?.via).toEqual(expected);
    }
  });

  it.each([
    ['socks5://me@127.0.0.1', 'hunter2\n', 'hunter2'],
    ['socks5://me@127.0.0.1', 'hunter2\r\n', 'hunter2'],
    ['http://me@127.0.0.1', ' two words ', ' two words '],
  ])('%s takes the password %j of a file as %j', async (url, text, password) => {
    const { config } = await good(withLine(`proxy: {url: "${url}", passwordFile: p}`), {
      files: { p: text },
    });
    expect(config.routes[0]?.via?.login).toEqual({ user: 'me', password });
  });

  it('warns of a secret that every user of the machine can read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'll-secret-'));
    const file = join(folder, 'l.yaml');
    await writeFile(file, withLine('proxy: {url: "http://me@127.0.0.1", passwordFile: p}'));
    await writeFile(join(folder, 'p'), 'x\n');
    const warnings = async (mode: number): Promise<readonly string[]> => {
      await chmod(join(folder, 'p'), mode);
      const common = { file, routes: [], flags: {}, cwd: folder, needsRoutes: true };
      const loaded = await loadConfig({ ...common, home: { env: {}, uid: 1000 } });
      return loaded.warnings.map(({ line, column, message }) => `${line}:${column}: ${message}`);
    };
    const found = [await warnings(0o644), await warnings(0o640)];
    await rm(folder, { recursive: true });
    expect(found).toEqual([
      [`3:55: passwordFile: every user of this machine can read ${join(folder, 'p')}`],
      [],
    ]);
  });
});

it('the other settings of the server side', async () => {
  const [plain, full] = await routesOf(
    `${upstream}  - upstream: pop3s://b.example\n    minVersion: TLSv1.3\n    warm: 8\n  - upstream: submissions://c.example\n    legacyServer: true\n`,
  );
  expect(plain).toMatchObject({ minVersion: 'TLSv1.2', legacyServer: false, warm: 0, via: null });
  expect(full).toMatchObject({ minVersion: 'TLSv1.3', legacyServer: false, warm: 8 });
});

describe('a server that speaks old TLS only', () => {
  it.each(['trust: auto', 'trust: tofu', 'trust: pinned', 'legacyServer: true'])(
    'goes with %s, and a warning',
    async (line) => {
      const both = line.startsWith('legacy') ? line : `${line}\n    legacyServer: true`;
      const { config, warnings } = await good(withLine(both));
      expect(config.routes[0]?.legacyServer).toBe(true);
      expect(warnings.map(({ message }) => message)).toEqual([
        'TLS 1.0 and weak ciphers may be read on the way; the server is accepted on a live pin only',
      ]);
    },
  );

  it('and one that is told not to is like any other', async () => {
    const { warnings } = await good(withLine('legacyServer: false\n    trust: ca\n    minVersion: TLSv1.3'));
    expect(warnings).toEqual([]);
  });
});

const proxyFile = (text: string, file = 'p'): readonly [string, Readonly<Record<string, string>>] => [
  withLine(`proxy: {url: "socks5://me@127.0.0.1", passwordFile: ${file}}`),
  { p: text },
];

interface Row {
  readonly what: string;
  readonly file: string;
  readonly problems: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
}

const legacyWords = (policy: string, endpoint: string): string =>
  `legacyServer: true does not go with trust: ${policy} of ${endpoint}: what a CA says over such a connection is worth nothing`;

const rows: readonly Row[] = [
  {
    what: 'no server in the list',
    file: servers(''),
    problems: ['l.yaml:2:15: routes[0].upstream must be at least 1 long, not a list'],
  },
  {
    what: 'a server that is no text',
    file: servers('imaps://a.example, 7'),
    problems: ['l.yaml:2:35: routes[0].upstream[1] must be text, not 7'],
  },
  {
    what: 'a number as server',
    file: 'routes:\n  - upstream: 7\n',
    problems: ['l.yaml:2:15: routes[0].upstream must be a URL or a list of URLs, not 7'],
  },
  {
    what: 'a broken URL in the list',
    file: servers('imaps://a.example, imapz://b.example'),
    problems: ['l.yaml:2:35: routes[0].upstream[1]: "imapz" is not a scheme letterlock knows'],
  },
  {
    what: 'servers of two protocols and of two TLS modes',
    file: servers('imaps://a.example, pop3s://b.example, imap://c.example'),
    problems: [
      'l.yaml:2:35: pop3s://b.example cannot stand in for a server of imaps://',
      'l.yaml:2:54: imap://c.example cannot stand in for a server of imaps://',
    ],
  },
  {
    what: 'a server twice',
    file: servers('imaps://a.example, "imaps://A.example:993"'),
    problems: ['l.yaml:2:35: a.example:993 stands in this route twice'],
  },
  {
    what: 'address and serverName with two servers',
    file: servers(
      'imaps://a.example, imaps://b.example',
      '    address: 127.0.0.1\n    serverName: c.example\n',
    ),
    problems: [
      'l.yaml:3:14: address is for a route with one upstream, this one has 2',
      'l.yaml:4:17: serverName is for a route with one upstream, this one has 2',
    ],
  },
  {
    what: 'an address twice',
    file: withLine('address: [127.0.0.1, "127.0.0.1:993"]'),
    problems: ['l.yaml:3:26: the address 127.0.0.1:993 stands there twice'],
  },
  {
    what: 'no address in the list',
    file: withLine('address: []'),
    problems: ['l.yaml:3:14: routes[0].address must be at least 1 long, not a list'],
  },
  ...(
    [
      ['127.0.0.1:1080', 'the proxy is not a URL'],
      [
        'https://a.example',
        'TLS to the proxy itself is not spoken: the mail server gets its own through the tunnel',
      ],
      ['socks4://a.example', '"socks4" is not a kind of proxy letterlock knows'],
      ['http://a.example/', '"http://a.example/" holds a path, query or fragment'],
      ['"http://:80"', '"http://:80" has no host that can be read'],
      ['"socks5://::1"', '"socks5://::1" has no host that can be read'],
      ['"http://a.example:0"', '"0" is not a port: use a number from 1 to 65535'],
      ['"socks5://:pw@a.example"', '"socks5://***@a.example" holds a password without a user name'],
      [
        '"socks5://me:%ff@a.example"',
        'the user name or password of "socks5://******@a.example" is not percent-encoded UTF-8',
      ],
    ] as const
  ).map(([url, message]): Row => ({
    what: `the proxy ${url}`,
    file: withLine(`proxy: ${url}`),
    problems: [`l.yaml:3:12: routes[0].proxy: ${message}`],
  })),
  ...(
    [
      ['socks5://me@a.example', 'a SOCKS proxy takes no user name without a password'],
      [
        `socks5://me:${'x'.repeat(256)}@a.example`,
        'the user name or password of the proxy is longer than 255 bytes',
      ],
      ['http://m%3Ae:pw@a.example', 'the user name of an HTTP proxy cannot hold a colon'],
      ['http://me:p%0D%0Aw@a.example', 'the user name or password of the proxy holds a control character'],
      [`socks5://${onion}`, 'a proxy cannot have a .onion name'],
    ] as const
  ).map(([url, message]): Row => ({
    what: `the proxy ${url.slice(0, 40)}`,
    file: withLine(`proxy: "${url}"`),
    problems: [`l.yaml:3:12: ${message}`],
  })),
  {
    what: 'a proxy that is a number',
    file: withLine('proxy: 1080'),
    problems: [
      'l.yaml:3:12: routes[0].proxy must be socks5://HOST[:PORT], http://HOST[:PORT] or {url, passwordFile}, not 1080',
    ],
  },
  {
    what: 'a proxy without URL',
    file: withLine('proxy: {passwordFile: p}'),
    problems: ['l.yaml:3:12: routes[0].proxy.url is missing'],
  },
  {
    what: 'a password key',
    file: withLine('proxy: {url: "http://a.example", password: hunter2}'),
    problems: ['l.yaml:3:38: unknown key "password" in routes[0].proxy'],
  },
  {
    what: 'a password file without a user',
    file: withLine('proxy: {url: "http://a.example", passwordFile: p}'),
    problems: ['l.yaml:3:52: passwordFile needs a user in the URL'],
  },
  {
    what: 'two passwords',
    file: withLine('proxy: {url: "http://me:pw@a.example", passwordFile: p}'),
    files: { p: 'x' },
    problems: ['l.yaml:3:58: the password stands in the URL too'],
  },
  ...(
    [
      ['a password file that is missing', proxyFile('', 'q'), 'cannot read ./q (ENOENT)'],
      ['a password file that is a folder', proxyFile('', '/'), 'cannot read / (it is not a regular file)'],
      [
        'a password file that never ends',
        proxyFile('', '/dev/zero'),
        'cannot read /dev/zero (it is not a regular file)',
      ],
      [
        'a password file that is huge',
        proxyFile('x'.repeat(300_000)),
        'cannot read ./p (it is larger than 262144 bytes)',
      ],
      ['an empty password file', proxyFile('\n'), 'the file is empty'],
      [
        'a password of two lines',
        proxyFile('a\nb\n'),
        'the user name or password of the proxy holds a control character',
      ],
    ] as const
  ).map(([what, [file, files], message]): Row => ({
    what,
    file,
    files,
    problems: [`l.yaml:3:57: passwordFile: ${message}`],
  })),
  {
    what: 'an onion server without a proxy',
    file: servers(`imaps://a.example, "imaps://${onion}"`),
    problems: [`l.yaml:2:35: ${onion} can be reached through Tor only`],
  },
  {
    what: 'an onion server by way of an HTTP proxy',
    file: `routes:\n  - upstream: imaps://${onion}\n    proxy: http://127.0.0.1:8118\n`,
    problems: [`l.yaml:2:15: ${onion} can be reached through Tor only`],
  },
  {
    what: 'an onion address without a proxy',
    file: withLine(`address: [127.0.0.1, ${onion}]`),
    problems: [`l.yaml:3:26: ${onion} can be reached through Tor only`],
  },
  {
    what: 'an onion host under another name without a proxy',
    file: `routes:\n  - upstream: imaps://${onion}\n    serverName: a.example\n`,
    problems: [`l.yaml:2:15: ${onion} can be reached through Tor only`],
  },
  {
    what: 'a client certificate without key',
    file: withLine('clientCertificate: {certificate: c.pem}'),
    problems: ['l.yaml:3:24: routes[0].clientCertificate.key is missing'],
  },
  {
    what: 'a TLS version that servers may not speak',
    file: withLine('minVersion: TLSv1'),
    problems: ['l.yaml:3:17: routes[0].minVersion must be one of TLSv1.2, TLSv1.3, not "TLSv1"'],
  },
  {
    what: 'minVersion for a server that speaks TLS 1.0',
    file: withLine('legacyServer: true\n    minVersion: TLSv1.2'),
    problems: ['l.yaml:4:17: minVersion does not go with legacyServer: true, which begins with TLS 1.0'],
  },
  ...['ca', 'ca+tofu'].map((policy): Row => ({
    what: `TLS 1.0 under ${policy}`,
    file: withLine(`legacyServer: true\n    trust: ${policy}`),
    problems: [`l.yaml:3:19: ${legacyWords(policy, 'a.example:993')}`],
  })),
  {
    what: 'TLS 1.0 under ca for all',
    file: `trust: ca\n${withLine('legacyServer: true')}`,
    problems: [`l.yaml:4:19: ${legacyWords('ca', 'a.example:993')}`],
  },
  {
    what: 'TLS 1.0 to a big provider, second of two',
    file: servers('imaps://a.example, imaps://imap.gmail.com', '    legacyServer: true\n'),
    problems: [`l.yaml:3:19: ${legacyWords('ca', 'imap.gmail.com:993')}`],
  },
  {
    what: 'TLS 1.0 under the ca of another route',
    file: `${withLine('legacyServer: true')}  - upstream: imaps://a.example\n    listen: localhost:2\n    trust: ca\n`,
    problems: [`l.yaml:3:19: ${legacyWords('ca', 'a.example:993')}`],
  },
  {
    what: 'too many connections kept ready',
    file: withLine('warm: 9'),
    problems: ['l.yaml:3:11: routes[0].warm must be at most 8, not 9'],
  },
  {
    what: 'connections of no protocol kept ready',
    file: 'routes:\n  - upstream: tls://a.example:636\n    listen: localhost:1636\n    warm: 1\n',
    problems: ['l.yaml:4:11: warm does not work with tls://: nobody says when such a connection is ready'],
  },
  {
    what: 'a wildcard for the local CA',
    file: `localCa: {names: ["*.lan"]}\n${upstream}`,
    problems: ['l.yaml:1:19: localCa.names[0]: "*.lan" is a wildcard'],
  },
  {
    what: 'a name for the local CA that is none',
    file: `localCa: {names: [ok.lan, "a b"]}\n${upstream}`,
    problems: [
      'l.yaml:1:27: localCa.names[1]: "a b" is not a host name: use letters, digits, hyphens inside, and dots',
    ],
  },
];

describe('a configuration is refused for', () => {
  it.each(rows)('$what', async ({ file, problems, files }) => {
    expect(await problemsIn(file, files === undefined ? {} : { files })).toEqual(problems);
  });

  it('nothing when proxies and servers are right', async () => {
    for (const line of [
      `proxy: "socks5://me:${'x'.repeat(255)}@127.0.0.1"`,
      `address: ${onion}\n    proxy: socks5://127.0.0.1`,
      `address: [${onion}, 127.0.0.1]\n    proxy: socks5h://127.0.0.1`,
      'warm: 8',
      'warm: 0',
    ])
      expect(await problemsIn(withLine(line))).toEqual([]);
    const hidden = `routes:\n  - upstream: imaps://${onion}\n    `;
    expect(await problemsIn(`${hidden}proxy: socks5://127.0.0.1\n`)).toEqual([]);
    // Somebody else's way into Tor: the name itself is not looked up.
    expect(await problemsIn(`${hidden}address: 127.0.0.1:9930\n`)).toEqual([]);
    const tls = 'routes:\n  - upstream: tls://a.example:636\n    listen: localhost:1636\n    warm: 0\n';
    expect(await problemsIn(tls)).toEqual([]);
  });
});

it('names of the local CA are canonical, and each stands once', async () => {
  const { config } = await good(
    `localCa: {names: [BOX.lan, box.lan., "[2001:DB8::1]", 192.0.2.1, bücher.lan]}\n${upstream}`,
  );
  expect(config.localCa.names).toEqual(['box.lan', '2001:db8::1', '192.0.2.1', 'xn--bcher-kva.lan']);
});

describe('a suggestion', () => {
  it.each([
    ['proxy: sock5://127.0.0.1', 'did you mean socks5://?'],
    ['proxy: https://127.0.0.1', 'write http://'],
    ['proxy: {url: "http://a.example", passwordfile: p}', 'did you mean passwordFile?'],
    ['minVersion: TLSv1.0', 'did you mean TLSv1.2?'],
    ['legacyserver: true', 'did you mean legacyServer?'],
  ])('for %s', async (line, suggestion) => {
    const loaded = await load(withLine(line));
    expect(loaded.ok ? [] : loaded.problems.map((problem) => problem.suggestion)).toEqual([suggestion]);
  });
});
