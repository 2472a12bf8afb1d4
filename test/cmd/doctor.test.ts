// `letterlock doctor` and `letterlock probe` as somebody types them: with nothing configured, with a configuration
// that is wrong, beside a running daemon, and when something is in the way.

import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { portOf, selfSigned } from '../net/peers.ts';
import { FakeServer } from '../proxy/world.ts';
import { Home, parsed } from './program.ts';

let home: Home;
const closings: (() => void)[] = [];
beforeEach(async () => {
  home = await Home.make();
});
afterEach(async () => {
  for (const close of closings.splice(0)) close();
  await home.remove();
});

interface Row {
  readonly check: string;
  readonly level: string;
  readonly message: string;
}
const isReport = (value: unknown): value is { readonly findings: readonly Row[]; readonly summary: object } =>
  typeof value === 'object' && value !== null && 'findings' in value && Array.isArray(value.findings);
function findingsOf(stdout: string): readonly Row[] {
  const report = parsed(stdout);
  if (!isReport(report)) throw new Error('no report');
  return report.findings;
}
const levelOf = (findings: readonly Row[], check: string): readonly string[] =>
  findings.filter((row) => row.check === check).map(({ level }) => level);

async function mailServer(): Promise<FakeServer> {
  const script = [{ do: 'tls' }, { say: '* OK ready\r\n' }, { do: 'echo' }] as const;
  const server = await new FakeServer(await selfSigned(), script).listen();
  closings.push(() => server.close());
  return server;
}

const file = (upstream: string, listen: string): string =>
  ['state: s', 'metrics: null', 'routes:', `  - upstream: ${upstream}`, `    listen: ${listen}`, ''].join(
    '\n',
  );

