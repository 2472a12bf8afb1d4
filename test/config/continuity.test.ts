// handOver, continuity and corroborate as they are written: settings of the server, and what does not go together.

import { describe, expect, it } from 'vitest';
import { good, problemsIn } from './read.ts';

const pin = `sha256//${Buffer.alloc(32, 7).toString('base64')}`;
const route = (...lines: readonly string[]): string =>
  ['routes:', '  - upstream: imaps://imap.example.org', ...lines.map((line) => `    ${line}`), ''].join('\n');
const second = (...lines: readonly string[]): string =>
  [
    '  - upstream: imaps://imap.example.org',
    '    listen: localhost:1144',
    ...lines.map((line) => `    ${line}`),
    '',
  ].join('\n');

const warningsOf = async (text: string): Promise<readonly string[]> =>
  (await good(text)).warnings.map(({ message }) => message);

describe('handOver', () => {
  it('is off by itself, and belongs to the server', async () => {
    const off = await good(route());
    expect(off.config.routes[0]?.trust).not.toHaveProperty('handOver');
    expect((await good(route('handOver: false'))).config.routes).toEqual(off.config.routes);
    const { config, origins } = await good(route('handOver: true') + second());
    expect(config.routes.map(({ trust }) => trust.handOver)).toEqual([true, true]);
    const rows = origins.filter(({ path }) => path.at(-1) === 'handOver');
    expect(rows.map(({ value, origin }) => [value, origin])).toEqual([
      [true, 'l.yaml:3:15'],
      [true, 'l.yaml:3:15'],
    ]);
  });

  it('differing between two routes of a server is an error', async () => {
    expect(await problemsIn(route('handOver: true') + second('handOver: false'))).toEqual([
      expect.stringContaining(
        'two routes disagree on handOver of imap.example.org:993: false here, true in l.yaml:3:15',
      ),
    ]);
  });

  it('is warned of where it can do nothing', async () => {
    expect(await warningsOf(route('handOver: true'))).toEqual([]);
    expect(await warningsOf(route('handOver: true', 'trust: ca'))).toEqual([
      'handOver has no effect under trust: ca',
    ]);
    expect(await warningsOf(route('handOver: true', `pins: ["${pin}"]`))).toEqual([
      'a key in pins: hands over to none: only its line can replace it',
    ]);
  });
});

describe('continuity', () => {
  const anchored = ['trust: ca+tofu', 'continuity: anchor'];

  it('is of the leaf by itself, and belongs to the server', async () => {
    const plain = await good(route('trust: ca+tofu'));
    expect((await good(route('trust: ca+tofu', 'continuity: leaf'))).config.routes).toEqual(
      plain.config.routes,
    );
    const { config, origins } = await good(route(...anchored) + second());
    expect(config.routes.map(({ trust }) => trust.continuity)).toEqual(['anchor', 'anchor']);
    expect(origins.find(({ path }) => path.at(-1) === 'continuity')).toMatchObject({
      value: 'anchor',
      origin: 'l.yaml:4:17',
    });
    expect(await problemsIn(route(...anchored) + second('continuity: leaf'))).toEqual([
      expect.stringContaining('two routes disagree on continuity of imap.example.org:993'),
    ]);
  });

  it.each(['auto', 'ca', 'tofu', 'pinned'])('of the anchor is an error under trust: %s', async (policy) => {
    expect(await problemsIn(route(`trust: ${policy}`, 'continuity: anchor'))).toEqual([
      `l.yaml:4:17: continuity: anchor needs trust: ca+tofu, and imap.example.org:993 has trust: ${policy}`,
    ]);
  });

  it('of the anchor excludes a hand-over, also one of another route', async () => {
    const message =
      'continuity: anchor and handOver: true exclude each other: an anchor signs no successor of a server';
    expect(await problemsIn(route(...anchored, 'handOver: true'))).toEqual([`l.yaml:4:17: ${message}`]);
    expect(await problemsIn(route(...anchored) + second('handOver: true'))).toEqual([
      `l.yaml:4:17: ${message}`,
    ]);
  });
});

describe('corroborate', () => {
  it('takes ports, addresses and proxies, and asks one of them to agree unless told otherwise', async () => {
    const { config, origins } = await good(
      route('corroborate: [143, "imap:1143", addresses, "socks5://127.0.0.1:9050"]'),
    );
    expect(config.routes[0]?.vantages).toEqual([
      { kind: 'port', port: 143, scheme: null },
      { kind: 'port', port: 1143, scheme: 'imap' },
      { kind: 'addresses' },
      { kind: 'proxy', via: { kind: 'socks5', host: '127.0.0.1', port: 9050, login: null } },
    ]);
    expect(config.routes[0]?.trust.corroborate).toEqual({ atLeast: 1 });
    expect(origins.find(({ path }) => path.at(-1) === 'corroborate')).toMatchObject({
      value: ['143', 'imap:1143', 'addresses', 'socks5://127.0.0.1:9050'],
      origin: 'l.yaml:3:18',
    });
    const full = await good(route('corroborate: {from: [143], atLeast: 0}'));
    expect(full.config.routes[0]?.trust.corroborate).toEqual({ atLeast: 0 });
  });

  it('belongs to the server', async () => {
    const { config } = await good(
      route('corroborate: [143]') + second('corroborate: {from: [143], atLeast: 1}'),
    );
    expect(config.routes[1]?.vantages).toHaveLength(1);
    expect(await problemsIn(route('corroborate: [143]') + second('corroborate: [995]'))).toEqual([
      expect.stringContaining('two routes disagree on corroborate of imap.example.org:993'),
    ]);
  });

  it.each([
    ['[993]', 'port 993 is the one of imap.example.org:993 itself'],
    ['{from: [143], atLeast: 2}', 'atLeast: 2 of 1 vantage points can never agree'],
    ['[somewhere]', 'routes[0].corroborate[0]: "somewhere" is no vantage point'],
    ['["gopher:70"]', 'routes[0].corroborate[0]: "gopher" is no scheme of a mail server'],
    ['["socks5://me:word@127.0.0.1"]', 'routes[0].corroborate[0]: a proxy in corroborate has a user name'],
  ])('%s is an error', async (written, problem) => {
    const [found, ...more] = await problemsIn(route(`corroborate: ${written}`));
    expect(found).toContain(problem);
    expect(found).not.toContain('me:word');
    expect(more).toEqual([]);
  });

  it('asks no addresses through a proxy, and no keys where anchors are pinned', async () => {
    const proxied = route('corroborate: [addresses]', 'proxy: socks5://127.0.0.1:9050');
    expect(await problemsIn(proxied)).toEqual(['l.yaml:3:18: addresses cannot be asked through a proxy']);
    expect(await problemsIn(route('corroborate: [143]', 'trust: ca+tofu', 'continuity: anchor'))).toEqual([
      'l.yaml:3:18: corroborate compares keys of servers, and continuity: anchor pins that of a CA',
    ]);
  });

  it('is warned of where there is no first use', async () => {
    expect(await warningsOf(route('corroborate: [143]', 'trust: ca'))).toEqual([
      'corroborate has no effect under trust: ca',
    ]);
    expect(await warningsOf(route('corroborate: [143]', 'firstUse: hold'))).toEqual([
      'corroborate has no effect under firstUse: hold',
    ]);
  });
});
