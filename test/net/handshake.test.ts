import { once } from 'node:events';
import { mkdtemp, writeFile, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { endpointOf } from '../../src/endpoint.ts';
import { Failure } from '../../src/errors.ts';
import { loadAnchors, type AnchorSet } from '../../src/net/anchors.ts';
import type { TlsProfile } from '../../src/net/contexts.ts';
import { dial } from '../../src/net/dial.ts';
import { handshake, type Handshake } from '../../src/net/handshake.ts';
import { spkiOfCertificate } from '../../src/trust/fingerprint.ts';
import {
  derOf,
  dh1024Parameters,
  drink,
  listen,
  portOf,
  rsaSelfSigned,
  selfSigned,
  tlsServer,
  type Identity,
} from './peers.ts';
import { makeAuthority } from '../proxy/world.ts';
import { turnsOfSlow } from '../turns.ts';

const never = new AbortController().signal;
let directory: string;
let identity: Identity;
let none: AnchorSet;
let own: AnchorSet;
let dh1024: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'letterlock-net-'));
  identity = await selfSigned();
  await writeFile(join(directory, 'own.pem'), identity.cert);
  dh1024 = dh1024Parameters();
  none = await loadAnchors([]);
  own = await loadAnchors([join(directory, 'own.pem')]);
});
afterAll(() => rm(directory, { recursive: true }));

const raw = (port: number): Promise<Socket> =>
  dial({ host: '127.0.0.1', port }, { deadlineMs: 5000, signal: never });

async function shake(
  port: number,
  options: {
    host?: string;
    anchors?: AnchorSet;
    profile?: TlsProfile;
    deadlineMs?: number;
    signal?: AbortSignal;
  } = {},
): Promise<Handshake> {
  const {
    host = 'mail.test',
    anchors = none,
    profile = 'modern',
    deadlineMs = 5000,
    signal = never,
  } = options;
  return handshake(await raw(port), {
    endpoint: endpointOf(host, port),
    anchors,
    profile,
    deadlineMs,
    signal,
  });
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : 'no code'),
  );

