// The examples people copy must be right: each block of docs/configuration.md is loaded as it stands.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { selfSigned } from '../net/peers.ts';
import type { Identity } from '../net/peers.ts';
import { crlPem, forgeCrl } from '../trust/forge-crl.ts';
import { problemsIn } from './read.ts';

let own: Identity;
beforeAll(async () => {
  own = await selfSigned();
});

const page = await readFile(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8');
const examples = [...page.matchAll(/^### (.+?)$(?:(?!^###).)*?^```yaml\n(.*?)^```$/gms)].map(
  ([, title = '', yaml = '']) => [title, yaml] as const,
);

describe('an example of docs/configuration.md', () => {
  it('stands under every heading', () => {
    expect(examples.map(([title]) => title)).toEqual(
      [...page.matchAll(/^### (.+)$/gm)].map(([, title]) => title),
    );
    expect(examples.length).toBeGreaterThan(5);
  });

  it.each(examples)('is good: %s', async (_, yaml) => {
    const files = {
      'local.pem': own.cert,
      'local.key': own.key,
      'me.pem': own.cert,
      'me.key': own.key,
      'proxy.password': 'secret\n',
      'office.crl': crlPem(forgeCrl()),
    };
    expect(await problemsIn(yaml, { files })).toEqual([]);
  });
});
