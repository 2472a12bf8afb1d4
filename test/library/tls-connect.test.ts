// A socket that a program makes for itself: nothing leaves it and nothing is heard on it before the verdict.

import { once } from 'node:events';
import { connect } from 'node:net';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { TrustError } from '../../src/index.ts';
import { derOf, portOf } from '../net/peers.ts';
import { ended, heard, Opened, type RecordingServer } from './world.ts';

let opened: Opened;
let server: RecordingServer;
beforeEach(async () => {
  opened = new Opened();
  server = await opened.server();
});
afterEach(() => opened.close());

/** Pins the key the server has now, then gives it another. */
async function changedSince(tofu: Awaited<ReturnType<Opened['tofu']>>): Promise<void> {
  const { socket } = await tofu.connect(`tls://${server.endpoint}`);
  socket.destroy();
  await server.changeKey();
}

const to = (port: number): { readonly host: string; readonly port: number } => ({ host: '127.0.0.1', port });

describe('tlsConnect', () => {
  test('is a TLS socket that talks to a server it knows, or meets for the first time', async () => {
    const pinned = vi.fn();
    const connected = vi.fn();
    const tofu = await opened.tofu({ hooks: { pinned, connected } });
    const secure = vi.fn();
    const socket = tofu.tlsConnect(to(server.port), secure);
    expect(await heard(socket.end('hello') && socket, 'heard hello')).toBe('heard hello');
    expect(secure).toHaveBeenCalledTimes(1);
    expect(socket.authorized).toBe(true);
    expect(pinned).toHaveBeenCalledWith(
      expect.objectContaining({ endpoint: server.endpoint, how: 'first-use' }),
    );
    expect(connected).toHaveBeenCalledWith(expect.objectContaining({ basis: 'first-use' }));
  });

  test('shows the program the certificate that was judged', async () => {
    const tofu = await opened.tofu();
    const socket = tofu.tlsConnect(to(server.port));
    await once(socket, 'secureConnect');
    expect(socket.getPeerX509Certificate()?.raw).toEqual(derOf(server.identity));
    // The program's own question, as programs ask it.
    const asked = Reflect.get(socket, 'getPeerCertificate');
    expect(asked.call(socket)).toMatchObject({
      subject: { CN: 'mail.test' },
      subjectaltname: expect.stringContaining('mail.test'),
    });
    socket.destroy();
  });

  test('sends nothing to a server whose key changed, whenever it was written', async () => {
    const refused = vi.fn();
    const tofu = await opened.tofu({ hooks: { refused } });
    await changedSince(tofu);
    const secure = vi.fn();
    const socket = tofu.tlsConnect(to(server.port), secure);
    socket.write('LOGIN anna secret');
    socket.once('connect', () => socket.write('again secret'));
    const error = await ended(socket);
    expect(error).toBeInstanceOf(TrustError);
    expect(error).toMatchObject({ code: 'pin-mismatch', endpoint: server.endpoint });
    expect(secure).not.toHaveBeenCalled();
    expect(socket.authorized).toBe(false);
    expect(server.received).toBe('');
    expect(refused).toHaveBeenCalledTimes(1);
  });

  test('lets nothing of a refused server be heard', async () => {
    const talking = await opened.server('* OK ready\r\n');
    const tofu = await opened.tofu({ firstUse: 'refuse' });
    const socket = tofu.tlsConnect(to(talking.port));
    const said = vi.fn();
    socket.on('data', said);
    expect(await ended(socket)).toMatchObject({ code: 'first-use-off' });
    expect(said).not.toHaveBeenCalled();
  });

  test('keeps what a server says first until it is vouched for, and loses none of it', async () => {
    const talking = await opened.server('* OK ready\r\n');
    const tofu = await opened.tofu();
    const socket = tofu.tlsConnect(to(talking.port));
    expect(await heard(socket, 'ready\r\n')).toBe('* OK ready\r\n');
    socket.destroy();
  });

  test('takes a connected socket, as STARTTLS does', async () => {
    const tofu = await opened.tofu();
    const raw = connect(server.port, '127.0.0.1');
    await once(raw, 'connect');
    const socket = tofu.tlsConnect({ socket: raw, host: '127.0.0.1' });
    socket.write('over it');
    expect(await heard(socket, 'over it')).toBe('heard over it');
    expect(tofu.list()).toMatchObject([{ endpoint: server.endpoint, state: 'pinned' }]);
    socket.destroy();
  });

  test('never resumes a session, also when a program passes one', async () => {
    const tofu = await opened.tofu();
    const first = tofu.tlsConnect(to(server.port));
    const session = new Promise<Buffer>((resolve) => first.once('session', resolve));
    first.write('x');
    const saved = await session;
    first.destroy();
    const second = tofu.tlsConnect({ ...to(server.port), session: saved });
    await once(second, 'secureConnect');
    expect(second.isSessionReused()).toBe(false);
    second.destroy();
  });

  test('is not weakened by what a program asks of TLS', async () => {
    const tofu = await opened.tofu({ trust: 'ca' });
    // What programs do that cannot verify.
    const weak = JSON.parse(
      '{"rejectUnauthorized": false, "minVersion": "TLSv1", "ciphers": "ALL:@SECLEVEL=0"}',
    );
    const socket = tofu.tlsConnect({
      ...to(server.port),
      ...weak,
      checkServerIdentity: () => undefined,
      ca: server.identity.cert,
    });
    expect(await ended(socket)).toMatchObject({ code: 'ca-invalid' });
    expect(server.received).toBe('');
  });

  test('a program that looks at the certificate itself may still refuse it', async () => {
    const tofu = await opened.tofu();
    const own = vi.fn(() => new Error('not mine'));
    const socket = tofu.tlsConnect({ ...to(server.port), checkServerIdentity: own });
    socket.write('secret');
    expect(await ended(socket)).toMatchObject({ message: 'not mine' });
    expect(own).toHaveBeenCalledWith(
      '127.0.0.1',
      expect.objectContaining({ subject: expect.objectContaining({ CN: 'mail.test' }) }),
    );
    expect(server.received).toBe('');
  });

  test('pins nothing that the program refuses itself, whatever it says', async () => {
    for (const said of [{ message: 'not mine' }, 'a word']) {
      const tofu = await opened.tofu();
      const own = vi.fn(() => JSON.parse(JSON.stringify(said)));
      const socket = tofu.tlsConnect({ ...to(server.port), checkServerIdentity: own });
      expect(await ended(socket)).toBeInstanceOf(Error);
      expect(tofu.list()).toEqual([]);
    }
  });

  test('goes by the name a socket was made for when it is given no other', async () => {
    const raw = connect(server.port, '127.0.0.1');
    await once(raw, 'connect');
    const tofu = await opened.tofu();
    const socket = tofu.tlsConnect({ socket: raw });
    await once(socket, 'secureConnect');
    expect(tofu.list().map(({ endpoint }) => endpoint)).toEqual([server.endpoint]);
    socket.destroy();
  });

  test('makes no TLS over a socket that is not vouched for yet', async () => {
    const tofu = await opened.tofu();
    const outer = tofu.tlsConnect(to(server.port));
    expect(() => tofu.tlsConnect({ socket: outer, host: 'a.test', port: 1 })).toThrow('not vouched for yet');
    await once(outer, 'secureConnect');
    outer.destroy();
  });

  test('lets nothing be heard also where the listeners of Node are gone', async () => {
    const talking = await opened.server('* OK ready\r\n');
    const tofu = await opened.tofu({ firstUse: 'refuse' });
    const socket = tofu.tlsConnect(to(talking.port));
    const none = { secure: undefined };
    Object.assign(Reflect.get(socket, '_events'), none);
    const said = vi.fn();
    socket.on('data', said);
    await vi.waitFor(() => expect(talking.connections).toBe(1));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(said).not.toHaveBeenCalled();
    socket.destroy();
  });

  test('closes connections on a key that is rejected', async () => {
    const tofu = await opened.tofu();
    const socket = tofu.tlsConnect(to(server.port));
    await once(socket, 'secureConnect');
    const spki = tofu.list()[0]?.pins[0]?.spki ?? '';
    const over = ended(socket);
    await tofu.reject(server.endpoint, { expect: spki });
    expect(await over).toMatchObject({ message: expect.stringContaining('not trusted any more') });
    expect(await ended(tofu.tlsConnect(to(server.port)))).toMatchObject({ code: 'key-rejected' });
  });

  test('fails as Node does when nobody answers, or hangs up in the handshake', async () => {
    const tofu = await opened.tofu();
    const closed = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(closed, 'listening');
    opened.also(() => void closed.close());
    expect(await ended(tofu.tlsConnect(to(portOf(closed))))).toMatchObject({ code: 'ECONNRESET' });
    expect(await ended(tofu.tlsConnect(to(1)))).toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('says so when nothing tells which server is meant', async () => {
    const tofu = await opened.tofu();
    expect(() => tofu.tlsConnect({ host: '127.0.0.1' })).toThrow(/which port of 127\.0\.0\.1/);
    expect(() => tofu.tlsConnect({ host: 'a b', port: 1 })).toThrow(RangeError);
  });
});

describe('vouch', () => {
  test('judges a socket that was made elsewhere', async () => {
    const tofu = await opened.tofu();
    const tls = await import('node:tls');
    const socket = tls.connect({ ...to(server.port), ...tofu.tlsOptions(server.endpoint) });
    await once(socket, 'secureConnect');
    expect(await tofu.vouch(socket, server.endpoint)).toMatchObject({
      basis: 'first-use',
      endpoint: server.endpoint,
    });
    socket.write('now');
    expect(await heard(socket, 'now')).toBe('heard now');
    socket.destroy();
    await server.changeKey();
    const other = tls.connect({ ...to(server.port), ...tofu.tlsOptions(server.endpoint) });
    await once(other, 'secureConnect');
    await expect(tofu.vouch(other, server.endpoint)).rejects.toMatchObject({ code: 'pin-mismatch' });
    expect(other.destroyed).toBe(true);
  });

  test('comes too late once something was written', async () => {
    const tofu = await opened.tofu();
    const tls = await import('node:tls');
    const socket = tls.connect({ ...to(server.port), ...tofu.tlsOptions(server.endpoint) });
    await once(socket, 'secureConnect');
    socket.write('too early');
    await expect(tofu.vouch(socket, server.endpoint)).rejects.toMatchObject({ code: 'vouch-too-late' });
    expect(socket.destroyed).toBe(true);
    expect(tofu.list()).toEqual([]);
  });
});
