// DANE in a configuration: who may be asked, where it can hold, and what is said of each mistake.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { selfSigned } from '../net/peers.ts';
import { good, load, problemsIn } from './read.ts';

const pin = `sha256//${Buffer.alloc(32, 1).toString('base64')}`;
const route = (more = '', upstream = 'imaps://a.example') =>
  `routes:\n  - upstream: ${upstream}\n    listen: localhost:1143\n${more}`;
const ours = 'resolver: 127.0.0.1\n';

describe('a resolver', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1', 53],
    ['127.0.0.53:5353', '127.0.0.53', 5_353],
    ['"[::1]"', '::1', 53],
    ['"::1"', '::1', 53],
    ['"[0:0::1]:5353"', '::1', 5_353],
  ])('on this machine: %s', async (written, host, port) => {
    const { config } = await good(`resolver: ${written}\n${route()}`);
    expect(config.resolver).toEqual({ kind: 'loopback', host, port });
  });

  it.each([
    ['address: 192.0.2.53, serverName: DNS.example.net', { name: 'dns.example.net', pins: [], port: 853 }],
    [`address: "192.0.2.53:8530", pins: ["${pin}"]`, { name: null, pins: [pin], port: 8_530 }],
    [`address: 192.0.2.53, serverName: a.example, pins: ["${pin}"]`, { name: 'a.example', pins: [pin] }],
  ])('behind TLS: {%s}', async (written, expected) => {
    const { config } = await good(`resolver: {${written}}\n${route()}`);
    expect(config.resolver).toMatchObject({
      kind: 'tls',
      host: '192.0.2.53',
      anchors: ['system'],
      ...expected,
    });
  });

  it('behind TLS with trust anchors of its own', async () => {
    const { cert } = await selfSigned();
    const text = `resolver: {address: 192.0.2.53, serverName: a.example, caFile: dns.pem}\n${route()}`;
    const { config, folder } = await good(text, { files: { 'dns.pem': cert } });
    expect(config.resolver).toMatchObject({ anchors: [join(folder, 'dns.pem')] });
    expect(await problemsIn(text)).toEqual(['l.yaml:1:64: caFile: cannot read the CA file ./dns.pem']);
  });

  it('is nobody where none is named', async () => {
    expect((await good(route())).config.resolver).toBeNull();
    expect((await good(`resolver: null\n${route()}`)).config.resolver).toBeNull();
  });

  it.each([
    [
      '192.0.2.53',
      'resolver: "192.0.2.53" is not on this machine, so its answers could be changed on the way',
      'ask it over TLS: resolver: {address: "192.0.2.53", serverName: NAME}, or run a validating resolver here',
    ],
    [
      '"0.0.0.0:53"',
      'resolver: "0.0.0.0:53" is not on this machine, so its answers could be changed on the way',
      'ask it over TLS: resolver: {address: "0.0.0.0:53", serverName: NAME}, or run a validating resolver here',
    ],
    [
      '"[2001:db8::1]:53"',
      'resolver: "[2001:db8::1]:53" is not on this machine, so its answers could be changed on the way',
      'ask it over TLS: resolver: {address: "[2001:db8::1]:53", serverName: NAME}, or run a validating resolver here',
    ],
    ['localhost', 'resolver: "localhost" is a name', 'write 127.0.0.1 or [::1]'],
    [
      'dns.example',
      'resolver: "dns.example" is a name',
      'write its address; the name its certificate must have is serverName: in {address, serverName}',
    ],
    ['"127.0.0.1:0"', 'resolver: "0" is not a port: use a number from 1 to 65535', null],
    [
      '{address: 192.0.2.53}',
      'resolver: nothing says how to know it',
      'add serverName: with the name of its certificate, or pins:',
    ],
    [
      '{address: 192.0.2.53, pins: []}',
      'resolver: nothing says how to know it',
      'add serverName: with the name of its certificate, or pins:',
    ],
    [
      '{address: dns.example, serverName: dns.example}',
      'resolver.address: "dns.example" is a name',
      'write its address; the name its certificate must have is serverName: in {address, serverName}',
    ],
    ['{serverName: dns.example}', 'resolver.address is missing', null],
    [
      '{address: 192.0.2.53, serverName: a.example, pin: x}',
      'unknown key "pin" in resolver',
      'did you mean pins?',
    ],
    [
      '53',
      'resolver must be ADDRESS[:PORT] of this machine or {address, serverName, pins, caFile}, not 53',
      null,
    ],
  ])('cannot be %s', async (written, message, suggestion) => {
    const loaded = await load(`resolver: ${written}\n${route('    trust: dane\n')}`);
    expect(loaded.ok ? [] : loaded.problems).toMatchObject([{ message, suggestion, line: 1 }]);
  });
});

