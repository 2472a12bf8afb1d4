// The command line as such: exit codes, which stream holds what, help, errors as JSON.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands } from '../../cmd/commands.ts';
import { exitCodes } from '../../src/errors.ts';
import type { ExitName } from '../../src/errors.ts';
import { Home, parsed } from './program.ts';

let home: Home;
beforeAll(async () => {
  home = await Home.make();
  await home.file('good.yaml', 'state: st\nroutes:\n  - upstream: imaps://imap.example.org\n');
  await home.file('bad.yaml', 'truts: ca\nroutes: []\n');
});
afterAll(() => home.remove());

const pin = `sha256//${Buffer.alloc(32, 1).toString('base64')}`;

const rows: readonly (readonly [words: string, exit: ExitName, message: RegExp])[] = [
  ['', 'usage', /^letterlock: no command was given\nhint: /],
  ['pinz', 'usage', /^letterlock: there is no command pinz\nhint: did you mean letterlock pins\?\n$/],
  ['--bogus', 'usage', /^letterlock: Unknown argument: bogus\n/],
  ['status --bogus', 'usage', /^letterlock: Unknown argument: bogus\nhint: letterlock status --help/],
  ['status extra', 'usage', /^letterlock: Unknown argument: extra\n/],
  ['pins', 'usage', /^letterlock: say what to do with the pins\n/],
  ['pins lst', 'usage', /^letterlock: Unknown argument: lst\n/],
  ['pins show', 'usage', /^letterlock: Not enough non-option arguments/],
  ['pins show imap.example.org', 'usage', /is not an endpoint: give host:port/],
  ['pins show imap.example.org:99999', 'usage', /"99999" is not a port/],
  ['pins approve a.example:993', 'usage', /--expect is missing/],
  [
    'pins approve a.example:993 --expect 7F3AK2QM',
    'usage',
    /that is a reference, which is too short to compare a key with/,
  ],
  [`pins approve a.example:993 --expect ${pin} --keep --end-old`, 'usage', /contradict each other/],
  [`pins approve a.example:993 --expect ${pin} --as tofu`, 'usage', /--as tofu is not known/],
  [`pins approve a.example:993 --expect ${pin} --as ca --for 7d`, 'usage', /--as ca ends all pins/],
  [
    `pins approve a.example:993 --expect ${pin} --for abc`,
    'usage',
    /--for abc is not a duration\nhint: write 30m, 12h, 7d or 2w/,
  ],
  [`pins approve a.example:993 --expect ${pin} --for 0d`, 'usage', /--for 0d is not a duration/],
  [`pins approve a.example:993 --expect ${pin} --for 99999w`, 'usage', /--for 99999w is not a duration/],
  [
    `pins approve a.example:993 --expect ${pin} --expect ${pin}`,
    'usage',
    /--expect was given more than once/,
  ],
  [
    'pins forget a.example:993',
    'usage',
    /forget lets the next key be trusted on first use\nhint: name the key to forget/,
  ],
  [`pins add a.example:993 ${'AB:'.repeat(31)}AB`, 'usage', /is not the fingerprint of a key/],
  ['pins repair --apply --start-over', 'usage', /--apply and --start-over are different ways/],
  ['check', 'usage', /there is no configuration at/],
  ['check -c', 'usage', /Not enough arguments following: c/],
  [
    'check -c bad.yaml',
    'config',
    /^bad\.yaml:1:1: unknown key "truts"\n {4}truts: ca\n {4}\^\n {4}hint: did you mean trust\?\nbad\.yaml:2:9: there is no route\n/,
  ],
  ['check -c missing.yaml', 'config', /missing\.yaml: the file cannot be read \(ENOENT\)/],
  ['pins list -c bad.yaml', 'config', /unknown key "truts"/],
  ['run', 'usage', /there is nothing to run\nhint: Give URLs/],
  ['run -c bad.yaml', 'config', /unknown key "truts"/],
  [
    'run imaps://a.example imap://b.example',
    'config',
    /hint: give this one a port of its own: 1144=imap:\/\/b\.example/,
  ],
  [
    'run imaps://a.example --trust tofo',
    'config',
    /command line \(--trust\): trust must be one of .*\n {4}hint: did you mean tofu\?/,
  ],
  ['inspect nonsense', 'usage', /"nonsense" is not an endpoint/],
  ['inspect imap://a.example/x', 'usage', /holds a path, query or fragment/],
  ['inspect imaps://a.example --expect AB', 'usage', /fingerprint has 2 hexadecimal digits/],
  ['inspect imaps://a.example --address :1', 'usage', /empty label/],
  ['explain nothing-like-it', 'not-found', /is no code, reference, connection or HOST:PORT/],
  ['explain pin-mismatsh', 'not-found', /hint: Did you mean pin-mismatch\?/],
  ['cert missing.pem', 'not-found', /missing\.pem cannot be read \(ENOENT\)/],
  ['cert good.yaml', 'not-found', /good\.yaml holds no certificate/],
  [
    'status',
    'no-daemon',
    /^letterlock: no letterlock daemon is running; tried\n(?: {2}\/.*\n)+hint: Start one/,
  ],
  ['reload -c good.yaml', 'no-daemon', /no letterlock daemon is running/],
  ['pins list -c good.yaml', 'store', /there is no pin store in/],
  ['pins verify -c good.yaml', 'store', /there is no pin store in/],
  ['pins repair -c good.yaml', 'store', /there is no pin store in/],
];

