import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { board } from '../../scripts/board/board.ts';
import { exported, readQuery, unknownIn } from './promql.ts';

const root = join(import.meta.dirname, '../..');

const link = z.looseObject({ title: z.string(), url: z.string() });
const place = z.strictObject({ x: z.int(), y: z.int(), w: z.int(), h: z.int() });
const panel = z.looseObject({
  id: z.int(),
  type: z.string(),
  title: z.string(),
  gridPos: place,
  description: z.string().optional(),
  targets: z
    .array(z.looseObject({ refId: z.string(), expr: z.string(), legendFormat: z.string().optional() }))
    .optional(),
  links: z.array(link).optional(),
});
const whole = z.looseObject({
  panels: z.array(panel),
  templating: z.object({
    list: z.array(
      z.looseObject({
        name: z.string(),
        type: z.string(),
        query: z.union([z.string(), z.looseObject({ query: z.string() })]),
      }),
    ),
  }),
  annotations: z.object({ list: z.array(z.looseObject({ expr: z.string() })) }),
});
const made = whole.parse(JSON.parse(JSON.stringify(board())));
const panels = made.panels.filter(({ type }) => type !== 'row');

/** As Grafana would fill it in. */
const filled = (expr: string): string =>
  expr
    .replaceAll('$__rate_interval', '5m')
    .replaceAll('$__interval', '2m')
    .replaceAll(/\$(?:job|instance|route|upstream)\b/g, '.*');

const used = (expr: string): readonly string[] =>
  [...expr.matchAll(/\$\{?(\w+)/g)].map(([, name = '']) => name).filter((name) => !name.startsWith('__'));

const familyOf = (name: string): string => name.replace(/_(?:bucket|sum|count)$/, '');

describe('the board', () => {
  test('as it is committed is the one that is generated', async () => {
    const text = `${JSON.stringify(board(), null, 2)}\n`;
    await expect(text).toMatchFileSnapshot('../../config/grafana/letterlock.json');
  });

  test.each(panels.map(({ title }) => title))('%s asks only for what letterlock exports', (title) => {
    const targets = panels.filter((one) => one.title === title).flatMap((one) => one.targets ?? []);
    expect(targets.length).toBeGreaterThan(0);
    for (const { expr } of targets) expect(unknownIn(filled(expr))).toEqual([]);
  });

  test('legends show labels that are left over by their query', () => {
    for (const { expr, legendFormat = '' } of panels.flatMap((one) => one.targets ?? [])) {
      const { selectors, grouped } = readQuery(filled(expr));
      const left = new Set([...grouped, ...(grouped.length > 0 ? [] : ['job', 'instance'])]);
      for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) expect(left).toContain(label);
      expect(selectors.length).toBeGreaterThan(0);
    }
  });

  test('every variable is one of the board, and is asked of a series that has that label', () => {
    const names = made.templating.list.map(({ name }) => name);
    const exprs = [...panels.flatMap((one) => one.targets ?? []), ...made.annotations.list].map(
      ({ expr }) => expr,
    );
    for (const name of exprs.flatMap(used)) expect(names).toContain(name);
    for (const { name, type, query } of made.templating.list) {
      if (type !== 'query' || typeof query === 'string') continue;
      const parts = /^label_values\((.*), (\w+)\)$/.exec(query.query);
      expect(parts?.[2]).toBe(name);
      const [selector] = readQuery(filled(parts?.[1] ?? '')).selectors;
      expect([...(exported.get(selector?.metric ?? '') ?? []), 'job', 'instance']).toContain(name);
      expect(unknownIn(filled(parts?.[1] ?? ''))).toEqual([]);
    }
  });

  test('annotations ask for what is exported', () => {
    for (const { expr } of made.annotations.list) expect(unknownIn(filled(expr))).toEqual([]);
  });

  test('every selector can be narrowed by job and instance', () => {
    for (const { expr } of panels.flatMap((one) => one.targets ?? []))
      for (const { matchers } of readQuery(filled(expr)).selectors)
        expect(matchers.map(({ label }) => label)).toEqual(expect.arrayContaining(['job', 'instance']));
  });

  test('panels say what they show, have a number of their own and overlap nowhere', () => {
    expect(new Set(made.panels.map(({ id }) => id)).size).toBe(made.panels.length);
    for (const { description = '' } of panels) expect(description).toMatch(/\w.*\.$/);
    const cells = made.panels.flatMap(({ gridPos: { x, y, w, h } }) => {
      expect(x + w).toBeLessThanOrEqual(24);
      return Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`);
    });
    expect(new Set(cells).size).toBe(cells.length);
  });

  test('links lead to runbooks that exist', async () => {
    const pages = await readdir(join(root, 'docs/runbooks'));
    const urls = panels.flatMap(({ links = [] }) => links.map(({ url }) => url));
    expect(urls.length).toBeGreaterThan(10);
    for (const url of urls) expect(pages).toContain(url.replace('${runbooks}/', ''));
  });

  test('every metric of letterlock stands on it', () => {
    const selectors = panels
      .flatMap((one) => one.targets ?? [])
      .flatMap(({ expr }) => readQuery(filled(expr)).selectors);
    const shown = new Set(selectors.map(({ metric }) => familyOf(metric)));
    const names = [...exported.keys()].filter((name) => name.startsWith('letterlock_')).map(familyOf);
    expect(names.filter((name) => !shown.has(name))).toEqual([]);
  });
});