describe('handshake', () => {
  it('gives leaf, key and chain error of a certificate nobody vouches for', async () => {
    const server = await tlsServer(identity, {}, () => undefined);
    const { socket, peer } = await shake(portOf(server));
    expect(peer.chain.map((der) => Buffer.from(der))).toEqual([derOf(identity)]);
    expect(peer.spki).toMatch(/^sha256\/\/[A-Za-z0-9+/]{43}=$/);
    expect(peer).toMatchObject({
      resumed: false,
      chainError: 'DEPTH_ZERO_SELF_SIGNED_CERT',
      tls: { version: 'TLSv1.3' },
    });
    socket.destroy();
    server.close();
  });

  it('has no chain error when the anchors vouch, also for another name: names are not judged here', async () => {
    const server = await tlsServer(identity, {}, () => undefined);
    const { socket, peer } = await shake(portOf(server), { host: 'other.test', anchors: own });
    expect(peer.chainError).toBeNull();
    socket.destroy();
    server.close();
  });

  it('gives the same key of the same certificate, and its own of another', async () => {
    const other = await selfSigned();
    const keys = [];
    for (const shown of [identity, identity, other, identity]) {
      const server = await tlsServer(shown, {}, () => undefined);
      const { socket, peer } = await shake(portOf(server), { anchors: own });
      expect(peer.spki).toBe(spkiOfCertificate(derOf(shown)));
      keys.push(peer.spki);
      socket.destroy();
      server.close();
    }
    expect(new Set(keys).size).toBe(2);
  });

  it('has no object made of a certificate that verified, and takes nothing from who wants one later', async () => {
    const asked = vi.spyOn(TLSSocket.prototype, 'getPeerCertificate');
    const server = await tlsServer(identity, {}, () => undefined);
    const { socket } = await shake(portOf(server), { anchors: own });
    expect(socket.authorized).toBe(true);
    expect(asked).not.toHaveBeenCalled();
    Reflect.apply(Reflect.get(socket, 'getPeerCertificate'), socket, []);
    expect(asked).toHaveBeenCalledOnce();
    asked.mockRestore();
    socket.destroy();
    server.close();
  });

  it('has no chain error when the anchor named is an intermediate or the leaf, without their root', async () => {
    const issued = await (await makeAuthority()).issue();
    const file = join(directory, 'leaf.pem');
    await writeFile(file, issued.cert);
    const server = await tlsServer(issued, {}, () => undefined);
    for (const [anchors, chainError] of [
      [await loadAnchors([file]), null],
      [own, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
    ] as const) {
      const { socket, peer } = await shake(portOf(server), { anchors });
      expect(peer.chainError).toBe(chainError);
      socket.destroy();
    }
    server.close();
  });

  it('names the endpoint in SNI, and nothing for an address', async () => {
    const names: unknown[] = [];
    const server = await tlsServer(identity, {}, (socket: TLSSocket & { servername?: unknown }) =>
      names.push(socket.servername),
    );
    for (const host of ['mail.test', '127.0.0.1']) {
      const served = once(server, 'secureConnection');
      const { socket } = await shake(portOf(server), { host });
      await served;
      socket.destroy();
    }
    expect(names).toEqual(['mail.test', false]);
    server.close();
  });

  it('delivers nothing before it is resumed, however much the server says', async () => {
    const server = await tlsServer(identity, {}, (socket) => socket.write('* OK hello\r\n'));
    const { socket } = await shake(portOf(server));
    expect(socket.isPaused()).toBe(true);
    const seen = drink(socket);
    socket.end();
    server.close();
    await once(socket, 'data');
    socket.destroy();
    expect((await seen).bytes.toString()).toBe('* OK hello\r\n');
  });

  it('gives a socket that closes when its TLS breaks later, whoever listens', async () => {
    const server = await listen(
      createServer((wire) => {
        wire.on('error', () => undefined);
        const secured = new TLSSocket(wire, { isServer: true, ...identity });
        secured.on('error', () => undefined);
        // Below TLS, behind the records of the handshake.
        secured.once('secure', () => setImmediate(() => void wire.write('* OK in clear\r\n')));
      }),
    );
    const { socket } = await shake(portOf(server));
    socket.on('readable', () => socket.read());
    await new Promise((resolve) => socket.once('close', resolve));
    expect(socket.destroyed).toBe(true);
    server.close();
  });

  it('refuses bytes that wait on the socket before the handshake', async () => {
    const server = await listen(createServer((socket) => socket.write('250 AUTH PLAIN\r\n')));
    const socket = await raw(portOf(server));
    socket.on('readable', () => undefined);
    await once(socket, 'readable');
    const options = { endpoint: endpointOf('mail.test', 1), anchors: none, deadlineMs: 5000, signal: never };
    expect(await codeOf(handshake(socket, options))).toBe('injected-bytes');
    expect(socket.destroyed).toBe(true);
    server.close();
  });

  it('says tls-too-old for a server that stops at TLS 1.1', async () => {
    const options = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
    const server = await tlsServer(identity, options, () => undefined);
    expect(await codeOf(shake(portOf(server)))).toBe('tls-too-old');
    server.close();
  });

  it('says tls-failed for what is not TLS and for a close in the handshake', async () => {
    const text = await listen(
      createServer((socket) => socket.once('data', () => socket.end('* OK plain\r\n'))),
    );
    expect(await codeOf(shake(portOf(text)))).toBe('tls-failed');
    const closing = await listen(createServer((socket) => socket.once('data', () => socket.destroy())));
    expect(await codeOf(shake(portOf(closing)))).toBe('tls-failed');
    text.close();
    closing.close();
  });

  it('gives up on a silent server at its deadline, and at once when aborted', async () => {
    const held: Socket[] = [];
    const server = await listen(createServer((socket) => held.push(socket)));
    expect(await codeOf(shake(portOf(server), { deadlineMs: 20 }))).toBe('timeout');
    const control = new AbortController();
    const work = codeOf(shake(portOf(server), { signal: control.signal }));
    control.abort(new Failure('client'));
    expect(await work).toBe('client');
    held.forEach((socket) => socket.destroy());
    server.close();
  });

  it('refuses a 1024-bit Diffie-Hellman group on every Node version, and takes a 2048-bit one', async () => {
    const tls12 = { maxVersion: 'TLSv1.2', ciphers: 'DHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0' } as const;
    const rsa = rsaSelfSigned();
    const weak = await tlsServer(rsa, { ...tls12, dhparam: dh1024 }, () => undefined);
    expect(await codeOf(shake(portOf(weak)))).toBe('tls-failed');
    const strong = await tlsServer(rsa, { ...tls12, dhparam: 'auto' }, () => undefined);
    const { socket, peer } = await shake(portOf(strong));
    expect(peer.tls.cipher).toBe('TLS_DHE_RSA_WITH_AES_256_GCM_SHA384');
    socket.destroy();
    weak.close();
    strong.close();
  });
});

describe('a profile', () => {
  const level0 = 'DEFAULT:@SECLEVEL=0';

  it('legacy takes TLS 1.0 and 1.1, says so, and takes no worse from a server that can do better', async () => {
    for (const [maxVersion, spoken] of [
      ['TLSv1', 'TLSv1'],
      ['TLSv1.1', 'TLSv1.1'],
      ['TLSv1.3', 'TLSv1.3'],
    ] as const) {
      const server = await tlsServer(
        identity,
        { minVersion: 'TLSv1', maxVersion, ciphers: level0 },
        () => undefined,
      );
      const { socket, peer } = await shake(portOf(server), { profile: 'legacy' });
      expect(peer.tls).toMatchObject({ version: spoken, profile: 'legacy' });
      expect(peer.spki).toMatch(/^sha256/);
      socket.destroy();
      server.close();
    }
  });

  it('legacy takes a 1024-bit Diffie-Hellman group', async () => {
    const tls12 = { maxVersion: 'TLSv1.2', ciphers: 'DHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0' } as const;
    const server = await tlsServer(rsaSelfSigned(), { ...tls12, dhparam: dh1024 }, () => undefined);
    const { socket, peer } = await shake(portOf(server), { profile: 'legacy' });
    expect(peer.tls.cipher).toBe('TLS_DHE_RSA_WITH_AES_256_GCM_SHA384');
    socket.destroy();
    server.close();
  });

  it('tls13 takes TLS 1.3 and nothing older', async () => {
    const old = await tlsServer(identity, { maxVersion: 'TLSv1.2' }, () => undefined);
    expect(await codeOf(shake(portOf(old), { profile: 'tls13' }))).toBe('tls-too-old');
    const modern = await shake(portOf(old));
    expect(modern.peer.tls).toMatchObject({ version: 'TLSv1.2', profile: 'modern' });
    const both = await tlsServer(identity, {}, () => undefined);
    const { socket, peer } = await shake(portOf(both), { profile: 'tls13' });
    expect(peer.tls).toMatchObject({ version: 'TLSv1.3', profile: 'modern' });
    for (const open of [modern.socket, socket]) open.destroy();
    old.close();
    both.close();
  });

  it('has one context for each set of anchors and identity', () => {
    const { contexts } = none;
    const shown = { certificate: identity.cert, key: identity.key };
    for (const profile of ['modern', 'tls13', 'legacy'] as const) {
      expect(contexts.of(profile, null)).toBe(contexts.of(profile, null));
      expect(contexts.of(profile, shown)).toBe(contexts.of(profile, shown));
      expect(contexts.of(profile, shown)).not.toBe(contexts.of(profile, null));
      expect(contexts.of(profile, { ...shown })).not.toBe(contexts.of(profile, shown));
    }
    expect(contexts.of('legacy', null)).not.toBe(contexts.of('modern', null));
  });
});

describe('loadAnchors', () => {
  it('counts each certificate once, whatever names it twice', async () => {
    const file = join(directory, 'own.pem');
    const twice = await loadAnchors([file, file]);
    expect(twice.counts).toEqual({ system: 0, bundled: 0, file: 1 });
    expect(twice.digest).toBe(own.digest);
    expect(twice.digest).not.toBe(none.digest);
  });

  it('takes over what was made of the same certificates, and of no others', async () => {
    const file = join(directory, 'own.pem');
    const again = await loadAnchors([file, file], { known: [none, own] });
    expect(again.contexts).toBe(own.contexts);
    expect(again.keys).toBe(own.keys);
    const more = await loadAnchors(['system', file], { known: [none, own] });
    expect([none.contexts, own.contexts]).not.toContain(more.contexts);
    expect([none.keys, own.keys]).not.toContain(more.keys);
  });

  it('lets the event loop turn between certificates', async () => {
    const bundles = [join(directory, 'absent.pem')];
    const { turns, result } = await turnsOfSlow(() => loadAnchors(['system'], { bundles }));
    expect(turns).toBeGreaterThanOrEqual(result.counts.bundled);
  });

  it('falls back to the bundled roots where the system has no bundle, and adds files', async () => {
    const set = await loadAnchors(['system', join(directory, 'own.pem')], {
      bundles: [join(directory, 'absent.pem')],
    });
    expect(set.counts).toMatchObject({ system: 0, file: 1 });
    expect(set.counts.bundled).toBeGreaterThan(50);
  });

  it.each([
    ['absent.pem', null, /cannot read the CA file/],
    ['empty.pem', 'no certificate here\n', /holds no certificate/],
    [
      'broken.pem',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      /certificate 1 in .* cannot be read/,
    ],
  ])('names the file when %s cannot be used', async (name, text, message) => {
    const path = join(directory, name);
    if (text !== null) await writeFile(path, text);
    await expect(loadAnchors([path])).rejects.toThrow(message);
    await expect(loadAnchors([path])).rejects.toThrow(path);
  });
});