describe('letterlock doctor', () => {
  it('where nothing is configured and nothing runs says what to do next, and makes nothing', async () => {
    const { exit, stdout, stderr } = await home.run(['doctor']);
    expect([exit, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^ {2}note {5}configuration {2}there is no configuration file at /m);
    expect(stdout).toMatch(/-> Start with letterlock run imaps:\/\/YOUR\.SERVER/);
    expect(stdout).toMatch(/^ {2}note {5}daemon {9}no daemon is running/m);
    expect(stdout).toMatch(/^ {2}note {5}store {10}there is no pin store/m);
    expect(stdout).toMatch(/^ {2}ok {7}anchors|WARNING {2}anchors/m);
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/\d+ ok$/);
    expect(await readdir(home.folder)).toEqual([]);
  });

  it('of a configuration with mistakes names each, goes on with the rest, and exits 3', async () => {
    await home.file('l.yaml', 'routes:\n  - upstream: imaps://a.example\n    truts: ca\nmetrics: 7\n');
    const { exit, stdout } = await home.run(['doctor', '-c', 'l.yaml', '--json']);
    expect(exit).toBe(3);
    const findings = findingsOf(stdout);
    expect(findings.filter(({ check }) => check === 'configuration')).toMatchObject([
      {
        level: 'fault',
        message: 'l.yaml:3:5: unknown key "truts" in routes[0]',
        advice: 'did you mean trust?',
      },
      { level: 'fault', message: expect.stringContaining('l.yaml:4:10') },
    ]);
    expect(levelOf(findings, 'node')).toHaveLength(1);
  });

  it('beside a running daemon asks it, and finds its ports in good hands', async () => {
    const server = await mailServer();
    await home.file('l.yaml', file(`imaps://127.0.0.1:${server.port}`, '127.0.0.1:0'));
    const running = home.start(['run', '-c', 'l.yaml']);
    const [, port = ''] = await running.writes('stderr', /listens on 127\.0\.0\.1:(\d+)/);
    await running.writes('stderr', /is ready/);
    await home.file('l.yaml', file(`imaps://127.0.0.1:${server.port}`, `127.0.0.1:${port}`));
    const { exit, stdout } = await home.say(['doctor', '-c', home.path('l.yaml'), '--json']);
    const findings = findingsOf(stdout);
    expect(findings.filter(({ level }) => level === 'fault')).toEqual([]);
    expect(exit).toBe(0);
    expect(findings).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          check: 'daemon',
          level: 'ok',
          message: expect.stringContaining(`pid ${running.child.pid}`),
        }),
        expect.objectContaining({
          check: 'store',
          level: 'ok',
          message: expect.stringContaining('database and seal agree'),
        }),
        expect.objectContaining({
          check: 'ports',
          level: 'ok',
          message: `127.0.0.1:${port} (bound by the running daemon)`,
        }),
        expect.objectContaining({
          check: 'upstreams',
          level: 'ok',
          message: expect.stringContaining(`127.0.0.1:${server.port} answers`),
        }),
      ]),
    );
    // It dialled, and said nothing: no handshake, no first use.
    expect(server.visits.map(({ clear, secured }) => clear.length + secured.length)).toEqual([0]);
    expect((await home.say(['pins', 'history', '-c', home.path('l.yaml'), '--json'])).stdout.trim()).toBe(
      '[]',
    );
  });

  it('finds a port that somebody has, and a server that is not there, and exits 5', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    closings.push(() => taken.close());
    await home.file('l.yaml', file('imaps://127.0.0.1:1', `127.0.0.1:${portOf(taken)}`));
    const { exit, stdout } = await home.say(['doctor', '-c', home.path('l.yaml'), '--json']);
    expect(exit).toBe(5);
    const findings = findingsOf(stdout);
    expect([levelOf(findings, 'ports'), levelOf(findings, 'upstreams')]).toEqual([['fault'], ['fault']]);
  });

  it('offline dials nobody', async () => {
    const server = await mailServer();
    await home.file('l.yaml', file(`imaps://127.0.0.1:${server.port}`, '127.0.0.1:0'));
    const { exit, stdout } = await home.say(['doctor', '-c', home.path('l.yaml'), '--offline']);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^ {2}note {5}upstreams {6}not dialled \(--offline\)$/m);
    expect(server.visits).toEqual([]);
  });

  it('tells of variables that are ignored, and refuses what run refuses', async () => {
    const given = { env: { NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_OPTIONS: '--tls-keylog=/dev/null' } };
    const { exit, stdout } = await home.say(['doctor', '--offline', '--json'], given);
    expect(exit).toBe(3);
    expect(findingsOf(stdout).filter(({ check }) => check === 'environment')).toMatchObject([
      { level: 'fault', message: expect.stringContaining('--tls-keylog') },
      { level: 'note', message: 'set and ignored: NODE_TLS_REJECT_UNAUTHORIZED' },
    ]);
  });

  it('of a damaged store says so, changes nothing, and exits 6', async () => {
    await home.file('l.yaml', file('imaps://127.0.0.1:1', '127.0.0.1:0'));
    const key = 'sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
    const added = await home.say(['pins', 'add', '127.0.0.1:1', key, '-c', home.path('l.yaml')]);
    expect(added.exit, added.stderr).toBe(0);
    await home.file('s/seal', 'nonsense');
    const { exit, stdout } = await home.say(['doctor', '-c', home.path('l.yaml'), '--offline']);
    expect(exit).toBe(6);
    expect(stdout).toMatch(/^ {2}FAULT {4}store {10}the pin store in .* is damaged/m);
    expect(stdout).toContain('letterlock pins repair');
  });
});

describe('letterlock probe', () => {
  it('needs a daemon, and one endpoint or --all', async () => {
    expect(await home.say(['probe', 'imap.example.org:993'])).toMatchObject({ exit: 8 });
    for (const words of [['probe'], ['probe', 'a.example:993', '--all']])
      expect(await home.say(words)).toMatchObject({ exit: 2, stderr: expect.stringContaining('--all') });
  });

  it('of a server nobody knows says so and pins nothing; of one that is not configured exits 7', async () => {
    const server = await mailServer();
    await home.file('l.yaml', file(`imaps://127.0.0.1:${server.port}`, '127.0.0.1:0'));
    const running = home.start(['run', '-c', 'l.yaml']);
    await running.writes('stderr', /is ready/);
    const at = ['-c', home.path('l.yaml')];
    const one = await home.say(['probe', `127.0.0.1:${server.port}`, ...at]);
    expect(one.exit).toBe(0);
    expect(one.stdout).toMatch(/^127\.0\.0\.1:\d+ {2}NOT KNOWN: a client would make this key a first use/);
    expect(await home.say(['probe', 'imap.example.org:993', ...at])).toMatchObject({ exit: 7 });
    const all = await home.say(['probe', '--all', '--json', ...at]);
    expect(parsed(all.stdout)).toMatchObject([{ result: 'accepted', verdict: 'first-use' }]);
    expect((await home.say(['pins', 'history', '--json', ...at])).stdout.trim()).toBe('[]');
  });
});
