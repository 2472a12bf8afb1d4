// The programs of the documents: what the pages show stands in them, and they run.

import { mkdir, readdir, readFile, symlink, cp } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createServer } from 'node:https';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fingerprints } from '../../src/index.ts';
import { builtBin } from '../lab/build.ts';
import { temporaryFolder, type Folder } from '../lab/folder.ts';
import { cleanEnvironment, run, type Ran } from '../lab/run.ts';
import { portOf, selfSigned } from '../net/peers.ts';
import { Opened } from './world.ts';

const root = join(import.meta.dirname, '../..');
const examples = join(root, 'docs/examples');

let opened: Opened;
let folder: Folder;
beforeEach(async () => {
  opened = new Opened();
  folder = await temporaryFolder();
  // As if installed: the built package under its name, beside the programs.
  await cp(examples, folder.path, { recursive: true });
  await mkdir(join(folder.path, 'node_modules'));
  await symlink(dirname(dirname(dirname(await builtBin()))), join(folder.path, 'node_modules/letterlock'));
});
afterEach(async () => {
  await opened.close();
  await folder.remove();
});

const start = (script: string, args: readonly string[], input = ''): Promise<Ran> =>
  run([process.execPath, join(folder.path, script), ...args], {
    cwd: folder.path,
    env: cleanEnvironment(folder.path),
    input,
    deadlineMs: 60_000,
  });

/** Every line as far as it says something. */
const squeezed = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n');

test('every piece of code in the tutorial stands in a program that is run here', async () => {
  const page = await readFile(join(root, 'docs/library/tutorial.md'), 'utf8');
  const names = (await readdir(examples)).filter((name) => name.endsWith('.mjs'));
  const programs = await Promise.all(
    names.map(async (name) => squeezed(await readFile(join(examples, name), 'utf8'))),
  );
  const pieces = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code = '']) => squeezed(code));
  expect(pieces.length).toBeGreaterThan(4);
  expect(pieces.filter((piece) => !programs.some((program) => program.includes(piece)))).toEqual([]);
});

test('connect, and refused once the key changed', async () => {
  const server = await opened.server('* OK ready\r\n');
  const url = `imaps://${server.endpoint}`;
  expect((await start('connect.mjs', [url])).shown).toBe(
    `${server.endpoint} is vouched for: first-use\nit says: * OK ready\n`,
  );
  expect((await start('connect.mjs', [url])).shown).toContain('is vouched for: pin\n');
  expect((await start('refused.mjs', [url])).shown).toBe('');
  await server.changeKey();
  const { shown, exit } = await start('refused.mjs', [url]);
  expect(shown).toContain('letterlock refused 127.0.0.1: its key changed. Nothing was sent.');
  expect(shown).toContain('self-signed: The certificate is signed by its own key.');
  expect(exit).toBe(0);
});

test('ask: yes pins, anything else does not', async () => {
  const server = await opened.server('* OK ready\r\n');
  const url = `imaps://${server.endpoint}`;
  const no = await start('ask.mjs', [url], 'no\n');
  expect(no.exit).not.toBe(0);
  expect(no.shown).toContain(fingerprints(server.identity.cert).spki ?? 'no key');
  const yes = await start('ask.mjs', [url], 'yes\n');
  expect(yes.shown).toContain(`${server.endpoint} is vouched for: pin`);
  expect(yes.exit).toBe(0);
});

test('one place: libraries go through it', async () => {
  const identity = await selfSigned();
  const web = createServer(identity, (_, answer) => answer.end('ok')).listen(0, '127.0.0.1');
  opened.also(() => {
    web.closeAllConnections();
    web.close();
  });
  await once(web, 'listening');
  const endpoint = `127.0.0.1:${portOf(web)}`;
  const { spki } = fingerprints(identity.cert);
  const good = await start('one-place.mjs', [endpoint, spki ?? '']);
  expect(good.shown).toContain(`${endpoint}: pin\n`);
  expect(good.shown).toContain('200\n');
  const other = await start('one-place.mjs', [endpoint]);
  expect(other.shown).toContain('its key changed');
  expect(other.shown).toContain('pin-mismatch\n');
});

test('inspect', async () => {
  const server = await opened.server();
  const { shown, exit } = await start('inspect.mjs', [server.endpoint]);
  expect(shown).toContain("[ 'self-signed' ]");
  expect(shown).toContain(`CN=mail.test ${fingerprints(server.identity.cert).sha256}`);
  expect(exit).toBe(0);
});
