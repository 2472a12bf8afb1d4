// The metrics page of a running proxy, read by Prometheus' own checker and by Prometheus with our alerts.

import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { board } from '../../scripts/board/board.ts';
import { serverHost } from '../lab/dovecot.ts';
import { startLetterlock, type Letterlock } from '../lab/letterlock.ts';
import { startMailLab, type MailLab } from '../lab/mail-lab.ts';
import { describeWith } from '../lab/needs.ts';
import { freePorts } from '../lab/port.ts';
import { startPrometheus, type Alert, type Prometheus } from '../lab/prometheus.ts';
import { cleanEnvironment, run, words } from '../lab/run.ts';
import { visit } from '../lab/visit.ts';
import { until } from '../lab/wait.ts';

async function complaints(text: string): Promise<{ exit: number | null; shown: string }> {
  const { exit, shown } = await run(words('promtool check metrics'), {
    env: cleanEnvironment('/tmp'),
    input: text,
  });
  return { exit, shown };
}

describeWith(['dovecot', 'openssl', 'promtool'], { root: false })('/metrics', () => {
  let lab: MailLab;
  let letterlock: Letterlock;
  let route: number;
  let page: string;
  beforeAll(async () => {
    lab = await startMailLab({ variant: 'self1', seeded: false, postfix: false });
    const [listen = 0, metrics = 0] = await freePorts('127.0.0.1', 2);
    route = listen;
    page = `http://127.0.0.1:${metrics}/metrics`;
    const address = `${serverHost}:${lab.dovecot.ports.imaps}`;
    letterlock = await startLetterlock(
      [{ name: 'mail', listen, upstream: 'imaps://mail.lab.test', address }],
      {
        metrics: { listen: `127.0.0.1:${metrics}` },
      },
    );
  });
  afterAll(async () => {
    await letterlock.stop();
    await lab.stop();
  });

  const scrape = async (): Promise<string> => (await fetch(page)).text();

  test('refusals stand at 0 before the first one', async () => {
    const counters = (await scrape())
      .split('\n')
      .filter((line) => /^letterlock_\w*refus\w*_total\{/.test(line));
    expect(counters.length).toBeGreaterThan(0);
    for (const line of counters) expect(line).toMatch(/ 0$/);
  });

  test('promtool has nothing to say, before and after sessions', async () => {
    expect(await complaints(await scrape())).toEqual({ exit: 0, shown: '' });
    await visit(route);
    await lab.swap('self2');
    await visit(route);
    const text = await until('the refusal on the page', async () => {
      const now = await scrape();
      return /^letterlock_\w*refus\w*_total\{[^}]*pin-mismatch[^}]*\} 1$/m.test(now) ? now : null;
    });
    expect(await complaints(text)).toEqual({ exit: 0, shown: '' });
  });

  test('promtool does complain about a page with a mistake', async () => {
    expect((await complaints('a_counter 1\n')).exit).not.toBe(0);
  });
});

const rules = ['letterlock.alerts.yaml', 'letterlock.rules.yaml'].map((name) =>
  join(import.meta.dirname, '../../config/prometheus', name),
);
const boardQueries = z.object({
  panels: z.array(
    z.looseObject({ title: z.string(), targets: z.array(z.looseObject({ expr: z.string() })).optional() }),
  ),
});

const named = (alerts: readonly Alert[]): readonly string[] =>
  alerts.map(({ labels }) => labels['alertname'] ?? '').toSorted();

describeWith(['dovecot', 'openssl', 'prometheus'], { root: false })('a Prometheus with our alerts', () => {
  let lab: MailLab;
  let letterlock: Letterlock;
  let prometheus: Prometheus;
  let route: number;
  beforeAll(async () => {
    lab = await startMailLab({ variant: 'self1', seeded: false, postfix: false });
    const [listen = 0, metrics = 0] = await freePorts('127.0.0.1', 2);
    route = listen;
    const address = `${serverHost}:${lab.dovecot.ports.imaps}`;
    letterlock = await startLetterlock(
      [{ name: 'mail', listen, upstream: 'imaps://mail.lab.test', address }],
      { metrics: { listen: `127.0.0.1:${metrics}` } },
    );
    prometheus = await startPrometheus({ target: `127.0.0.1:${metrics}`, rules });
  });
  afterAll(async () => {
    await prometheus.stop();
    await letterlock.stop();
    await lab.stop();
  });

  const firing = (count: number): Promise<readonly Alert[]> =>
    until(`${count} alerts`, async () => {
      const alerts = await prometheus.firing();
      return alerts.length >= count ? alerts : null;
    });

  /** When the first sample of `selector` that is not 0 was taken. */
  async function since(selector: string): Promise<number> {
    const [series] = await prometheus.query(`${selector}[5m]`);
    const first = series?.points.find(([, value]) => value > 0);
    if (first === undefined) throw new Error(`${selector} was never above 0`);
    return first[0];
  }

  test('a first use is told, and nothing else', async () => {
    expect(await prometheus.firing()).toEqual([]);
    expect(await visit(route)).toContain('* OK');
    const alerts = await firing(1);
    expect(named(alerts)).toEqual(['LetterlockFirstUse']);
    expect(alerts[0]?.labels).toMatchObject({ severity: 'info', event: 'first-use' });
  });

  test('a changed key alarms within one evaluation of the scrape that shows it', async () => {
    await lab.swap('self2');
    expect(await visit(route)).toContain('letterlock refused');
    const alerts = await firing(2);
    expect(named(alerts)).toEqual(['LetterlockFirstUse', 'LetterlockPinMismatch']);
    expect(alerts.find(({ labels }) => labels['alertname'] === 'LetterlockPinMismatch')).toMatchObject({
      labels: { severity: 'critical', upstream: 'mail.lab.test:993', reason: 'pin-mismatch' },
      annotations: { runbook_url: 'docs/runbooks/LetterlockPinMismatch.md' },
    });
    const scraped = await since('letterlock_refusals_total{reason="pin-mismatch"}');
    const alarmed = await since('ALERTS{alertname="LetterlockPinMismatch",alertstate="firing"}');
    // One second is the interval; a busy machine may be late by another.
    expect(alarmed - scraped).toBeLessThan(2);
  });

  test('every query of the board is answered', async () => {
    for (const { title, targets = [] } of boardQueries.parse(board()).panels)
      for (const { expr } of targets) {
        const filled = expr
          .replaceAll(/\$__(?:rate_)?interval/g, '5s')
          .replaceAll(/\$(?:job|instance|route|upstream)\b/g, '.*');
        await expect(prometheus.query(filled), title).resolves.toBeInstanceOf(Array);
      }
    const [refused] = await prometheus.query('job_upstream:letterlock_endpoint_refusing:sum');
    expect(refused?.labels['upstream']).toBe('mail.lab.test:993');
  });
});
