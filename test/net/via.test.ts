// Proxies: what is said to them, what their answers mean, and that no byte behind the answer is touched.

import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { dial } from '../../src/net/dial.ts';
import { dialVia, type ProxyServer } from '../../src/net/via.ts';
import { httpTalk } from '../../src/net/via-http.ts';
import { socksTalk } from '../../src/net/via-socks.ts';
import type { ViaEnd, ViaTalk } from '../../src/net/via-talk.ts';
import { deafPort } from './deaf-port.ts';
import { listen, portOf } from './peers.ts';

const never = new AbortController().signal;
const mail = { host: 'mail.test', port: 993 };
const bob = { user: 'bob', password: 'pass word1' };
const bytes = (...parts: readonly (number | string)[]): Buffer =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from([part]))),
  );

/** What was sent, how it ended (null: it waits for more), and what was left of `heard`. */
function play(talk: ViaTalk, heard: Uint8Array): { sent: Buffer; end: ViaEnd | null; left: string } {
  const sent: Uint8Array[] = [];
  let at = 0;
  for (let step = talk.next(new Uint8Array(0)); ;) {
    const left = (): string => Buffer.from(heard.subarray(at)).toString('latin1');
    if (step.done === true) return { sent: Buffer.concat(sent), end: step.value, left: left() };
    sent.push(step.value.send);
    expect(step.value.read).toBeGreaterThan(0);
    if (at + step.value.read > heard.length) return { sent: Buffer.concat(sent), end: null, left: left() };
    const answer = heard.subarray(at, at + step.value.read);
    at += step.value.read;
    step = talk.next(answer);
  }
}

const bound = [1, 127, 0, 0, 1, 0, 80] as const;
const granted = bytes(5, 0, 5, 0, 0, ...bound, '* OK hello');

describe('SOCKS 5', () => {
  it.each([
    ['a name as a name', 'mail.test', bytes(3, 9, 'mail.test')],
    ['an onion name as a name', 'abcdefgh.onion', bytes(3, 14, 'abcdefgh.onion')],
    ['an IPv4 address', '192.0.2.1', bytes(1, 192, 0, 2, 1)],
    ['an IPv6 address', '2001:db8::1', bytes(4, 0x20, 1, 0xd, 0xb8, ...Array<number>(11).fill(0), 1)],
    ['the address without anything in it', '::', bytes(4, ...Array<number>(16).fill(0))],
    ['an address without a gap', '1:2:3:4:5:6:7:8', bytes(4, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8)],
  ])('asks for %s, and leaves what follows the answer', (_, host, address) => {
    const { sent, end, left } = play(socksTalk({ host, port: 993 }, null), granted);
    expect(sent).toEqual(bytes(5, 1, 0, 5, 1, 0, address.toString('latin1'), 993 >> 8, 993 & 0xff));
    expect(end).toEqual({ opened: true });
    expect(left).toBe('* OK hello');
  });

  it('logs in where the proxy asks for it, and not where it does not', () => {
    const login = bytes(1, 3, 'bob', 10, 'pass word1');
    const asked = play(socksTalk(mail, bob), bytes(5, 2, 1, 0, 5, 0, 0, ...bound));
    expect(asked.sent.subarray(0, 4)).toEqual(bytes(5, 2, 0, 2));
    expect(asked.sent.subarray(4, 4 + login.length)).toEqual(login);
    expect(asked.end).toEqual({ opened: true });
    const open = play(socksTalk(mail, bob), granted);
    expect(open.sent.includes('bob')).toBe(false);
    expect(open.end).toEqual({ opened: true });
  });

  it.each([
    ['an IPv4 address', bound],
    ['an IPv6 address', [4, ...Array<number>(16).fill(9), 0, 80]],
    ['a name', [3, 5, 'proxy', 0, 80]],
    ['a name of no length', [3, 0, 0, 80]],
  ] as const)('swallows %s it is told the proxy is bound to', (_, address) => {
    const { end, left } = play(socksTalk(mail, null), bytes(5, 0, 5, 0, 0, ...address, 'rest'));
    expect({ end, left }).toEqual({ end: { opened: true }, left: 'rest' });
  });

  it.each([
    [1, 'general failure', true],
    [2, 'not allowed by its rules', false],
    [3, 'network unreachable', true],
    [4, 'host unreachable, or its name is unknown', true],
    [5, 'connection refused', true],
    [6, 'TTL expired', true],
    [7, 'CONNECT is not supported', false],
    [8, 'this kind of address is not supported', false],
    [0xf4, 'the onion service asks for client authorization', false],
    [0x99, 'a reply without a meaning', false],
  ])('reads reply %i as: %s', (code, words, passing) => {
    const { end } = play(socksTalk(mail, null), bytes(5, 0, 5, code, 0, ...bound));
    expect(end).toEqual({ opened: false, detail: `${words} (reply ${code})`, passing });
  });

  it.each([
    ['no method, without a login', null, bytes(5, 0xff), 'it asks for a login'],
    ['no method, with one', bob, bytes(5, 0xff), 'it takes none of the ways to log in'],
    ['a login that was not offered', null, bytes(5, 2), 'it chose a login that was not offered'],
    ['another method', bob, bytes(5, 1), 'it chose a login that was not offered'],
    ['no to the login', bob, bytes(5, 2, 1, 1), 'it did not accept the login'],
    ['HTTP', null, bytes('HTTP/1.1 400 Bad Request\r\n'), 'it does not speak SOCKS 5'],
    ['SOCKS 4', null, bytes(0, 0x5b), 'it does not speak SOCKS 5'],
    ['another version in the reply', null, bytes(5, 0, 4, 0, 0, ...bound), 'its reply is not one of SOCKS 5'],
    ['a reserved byte in use', null, bytes(5, 0, 5, 0, 1, ...bound), 'its reply is not one of SOCKS 5'],
    ['an address of no kind', null, bytes(5, 0, 5, 0, 0, 2, 0, 0), 'its reply holds no address'],
  ])('is refused by %s', (_, login, heard, detail) => {
    expect(play(socksTalk(mail, login), heard).end).toEqual({ opened: false, detail, passing: false });
  });

  it('does not send what its length byte cannot tell', () => {
    expect(() => play(socksTalk({ host: 'x'.repeat(256), port: 1 }, null), granted)).toThrow(RangeError);
    const long = { user: 'x'.repeat(256), password: '' };
    expect(() => play(socksTalk(mail, long), bytes(5, 2, 1, 0))).toThrow(RangeError);
  });
});

