// The recipe of docs/continuity.md, carried out: OpenSSL's certificates, a real handshake, one session after another.

// oxlint-disable-next-line import/no-unassigned-import -- it is there for its effect: the servers' certificates need it
import 'reflect-metadata';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { loadAnchors } from '../../src/net/anchors.ts';
import type { Identity } from '../net/peers.ts';
import { keyOf, Rig } from './world.ts';

const folder = mkdtempSync(join(tmpdir(), 'll-hand-over-'));
afterAll(() => rmSync(folder, { recursive: true }));
const openssl = (line: string): void => {
  execFileSync('openssl', line.split(' '), { cwd: folder, stdio: 'ignore' });
};
const text = (name: string): string => readFileSync(join(folder, name), 'utf8');
const asked =
  '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=mail -addext subjectAltName=IP:127.0.0.1';

openssl(`req -new -x509 ${asked} -keyout old.key -out old.crt -days 30`);
openssl(`req -new ${asked} -keyout new.key -out new.csr`);
openssl('x509 -req -in new.csr -CA old.crt -CAkey old.key -days 20 -copy_extensions copy -out new.crt');
const old: Identity = { cert: text('old.crt'), key: text('old.key') };
const heir: Identity = { cert: `${text('new.crt')}${text('old.crt')}`, key: text('new.key') };

const openRig = async (configPins: readonly string[]): Promise<Rig> =>
  Rig.open({
    identity: old,
    anchors: await loadAnchors([]),
    script: [{ do: 'tls' }, { say: '* OK ready\r\n' }, { do: 'echo' }],
    route: { trust: { policy: 'tofu', firstUse: 'accept', configPins, handOver: true } },
  });

it('a server that signed its new certificate with its pinned key goes on without an alarm', async () => {
  const rig = await openRig([]);
  await rig.client().hear('* OK ready');
  rig.server.identity = heir;
  await rig.client().hear('* OK ready');
  expect(rig.tofu.record(rig.endpoint)?.pins).toMatchObject([
    { spki: keyOf(old), retiring: true },
    { spki: keyOf(heir), parent: keyOf(old), until: null },
  ]);
  await rig.close();
});

it('without the old certificate beside it the new key is another key', async () => {
  const rig = await openRig([]);
  await rig.client().hear('* OK ready');
  rig.server.identity = { ...heir, cert: text('new.crt') };
  await rig.client().hear('its key changed');
  await rig.close();
});

it('a key that a line of the configuration names hands over to nobody', async () => {
  const rig = await openRig([keyOf(old)]);
  await rig.client().hear('* OK ready');
  rig.server.identity = heir;
  await rig.client().hear('its key changed');
  await rig.close();
});
