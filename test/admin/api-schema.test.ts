// The schemas say what the types say, and what is printed of them holds together.

import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { apiSchema, apiSchemas } from '../../src/admin/api-schema.ts';
import { parseProbe } from '../../src/admin/command-schema.ts';
import type * as live from '../../src/admin/live-shapes.ts';
import { matchRoute, routes } from '../../src/admin/routes.ts';
import type { RouteEntry } from '../../src/admin/routes.ts';
import type * as shapes from '../../src/admin/shapes.ts';
import type { Command } from '../../src/trust/command.ts';

/** Without `readonly`, which says nothing about what is sent. */
type Plain<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends readonly (infer Item)[]
    ? Plain<Item>[]
    : { -readonly [K in keyof T]: Plain<T[K]> };
/** The compiler compares the two functions, and with them their types, exactly. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as said above
type Shown<A> = <T>() => T extends A ? 1 : 2;
type IsSame<A, B> = Shown<A> extends Shown<B> ? true : false;
type Says<Name extends keyof typeof apiSchemas, Shape> = IsSame<
  Plain<z.infer<(typeof apiSchemas)[Name]>>,
  Plain<Shape>
>;

/** With a field more or less on either side this file does not compile. */
const proof: readonly [
  Says<'Status', shapes.StatusShape>,
  Says<'Sessions', readonly live.SessionRow[]>,
  Says<'Endpoints', readonly live.EndpointRow[]>,
  Says<'Pins', readonly shapes.PinsRow[]>,
  Says<'Pin', shapes.PinsRow>,
  Says<'Candidate', shapes.ComparisonShape>,
  Says<'History', readonly shapes.HistoryRow[]>,
  Says<'Explanation', shapes.ExplanationShape>,
  Says<'Records', shapes.BackupShape>,
  Says<'Command', Command>,
  Says<'Answer', shapes.AnswerShape>,
  Says<'Import', shapes.ImportRequest>,
  Says<'Imported', shapes.ImportShape>,
  Says<'Probed', live.ProbeShape>,
  Says<'Reload', shapes.ReloadShape>,
  Says<'Verification', shapes.VerifyShape>,
  Says<'Event', live.FeedEntry>,
  Says<'Hello', live.FeedHello>,
  Says<'Error', shapes.ErrorShape>,
] = [
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
];

/** Every `$ref` below a value. */
function referencesIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '$ref' && typeof inner === 'string' ? [inner] : referencesIn(inner),
  );
}

describe('the schemas', () => {
  test('say of every shape what its type says', () => {
    expect(proof).not.toContain(false);
  });

  test('are one document in which every reference leads somewhere', () => {
    const schema = apiSchema();
    const named = new Set(Object.keys(schema.$defs).map((name) => `#/$defs/${name}`));
    const used = [...referencesIn(schema), ...schema.routes.flatMap(({ body, answer }) => [body, answer])];
    expect(used.filter((reference) => reference !== null && !named.has(reference))).toEqual([]);
    expect(used).toContain('#/$defs/Status');
    expect(Object.keys(schema.$defs).toSorted()).toEqual(Object.keys(apiSchemas).toSorted());
    expect(JSON.stringify(schema)).not.toContain('"$id"');
  });

  test('leave an answer open for fields to come, and a body closed', () => {
    const { Status, Command: body } = apiSchema().$defs;
    expect(Status).not.toHaveProperty('additionalProperties');
    expect(JSON.stringify(body)).toContain('"additionalProperties":false');
  });
});

describe('the table of routes', () => {
  test('names each route and each path once', () => {
    const all: readonly RouteEntry[] = routes;
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    expect(new Set(all.map(({ path }) => path)).size).toBe(all.length);
  });

  test.each([
    ['/v1/status', { route: 'status', method: 'GET', argument: null }],
    ['/v1/pins/imap.example.org%3A993', { route: 'pin', method: 'GET', argument: 'imap.example.org:993' }],
    ['/v1/candidates/7F3AK2QM', { route: 'candidate', method: 'GET', argument: '7F3AK2QM' }],
    ['/v1/history?endpoint=a%3A1', { route: 'history', method: 'GET', argument: 'a:1' }],
    ['/v1/events?after=12', { route: 'events', method: 'GET', argument: '12' }],
    ['/v1/commands', { route: 'commands', method: 'POST', argument: null }],
  ])('finds %s', (url, found) => {
    expect(matchRoute(url)).toEqual(found);
  });

  test.each([
    '/',
    '/v1',
    '/v2/status',
    '/v1/status/',
    '/v1/status/x',
    '/v1/status?x=1',
    '/v1/pins/',
    '/v1/pins/a/b',
    '/v1/pins/%',
    `/v1/pins/${'x'.repeat(301)}`,
    '/v1/explain',
    '/v1/candidates/A?x=1',
    '/v1/history?x=1',
    '/v1/history?endpoint=',
    '/v1/history?endpoint',
    '/v1/{endpoint}',
    '//v1/status',
  ])('finds nothing at %s', (url) => {
    expect(matchRoute(url)).toBeNull();
  });
});

describe('the body of a probe', () => {
  test('names one canonical endpoint', () => {
    expect(parseProbe({ endpoint: 'imap.example.org:993' })).toBe('imap.example.org:993');
  });

  test.each([null, {}, { endpoint: 'IMAP.example.org:993' }, { endpoint: 'a:1', more: 1 }, { endpoint: 1 }])(
    '%j is none',
    (body) => {
      expect(() => parseProbe(body)).toThrow(/^endpoint: /);
    },
  );
});
