// The JSON Schema is generated from what checks the configuration; the file in config/ is that, printed. To
// write it anew: letterlock config schema > config/letterlock.schema.json (or vitest -u).

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { keysAt, settingPaths } from '../../src/config/schema-keys.ts';
import { jsonSchema } from '../../src/config/json-schema.ts';
import { configSchema } from '../../src/config/schema.ts';
import { editDistance, nearest } from '../../src/config/nearest.ts';
import { settings } from '../../src/config/settings.ts';
import { selfSigned } from '../net/peers.ts';
import { good, problemsIn } from './read.ts';
import { crlPem, forgeCrl } from '../trust/forge-crl.ts';

const folder = join(import.meta.dirname, '../../config');
const example = (): Promise<string> => readFile(join(folder, 'letterlock.example.yaml'), 'utf8');

/** The files that the example names. */
async function exampleFiles(): Promise<Readonly<Record<string, string>>> {
  const { cert, key } = await selfSigned();
  return {
    'local.pem': cert,
    'local.key': key,
    'me.pem': cert,
    'me.key': key,
    'proxy.password': 'secret\n',
    'office.crl': crlPem(forgeCrl()),
  };
}

describe('the JSON Schema', () => {
  it('in config/ is the one of the sources', async () => {
    await expect(`${JSON.stringify(jsonSchema(), null, 2)}\n`).toMatchFileSnapshot(
      join(folder, 'letterlock.schema.json'),
    );
  });

  it('is of draft 7 and closed at every level', () => {
    const schema = jsonSchema();
    expect(schema['$schema']).toBe('http://json-schema.org/draft-07/schema#');
    const open = JSON.stringify(schema, (_, value: unknown) =>
      typeof value === 'object' &&
      value !== null &&
      'properties' in value &&
      !('additionalProperties' in value)
        ? { open: value }
        : value,
    );
    expect(open).not.toContain('"open"');
  });

  it('describes every key', () => {
    const nameless: string[] = [];
    const walk = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return;
      for (const [key, child] of Object.entries(
        'properties' in node && typeof node.properties === 'object' ? (node.properties ?? {}) : {},
      )) {
        const isLeaf = !JSON.stringify(child).includes('"properties"');
        if (isLeaf && !JSON.stringify(child).includes('"description"')) nameless.push(`${path}.${key}`);
        walk(child, `${path}.${key}`);
      }
    };
    walk(jsonSchema(), '');
    expect(nameless).toEqual([]);
  });

  it('accepts the example and refuses it with a wrong key, read back by another reader', async () => {
    // The schema as an editor has it: made into a validator again from the printed file alone.
    const printed = z
      .record(z.string(), z.unknown())
      .parse(JSON.parse(await readFile(join(folder, 'letterlock.schema.json'), 'utf8')));
    const reader = z.fromJSONSchema(printed);
    const value = z.record(z.string(), z.unknown()).parse(parse(await example()));
    expect(reader.safeParse(value).success).toBe(true);
    expect(reader.safeParse({ ...value, truts: 'ca' }).success).toBe(false);
    expect(reader.safeParse({ ...value, trust: 'none' }).success).toBe(false);
  });
});

describe('the example', () => {
  it('is a good configuration', async () => {
    expect(await problemsIn(await example(), { files: await exampleFiles() })).toEqual([]);
  });

  it('shows every key there is', async () => {
    const value: unknown = parse(await example());
    const written = new Set(
      JSON.stringify(value)
        .match(/"\w+":/g)
        ?.map((key) => key.slice(1, -2)),
    );
    const keys = [
      ...keysAt([]),
      ...keysAt(['routes', 0]),
      ...keysAt(['limits']),
      ...keysAt(['log']),
      ...keysAt(['metrics']),
      ...keysAt(['admin']),
      ...keysAt(['localCa']),
      ...keysAt(['routes', 0, 'listen', 0]),
      ...keysAt(['routes', 0, 'clientTls']),
      ...keysAt(['routes', 0, 'proxy']),
      ...keysAt(['routes', 0, 'clientCertificate']),
    ];
    // Keys of the first route that another route of the example has are enough.
    expect(keys.filter((key) => !written.has(key))).toEqual([]);
  });

  it('states the defaults where it gives top-level ones', async () => {
    const shown = await good(await example(), { files: await exampleFiles() });
    const plain = await good('state: /var/lib/letterlock\nroutes:\n  - upstream: imaps://imap.example.org\n');
    const { config } = shown;
    expect({ ...config, routes: [], metrics: null }).toEqual({ ...plain.config, routes: [], metrics: null });
    expect(config.routes[0]).toEqual({ ...plain.config.routes[0], name: 'home-imap' });
  });
});

describe('the list of variables', () => {
  it('is generated, closed and public: a change here is a change for users', () => {
    expect(settings().map(({ variable }) => variable)).toEqual([
      'LETTERLOCK_STATE',
      'LETTERLOCK_TRUST',
      'LETTERLOCK_FIRST_USE',
      'LETTERLOCK_DANE',
      'LETTERLOCK_RESOLVER',
      'LETTERLOCK_CA_FILE',
      'LETTERLOCK_CRL_FILE',
      'LETTERLOCK_METRICS_LISTEN',
      'LETTERLOCK_METRICS_LEVEL',
      'LETTERLOCK_METRICS_MAX_LABEL_VALUES',
      'LETTERLOCK_ADMIN_SOCKET',
      'LETTERLOCK_ADMIN_LISTEN',
      'LETTERLOCK_LOCAL_CA_NAMES',
      'LETTERLOCK_WATCH',
      'LETTERLOCK_LIMITS_CONNECTIONS',
      'LETTERLOCK_LIMITS_DIAL_SECONDS',
      'LETTERLOCK_LIMITS_HANDSHAKE_SECONDS',
      'LETTERLOCK_LIMITS_GREETING_SECONDS',
      'LETTERLOCK_LIMITS_IDLE_MINUTES',
      'LETTERLOCK_LIMITS_PRE_TLS_BYTES',
      'LETTERLOCK_LIMITS_LINE_BYTES',
      'LETTERLOCK_LOG_LEVEL',
      'LETTERLOCK_LOG_FORMAT',
      'LETTERLOCK_SHUTDOWN_SECONDS',
    ]);
    expect(settingPaths().map(({ path }) => Object.hasOwn(configSchema.shape, path[0] ?? ''))).not.toContain(
      false,
    );
  });
});

describe('did you mean', () => {
  it.each([
    ['trust', 'trust', 0],
    ['truts', 'trust', 1],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['ca', 'abc', 3],
  ])('%s is %s at a distance of %s', (one, other, distance) => {
    expect(editDistance(one, other)).toBe(distance);
    expect(editDistance(other, one)).toBe(distance);
  });

  it.each([
    ['truts', 'trust'],
    ['TRUST', 'trust'],
    ['tls', null],
    ['dane', null],
    ['statee', 'state'],
    ['x'.repeat(10_000), null],
  ])('%s is %s', (written, meant) => {
    expect(nearest(written, ['trust', 'state', 'routes', 'metrics'])).toBe(meant);
  });
});
