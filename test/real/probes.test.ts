// A key changes while nobody reads mail: a probe finds it, the people who look on see it, and no pin moves until
// somebody decides. Told as its operator would do it, with the program's own commands and a real Dovecot.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { serverHost } from '../lab/dovecot.ts';
import { startLetterlock, type Letterlock } from '../lab/letterlock.ts';
import { startMailLab, type MailLab } from '../lab/mail-lab.ts';
import { describeWith } from '../lab/needs.ts';
import { freePorts } from '../lab/port.ts';
import { visit } from '../lab/visit.ts';

const services = [
  ['imaps', 'imaps'],
  ['imap', 'imap'],
  ['pop3s', 'pop3s'],
  ['submissions', 'submissions'],
  ['sieve', 'sieve'],
] as const;

describeWith(['dovecot', 'openssl'], { root: false })('a key that changed while nobody looked', () => {
  let lab: MailLab;
  let letterlock: Letterlock;
  let page: string;
  const names = new Map<string, string>();
  const ports = new Map<string, number>();

  beforeAll(async () => {
    lab = await startMailLab({ variant: 'self1', seeded: false, postfix: false });
    const [metrics = 0, ...listen] = await freePorts('127.0.0.1', services.length + 1);
    page = `http://127.0.0.1:${metrics}/metrics`;
    const routes = services.map(([scheme, service], index) => {
      const port = lab.dovecot.ports[service];
      names.set(service, `mail.lab.test:${port}`);
      ports.set(service, listen[index] ?? 0);
      return {
        name: service,
        listen: listen[index] ?? 0,
        upstream: `${scheme}://mail.lab.test:${port}`,
        address: `${serverHost}:${port}`,
        settings: { watch: '6h' },
      };
    });
    letterlock = await startLetterlock(routes, { metrics: { listen: `127.0.0.1:${metrics}` } });
    for (const port of ports.values()) expect(await visit(port)).not.toContain('letterlock refused');
  });
  afterAll(async () => {
    await letterlock.stop();
    await lab.stop();
  });

  const nameOf = (service: string): string => names.get(service) ?? '';
  const json = async (...words: readonly string[]): Promise<{ exit: number | null; answer: unknown }> => {
    const { exit, stdout } = await letterlock.command(...words, '--json');
    return { exit, answer: JSON.parse(stdout.toString()) };
  };
  const scraped = async (line: string): Promise<boolean> => (await (await fetch(page)).text()).includes(line);

  test('before, every server is accepted as pinned, and none sees a login', async () => {
    const { exit, answer } = await json('probe', '--all');
    expect(exit).toBe(0);
    expect(answer).toEqual(
      expect.arrayContaining(
        [...names.values()].map((endpoint): unknown =>
          expect.objectContaining({ endpoint, result: 'accepted', verdict: 'pin' }),
        ),
      ),
    );
    expect(await lab.dovecot.log()).not.toMatch(/Login: user|auth failed/);
  });

  test('then a probe finds the new key: told, counted, offered, and nothing pinned', async () => {
    const { answer: before } = await json('pins', 'show', nameOf('imaps'));
    await lab.swap('self2');
    const { exit, shown } = await letterlock.command('probe', nameOf('imaps'));
    expect(exit, shown).toBe(4);
    expect(shown).toMatch(/REFUSED: its key changed \(pin-mismatch\)/);
    const [, reference = ''] = /letterlock explain ([0-9A-HJKMNP-TV-Z]{8})/.exec(shown) ?? [];
    expect(letterlock.entries('probed').at(-1)).toMatchObject({
      endpoint: nameOf('imaps'),
      result: 'refused',
      reason: 'pin-mismatch',
      reference,
    });
    const { answer: after } = await json('pins', 'show', nameOf('imaps'));
    expect(after).toMatchObject({
      state: 'pinned',
      candidates: [{ ref: reference, reason: 'pin-mismatch' }],
    });
    expect(after).toHaveProperty('pins', pinsOf(before));
    expect(await scraped(`letterlock_endpoint_refusing{upstream="${nameOf('imaps')}"} 1`)).toBe(true);
    expect(await scraped(`letterlock_probes_total{upstream="${nameOf('imaps')}",result="refused"} 1`)).toBe(
      true,
    );
    const { answer: history } = await json('pins', 'history', nameOf('imaps'));
    expect(eventsOf(history)).toEqual(['first-use', 'candidate']);
  });

  test('after it was approved the next probe accepts it, and so is the next client served', async () => {
    const { answer } = await json('pins', 'show', nameOf('imaps'));
    const { exit, shown } = await letterlock.command(
      'pins',
      'approve',
      nameOf('imaps'),
      '--expect',
      String(firstOf(answer, 'candidates')['spki']),
    );
    expect(exit, shown).toBe(0);
    expect(await json('probe', nameOf('imaps'))).toMatchObject({
      exit: 0,
      answer: { result: 'accepted', verdict: 'pin' },
    });
    expect(await scraped(`letterlock_endpoint_refusing{upstream="${nameOf('imaps')}"} 0`)).toBe(true);
    expect(await visit(ports.get('imaps') ?? 0)).not.toContain('letterlock refused');
  });

  test('of all, the ones still refused decide the exit, and each is told', async () => {
    const { exit, stdout } = await letterlock.command('probe', '--all');
    const told = stdout.toString();
    expect(exit).toBe(4);
    expect(told.match(/REFUSED/g)).toHaveLength(services.length - 1);
    expect(told).toContain(`${nameOf('imaps')}  accepted: pinned key, no CA involved`);
  });

  test('a server that is not there is a failure and no refusal', async () => {
    await lab.dovecot.stop();
    const { exit, shown } = await letterlock.command('probe', nameOf('pop3s'));
    expect(exit, shown).toBe(5);
    expect(shown).toMatch(/FAILED: .* \(dial\)/);
    expect(await scraped(`letterlock_probes_total{upstream="${nameOf('pop3s')}",result="failed"} 1`)).toBe(
      true,
    );
  });
});

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
const pinsOf = (row: unknown): unknown => (isObject(row) ? row['pins'] : null);
const eventsOf = (rows: unknown): readonly unknown[] =>
  Array.isArray(rows) ? rows.map((row: unknown) => (isObject(row) ? row['event'] : null)) : [];
function firstOf(row: unknown, list: string): Record<string, unknown> {
  const found: unknown = isObject(row) && Array.isArray(row[list]) ? row[list][0] : null;
  return isObject(found) ? found : {};
}
