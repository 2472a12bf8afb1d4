import { execFileSync } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { unknownIn } from './promql.ts';

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'config/prometheus');

const rule = z.strictObject({
  alert: z.string(),
  expr: z.string(),
  for: z.string().optional(),
  labels: z.strictObject({ severity: z.enum(['critical', 'warning', 'info']) }),
  annotations: z.strictObject({ summary: z.string(), description: z.string(), runbook_url: z.string() }),
});
const alertsFile = z.strictObject({
  groups: z.array(z.strictObject({ name: z.string(), rules: z.array(rule) })),
});
const recordsFile = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      rules: z.array(z.strictObject({ record: z.string(), expr: z.string() })),
    }),
  ),
});
const alertsTests = z.looseObject({
  tests: z.array(
    z.looseObject({
      name: z.string(),
      alert_rule_test: z.array(z.looseObject({ alertname: z.string() })).optional(),
      promql_expr_test: z.array(z.looseObject({ exp_samples: z.array(z.unknown()) })),
    }),
  ),
});

const read = async (name: string): Promise<unknown> => parse(await readFile(join(folder, name), 'utf8'));
const alerts = alertsFile.parse(await read('letterlock.alerts.yaml')).groups.flatMap(({ rules }) => rules);
const records = recordsFile.parse(await read('letterlock.rules.yaml')).groups.flatMap(({ rules }) => rules);
const names = new Set(alerts.map(({ alert }) => alert));

const promtool = (...args: readonly string[]): string =>
  execFileSync('promtool', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

describe('alerts and recording rules', () => {
  test('promtool finds nothing wrong with them', () => {
    expect(promtool('check', 'rules', 'letterlock.alerts.yaml', 'letterlock.rules.yaml')).not.toMatch(
      /FAILED|error|duplicate/i,
    );
  });

  // An hour of every alert, seventy times: seconds, and a minute on a busy machine.
  test('each fires when it should and is silent when it should not', { timeout: 180_000 }, () => {
    expect(promtool('test', 'rules', 'letterlock.alerts.test.yaml')).toContain('SUCCESS');
  });

  test('none is without a test in which it fires, and most tests have a time at which nothing does', async () => {
    const { tests } = alertsTests.parse(await read('letterlock.alerts.test.yaml'));
    const fired = tests.flatMap((one) => (one.alert_rule_test ?? []).map(({ alertname }) => alertname));
    expect(new Set(fired)).toEqual(names);
    const quiet = tests.filter((one) =>
      one.promql_expr_test.some(({ exp_samples }) => exp_samples.length === 0),
    );
    expect(quiet.length).toBeGreaterThan(tests.length / 2);
  });

  test.each([...alerts, ...records].map((one) => ('alert' in one ? one.alert : one.record)))(
    '%s asks only for what letterlock exports',
    (name) => {
      const asked = [...alerts, ...records].filter((one) =>
        'alert' in one ? one.alert === name : one.record === name,
      );
      for (const { expr } of asked) expect(unknownIn(expr)).toEqual([]);
    },
  );

  test('what letterlock does not export is noticed', () => {
    expect(unknownIn('letterlock_refusal_total')).toEqual(['no metric letterlock_refusal_total']);
    expect(unknownIn('letterlock_refusals_total{reason="pin_mismatch", route="x"}')).toEqual([
      'letterlock_refusals_total has no reason="pin_mismatch"',
      'letterlock_refusals_total has no label route',
    ]);
    expect(unknownIn('sum by (route) (letterlock_refusals_total)')).toEqual([
      'nothing here has a label route',
    ]);
    expect(() => unknownIn('sum by (route')).toThrow(SyntaxError);
  });

  test('each alert says in two lengths what happened', () => {
    for (const { annotations } of alerts) {
      expect(annotations.summary.length).toBeLessThan(100);
      expect(annotations.summary).not.toMatch(/\.$/);
      expect(annotations.description).toMatch(/\.$/);
    }
  });
});

describe('runbooks', () => {
  const pages = join(root, 'docs/runbooks');

  test('there is one for each alert, named by it, and no other', async () => {
    expect(new Set((await readdir(pages)).map((file) => file.replace(/\.md$/, '')))).toEqual(names);
    for (const { alert, annotations } of alerts)
      expect(annotations.runbook_url).toBe(`docs/runbooks/${alert}.md`);
  });

  test('docs/monitoring.md lists every alert with its severities', async () => {
    const text = await readFile(join(root, 'docs/monitoring.md'), 'utf8');
    const listed = [...text.matchAll(/^\| \[(\w+)\]\(runbooks\/(\w+)\.md\) \| ([\w, ]+) \|/gm)];
    expect(new Set(listed.map(([, name]) => name))).toEqual(names);
    for (const [, name, page, severities = ''] of listed) {
      expect(page).toBe(name);
      const own = alerts.filter(({ alert }) => alert === name).map(({ labels }) => labels.severity);
      expect(severities.split(', ')).toEqual(own);
    }
  });

  test('every command in them is one of letterlock', async () => {
    const known =
      /^(?:run|check|config show|inspect|cert|explain|status|probe|reload|doctor|dashboard|hooks|--version|pins (?:list|show|compare|history|approve|reject|add|forget|undo|import|export|verify|repair))$/;
    for (const name of names) {
      const text = await readFile(join(pages, `${name}.md`), 'utf8');
      const commands = [...text.matchAll(/(?:^ {4}|`)letterlock ((?:(?:pins|config) )?[\w-]+)/gm)];
      for (const [, command = ''] of commands) expect(command).toMatch(known);
    }
  });

  test.each([...names])(
    '%s says what it means, whether it is urgent, where to look, what then',
    async (name) => {
      const text = await readFile(join(pages, `${name}.md`), 'utf8');
      expect(text.startsWith(`# ${name}\n`)).toBe(true);
      expect(text).toMatch(/^\*\*Urgent\?\*\* /m);
      expect([...text.matchAll(/^## (.*)$/gm)].map((found) => found[1])).toEqual([
        'Look here',
        'Decide',
        'Afterwards',
      ]);
      for (const [, link = ''] of text.matchAll(/\]\(([^)#]+)/g))
        await expect(readFile(join(pages, link), 'utf8')).resolves.toBeTruthy();
    },
  );
});