/** Rows of `config show` about DANE. */
const shown = async (text: string) =>
  (await good(text)).origins
    .filter(({ path }) => path.includes('dane') || path[0] === 'resolver')
    .map(({ path, value, origin }) => `${path.join('.')}: ${JSON.stringify(value)} # ${origin}`);

describe('trust: dane and dane: prefer', () => {
  it('are settings of the endpoint', async () => {
    const text = `${ours}${route('    dane: prefer\n')}  - upstream: imaps://a.example\n    listen: localhost:1144\n`;
    const { config } = await good(text);
    expect(config.routes.map(({ trust }) => trust)).toEqual(
      [1, 2].map(() => ({ policy: 'auto', firstUse: 'accept', configPins: [], dane: 'prefer' })),
    );
    expect(await problemsIn(`${text}    dane: off\n`)).toEqual([
      'l.yaml:8:11: two routes disagree on dane of a.example:993: off here, prefer in l.yaml:5:11 (dane: prefer)',
    ]);
  });

  it('hold for all routes that say nothing else, when they stand above them', async () => {
    const { config } = await good(`${ours}dane: prefer\n${route()}`);
    expect(config.routes[0]?.trust).toMatchObject({ policy: 'auto', dane: 'prefer' });
    const off = await good(`${ours}dane: prefer\n${route('    dane: off\n')}`);
    expect(off.config.routes[0]?.trust.dane).toBeUndefined();
    const policy = await good(`${ours}trust: dane\n${route()}`);
    expect(policy.config.routes[0]?.trust.policy).toBe('dane');
  });

  it.each([
    [route('    trust: dane\n'), 'l.yaml:4:12: trust: dane needs a resolver that checks DNSSEC'],
    [route('    dane: prefer\n'), 'l.yaml:4:11: dane: prefer needs a resolver that checks DNSSEC'],
    [`trust: dane\n${route()}`, 'l.yaml:1:8: trust: dane needs a resolver that checks DNSSEC'],
    [`dane: prefer\n${route()}`, 'l.yaml:1:7: dane: prefer needs a resolver that checks DNSSEC'],
    [
      `${ours}${route('    trust: dane\n', 'imaps://192.0.2.1')}`,
      'l.yaml:5:12: trust: dane cannot hold for 192.0.2.1:993: the DNS knows no TLSA records of it',
    ],
    [
      `${ours}${route('    dane: prefer\n', 'imaps://192.0.2.1')}`,
      'l.yaml:5:11: dane: prefer cannot hold for 192.0.2.1:993: the DNS knows no TLSA records of it',
    ],
    [
      `${ours}${route('    trust: dane\n    proxy: socks5://127.0.0.1:9050\n', 'imaps://abc.onion')}`,
      'l.yaml:5:12: trust: dane cannot hold for abc.onion:993: the DNS knows no TLSA records of it',
    ],
    [
      `${ours}${route('    trust: dane\n    legacyServer: true\n')}`,
      'l.yaml:6:19: legacyServer: true does not go with trust: dane of a.example:993: what the DNS says over such a connection is worth nothing',
    ],
  ])('%j is refused', async (text, problem) => {
    expect(await problemsIn(text)).toEqual([problem]);
  });

  it('that reach many routes are complained of once', async () => {
    const text = `trust: dane\n${route()}  - upstream: imaps://b.example\n    listen: localhost:1144\n`;
    expect(await problemsIn(text)).toHaveLength(1);
  });

  it.each([
    ['    trust: tofu\n    dane: prefer\n', 'dane: prefer has no effect under trust: tofu'],
    ['    trust: dane\n    dane: prefer\n', 'dane: prefer has no effect under trust: dane'],
    [`    trust: dane\n    pins: ["${pin}"]\n`, 'pins have no effect under trust: dane'],
  ])('%j is warned of', async (more, message) => {
    const { warnings } = await good(`${ours}${route(more)}`);
    expect(warnings).toMatchObject([{ message }]);
  });

  it('are shown with what is in force', async () => {
    expect(await shown(route())).toEqual(['dane: "off" # default', 'resolver: null # default']);
    expect(await shown(`${ours}${route('    dane: prefer\n')}`)).toEqual([
      'dane: "off" # default',
      'resolver: "127.0.0.1:53" # l.yaml:1:11',
      'routes.0.dane: "prefer" # l.yaml:5:11',
    ]);
    expect(await shown(`resolver: {address: 192.0.2.53, serverName: a.example}\n${route()}`)).toEqual([
      'dane: "off" # default',
      'resolver.address: "192.0.2.53:853" # l.yaml:1:21',
      'resolver.serverName: "a.example" # l.yaml:1:45',
      'resolver.caFile: ["system"] # default',
    ]);
  });
});
