// handOver, continuity and corroborate as they are written: settings of the server, and what does not go together.

import { describe, expect, it } from 'vitest';
import { good, problemsIn } from './read.ts';

const pin = `sha256//${Buffer.alloc(32, 7).toString('base64')}`;
const route = (...lines: readonly string[]): string =>
  ['routes:', '  - upstream: imaps://imap.example.org', ...lines.map((line) => `    ${line}`), ''].join('\n');
const second = (...lines: readonly string[]): string =>
  [
    '  - upstream: imaps://imap.example.org',
    '    listen: localhost:1144',
    ...lines.map((line) => `    ${line}`),
    '',
  ].join('\n');

const warningsOf = async (text: string): Promise<readonly string[]> =>
  (await good(text)).warnings.map(({ message }) => message);

describe('handOver', () => {
  it('is off by itself, and belongs to the server', async () => {
    const off = await good(route());
    expect(off.config.routes[0]?.trust).not.toHaveProperty('handOver');
    expect((await good(route('handOver: false'))).config.routes).toEqual(off.config.routes);
    const { config, origins } = await good(route('handOver: true') + second());
    expect(config.routes.map(({ trust }) => trust.handOver)).toEqual([true, true]);
    const rows = origins.filter(({ path }) => path.at(-1) === 'handOver');
    expect(rows.map(({ value, origin }) => [value, origin])).toEqual([
      [true, 'l.yaml:3:15'],
      [true, 'l.yaml:3:15'],
    ]);
  });

  it('differing between two routes of a server is an error', async () => {
    expect(await problemsIn(route('handOver: true') + second('handOver: false'))).toEqual([
      expect.stringContaining(
        'two routes disagree on handOver of imap.example.org:993: false here, true in l.yaml:3:15',
      ),
    ]);
  });

  it('is warned of where it can do nothing', async () => {
    expect(await warningsOf(route('handOver: true'))).toEqual([]);
    expect(await warningsOf(route('handOver: true', 'trust: ca'))).toEqual([
      'handOver has no effect under trust: ca',
    ]);
    expect(await warningsOf(route('handOver: true', `pins: ["${pin}"]`))).toEqual([
      'a key in pins: hands over to none: only its line can replace it',
    ]);
  });
});

describe('continuity', () => {
  const anchored = ['trust: ca+tofu', 'continuity: anchor'];

  it('is of the leaf by itself, and belongs to the server', async () => {
    const plain = await good(route('trust: ca+tofu'));
    expect((await good(route('trust: ca+tofu', 'continuity: leaf'))).config.routes).toEqual(
      plain.config.routes,
    );
    const { config, origins } = await good(route(...anchored) + second());
    expect(config.routes.map(({ trust }) => trust.continuity)).toEqual(['anchor', 'anchor']);
    expect(origins.find(({ path }) => path.at(-1) === 'continuity')).toMatchObject({
      value: 'anchor',
      origin: 'l.yaml:4:17',
    });
    expect(await problemsIn(route(...anchored) + second('continuity: leaf'))).toEqual([
      expect.stringContaining('two routes disagree on continuity of imap.example.org:993'),
    ]);
  });

  it.each(['auto', 'ca', 'tofu', 'pinned'])('of the anchor is an error under trust: %s', async (policy) => {
    expect(await problemsIn(route(`trust: ${policy}`, 'continuity: anchor'))).toEqual([
      `l.yaml:4:17: continuity: anchor needs trust: ca+tofu, and imap.example.org:993 has trust: ${policy}`,
    ]);
  });

  it('of the anchor excludes a hand-over, also one of another route', async () => {
    const message =
      'continuity: anchor and handOver: true exclude each other: an anchor signs no successor of a server';
    expect(await problemsIn(route(...anchored, 'handOver: true'))).toEqual([`l.yaml:4:17: ${message}`]);
    expect(await problemsIn(route(...anchored) + second('handOver: true'))).toEqual([
      `l.yaml:4:17: ${message}`,
    ]);
  });
});
