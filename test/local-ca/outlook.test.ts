// What `check` says beforehand of the next start.

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { localOutlook, type Advice } from '../../src/local-ca/outlook.ts';
import { plainRoute } from '../proxy/route.ts';
import { day, serving, tlsRoute, World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await World.make();
});
afterEach(() => world.close());

const outlook = (names: readonly string[] = [], host = '127.0.0.1'): Promise<readonly Advice[]> =>
  localOutlook({ ...serving([tlsRoute({}, host)], names), state: world.state }, world.now);

it('is quiet where nothing changes, before a first CA, and without client TLS', async () => {
  expect(await outlook()).toEqual([]);
  await world.start(serving([tlsRoute()]));
  expect(await outlook()).toEqual([]);
  const plain = { ...serving([plainRoute], ['mail.box']), state: world.state };
  expect(await localOutlook(plain, world.now)).toEqual([]);
});

it.each([
  ['a configured name', ['mail.box'], '127.0.0.1', 'mail.box'],
  ['an address listened on', [], '192.0.2.7', '192.0.2.7'],
])('tells of a new CA for %s, which the next start then makes', async (_, names, host, missing) => {
  await world.start(serving([tlsRoute()]));
  expect(await outlook(names, host)).toEqual([
    {
      file: world.path('ca.crt'),
      message: expect.stringMatching(
        new RegExp(`^the next start makes a NEW LOCAL CA: .* must not vouch for ${missing}$`),
      ),
      hint: 'every client must import it again: letterlock local-ca install --print',
    },
  ]);
  world.told.length = 0;
  await world.start(serving([tlsRoute({}, host)], names));
  expect(world.codes).toEqual(['local-ca-replaced']);
  expect(await outlook(names, host)).toEqual([]);
});

it('tells of a CA that ended or soon will', async () => {
  await world.start(serving([tlsRoute()]));
  world.now += 3600 * day;
  expect(await outlook()).toMatchObject([
    { message: expect.stringMatching(/ ends on .* a new one is made/) },
  ]);
  world.now += 60 * day;
  expect(await outlook()).toMatchObject([{ message: expect.stringMatching(/NEW LOCAL CA: .* ended on/) }]);
});

it('says so when it cannot tell', async () => {
  await world.start(serving([tlsRoute()]));
  await writeFile(world.path('ca.crt'), 'nonsense');
  expect(await outlook()).toMatchObject([
    { file: world.path('ca.crt'), message: expect.stringContaining('cannot be told: it ') },
  ]);
});

it('says so when it cannot look', async () => {
  await world.start(serving([tlsRoute()]));
  await rm(world.path('ca.crt'));
  await mkdir(world.path('ca.crt'));
  expect(await outlook()).toMatchObject([
    { message: expect.stringContaining('EISDIR'), hint: 'check as the user who runs letterlock' },
  ]);
});

it('asks for names where a route listens everywhere', async () => {
  expect(await outlook([], '0.0.0.0')).toMatchObject([
    {
      message: expect.stringContaining('listens on every address'),
      hint: expect.stringContaining('localCa'),
    },
  ]);
  expect(await outlook(['mail.box'], '0.0.0.0')).toEqual([]);
});
