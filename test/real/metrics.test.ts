// The metrics page of a running proxy, read by Prometheus' own checker.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { serverHost } from '../lab/dovecot.ts';
import { startLetterlock, type Letterlock } from '../lab/letterlock.ts';
import { startMailLab, type MailLab } from '../lab/mail-lab.ts';
import { describeWith } from '../lab/needs.ts';
import { freePorts } from '../lab/port.ts';
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
