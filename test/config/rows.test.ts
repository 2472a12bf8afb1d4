// What `config show` prints: each setting of a route in force, and where it came from.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { selfSigned } from '../net/peers.ts';
import { good } from './read.ts';
import type { Given } from './read.ts';

const withLines = (...lines: readonly string[]): string =>
  ['routes:', '  - upstream: imaps://a.example', ...lines.map((line) => `    ${line}`), ''].join('\n');

/** Rows of the first route, by key below it, as `value # origin`. */
async function rowsOf(file: string | null, given: Given = {}): Promise<Readonly<Record<string, string>>> {
  const { origins } = await good(file, given);
  return Object.fromEntries(
    origins
      .filter(({ path }) => path[0] === 'routes' && path[1] === 0)
      .map(({ path, value, origin, remark }) => [
        path.slice(2).join('.'),
        `${JSON.stringify(value)} # ${origin}${remark === null ? '' : `; ${remark}`}`,
      ]),
  );
}

describe('a row of config show', () => {
  it('stands for every default of a plain route', async () => {
    const rows = await rowsOf(withLines());
    expect(Object.keys(rows).filter((key) => !key.startsWith('limits.'))).toEqual([
      'name',
      'listen',
      'clientTls',
      'upstream',
      'trust',
      'firstUse',
      'caFile',
      'minVersion',
      'warm',
      'refusal',
      'watch',
    ]);
    expect(rows).toMatchObject({
      listen: '"localhost:1143" # default',
      clientTls: '"off" # default',
      upstream: '"imaps://a.example" # l.yaml:2:15',
      minVersion: '"TLSv1.2" # default',
      warm: '0 # default',
      watch: '"off" # default',
    });
  });

  it.each<readonly [string, Readonly<Record<string, string>>]>([
    ['listen: unix:/run/x.sock', { listen: '"unix:/run/x.sock" # l.yaml:3:13' }],
    [
      'listen: {unix: /run/x.sock, mode: "0660", group: mail}',
      { listen: '[{"unix":"/run/x.sock","mode":"0660","group":"mail"}] # l.yaml:3:13' },
    ],
    [
      'listen: [fd:imap, localhost:2, {unix: /run/x, mode: "0666"}]',
      { listen: '["fd:imap","localhost:2",{"unix":"/run/x","mode":"0666"}] # l.yaml:3:13' },
    ],
    ['watch: 120m', { watch: '"2h" # l.yaml:3:12' }],
    ['allowUsers: [root, 7]', { allowUsers: '[0,7] # l.yaml:3:17' }],
    [
      'clientTls: starttls',
      { 'clientTls.mode': '"starttls" # l.yaml:3:16', 'clientTls.minVersion': '"TLSv1.2" # default' },
    ],
    [
      'clientTls: {mode: implicit, minVersion: TLSv1.3}',
      {
        'clientTls.mode': '"implicit" # l.yaml:3:23',
        'clientTls.minVersion': '"TLSv1.3" # l.yaml:3:45',
      },
    ],
    ['address: 127.0.0.1', { address: '"127.0.0.1:993" # l.yaml:3:14' }],
    ['address: [127.0.0.1, "[::1]:1993"]', { address: '["127.0.0.1:993","[::1]:1993"] # l.yaml:3:14' }],
    ['proxy: socks5h://127.0.0.1', { proxy: '"socks5://127.0.0.1:1080" # l.yaml:3:12' }],
    ['proxy: http://me:pw@[::1]:80', { proxy: '"http://me:***@[::1]:80" # l.yaml:3:12' }],
    ['minVersion: TLSv1.3', { minVersion: '"TLSv1.3" # l.yaml:3:17' }],
    ['legacyServer: true', { legacyServer: 'true # l.yaml:3:19' }],
    ['warm: 2', { warm: '2 # l.yaml:3:11' }],
  ])('shows %s', async (line, rows) => {
    expect(await rowsOf(withLines(line))).toMatchObject(rows);
  });

  it('shows files where they are', async () => {
    const { cert, key } = await selfSigned();
    const lines = [
      'clientTls: {mode: implicit, certificate: c.pem, key: k.pem}',
      'clientCertificate: {certificate: c.pem, key: k.pem}',
      'proxy: {url: "http://me@127.0.0.1", passwordFile: p}',
    ];
    const files = { 'c.pem': cert, 'k.pem': key, p: 'secret' };
    const { origins, folder } = await good(withLines(...lines), { files });
    const shown = Object.fromEntries(origins.map(({ path, value }) => [path.slice(2).join('.'), value]));
    expect(shown).toMatchObject({
      'clientTls.certificate': join(folder, 'c.pem'),
      'clientTls.key': join(folder, 'k.pem'),
      'clientCertificate.certificate': join(folder, 'c.pem'),
      'clientCertificate.key': join(folder, 'k.pem'),
      'proxy.url': 'http://me@127.0.0.1:8080',
      'proxy.passwordFile': join(folder, 'p'),
    });
  });

  it('names the server of the route whose trust is another', async () => {
    const file = 'routes:\n  - upstream: [imaps://a.example, imaps://imap.gmail.com, imaps://b.example]\n';
    expect(
      await rowsOf(`${file}  - {upstream: "imaps://b.example", listen: "localhost:2", trust: tofu}\n`),
    ).toMatchObject({
      upstream: '["imaps://a.example","imaps://imap.gmail.com","imaps://b.example"] # l.yaml:2:15',
      trust:
        '"auto" # default; imap.gmail.com:993 has "ca" (provider); b.example:993 has "tofu" (l.yaml:3:67)',
      firstUse: '"accept" # default',
    });
  });

  it('is there for the names of the local CA', async () => {
    const { origins } = await good(withLines(), { env: { LETTERLOCK_LOCAL_CA_NAMES: 'box.lan' } });
    expect(origins.find(({ path }) => path[0] === 'localCa')).toEqual({
      path: ['localCa', 'names'],
      value: ['box.lan'],
      origin: 'LETTERLOCK_LOCAL_CA_NAMES',
      remark: null,
    });
  });
});