const opened = 'HTTP/1.1 200 Connection established\r\n\r\n';

describe('HTTP CONNECT', () => {
  it.each([
    ['mail.test', 'mail.test:993'],
    ['2001:db8::1', '[2001:db8::1]:993'],
  ])('asks for %s and tells nothing of us', (host, authority) => {
    const { sent, end } = play(httpTalk({ host, port: 993 }, null), bytes(opened));
    expect(sent.toString()).toBe(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
    expect(end).toEqual({ opened: true });
  });

  it('logs in with Basic, in UTF-8', () => {
    const { sent } = play(httpTalk(mail, { user: 'bob', password: 'pä:ss' }), bytes(opened));
    const credentials = Buffer.from('bob:pä:ss').toString('base64');
    expect(sent.toString()).toContain(`\r\nProxy-Authorization: Basic ${credentials}\r\n\r\n`);
  });

  it.each([
    ['a 200 without a reason', 'HTTP/1.0 200\r\n\r\n'],
    ['another 2xx', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['a head that speaks of a body', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nVia: x\r\n\r\n'],
    [
      'interim answers before it',
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nA: b\r\n\r\n${opened}`,
    ],
  ])('is through after %s, and leaves what follows', (_, head) => {
    const { end, left } = play(httpTalk(mail, null), bytes(head, '\r\n220 hello\r\n'));
    expect({ end, left }).toEqual({ end: { opened: true }, left: '\r\n220 hello\r\n' });
  });

  it.each([
    [
      'HTTP/1.1 407 Proxy Authentication Required\r\n\r\n',
      null,
      '407 Proxy Authentication Required: it asks for a login',
      false,
    ],
    ['HTTP/1.1 407 No\r\n\r\n', bob, '407: it did not accept the login', false],
    ['HTTP/1.1 407 not Basic Ym9iOnBhc3Mgd29yZDE=\r\n\r\n', bob, '407: it did not accept the login', false],
    ['HTTP/1.1 502 bob:pass word1\r\n\r\n', bob, '502', true],
    ['HTTP/1.1 403 Filtered\r\n\r\n', null, '403 Filtered', false],
    ['HTTP/1.1 302 Found\r\nLocation: http://captive.test/\r\n\r\n', null, '302 Found', false],
    ['HTTP/1.1 101 Switching\r\n\r\n', null, '101 Switching', false],
    ['HTTP/1.1 502 Bad Gateway\r\n\r\n', null, '502 Bad Gateway', true],
    ['HTTP/1.0 500 Unable to connect\r\n\r\n', null, '500 Unable to connect', true],
    ['HTTP/1.1 429 Slow\r\n\r\n', null, '429 Slow', true],
    ['HTTP/1.1 403 \u001b]0;pwned\u0007\r\n\r\n', null, '403 \\x1b]0;pwned\\x07', false],
    [`HTTP/1.1 403 ${'x'.repeat(500)}\r\n\r\n`, null, `403 ${'x'.repeat(60)}`, false],
    ['HTTP/1.1 0200 OK\r\n\r\n', null, 'its answer has no status that can be read', false],
    ['HTTP/2.0 200 OK\r\n\r\n', null, 'its answer has no status that can be read', false],
    ['HTTP/1.1 200 OK\n\n', null, 'its answer has a line that does not end in CR LF', false],
    ['HTTP/1.1 200 OK\r\n\n', null, 'its answer has a line that does not end in CR LF', false],
    ['220 mail.test ESMTP\r\n', null, 'it does not speak HTTP', false],
    ['\r\nHTTP/1.1 200 OK\r\n\r\n', null, 'it does not speak HTTP', false],
    [
      `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(9000)}\r\n\r\n`,
      null,
      'its answer is longer than 8192 bytes',
      false,
    ],
    ['HTTP/1.1 100 Continue\r\n\r\n'.repeat(400), null, 'its answer is longer than 8192 bytes', false],
  ])('is not through after %j', (head, login, detail, passing) => {
    expect(play(httpTalk(mail, login), bytes(head)).end).toEqual({ opened: false, detail, passing });
  });

  it('takes a head of 8192 bytes, and not one byte more is read', () => {
    const frame = 'HTTP/1.1 200 OK\r\nX: \r\n\r\n';
    const head = frame.replace('X: ', `X: ${'x'.repeat(8192 - frame.length)}`);
    expect(play(httpTalk(mail, null), bytes(head, 'rest'))).toMatchObject({
      end: { opened: true },
      left: 'rest',
    });
  });
});

it('whatever a proxy says, a talk ends or waits, never throws, and reads no more than it asked for', () => {
  const beginning = fc.constantFrom(
    '',
    opened,
    'HTTP/1.1 ',
    '\x05\x00\x05\x00\x00\x01',
    '\x05\x02\x01\x00',
    '\x05\x00',
  );
  fc.assert(
    fc.property(beginning, fc.uint8Array({ maxLength: 200 }), fc.boolean(), (start, noise, withLogin) => {
      const heard = Buffer.concat([Buffer.from(start, 'latin1'), noise]);
      for (const talk of [socksTalk, httpTalk]) play(talk(mail, withLogin ? bob : null), heard);
    }),
    { numRuns: 3000 },
  );
});

const through = (proxy: ProxyServer, deadlineMs = 5_000, signal = never): Promise<Socket> =>
  dialVia(proxy, mail, { deadlineMs, signal });

const failing = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'connected',
    (error: unknown) => error,
  );

describe('over a socket', () => {
  const closing: (() => void)[] = [];
  afterEach(() => closing.splice(0).forEach((close) => close()));

  async function proxyThat(
    serves: (socket: Socket) => void,
    kind: ProxyServer['kind'],
  ): Promise<ProxyServer> {
    const open: Socket[] = [];
    const server: Server = await listen(
      createServer((socket) => {
        open.push(socket);
        socket.on('error', () => undefined);
        serves(socket);
      }),
    );
    closing.push(() => {
      server.close();
      open.forEach((socket) => socket.destroy());
    });
    return { kind, host: '127.0.0.1', port: portOf(server), login: null };
  }

  it.each([
    ['socks5', granted.subarray(0, -10)],
    ['http', bytes(opened)],
  ] as const)('%s: a greeting in the same segment stays in the socket, whole', async (kind, answer) => {
    const proxy = await proxyThat(
      (socket) => socket.write(Buffer.concat([answer, bytes('220 hello\r\n')])),
      kind,
    );
    const socket = await through(proxy);
    closing.push(() => socket.destroy());
    expect(socket.isPaused()).toBe(true);
    if (socket.readableLength === 0) await once(socket, 'readable');
    expect(String(socket.read())).toBe('220 hello\r\n');
  });

  it.each([
    ['socks5', granted],
    ['http', bytes(opened, '* OK hello')],
  ] as const)('%s: byte by byte is the same', async (kind, answer) => {
    const proxy = await proxyThat((socket) => {
      socket.setNoDelay(true);
      const feed = (at: number): void => {
        if (at < answer.length) socket.write(answer.subarray(at, at + 1), () => setImmediate(feed, at + 1));
      };
      feed(0);
    }, kind);
    const socket = await through(proxy);
    closing.push(() => socket.destroy());
    let heard = '';
    while (heard !== '* OK hello') {
      const chunk: unknown = socket.read();
      if (chunk instanceof Uint8Array) heard += Buffer.from(chunk).toString('latin1');
      else await once(socket, 'readable');
    }
  });

  it.each(['socks5', 'http'] as const)(
    '%s: a proxy that closes, or ends within its answer, is a proxy that failed',
    async (kind) => {
      const cut = kind === 'http' ? bytes('HTTP/1.1 20') : bytes(5, 0, 5, 0);
      for (const serves of [
        (socket: Socket) => void socket.destroy(),
        (socket: Socket) => void socket.once('data', () => socket.end(cut)),
        (socket: Socket) => void socket.once('data', () => socket.resetAndDestroy()),
      ]) {
        const proxy = await proxyThat(serves, kind);
        expect(await failing(through(proxy))).toMatchObject({
          code: 'dial',
          result: 'proxy',
          detail: `${kind} proxy 127.0.0.1:${proxy.port}: it closed the connection`,
          passing: true,
        });
      }
    },
  );

  it('names a proxy that refuses or is not there, and holds one deadline over all', async () => {
    const proxy = await proxyThat((socket) => socket.write(bytes(5, 0, 5, 2, 0, 1)), 'socks5');
    expect(await failing(through(proxy))).toMatchObject({
      result: 'proxy',
      detail: `socks5 proxy 127.0.0.1:${proxy.port}: not allowed by its rules (reply 2)`,
      passing: false,
    });
    const silent = await proxyThat(() => undefined, 'socks5');
    expect(await failing(through(silent, 30))).toMatchObject({
      code: 'timeout',
      result: 'timeout',
      detail: `socks5 proxy 127.0.0.1:${silent.port}: no answer before the deadline`,
    });
    const deaf = await deafPort();
    closing.push(deaf.close);
    expect(await failing(through({ ...silent, port: deaf.port }, 30))).toMatchObject({
      code: 'timeout',
      detail: `socks5 proxy 127.0.0.1:${deaf.port}: deadline`,
    });
    const gone = { ...silent, host: '127.0.0.1', port: 1 };
    expect(await failing(through(gone))).toMatchObject({ code: 'dial', result: 'proxy', passing: true });
  });

  it('stops when its signal does, and closes what it opened', async () => {
    const closed = new Promise((resolve) => {
      void proxyThat((socket) => socket.resume().once('close', resolve), 'http').then((proxy) => {
        const control = new AbortController();
        const work = failing(through(proxy, 5_000, control.signal));
        setImmediate(() => control.abort(new Failure('client')));
        return expect(work).resolves.toMatchObject({ code: 'client' });
      });
    });
    await closed;
  });

  it.each(['abcdefgh.onion', 'www.abcdefgh.onion', 'ONION.', 'x.Onion.'])(
    'a name of Tor (%s) is looked up by nobody but SOCKS',
    async (host) => {
      const asked: string[] = [];
      const resolve = (name: string): Promise<never> => {
        asked.push(name);
        return Promise.reject(new Error('asked'));
      };
      const heard: Buffer[] = [];
      const proxy = await proxyThat((socket) => socket.on('data', (chunk) => heard.push(chunk)), 'http');
      const options = { deadlineMs: 5_000, signal: never, resolve };
      for (const work of [dial({ host, port: 993 }, options), dialVia(proxy, { host, port: 993 }, options)]) {
        expect(await failing(work)).toMatchObject({ code: 'dns', detail: expect.stringContaining('Tor') });
      }
      expect({ asked, heard }).toEqual({ asked: [], heard: [] });
      const open = await proxyThat((socket) => socket.write(granted), 'socks5');
      const socket = await dialVia(open, { host, port: 993 }, options);
      socket.destroy();
    },
  );
});