describe('a command that cannot be carried out', () => {
  it.each(rows)('letterlock %s: exit %s', async (words, exit, message) => {
    const ended = await home.say(words.split(' ').filter((word) => word !== ''));
    expect(ended.stderr).toMatch(message);
    expect(ended.stdout).toBe('');
    expect(ended.exit).toBe(exitCodes[exit]);
  });

  it.each([
    ['pinz --json', 'usage'],
    ['status --json', 'no-daemon'],
    ['check -c bad.yaml --json', 'config'],
    ['pins list --json -c good.yaml', 'store-missing'],
    ['explain x.y --json', 'not-found'],
  ])('says so as JSON where JSON was asked for: %s', async (words, code) => {
    const ended = await home.say(words.split(' '));
    expect(ended.stdout).toBe('');
    expect(parsed(ended.stderr)).toMatchObject({
      error: { code, message: expect.any(String), hint: expect.any(String) },
    });
  });

  it('lists every problem of a configuration as data', async () => {
    const { stderr } = await home.say(['check', '-c', 'bad.yaml', '--json']);
    expect(parsed(stderr)).toMatchObject({
      error: {
        problems: [
          {
            source: 'bad.yaml',
            line: 1,
            column: 1,
            message: 'unknown key "truts"',
            suggestion: 'did you mean trust?',
          },
          { source: 'bad.yaml', line: 2, column: 9, message: 'there is no route' },
        ],
      },
    });
  });

  it('takes --json behind -- for a word like any other', async () => {
    const { stderr } = await home.say(['status', '--', '--json']);
    expect(stderr).toMatch(/^letterlock: /);
  });
});

