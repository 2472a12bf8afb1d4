// Certificate files of the operator's own, watched while something else renews them.

import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CommandError } from '../../src/errors.ts';
import type { ServedConfig } from '../../src/local-ca/local-tls.ts';
import { ownFileProblems } from '../../src/local-ca/outlook.ts';
import { selfSigned, type Identity } from '../net/peers.ts';
import { plainRoute } from '../proxy/route.ts';
import { day, serving, shown, tlsRoute, World } from './world.ts';

let world: World;
let first: Identity;
let second: Identity;
beforeAll(async () => {
  [first, second] = await Promise.all([selfSigned(), selfSigned()]);
});
beforeEach(async () => {
  world = await World.make();
  await put('own', first);
});
afterEach(() => world.close());

const file = (name: string): string => `${world.state}/${name}`;
const files = (name = 'own'): { readonly certificate: string; readonly key: string } => ({
  certificate: file(`${name}.crt`),
  key: file(`${name}.key`),
});

async function put(name: string, { cert, key }: Identity): Promise<void> {
  await writeFile(files(name).certificate, cert);
  await writeFile(files(name).key, key);
}

const configOf = (): ServedConfig => serving([tlsRoute({ files: files() })]);

it('are shown, and no local CA is made for them', async () => {
  const { credentials } = await world.start(configOf());
  expect((await shown(credentials)).toString()).toBe(pem(first));
  await expect(world.text('ca.crt')).rejects.toThrow('ENOENT');
  expect(world.told).toEqual([]);
});

const pem = ({ cert }: Identity): string => `${cert.trim()}\n`;

describe('when the files change', () => {
  it('the new pair is shown, without a restart', async () => {
    const { tls, credentials } = await world.start(configOf());
    await put('own', second);
    await tls.look();
    expect((await shown(credentials)).toString()).toBe(pem(second));
    expect(world.codes).toEqual(['client-certificate-reloaded']);
    await tls.look();
    expect(world.codes).toHaveLength(1);
  });

  it('by links that point elsewhere, as certbot does, the new pair is shown', async () => {
    await mkdir(file('live'));
    await put('archive1', first);
    await put('archive2', second);
    const point = async (to: string): Promise<void> => {
      for (const end of ['crt', 'key']) {
        await symlink(file(`${to}.${end}`), file(`live/next`));
        await rename(file('live/next'), file(`live/own.${end}`));
      }
    };
    await point('archive1');
    const { tls, credentials } = await world.start(serving([tlsRoute({ files: files('live/own') })]));
    await point('archive2');
    await tls.look();
    expect((await shown(credentials)).toString()).toBe(pem(second));
  });

  it.each([
    [
      'half written',
      () => writeFile(files().certificate, second.cert.slice(0, 200)),
      /own\.crt cannot be used/,
    ],
    ['one of two', () => writeFile(files().certificate, second.cert), /own\.key does not belong/],
    ['gone', () => rm(files().key), /own\.key cannot be read \(ENOENT\)/],
  ])(
    'to what cannot be used (%s) the last good pair stays, and that is told once',
    async (_, spoil, message) => {
      const { tls, credentials } = await world.start(configOf());
      await spoil();
      await tls.look();
      await tls.look();
      world.now += 2 * day;
      await tls.look();
      expect((await shown(credentials)).toString()).toBe(pem(first));
      expect(world.told.filter(({ code }) => code === 'client-certificate-kept')).toEqual([
        expect.objectContaining({ message: expect.stringMatching(message) }),
      ]);
      await put('own', second);
      await tls.look();
      expect((await shown(credentials)).toString()).toBe(pem(second));
    },
  );

  it('in their times only, nothing is told', async () => {
    const { tls } = await world.start(configOf());
    await put('own', first);
    await tls.look();
    expect(world.told).toEqual([]);
  });
});

it('that expired are shown all the same, with one warning', async () => {
  world.now += 30 * day;
  const { tls, credentials } = await world.start(configOf());
  await tls.look();
  await tls.look();
  expect((await shown(credentials)).toString()).toBe(pem(first));
  expect(world.codes).toEqual(['client-certificate-expired']);
});

it('with a chain show it whole', async () => {
  await writeFile(files().certificate, `# mine\n${first.cert}\n${second.cert}`);
  const { credentials } = await world.start(configOf());
  expect((await shown(credentials)).issuerCertificate?.toString()).toBe(pem(second));
});

describe('that cannot be used at the start', () => {
  it.each([
    ['missing', () => rm(files().certificate), /own\.crt cannot be read \(ENOENT\)$/],
    ['of two keys', () => writeFile(files().key, second.key), /own\.key does not belong to the certificate$/],
    ['endless', () => writeFile(files().certificate, 'x'.repeat(2 ** 20 + 1)), /own\.crt is longer than/],
  ])('keep it from starting: %s', async (_, spoil, message) => {
    await spoil();
    const failing = world.start(configOf());
    await expect(failing).rejects.toThrow(CommandError);
    await expect(failing).rejects.toMatchObject({
      exit: 'config',
      code: 'client-certificate',
      message: expect.stringMatching(message),
      hint: expect.stringContaining('PEM'),
    });
    const off = { ...plainRoute, clientTls: { ...plainRoute.clientTls, files: files() } };
    expect(await ownFileProblems([tlsRoute({ files: files() }), tlsRoute(), off])).toMatchObject([
      { message: expect.stringMatching(message) },
    ]);
  });

  it('are no problem when they are good', async () => {
    expect(await ownFileProblems([tlsRoute({ files: files() })])).toEqual([]);
  });
});

it('serve routes with different oldest versions, each with its own', async () => {
  const old = tlsRoute({ files: files(), minVersion: 'TLSv1' });
  const { tls } = await world.start(serving([tlsRoute({ files: files() }), old]));
  const prepared = await tls.prepare(serving([tlsRoute({ files: files() }), old]));
  const client = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
  expect((await shown(prepared.credentialsFor(old), null, client)).toString()).toBe(pem(first));
  await expect(shown(prepared.credentialsFor(tlsRoute({ files: files() })), null, client)).rejects.toThrow();
  await prepared.drop();
});
