// The local CA of a daemon: made before anything listens, and with a reload whole or not at all.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Config } from '../../src/config.ts';
import { CommandError } from '../../src/errors.ts';
import type { Route } from '../../src/proxy/route.ts';
import { listen, portOf, selfSigned } from '../net/peers.ts';
import { tlsRoute } from '../local-ca/world.ts';
import { World } from './world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const path = (name: string): string => join(world.folder, 'state', 'local-ca', name);
const files = (): readonly string[] => readdirSync(path('.')).toSorted();
const warnings = (): readonly string[] =>
  world.events.flatMap((event) => (event.type === 'warning' ? [event.code] : []));
const withNames = (names: readonly string[], routes: readonly Route[] = [tlsRoute()]): Config =>
  world.config(routes, { localCa: { names } });

const nextMonth = (): number => Date.now() + 30 * 86_400_000;

/** A daemon that reads `next` at its one reload. */
const reloading = async (
  next: Config,
  first = withNames([]),
): ReturnType<Awaited<ReturnType<World['start']>>['reload']> => {
  const daemon = await world.start(first, { reread: async () => ({ ok: true, config: next }) });
  return daemon.reload();
};

describe('a daemon with client TLS', () => {
  test('makes its local CA at the first start and says so in the log', async () => {
    await world.start(withNames([]));
    expect(files()).toEqual(['ca.crt', 'ca.key', 'leaf.crt', 'leaf.key']);
    expect(world.log.filter(({ code }) => code === 'local-ca-made')).toMatchObject([
      {
        level: 'warn',
        event: 'warning',
        msg: expect.stringContaining('letterlock local-ca install --print'),
      },
    ]);
  });

  test('does not start with a damaged one, and binds nothing', async () => {
    const daemon = await world.start(withNames([]));
    await daemon.close(0);
    writeFileSync(path('ca.key'), 'nonsense');
    const free = await listen(createServer());
    const port = portOf(free);
    await new Promise((resolve) => free.close(resolve));
    const route = { ...tlsRoute(), listen: [{ kind: 'tcp', host: '127.0.0.1', port } as const] };
    const failing = world.start(withNames([], [route]));
    await expect(failing).rejects.toThrow(CommandError);
    await expect(failing).rejects.toMatchObject({ exit: 'store', code: 'local-ca-damaged' });
    expect(world.events.filter(({ type }) => type === 'listening')).toHaveLength(1);
    expect(readFileSync(path('ca.key'), 'utf8')).toBe('nonsense');
  });

  test('leaves no new one behind, and announces none, when it cannot listen', async () => {
    const busy = await listen(createServer());
    const route = {
      ...tlsRoute(),
      listen: [{ kind: 'tcp', host: '127.0.0.1', port: portOf(busy) } as const],
    };
    await expect(world.start(withNames([], [route]))).rejects.toMatchObject({ exit: 'network' });
    await new Promise((resolve) => busy.close(resolve));
    expect(files()).toEqual([]);
    expect(warnings()).toEqual([]);
    await world.start(withNames([], [route]));
    expect(warnings()).toEqual(['local-ca-made']);
  });

  test('does not start with own files it cannot use', async () => {
    const own = { certificate: join(world.folder, 'a.crt'), key: join(world.folder, 'a.key') };
    const config = withNames([], [tlsRoute({ files: own })]);
    await expect(world.start(config)).rejects.toMatchObject({ exit: 'config', code: 'client-certificate' });
    const { cert, key } = await selfSigned();
    writeFileSync(own.certificate, cert);
    writeFileSync(own.key, key);
    await world.start(config);
    expect(world.events.some(({ type }) => type === 'listening')).toBe(true);
    expect(warnings()).toEqual([]);
  });

  test('says at the start that own files expired, and shows them', async () => {
    const own = { certificate: join(world.folder, 'a.crt'), key: join(world.folder, 'a.key') };
    const { cert, key } = await selfSigned();
    writeFileSync(own.certificate, cert);
    writeFileSync(own.key, key);
    await world.start(withNames([], [tlsRoute({ files: own })]), { now: nextMonth });
    expect(warnings()).toEqual(['client-certificate-expired']);
  });
});

describe('a reload', () => {
  test('with a new name makes the new CA, and writes it down before it answers', async () => {
    expect(await reloading(withNames(['mail.box']))).toMatchObject({ reloaded: true });
    expect(warnings()).toEqual(['local-ca-made', 'local-ca-replaced']);
    expect(files().filter((name) => /^ca-.*\.(?:crt|key)$/.test(name))).toHaveLength(2);
  });

  test('that fails elsewhere leaves the CA as it was', async () => {
    const busy = await listen(createServer());
    const route: Route = {
      ...tlsRoute(),
      name: 'other',
      listen: [{ kind: 'tcp', host: '127.0.0.1', port: portOf(busy) }],
    };
    const answer = await reloading(withNames(['mail.box'], [route]));
    busy.close();
    expect(answer).toMatchObject({ reloaded: false });
    expect(files()).toEqual(['ca.crt', 'ca.key', 'leaf.crt', 'leaf.key']);
    expect(warnings()).toEqual(['local-ca-made']);
  });

  test('that names own files it cannot use is refused as a whole', async () => {
    const missing = join(world.folder, 'no.crt');
    const next = withNames([], [tlsRoute({ files: { certificate: missing, key: missing } })]);
    expect(await reloading(next)).toMatchObject({
      reloaded: false,
      problems: [{ message: expect.stringContaining('no.crt cannot be read (ENOENT)') }],
    });
  });
});