describe('help', () => {
  const names = commands.map(({ command }) => command.split(' ')[0] ?? '');
  const pins = [
    'list',
    'show',
    'history',
    'approve',
    'reject',
    'add',
    'forget',
    'undo',
    'verify',
    'repair',
  ].map((name) => `pins ${name}`);
  const groups = ['pins', 'config', 'local-ca'];

  it('lists every command', async () => {
    const { stdout, stderr, exit } = await home.say(['--help']);
    for (const name of [...names, 'completion'])
      expect(stdout).toMatch(new RegExp(`^ {2}letterlock ${name}\\b`, 'm'));
    expect([stderr, exit]).toEqual(['', 0]);
  });

  it.each([
    ...names.filter((name) => !groups.includes(name)),
    'config show',
    'config schema',
    'local-ca show',
    'local-ca export',
    'local-ca install',
    ...pins,
  ])('of %s has an example', async (name) => {
    const { stdout, stderr, exit } = await home.say([...name.split(' '), '--help']);
    expect(stdout).toMatch(/Examples:\n {2}\S/);
    expect([stderr, exit]).toEqual(['', 0]);
  });

  it('is English whatever the language of the machine', async () => {
    const { stdout } = await home.run(['--help'], { env: { LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8' } });
    expect(stdout).toContain('Show help');
  });

  it('version is one line', async () => {
    expect((await home.run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('completion', () => {
  it.each([
    ['/bin/bash', /complete -o bashdefault/],
    ['/bin/zsh', /compdef _letterlock_yargs_completions letterlock/],
  ])('for %s', async (shell, script) => {
    const { stdout, exit } = await home.run(['completion'], { env: { SHELL: shell } });
    expect(stdout).toMatch(script);
    expect(exit).toBe(0);
  });

  it('knows the commands and those of a group', async () => {
    const top = await home.say(['--get-yargs-completions', 'letterlock', '']);
    expect(top.stdout.split('\n')).toEqual(expect.arrayContaining(['run', 'inspect', 'pins']));
    const pins = await home.say(['--get-yargs-completions', 'letterlock', 'pins', '']);
    expect(pins.stdout.split('\n')).toEqual(expect.arrayContaining(['approve', 'repair']));
  });
});

describe('a result', () => {
  it('stands on stdout alone', async () => {
    const ended = await home.run(['check', '-c', 'good.yaml']);
    expect(ended).toEqual({
      exit: 0,
      stderr: '',
      stdout: 'good.yaml: the configuration is good (1 route)\n',
    });
  });

  it('of a code needs neither daemon nor store', async () => {
    const { stdout, exit } = await home.say(['explain', 'pin-mismatch', '--json']);
    expect(parsed(stdout)).toMatchObject({
      target: 'pin-mismatch',
      kind: 'code',
      summary: expect.stringContaining('its key changed'),
    });
    expect(exit).toBe(0);
    expect((await home.say(['explain', 'expired'])).stdout).toMatch(
      /^expired: The certificate has expired\.\n/,
    );
    expect((await home.say(['explain', 'dial'])).stdout).toMatch(/^dial: letterlock could not reach/);
  });

  it('to a pipe nobody reads ends quietly', async () => {
    const started = home.start(['config', 'schema']);
    started.child.stdout?.destroy();
    const { stderr, exit } = await started.ended;
    expect([stderr, exit]).toEqual(['', 0]);
  });

  it('of config show names where each value came from', async () => {
    const { stdout } = await home.say(['config', 'show', '--origin', '-c', 'good.yaml'], {
      env: { LETTERLOCK_TRUST: 'tofu' },
    });
    expect(stdout).toMatch(/^state: \/.*\/st +# good\.yaml:1:8$/m);
    expect(stdout).toMatch(/^ {2}- name: imaps-1143 +# default$/m);
    expect(stdout).toMatch(/^ {4}upstream: "imaps:\/\/imap\.example\.org" +# good\.yaml:3:15$/m);
    expect(stdout).toMatch(/^ {4}trust: tofu +# LETTERLOCK_TRUST$/m);
  });

  it('of config show is a configuration again, and the same', async () => {
    const { stdout } = await home.say(['config', 'show', '-c', 'good.yaml']);
    await home.file('again.yaml', stdout);
    expect(await home.say(['config', 'show', '-c', 'again.yaml'])).toEqual({ exit: 0, stdout, stderr: '' });
  });

  it('of config show holds no password, and all else that a route can have', async () => {
    await home.file('secret', 'hunter2');
    await home.file(
      'full.yaml',
      `state: st
localCa: {names: [box.lan]}
routes:
  - listen: [{unix: run/x.sock, mode: "0660", group: mail}, fd:imap, "[::1]:0"]
    upstream: [imaps://imap.example.org, imaps://imap.gmail.com]
    clientTls: {mode: implicit, minVersion: TLSv1.3}
    proxy: socks5://me:hunter2@127.0.0.1
  - upstream: submissions://mail.example.org
    proxy: {url: "http://me@127.0.0.1", passwordFile: secret}
    address: [192.0.2.1, 192.0.2.2]
    clientTls: starttls
    allowUsers: [root]
    warm: 2
`,
    );
    const json = await home.say(['config', 'show', '--json', '-c', 'full.yaml']);
    expect(json.stdout).not.toContain('hunter2');
    expect(json.stdout).toContain('"user": "me"');
    const { stdout, exit } = await home.say(['config', 'show', '-c', 'full.yaml']);
    expect([stdout.includes('hunter2'), exit]).toEqual([false, 0]);
    expect(stdout).toMatch(/^ {4}# trust: auto +# imap\.gmail\.com:993 has "ca" \(provider\)$/m);
    await home.file('again.yaml', stdout);
    expect((await home.say(['config', 'show', '-c', 'again.yaml'])).stdout).toBe(stdout);
  });

  it('of config schema is the schema', async () => {
    expect(parsed((await home.say(['config', 'schema'])).stdout)).toMatchObject({
      $schema: 'http://json-schema.org/draft-07/schema#',
    });
  });
});
